//! Which certificates are refused, and why.

use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use windows_sys::Win32::Networking::WinHttp::*;
use windows_sys::Win32::Security::Cryptography::{CERT_CONTEXT, CertFreeCertificateContext};

use crate::certificates::*;
use crate::client::{Get, query};
use crate::server::{Server, Visit};

/// Each fault: its bit of SECURE_FAILURE, and the flag that ignores it.
const FAULTS: [(Fault, u32, u32); 5] = [
    (Fault::Authority, WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA, SECURITY_FLAG_IGNORE_UNKNOWN_CA),
    (Fault::Name, WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID, SECURITY_FLAG_IGNORE_CERT_CN_INVALID),
    (Fault::Expired, WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID, SECURITY_FLAG_IGNORE_CERT_DATE_INVALID),
    (Fault::NotYetValid, WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID, SECURITY_FLAG_IGNORE_CERT_DATE_INVALID),
    (Fault::Usage, WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE, SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE),
];
const FLAGS: [u32; 4] = [
    SECURITY_FLAG_IGNORE_UNKNOWN_CA,
    SECURITY_FLAG_IGNORE_CERT_CN_INVALID,
    SECURITY_FLAG_IGNORE_CERT_DATE_INVALID,
    SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE,
];

const REFUSED: [u32; 6] = [
    WINHTTP_CALLBACK_STATUS_RESOLVING_NAME,
    WINHTTP_CALLBACK_STATUS_NAME_RESOLVED,
    WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER,
    WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER,
    WINHTTP_CALLBACK_STATUS_SECURE_FAILURE,
    WINHTTP_CALLBACK_STATUS_REQUEST_ERROR,
];

/// Every set of faults with every set of flags: all faults that are not ignored are told, nothing of a request leaves
/// before the verdict, and what is ignored is not told.
#[test]
fn every_fault_with_every_flag() {
    let _ = &*TRUSTED;
    // The two faults of dates exclude each other.
    let sets = (0..32_u32).filter(|set| set & 0b1100 != 0b1100);
    for set in sets {
        let chosen: Vec<_> = (0..5).filter(|bit| set & (1 << bit) != 0).map(|bit| FAULTS[bit]).collect();
        let faults: Vec<Fault> = chosen.iter().map(|(fault, ..)| *fault).collect();
        let server = Server::new(certificate(&faults).server());
        for mask in 0..16 {
            let ignored = (0..4).filter(|bit| mask & (1 << bit) != 0).fold(0, |all, bit| all | FLAGS[bit]);
            let told = chosen.iter().filter(|(_, _, flag)| ignored & flag == 0).fold(0, |all, (_, bit, _)| all | bit);
            let what = format!("{faults:?}, ignored {ignored:#x}");
            let outcome = Get::new(server.port)
                .option(WINHTTP_OPTION_SECURITY_FLAGS, ignored)
                .option(WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_DISABLE_KEEP_ALIVE)
                .run();
            let visit = server.visit();
            if told == 0 {
                assert_eq!((outcome.failure, outcome.error), (None, None), "{what}");
                assert!(visit.greeted && visit.bytes > 0, "{what}: {visit:?}");
                continue;
            }
            assert_eq!(outcome.statuses, REFUSED, "{what}");
            assert_eq!(outcome.failure, Some(told), "{what}");
            assert_eq!(outcome.error, Some((API_SEND_REQUEST, 12175)), "{what}");
            assert_eq!(visit, Visit::default(), "{what}");
        }
    }
}

/// Certificates that are not as plain: the way to the root, dates on it, names.
#[test]
fn ways_to_the_root() {
    let trusted = &*TRUSTED;
    let (middle, expired_middle) = (intermediate(trusted, |_| {}), intermediate(trusted, expire));
    let leaf = |issuer: &Authority| Leaf::signed(parameters("127.0.0.1"), issuer);
    let (ca, name, date) = (
        WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA,
        WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID,
        WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID,
    );
    let ignores = |flags: u32| move |get: Get| get.option(WINHTTP_OPTION_SECURITY_FLAGS, flags);
    let rows: Vec<(&str, Leaf, u32, u32)> = vec![
        ("an intermediate", leaf(&middle).with(&[der(&middle)]), 0, 0),
        (
            "an intermediate, and more than is needed",
            leaf(&middle).with(&[der(&UNKNOWN), der(trusted), der(&middle)]),
            0,
            0,
        ),
        ("the intermediate is missing", leaf(&middle), 0, ca),
        ("the intermediate is missing, ignored", leaf(&middle), SECURITY_FLAG_IGNORE_UNKNOWN_CA, 0),
        ("the intermediate has expired", leaf(&expired_middle).with(&[der(&expired_middle)]), 0, date),
        (
            "the same, ignored",
            leaf(&expired_middle).with(&[der(&expired_middle)]),
            SECURITY_FLAG_IGNORE_CERT_DATE_INVALID,
            0,
        ),
        ("the intermediate had expired before", leaf_after(&expired_middle), 0, date),
        ("the same, ignored", leaf_after(&expired_middle), SECURITY_FLAG_IGNORE_CERT_DATE_INVALID, 0),
        ("signed by a server's certificate", leaf_of_leaf(), 0, ca),
        ("self-signed", Leaf::self_signed(parameters("127.0.0.1")), 0, ca),
        ("self-signed, ignored", Leaf::self_signed(parameters("127.0.0.1")), SECURITY_FLAG_IGNORE_UNKNOWN_CA, 0),
        ("a self-signed authority, ignored", Leaf::self_signed(of_authority()), SECURITY_FLAG_IGNORE_UNKNOWN_CA, 0),
        ("self-signed and trusted", trusted_itself(), 0, 0),
        ("an impostor with the name of a root", leaf(&authority("trusted")), 0, ca),
        ("a common name only", Leaf::signed(common_name("127.0.0.1"), trusted), 0, 0),
        ("another common name only", Leaf::signed(common_name("127.0.0.2"), trusted), 0, name),
        ("no name at all", Leaf::signed(common_name(""), trusted), 0, name),
        ("a common name within the constraints", constrained([127, 0, 0, 0], true), 0, 0),
        ("a common name outside the constraints", constrained([10, 0, 0, 0], true), 0, name),
        ("a common name that is excluded", constrained([127, 0, 0, 0], false), 0, name),
        ("a common name beside what is excluded", constrained([10, 0, 0, 0], false), 0, 0),
    ];
    for (what, leaf, ignored, told) in rows {
        let server = Server::new(leaf.server());
        let outcome = ignores(ignored)(Get::new(server.port)).run();
        let error = if told == 0 { 0 } else { 12175 };
        assert_eq!(outcome.verdict(), (told, error), "{what}");
    }
}

/// Flags belong to a request: what one ignored is not ignored by the next, whatever was kept of the connection.
#[test]
fn flags_are_not_inherited_by_connections_and_sessions() {
    let _ = &*TRUSTED;
    let server = Server::new(certificate(&[Fault::Authority]).server());
    let get = |flags| Get::new(server.port).option(WINHTTP_OPTION_SECURITY_FLAGS, flags).run().verdict();
    let ignored = SECURITY_FLAG_IGNORE_UNKNOWN_CA;
    let refused = (WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA, 12175);
    assert_eq!([get(ignored), get(0), get(ignored), get(0)], [(0, 0), refused, (0, 0), refused]);
}

/// source n117: who has seen the certificate of a server that was refused (n116) sets flags, and sends the same handle again.
#[test]
fn flags_that_are_set_after_the_refusal() {
    let _ = &*TRUSTED;
    for (fault, told, ignored) in FAULTS {
        let leaf = certificate(&[fault]);
        let server = Server::new(leaf.server());
        let get = Get::new(server.port).option(WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_DISABLE_KEEP_ALIVE);
        assert_eq!(get.send().verdict(), (told, 12175), "{fault:?}");
        assert_eq!(server.visit(), Visit::default(), "{fault:?}");
        let context = query::<*mut CERT_CONTEXT>(get.request, WINHTTP_OPTION_SERVER_CERT_CONTEXT).unwrap();
        // SAFETY: the context is alive until it is freed.
        unsafe {
            let CERT_CONTEXT { pbCertEncoded, cbCertEncoded, .. } = *context;
            let shown = std::slice::from_raw_parts(pbCertEncoded, cbCertEncoded as usize);
            assert_eq!(shown, &*leaf.chain[0], "{fault:?}");
            assert_eq!(CertFreeCertificateContext(context), 1);
        }
        let get = get.option(WINHTTP_OPTION_SECURITY_FLAGS, ignored);
        assert_eq!(get.send().verdict(), (0, 0), "{fault:?}");
        get.close();
        let visit = server.visit();
        assert!(visit.greeted && visit.bytes > 0, "{fault:?}: {visit:?}");
    }
}

/// source n131: a program that says nothing speaks TLS 1.2 with a server that has nothing newer.
#[test]
fn tls_1_2_is_spoken_unasked() {
    let _ = &*TRUSTED;
    for (version, expected) in
        [(&TLS12, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2), (&TLS13, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3)]
    {
        let server = Server::new(Arc::new(certificate(&[]).config(&[version], Clients::Unasked)));
        let get = Get::new(server.port);
        assert_eq!(get.send().verdict(), (0, 0));
        let security = query::<[u32; 177]>(get.request, WINHTTP_OPTION_SECURITY_INFO).unwrap();
        assert_eq!(security[0], expected);
        get.close();
    }
}

/// Only what SECURE_PROTOCOLS names is spoken; what nobody here speaks is no protocol.
#[test]
fn protocols() {
    let _ = &*TRUSTED;
    let server = Server::new(certificate(&[]).server());
    let (old, new) = (WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_1, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3);
    let get = |bits| Get::session(server.port, WINHTTP_OPTION_SECURE_PROTOCOLS, bits).run().verdict();
    assert_eq!([get(old), get(old | new)], [(WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR, 12175), (0, 0)]);
}
