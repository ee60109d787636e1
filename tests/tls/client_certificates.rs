//! Servers that ask for a certificate.

use std::ffi::c_void;
use std::ptr::null;
use std::sync::Arc;

use portable_winhttp::api::ClientCertificate;
use rcgen::ExtendedKeyUsagePurpose;
use rustls::ALL_VERSIONS;
use rustls::version::{TLS12, TLS13};
use windows_sys::Win32::Foundation::GlobalFree;
use windows_sys::Win32::Networking::WinHttp::*;
use windows_sys::Win32::Security::Authentication::Identity::SecPkgContext_IssuerListInfoEx;
use windows_sys::Win32::Security::Cryptography::*;

use crate::certificates::*;
use crate::client::{Get, query};
use crate::server::Server;
use crate::support::{close, last_error};

/// A certificate for clients.
fn identity() -> (Leaf, ClientCertificate) {
    let mut params = parameters("a client");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let leaf = Leaf::signed(params, &TRUSTED);
    let pem = leaf.pem();
    let certificate = ClientCertificate::from_pem(pem.as_bytes(), pem.as_bytes()).unwrap();
    (leaf, certificate)
}

/// CLIENT_CERT_CONTEXT: 0, or the last error.
pub fn set(request: *mut c_void, context: *const c_void) -> u32 {
    let length = if context.is_null() { 0 } else { size_of::<CERT_CONTEXT>() as u32 };
    // SAFETY: NULL and 0, or a CERT_CONTEXT.
    match unsafe { WinHttpSetOption(request, WINHTTP_OPTION_CLIENT_CERT_CONTEXT, context, length) } {
        0 => last_error(),
        _ => 0,
    }
}

/// Nothing was said: 12044, with the issuers that are acceptable; the same handle then sends again (TL7).
#[test]
fn asked_and_answered() {
    let (_, certificate) = identity();
    for (versions, clients) in [(&[&TLS12], Clients::Known), (&[&TLS13], Clients::Known), (&[&TLS13], Clients::Asked)] {
        let server = Server::new(Arc::new(certificate_of_server().config(versions, clients)));
        let get = Get::new(server.port).option(WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_DISABLE_KEEP_ALIVE);
        let outcome = get.send();
        assert_eq!((outcome.failure, outcome.error), (None, Some((API_SEND_REQUEST, 12044))), "{versions:?}");
        let visit = server.visit();
        assert_eq!((visit.bytes, visit.identified), (0, false));
        assert_eq!(issuers(get.request), [subject_of_trusted()]);
        assert_eq!(set(get.request, certificate.context().cast()), 0);
        assert_eq!(get.send().error, None, "{versions:?}");
        get.close();
        let visit = server.visit();
        assert!(visit.identified && visit.bytes > 0, "{visit:?}");
    }
}

/// sources g06, n127: a server that only asks is 12044, too, over a connection that ends (n128); with "none" the same handle
/// sends again, over another, and succeeds.
#[test]
fn asked_and_none_given() {
    for versions in [&[&TLS12], &[&TLS13]] {
        let server = Server::new(Arc::new(certificate_of_server().config(versions, Clients::Asked)));
        let get = Get::new(server.port).option(WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_DISABLE_KEEP_ALIVE);
        assert_eq!(get.send().error, Some((API_SEND_REQUEST, 12044)), "{versions:?}");
        assert_eq!(server.visit().bytes, 0);
        assert_eq!(set(get.request, null()), 0);
        let outcome = get.send();
        assert_eq!((outcome.failure, outcome.error), (None, None), "{versions:?}");
        get.close();
        let visit = server.visit();
        assert!(!visit.identified && visit.bytes > 0, "{visit:?}");
    }
}

fn certificate_of_server() -> Leaf {
    certificate(&[])
}

/// CLIENT_CERT_ISSUER_LIST
fn issuers(request: *mut c_void) -> Vec<Vec<u8>> {
    let list = query::<*mut SecPkgContext_IssuerListInfoEx>(request, WINHTTP_OPTION_CLIENT_CERT_ISSUER_LIST).unwrap();
    // SAFETY: the list has so many names, and lives until it is freed.
    unsafe {
        let names = std::slice::from_raw_parts((*list).aIssuers, (*list).cIssuers as usize);
        let names = names.iter().map(|name| std::slice::from_raw_parts(name.pbData, name.cbData as usize).to_vec());
        let names = names.collect();
        assert!(GlobalFree(list.cast()).is_null());
        names
    }
}

/// The DER name of the authority.
fn subject_of_trusted() -> Vec<u8> {
    let certificate = TRUSTED.der();
    // SAFETY: the context is alive until it is freed.
    unsafe {
        let context = CertCreateCertificateContext(X509_ASN_ENCODING, certificate.as_ptr(), certificate.len() as u32);
        let subject = (*(*context).pCertInfo).Subject;
        let subject = std::slice::from_raw_parts(subject.pbData, subject.cbData as usize).to_vec();
        CertFreeCertificateContext(context);
        subject
    }
}

/// None is an answer, too. Who must have one says so in the handshake, or by TLS 1.3 after it (source w5).
#[test]
fn none_on_purpose() {
    let rows: [(&[_], Clients, Option<u32>); 4] = [
        (ALL_VERSIONS, Clients::Asked, None),
        (&[&TLS12], Clients::Asked, None),
        (&[&TLS12], Clients::Known, Some(12175)),
        (&[&TLS13], Clients::Known, Some(12044)),
    ];
    for (versions, clients, expected) in rows {
        let server = Server::new(Arc::new(certificate_of_server().config(versions, clients)));
        let get = Get::new(server.port);
        assert_eq!(set(get.request, null()), 0);
        let outcome = get.run();
        assert_eq!(outcome.error.map(|(_, error)| error), expected, "{versions:?} {clients:?} {outcome:?}");
    }
}

/// The certificate of the server is looked at first.
#[test]
fn a_server_that_is_refused_gets_nothing() {
    let (_, certificate) = identity();
    for given in [false, true] {
        for versions in [&[&TLS12], &[&TLS13]] {
            let server = Server::new(Arc::new(
                crate::certificates::certificate(&[Fault::Authority]).config(versions, Clients::Known),
            ));
            let get = Get::new(server.port);
            if given {
                assert_eq!(set(get.request, certificate.context().cast()), 0);
            }
            let outcome = get.run();
            assert_eq!(outcome.verdict(), (WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA, 12175));
            let visit = server.visit();
            assert_eq!((visit.bytes, visit.identified), (0, false));
        }
    }
}

/// What cannot be set, and what cannot be sent.
#[test]
fn what_is_no_certificate() {
    let (leaf, certificate) = identity();
    let get = Get::new(1);
    assert_eq!(set(get.request, [0_u8; size_of::<CERT_CONTEXT>()].as_ptr().cast()), 87);
    // SAFETY: the context is alive until it is freed.
    unsafe {
        let keyless =
            CertCreateCertificateContext(X509_ASN_ENCODING, leaf.chain[0].as_ptr(), leaf.chain[0].len() as u32);
        assert_eq!(set(get.request, keyless.cast()), 0);
        CertFreeCertificateContext(keyless);
        let sent = WinHttpSendRequest(get.request, null(), 0, null(), 0, 0, 0);
        assert_eq!((sent, last_error()), (0, 12185));
        let plain = WinHttpOpenRequest(get.client.connection, null(), null(), null(), null(), null(), 0);
        assert_eq!(set(plain, null()), 12019);
        assert_eq!(set(plain, certificate.context().cast()), 12019);
        close(plain);
    }
    get.close();
    assert!(ClientCertificate::from_pem(b"nothing", b"nothing").is_err());
    assert!(ClientCertificate::from_pem(leaf.pem().as_bytes(), b"nothing").is_err());
}
