//! TLS over loopback: trusted by SSL_CERT_FILE, refused with Windows' bits, ignored as SECURITY_FLAGS say.

mod support;

use std::io::Write;
use std::net::TcpListener;
use std::sync::{Arc, LazyLock};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

/// A certificate authority that this process trusts: it is all that SSL_CERT_FILE names.
static AUTHORITY: LazyLock<Issuer<'static, KeyPair>> = LazyLock::new(|| {
    let (issuer, pem) = authority("trusted");
    let path = std::env::temp_dir().join(format!("portable-winhttp-tls-{}.pem", std::process::id()));
    std::fs::write(&path, pem).unwrap();
    // SAFETY: every test comes here first, and none reads the environment before.
    unsafe { std::env::set_var("SSL_CERT_FILE", &path) };
    issuer
});

fn authority(name: &str) -> (Issuer<'static, KeyPair>, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).unwrap().pem();
    (Issuer::new(params, key), pem)
}

/// Serves hello over TLS with a certificate for `name`; answers the port.
fn serve_tls(issuer: &Issuer<'static, KeyPair>, name: &str, expired: bool) -> u16 {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if expired {
        params.not_after = rcgen::date_time_ymd(2001, 1, 1);
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    }
    let certificate = params.signed_by(&key, issuer).unwrap();
    let chain = vec![CertificateDer::from(certificate)];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while std::io::Read::read_exact(&mut stream, &mut byte).is_ok() {
                    head.push(byte[0]);
                    if head.ends_with(b"\r\n\r\n") {
                        head.clear();
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
                    }
                }
            });
        }
    });
    port
}

/// An asynchronous GET: what SECURE_FAILURE said (0 if nothing), and the error (0 if none).
fn get(port: u16, ignore: u32) -> (u32, u32) {
    let client = Client::new(true, port);
    let record = Record::with(|request, seen| {
        if seen.status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE {
            assert_eq!(receive(request), 1);
        }
    });
    let context = context(&record);
    let null = std::ptr::null();
    // SAFETY: strings end in NUL; the context outlives the handle.
    unsafe {
        let request = WinHttpOpenRequest(client.connection, null, null, null, null, null.cast(), WINHTTP_FLAG_SECURE);
        let set = WinHttpSetOption(request, WINHTTP_OPTION_SECURITY_FLAGS, (&raw const ignore).cast(), 4);
        assert_eq!(set, 1, "{}", last_error());
        assert_eq!(WinHttpSendRequest(request, null, 0, null.cast(), 0, 0, context), 1);
        let ended = [WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR];
        let end = record
            .wait_for(|seen| seen.iter().find(|seen| ended.contains(&seen.status)).copied(), "the end of a request");
        close(request);
        client.close();
        let seen = record.seen();
        let failure = seen.iter().find(|seen| seen.status == WINHTTP_CALLBACK_STATUS_SECURE_FAILURE);
        if end.status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR {
            assert_eq!(end.api, API_SEND_REQUEST as usize);
            return (failure.map_or(0, |seen| seen.value), end.value);
        }
        (failure.map_or(0, |seen| seen.value), 0)
    }
}

#[test]
fn what_is_trusted_refused_and_ignored() {
    let trusted = &*AUTHORITY;
    let (unknown, _) = authority("unknown");
    let (ca, name, date) =
        (SECURITY_FLAG_IGNORE_UNKNOWN_CA, SECURITY_FLAG_IGNORE_CERT_CN_INVALID, SECURITY_FLAG_IGNORE_CERT_DATE_INVALID);
    let rows = [
        ("good", serve_tls(trusted, "127.0.0.1", false), 0, (0, 0)),
        ("unknown authority", serve_tls(&unknown, "127.0.0.1", false), 0, (8, 12175)),
        ("unknown authority, ignored", serve_tls(&unknown, "127.0.0.1", false), ca, (0, 0)),
        ("other name", serve_tls(trusted, "example.org", false), 0, (0x10, 12175)),
        ("other name, ignored", serve_tls(trusted, "example.org", false), name, (0, 0)),
        ("other name, something else ignored", serve_tls(&unknown, "example.org", false), ca, (0x10, 12175)),
        ("expired", serve_tls(trusted, "127.0.0.1", true), 0, (0x20, 12175)),
        ("expired, ignored", serve_tls(trusted, "127.0.0.1", true), date, (0, 0)),
        ("not TLS", serve(|mut stream| drop(stream.write_all(b"HTTP/1.1 400 no\r\n\r\n"))), 0, (0x8000_0000, 12175)),
    ];
    for (what, port, ignore, expected) in rows {
        assert_eq!(get(port, ignore), expected, "{what}");
    }
    // What was ignored once is not ignored by the next request: the pool and the sessions of TLS keep them apart.
    let port = serve_tls(&unknown, "127.0.0.1", false);
    assert_eq!([get(port, ca), get(port, 0), get(port, ca)], [(0, 0), (8, 12175), (0, 0)]);
}
