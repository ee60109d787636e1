//! ENABLE_SSL_REVOCATION, with the lists of an authority.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{
    CertificateRevocationListParams, CrlDistributionPoint, CrlIssuingDistributionPoint, KeyIdMethod, RevokedCertParams,
    SerialNumber, date_time_ymd,
};
use socket2::{Domain, Socket, Type};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::certificates::*;
use crate::client::{Get, set};
use crate::server::{Server, Visit};
use crate::support::{last_error, read_head, serve};

pub const SERIAL: u64 = 4711;

/// A list of this authority in which these serial numbers are revoked.
fn list(authority: &Authority, revoked: &[u64], next_year: i32) -> Vec<u8> {
    part(authority, revoked, next_year, None)
}

/// The same, of those certificates only that name it so.
fn part(authority: &Authority, revoked: &[u64], next_year: i32, name: Option<&str>) -> Vec<u8> {
    let revoked = revoked.iter().map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2020, 1, 1),
        reason_code: None,
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(next_year, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: name.map(|name| CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint { uris: vec![name.to_owned()] },
            scope: None,
        }),
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(authority).unwrap().der().to_vec()
}

/// A web server with this file; its port, and how often it was asked.
fn serve_list(list: Option<Vec<u8>>) -> (u16, Arc<AtomicUsize>) {
    serve_lists(vec![list])
}

/// A web server that has these files, one after another, and then the last.
fn serve_lists(lists: Vec<Option<Vec<u8>>>) -> (u16, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let port = serve(move |mut stream| {
        let Some(head) = read_head(&mut stream) else { return };
        assert!(head.starts_with("GET /ca.crl HTTP/1.1\r\n"), "{head}");
        let before = counted.fetch_add(1, Ordering::SeqCst);
        let list = &lists[before.min(lists.len() - 1)];
        let status = if list.is_some() { "200 OK" } else { "404 Not Found" };
        let body = list.as_deref().unwrap_or_default();
        let _ = stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
        let _ = stream.write_all(body);
    });
    (port, asked)
}

/// A certificate whose list is to be had, and has these serial numbers.
pub fn leaf(revoked: &[u64]) -> Leaf {
    named(Some(serve_list(Some(list(&TRUSTED, revoked, 3000))).0))
}

/// A certificate that names the list at this port.
fn named(list: Option<u16>) -> Leaf {
    by(&TRUSTED, list)
}

/// The same, by this authority.
fn by(authority: &Authority, list: Option<u16>) -> Leaf {
    let mut params = parameters("127.0.0.1");
    params.serial_number = Some(SerialNumber::from(SERIAL));
    if let Some(port) = list {
        let uris = vec!["ldap://127.0.0.1/ca".to_owned(), format!("http://127.0.0.1:{port}/ca.crl")];
        params.crl_distribution_points = vec![CrlDistributionPoint { uris }];
    }
    Leaf::signed(params, authority)
}

/// A server whose certificate names it.
fn server(list: Option<u16>) -> Server {
    Server::new(named(list).server())
}

fn get(server: &Server) -> Get {
    Get::new(server.port)
        .option(WINHTTP_OPTION_ENABLE_FEATURE, WINHTTP_ENABLE_SSL_REVOCATION)
        .option(WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_DISABLE_KEEP_ALIVE)
}

#[test]
fn revoked_good_or_unknown() {
    let (revoked, unknown) = (WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED, WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED);
    let of = |list: Vec<u8>| Some(serve_list(Some(list)).0);
    let rows = [
        ("not in the list", of(list(&TRUSTED, &[1], 3000)), 0),
        ("in an empty list", of(list(&TRUSTED, &[], 3000)), 0),
        ("in the list", of(list(&TRUSTED, &[1, SERIAL], 3000)), revoked),
        ("its part of a list", of(part(&TRUSTED, &[1], 3000, Some("ldap://127.0.0.1/ca"))), 0),
        ("in its part of a list", of(part(&TRUSTED, &[SERIAL], 3000, Some("ldap://127.0.0.1/ca"))), revoked),
        ("another part of a list", of(part(&TRUSTED, &[1], 3000, Some("ldap://127.0.0.1/2"))), unknown),
        ("a list that is out of date", of(list(&TRUSTED, &[], 2021)), unknown),
        ("somebody else's list", of(list(&UNKNOWN, &[], 3000)), unknown),
        ("an impostor's list", of(list(&authority("trusted"), &[], 3000)), unknown),
        ("no list at all", of(b"nothing".to_vec()), unknown),
        ("not found", Some(serve_list(None).0), unknown),
        ("nobody listens", Some(serve_nothing()), unknown),
        ("no list is named", None, unknown),
    ];
    for (what, list, fault) in rows {
        let server = server(list);
        let error = if fault == 0 { 0 } else { 12175 };
        assert_eq!(get(&server).run().verdict(), (fault, error), "{what}");
        let visit = server.visit();
        assert!(visit.greeted && (visit.bytes > 0) == (fault == 0), "{what}: {visit:?}");
        // Nothing of it is ignored by the flags of certificates.
        let flags = SECURITY_FLAG_IGNORE_UNKNOWN_CA | SECURITY_FLAG_IGNORE_CERT_DATE_INVALID;
        let outcome = get(&server).option(WINHTTP_OPTION_SECURITY_FLAGS, flags).run();
        assert_eq!(outcome.verdict(), (fault, error), "{what}, ignored");
        let _ = server.visit();
        // A list that cannot be had is tolerated, a revoked certificate is not.
        let outcome = get(&server).option(WINHTTP_OPTION_IGNORE_CERT_REVOCATION_OFFLINE, 1).run();
        let (fault, error) = if fault == revoked { (fault, error) } else { (0, 0) };
        assert_eq!(outcome.verdict(), (fault, error), "{what}, offline ignored");
        let _ = server.visit();
        // Without the feature nobody asks.
        let plain = Get::new(server.port).option(WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_DISABLE_KEEP_ALIVE);
        assert_eq!(plain.run().verdict(), (0, 0), "{what}, unchecked");
        assert!(matches!(server.visit(), Visit { greeted: true, bytes: 1.., .. }));
    }
}

/// A port at which nobody listens, and nobody else ever will.
fn serve_nothing() -> u16 {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    std::mem::forget(socket);
    port
}

#[test]
fn a_list_is_fetched_once() {
    let (port, asked) = serve_list(Some(list(&TRUSTED, &[], 3000)));
    let server = server(Some(port));
    for _ in 0..3 {
        assert_eq!(get(&server).run().verdict(), (0, 0));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// What somebody has put in the place of a list is not kept: the true one is asked for.
#[test]
fn only_what_could_tell_is_kept() {
    let unknown = WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED;
    let revoked = WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED;
    let good = list(&TRUSTED, &[1], 3000);
    let changed = good.iter().rev().skip(1).rev().copied().chain([!good.last().unwrap()]).collect();
    let rows = [
        ("an impostor's", list(&authority("trusted"), &[], 3000)),
        ("a part of others", part(&TRUSTED, &[], 3000, Some("ldap://127.0.0.1/2"))),
        ("changed", changed),
    ];
    for (what, false_list) in rows {
        let (port, asked) = serve_lists([false_list, list(&TRUSTED, &[SERIAL], 3000)].map(Some).into());
        let server = server(Some(port));
        for fault in [unknown, revoked, revoked] {
            assert_eq!(get(&server).run().verdict(), (fault, 12175), "{what}");
            let _ = server.visit();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2, "{what}");
    }
}

/// Without its issuer nobody could say whose a list is: it is not fetched.
#[test]
fn a_list_of_nobody_is_not_fetched() {
    let (port, asked) = serve_list(Some(list(&UNKNOWN, &[], 3000)));
    let server = Server::new(by(&UNKNOWN, Some(port)).server());
    let outcome = get(&server).option(WINHTTP_OPTION_SECURITY_FLAGS, SECURITY_FLAG_IGNORE_UNKNOWN_CA).run();
    assert_eq!(outcome.verdict(), (WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED, 12175));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

/// Any other value is 87 (source option.enable-feature).
#[test]
fn the_feature() {
    let _ = &*TRUSTED;
    let get = Get::new(1);
    for (value, good) in [(1, true), (0, false), (2, false), (3, false)] {
        let done = set(get.request, WINHTTP_OPTION_ENABLE_FEATURE, value);
        assert_eq!(done != 0, good, "{value}");
        assert!(good || last_error() == 87, "{value}");
    }
    get.close();
}
