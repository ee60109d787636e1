//! Which version of HTTP is spoken, and what decides it.

use h2::Reason;
use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::*;
use crate::server::Server;
use crate::support::*;
use crate::{CONNECTION_ERROR, INVALID_RESPONSE, MISMATCH};

#[test]
fn the_version_that_is_spoken() {
    let newer = Server::start(|mut exchange| async move { exchange.answer("hello") });
    let (older, silent, alone) = (Server::http1(&["http/1.1"]), Server::http1(&[]), Server::http1(&["h2"]));
    let rows = [
        ("enabled", &newer, 1, 0, Ok(1)),
        ("enabled and required", &newer, 1, 1, Ok(1)),
        ("not enabled", &older, 0, 0, Ok(0)),
        // source alpn.none
        ("not enabled, and the server would offer HTTP/2 alone", &alone, 0, 0, Ok(0)),
        ("required, but nothing is enabled", &older, 0, 1, Ok(0)),
        ("the server has HTTP/1.1 only", &older, 1, 0, Ok(0)),
        ("the server has HTTP/1.1 only, and that will not do", &older, 1, 1, Err(MISMATCH)),
        ("HTTP/3 enabled, and not there", &older, 2, 0, Ok(0)),
        ("HTTP/3 beside HTTP/2", &newer, 3, 1, Ok(1)),
        // source n146
        ("HTTP/3 alone will do", &newer, 2, 1, Err(12029)),
        ("the server has no ALPN", &silent, 1, 0, Ok(0)),
        ("the server has no ALPN, and that will not do", &silent, 1, 1, Err(MISMATCH)),
    ];
    for (what, server, protocols, required, expected) in rows {
        let client = Client::new(false, server.port);
        let request = open(&client, "GET", "/", 0, None);
        assert_eq!(set(request, WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, protocols), 0);
        assert_eq!(set(request, WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED, required), 0);
        assert_eq!(option(request, WINHTTP_OPTION_HTTP_PROTOCOL_USED), 0, "{what}");
        let used = fetch(request).map(|body| {
            assert_eq!(body, b"hello");
            option(request, WINHTTP_OPTION_HTTP_PROTOCOL_USED)
        });
        assert_eq!(used, expected, "{what}");
        close(request);
        client.close();
    }
    // source n151: a program that says nothing does not offer HTTP/2, which would be the server's first choice.
    let both = Server::http1(&["h2", "http/1.1"]);
    let client = Client::new(false, both.port);
    let request = open(&client, "GET", "/", 0, None);
    assert_eq!((fetch(request), option(request, WINHTTP_OPTION_HTTP_PROTOCOL_USED)), (Ok(b"hello".to_vec()), 0));
    close(request);
    client.close();
    // Without TLS there is no ALPN.
    let port = serve_always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let client = crate::client::client(false, port);
    for (required, expected) in [(0, Ok(vec![])), (1, Err(MISMATCH))] {
        let request = client.request("GET", "/", &Record::new());
        assert_eq!(set(request, WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED, required), 0);
        assert_eq!(fetch(request), expected);
        close(request);
    }
    client.close();
}

/// sources h10, m1, alpn.none: what the program frames itself goes over HTTP/1.1, and ALPN is not asked.
#[test]
fn a_transfer_encoding_of_its_own_speaks_http_1() {
    // Who takes its only protocol gets HTTP/1.1 over it, and fails.
    let server = Server::http1(&["h2"]);
    let rows = [
        ("", 0, Err(INVALID_RESPONSE)),
        ("Transfer-Encoding: chunked", 0, Ok((b"hello".to_vec(), 0))),
        ("Transfer-Encoding: chunked", 1, Err(MISMATCH)),
    ];
    for (headers, required, expected) in rows {
        let client = client(false, server.port);
        let request = open(&client, "POST", "/", 0, None);
        assert_eq!(set(request, WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED, required), 0);
        let body = b"5\r\nhello\r\n0\r\n\r\n";
        let length = body.len() as u32;
        let headers_given = wide(headers);
        // SAFETY: the headers end in NUL, the body has that length.
        let sent = unsafe {
            WinHttpSendRequest(request, headers_given.as_ptr(), u32::MAX, body.as_ptr().cast(), length, length, 0)
        };
        let got = if sent == 0 || receive(request) == 0 { Err(last_error()) } else { read_all(request) };
        let got = got.map(|body| (body, option(request, WINHTTP_OPTION_HTTP_PROTOCOL_USED)));
        assert_eq!(got, expected, "{headers} {required}");
        close(request);
        client.close();
    }
}

#[test]
fn options_and_their_values() {
    let client = Client::new(false, 1);
    let invalid = 87;
    let rows = [
        (WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, 0, 0),
        (WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, 1, 0),
        (WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, 2, 0),
        (WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, 3, 0),
        (WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, 4, invalid),
        (WINHTTP_OPTION_HTTP2_KEEPALIVE, 4999, invalid),
        (WINHTTP_OPTION_HTTP2_KEEPALIVE, 5000, 0),
        (WINHTTP_OPTION_HTTP_PROTOCOL_USED, 1, 12011),
        (WINHTTP_OPTION_HTTP2_PLUS_TRANSFER_ENCODING, 1, 12009),
    ];
    for (option, value, expected) in rows {
        assert_eq!(set(client.session, option, value), expected, "{option} {value}");
    }
    for (window, delta, expected) in [(1, 1, 0), (0, 0, invalid), (1 << 31, 1, invalid), (100, 101, invalid)] {
        let value = [window, delta];
        // SAFETY: a WINHTTP_HTTP2_RECEIVE_WINDOW.
        let set =
            unsafe { WinHttpSetOption(client.session, WINHTTP_OPTION_HTTP2_RECEIVE_WINDOW, value.as_ptr().cast(), 8) };
        assert_eq!(if set == 1 { 0 } else { last_error() }, expected, "{window} {delta}");
    }
    client.close();
}

#[test]
fn http_1_1_required() {
    let newer = Server::start(|mut exchange| async move { exchange.reset(Reason::HTTP_1_1_REQUIRED) });
    let client = client(false, newer.port);
    let request = open(&client, "GET", "/", 0, None);
    assert_eq!(set(request, WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED, 1), 0);
    assert_eq!(fetch(request), Err(CONNECTION_ERROR));
    assert_eq!(option(request, WINHTTP_OPTION_STREAM_ERROR_CODE), 13);
    close(request);
    client.close();
}

/// ENABLE_HTTP2_PLUS_CLIENT_CERT: beside a client certificate HTTP/2 is spoken only if that was asked for.
#[test]
fn beside_a_client_certificate() {
    let made = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let certificate =
        portable_winhttp::api::ClientCertificate::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let newer = Server::start(|mut exchange| async move { exchange.answer("hello") });
    let older = Server::http1(&["http/1.1"]);
    // The newer one does not understand HTTP/1.1.
    for (enabled, server, used) in [(1, &newer, Some(1)), (0, &newer, None), (0, &older, Some(0)), (1, &older, Some(0))]
    {
        let client = client(false, server.port);
        assert_eq!(set(client.session, WINHTTP_OPTION_ENABLE_HTTP2_PLUS_CLIENT_CERT, enabled), 0);
        let request = open(&client, "GET", "/", 0, None);
        let context = certificate.context();
        // SAFETY: a CERT_CONTEXT.
        let given = unsafe { WinHttpSetOption(request, WINHTTP_OPTION_CLIENT_CERT_CONTEXT, context.cast(), 40) };
        let got = fetch(request).ok().map(|_| option(request, WINHTTP_OPTION_HTTP_PROTOCOL_USED));
        assert_eq!((given, got), (1, used), "{enabled}");
        close(request);
        client.close();
    }
}
