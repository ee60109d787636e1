//! Sessions of TLS, names, and sessions of WinHTTP that are kept safe.

use std::ptr::null;
use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::certificates::*;
use crate::client::{Get, query, set};
use crate::server::Server;
use crate::support::{close, last_error, wide};

/// A session is resumed by a request with the same rules, and by no other.
#[test]
fn a_session_is_resumed_under_the_same_rules() {
    let _ = &*TRUSTED;
    for versions in [&[&TLS12], &[&TLS13]] {
        let server = Server::new(Arc::new(certificate(&[]).config(versions, Clients::Unasked)));
        let get = |flags| {
            let get = Get::new(server.port)
                .option(WINHTTP_OPTION_SECURITY_FLAGS, flags)
                .option(WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_DISABLE_KEEP_ALIVE);
            assert_eq!(get.send().error, None);
            // The certificate is there all the same.
            let context = query::<usize>(get.request, WINHTTP_OPTION_SERVER_CERT_CONTEXT).unwrap();
            // SAFETY: a context that was made for us.
            unsafe {
                windows_sys::Win32::Security::Cryptography::CertFreeCertificateContext(context as *const _);
            }
            get.close();
            server.visit().resumed
        };
        // These flags are no other test's, so that nobody else has such a session.
        let flags = SECURITY_FLAG_IGNORE_CERT_DATE_INVALID | SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE;
        let other = flags | SECURITY_FLAG_IGNORE_UNKNOWN_CA;
        assert_eq!([get(flags), get(flags), get(other), get(other)], [false, true, false, true], "{versions:?}");
    }
}

/// The server is told whom the request is for, and its certificate must be for the same, wherever the name leads.
#[test]
fn the_name_of_the_server() {
    let _ = &*TRUSTED;
    let server = Server::new(Leaf::signed(parameters("api.test"), &TRUSTED).server());
    let get = |host| {
        let get = Get::new(1).to(host, server.port).option(WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_DISABLE_KEEP_ALIVE);
        // source g02: the Host field names nobody.
        let field = wide("Host: field.test");
        // SAFETY: the text ends in NUL.
        assert_eq!(
            unsafe { WinHttpAddRequestHeaders(get.request, field.as_ptr(), u32::MAX, WINHTTP_ADDREQ_FLAG_ADD) },
            1
        );
        let outcome = get.run();
        assert!([None, Some((API_SEND_REQUEST, 12175))].contains(&outcome.error), "{outcome:?}");
        (outcome.verdict(), server.visit().name)
    };
    assert_eq!(get("api.test"), ((0, 0), Some("api.test".into())));
    // The final dot of a name is no part of it.
    assert_eq!(get("api.test."), ((0, 0), Some("api.test".into())));
    let other = (WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID, 12175);
    assert_eq!(get("other.test"), (other, Some("other.test".into())));
    // An address is no name.
    assert_eq!(get("127.0.0.1"), (other, None));
}

/// WINHTTP_FLAG_SECURE_DEFAULTS: nothing can be made weaker (TL6).
#[test]
fn a_session_that_is_kept_safe() {
    // SAFETY: NUL-terminated strings; the handles are closed once.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_SECURE_DEFAULTS);
        assert!(!session.is_null());
        let (old, new) = (WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_1, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3);
        let rows = [(old, 5), (old | new, 5), (new, 0)];
        for (protocols, error) in rows {
            let done = set(session, WINHTTP_OPTION_SECURE_PROTOCOLS, protocols);
            assert_eq!(if done == 0 { last_error() } else { 0 }, error, "{protocols:#x}");
        }
        assert_eq!((set(session, WINHTTP_OPTION_TLS_PROTOCOL_INSECURE_FALLBACK, 1), last_error()), (0, 5));
        let connection = WinHttpConnect(session, wide("127.0.0.1").as_ptr(), 1, 0);
        let open = |flags| WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), flags);
        assert!(open(0).is_null());
        assert_eq!(last_error(), 5);
        let request = open(WINHTTP_FLAG_SECURE);
        let ignored = SECURITY_FLAG_IGNORE_UNKNOWN_CA;
        assert_eq!((set(request, WINHTTP_OPTION_SECURITY_FLAGS, ignored), last_error()), (0, 5));
        assert_eq!(set(request, WINHTTP_OPTION_SECURITY_FLAGS, 0), 1);
        for handle in [request, connection, session] {
            close(handle);
        }
    }
}
