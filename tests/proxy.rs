//! Tunnels, SOCKS and TLS with proxies, over loopback.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::ptr::null;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

/// The errors of our certificates, which nobody signed.
const IGNORE: u32 = SECURITY_FLAG_IGNORE_UNKNOWN_CA
    | SECURITY_FLAG_IGNORE_CERT_CN_INVALID
    | SECURITY_FLAG_IGNORE_CERT_DATE_INVALID
    | SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE;

fn server_config() -> Arc<ServerConfig> {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["server.test".into()]).unwrap().self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(certificate)], key)
        .unwrap();
    Arc::new(config)
}

/// Reads up to the end of a head.
fn head(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// What servers and proxies of a test have heard.
type Heard = Arc<Mutex<Vec<String>>>;

/// Answers every request with hello.
fn hello(stream: &mut (impl Read + Write), heard: &Heard) {
    while let Some(head) = head(stream) {
        heard.lock().unwrap().push(head);
        if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").is_err() {
            return;
        }
    }
}

fn serve_hello(secure: bool) -> (u16, Heard) {
    let heard = Heard::default();
    let (config, keep) = (server_config(), Arc::clone(&heard));
    let port = serve(move |mut stream| {
        if secure {
            hello(&mut StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream), &keep);
        } else {
            hello(&mut stream, &keep);
        }
    });
    (port, heard)
}

/// Copies both ways until one end closes. The TLS side of a proxy can only be read and written by one thread, so that
/// waits a moment for each.
fn splice(client: &mut (impl Read + Write), server: TcpStream, socket: &TcpStream) {
    socket.set_nonblocking(true).unwrap();
    server.set_nonblocking(true).unwrap();
    let mut server = server;
    let mut buffer = [0; 4096];
    loop {
        let mut moved = false;
        for way in 0..2 {
            let read = if way == 0 { client.read(&mut buffer) } else { server.read(&mut buffer) };
            match read {
                Ok(0) => return,
                Ok(count) => {
                    moved = true;
                    let mut rest = &buffer[..count];
                    while !rest.is_empty() {
                        let wrote = if way == 0 { server.write(rest) } else { client.write(rest) };
                        match wrote {
                            Ok(count) => rest = &rest[count..],
                            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => thread::yield_now(),
                            Err(_) => return,
                        }
                    }
                    let _ = client.flush();
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
        if !moved {
            thread::yield_now();
        }
    }
}

/// What a proxy answers to a CONNECT; an empty answer opens the tunnel to `target`.
type Answer = fn(&str) -> &'static str;

fn tunnel(stream: &mut (impl Read + Write), socket: &TcpStream, target: u16, answer: Answer, heard: &Heard) {
    while let Some(head) = head(stream) {
        heard.lock().unwrap().push(head.clone());
        let reply = answer(&head);
        if reply.is_empty() {
            let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
            let _ = stream.flush();
            return splice(stream, TcpStream::connect(("127.0.0.1", target)).unwrap(), socket);
        }
        let _ = stream.write_all(reply.as_bytes());
        let _ = stream.flush();
    }
}

/// An HTTP proxy whose tunnels all lead to `target`.
fn serve_proxy(secure: bool, target: u16, answer: Answer) -> (u16, Heard) {
    let heard = Heard::default();
    let (config, keep) = (server_config(), Arc::clone(&heard));
    let port = serve(move |mut stream| {
        let socket = stream.try_clone().unwrap();
        if secure {
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            tunnel(&mut stream, &socket, target, answer, &keep);
        } else {
            tunnel(&mut stream, &socket, target, answer, &keep);
        }
    });
    (port, heard)
}

/// A synchronous session through a proxy.
struct Through {
    session: *mut std::ffi::c_void,
    connection: *mut std::ffi::c_void,
}

impl Through {
    fn new(proxy: &str, host: &str, port: u16) -> Through {
        // SAFETY: NUL-terminated strings.
        unsafe {
            let session =
                WinHttpOpen(wide("agent").as_ptr(), WINHTTP_ACCESS_TYPE_NAMED_PROXY, wide(proxy).as_ptr(), null(), 0);
            assert!(!session.is_null(), "{}", last_error());
            let connection = WinHttpConnect(session, wide(host).as_ptr(), port, 0);
            Through { session, connection }
        }
    }

    fn request(&self, secure: bool) -> *mut std::ffi::c_void {
        let flags = if secure { WINHTTP_FLAG_SECURE } else { 0 };
        // SAFETY: NUL-terminated strings, a DWORD.
        unsafe {
            let request = WinHttpOpenRequest(
                self.connection,
                wide("GET").as_ptr(),
                wide("/path").as_ptr(),
                null(),
                null(),
                null(),
                flags,
            );
            assert!(!request.is_null(), "{}", last_error());
            set(request, WINHTTP_OPTION_SECURITY_FLAGS, IGNORE);
            request
        }
    }

    fn get(&self, secure: bool) -> Result<(u32, String), u32> {
        let request = self.request(secure);
        let answer = exchange(request);
        close(request);
        answer
    }
}

impl Drop for Through {
    fn drop(&mut self) {
        close(self.connection);
        close(self.session);
    }
}

fn set(handle: *mut std::ffi::c_void, option: u32, value: u32) {
    // SAFETY: a DWORD.
    let set = unsafe { WinHttpSetOption(handle, option, (&raw const value).cast(), 4) };
    assert_eq!(set, 1, "option {option}: {}", last_error());
}

fn number(handle: *mut std::ffi::c_void, option: u32) -> u32 {
    let (mut value, mut length) = (0u32, 4);
    // SAFETY: a DWORD.
    let read = unsafe { WinHttpQueryOption(handle, option, (&raw mut value).cast(), &mut length) };
    assert_eq!(read, 1, "option {option}: {}", last_error());
    value
}

/// Sends and receives: status and body, or the error.
fn exchange(request: *mut std::ffi::c_void) -> Result<(u32, String), u32> {
    if send(request) == 0 || receive(request) == 0 {
        return Err(last_error());
    }
    let (mut status, mut length) = (0u32, 4);
    let level = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
    let mut body = [0u8; 1024];
    let mut count = 0;
    // SAFETY: a DWORD, and a buffer with its length.
    unsafe {
        let index = std::ptr::null_mut();
        assert_eq!(WinHttpQueryHeaders(request, level, null(), (&raw mut status).cast(), &mut length, index), 1);
        assert_eq!(WinHttpReadData(request, body.as_mut_ptr().cast(), 1024, &mut count), 1);
    }
    Ok((status, String::from_utf8_lossy(&body[..count as usize]).into_owned()))
}

fn credentials(request: *mut std::ffi::c_void, target: u32, scheme: u32, user: &str, password: &str) {
    let (user, password) = (wide(user), wide(password));
    // SAFETY: NUL-terminated strings.
    let set = unsafe {
        WinHttpSetCredentials(request, target, scheme, user.as_ptr(), password.as_ptr(), std::ptr::null_mut())
    };
    assert_eq!(set, 1, "{}", last_error());
}

const OPEN: Answer = |_| "";
const HELLO: Result<(u32, &str), u32> = Ok((200, "hello"));

fn seen(answer: &Result<(u32, String), u32>) -> Result<(u32, &str), u32> {
    answer.as_ref().map(|(status, body)| (*status, &**body)).map_err(|error| *error)
}

#[test]
fn https_goes_through_a_tunnel_that_is_kept() {
    let (server, inside) = serve_hello(true);
    let (proxy, outside) = serve_proxy(false, server, OPEN);
    let through = Through::new(&format!("127.0.0.1:{proxy}"), "server.test", 443);
    assert_eq!(seen(&through.get(true)), HELLO);
    assert_eq!(seen(&through.get(true)), HELLO);
    let outside = outside.lock().unwrap();
    assert_eq!(outside.len(), 1, "one tunnel for both: {outside:?}");
    assert!(outside[0].starts_with("CONNECT server.test:443 HTTP/1.1\r\n"), "{}", outside[0]);
    // Nothing but Host (source f02).
    assert_eq!(outside[0].trim_end(), "CONNECT server.test:443 HTTP/1.1\r\nHost: server.test:443");
    let inside = inside.lock().unwrap();
    assert!(inside[0].starts_with("GET /path HTTP/1.1\r\n") && inside[0].contains("\r\nHost: server.test\r\n"));
    assert!(!inside[0].contains("Proxy-"), "{}", inside[0]);
}

#[test]
fn a_tunnel_is_told_as_it_goes() {
    let (server, _) = serve_hello(true);
    let (proxy, _) = serve_proxy(false, server, OPEN);
    let client = Client::new(true, 443);
    let (list, bypass) = (wide(&format!("127.0.0.1:{proxy}")), wide("<-loopback>"));
    let info = WINHTTP_PROXY_INFO {
        dwAccessType: WINHTTP_ACCESS_TYPE_NAMED_PROXY,
        lpszProxy: list.as_ptr().cast_mut(),
        lpszProxyBypass: bypass.as_ptr().cast_mut(),
    };
    // SAFETY: a structure with NUL-terminated strings.
    let set_proxy = unsafe {
        let size = size_of::<WINHTTP_PROXY_INFO>() as u32;
        WinHttpSetOption(client.session, WINHTTP_OPTION_PROXY, (&raw const info).cast(), size)
    };
    assert_eq!(set_proxy, 1, "{}", last_error());
    let record = Record::new();
    let context = context(&record);
    // SAFETY: NUL-terminated strings, a pointer-sized value.
    let request = unsafe {
        let flags = WINHTTP_FLAG_SECURE;
        let path = wide("/");
        WinHttpOpenRequest(client.connection, null(), path.as_ptr(), null(), null(), null(), flags)
    };
    // SAFETY: a pointer-sized value.
    assert_eq!(unsafe { WinHttpSetOption(request, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const context).cast(), 8) }, 1);
    set(request, WINHTTP_OPTION_SECURITY_FLAGS, IGNORE);
    assert_eq!(send(request), 1);
    record.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
    close(request);
    record.wait(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
    let expected = [
        WINHTTP_CALLBACK_STATUS_RESOLVING_NAME,
        WINHTTP_CALLBACK_STATUS_NAME_RESOLVED,
        WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER,
        WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER,
        // CONNECT
        WINHTTP_CALLBACK_STATUS_SENDING_REQUEST,
        WINHTTP_CALLBACK_STATUS_REQUEST_SENT,
        WINHTTP_CALLBACK_STATUS_RECEIVING_RESPONSE,
        WINHTTP_CALLBACK_STATUS_RESPONSE_RECEIVED,
        // and the request
        WINHTTP_CALLBACK_STATUS_SENDING_REQUEST,
        WINHTTP_CALLBACK_STATUS_REQUEST_SENT,
        WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE,
        WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING,
    ];
    assert_eq!(record.statuses(), expected);
    client.close();
}

/// A proxy that wants Basic, and says no with a body.
const BASIC: Answer = |head| match head.contains("\r\nProxy-Authorization: Basic cHJveHk6c2VjcmV0\r\n") {
    true => "",
    false => "HTTP/1.1 407 Authenticate\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 6\r\n\r\nwho is",
};

/// A proxy that wants Digest.
const DIGEST: Answer = |head| match head.contains("uri=\"server.test:443\"") && head.contains("nonce=\"n\"") {
    true => "",
    false => {
        "HTTP/1.1 407 Authenticate\r\nProxy-Authenticate: Digest realm=\"p\", nonce=\"n\", qop=\"auth\"\r\nContent-Length: 6\r\n\r\nwho is"
    }
};

#[test]
fn a_proxy_that_asks_gets_its_credentials_and_nobody_else() {
    let (server, inside) = serve_hello(true);
    for (answer, scheme, tries) in [(BASIC, WINHTTP_AUTH_SCHEME_BASIC, 1), (DIGEST, WINHTTP_AUTH_SCHEME_DIGEST, 2)] {
        let (proxy, outside) = serve_proxy(false, server, answer);
        let through = Through::new(&format!("127.0.0.1:{proxy}"), "server.test", 443);
        let request = through.request(true);
        credentials(request, WINHTTP_AUTH_TARGET_PROXY, scheme, "proxy", "secret");
        credentials(request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_BASIC, "user", "pass");
        assert_eq!(seen(&exchange(request)), HELLO);
        close(request);
        // The tunnel is that user's.
        assert_eq!(seen(&through.get(true)), Ok((407, "")));
        let outside = outside.lock().unwrap();
        assert_eq!(outside.len(), tries + 1, "{outside:?}");
        assert!(outside.iter().all(|head| !head.contains("\r\nAuthorization:")), "{outside:?}");
    }
    for head in inside.lock().unwrap().iter() {
        assert!(head.contains("\r\nAuthorization: Basic dXNlcjpwYXNz\r\n"), "{head}");
        assert!(!head.contains("Proxy-Authorization"), "{head}");
    }
}

#[test]
fn a_refused_tunnel_is_the_reply() {
    let (server, _) = serve_hello(true);
    let (proxy, outside) = serve_proxy(false, server, BASIC);
    let through = Through::new(&format!("127.0.0.1:{proxy}"), "server.test", 443);
    let request = through.request(true);
    // The body is shown on request only.
    assert_eq!(seen(&exchange(request)), Ok((407, "")));
    assert_eq!(number(request, WINHTTP_OPTION_IS_PROXY_CONNECT_RESPONSE), 1);
    let (mut supported, mut first, mut target) = (0, 0, 7);
    // SAFETY: three DWORDs.
    assert_eq!(unsafe { WinHttpQueryAuthSchemes(request, &mut supported, &mut first, &mut target) }, 1);
    assert_eq!((supported, first, target), (1, 1, WINHTTP_AUTH_TARGET_PROXY));
    set(request, WINHTTP_OPTION_RECEIVE_PROXY_CONNECT_RESPONSE, 1);
    assert_eq!(seen(&exchange(request)), Ok((407, "who is")));
    credentials(request, WINHTTP_AUTH_TARGET_PROXY, WINHTTP_AUTH_SCHEME_BASIC, "proxy", "wrong");
    assert_eq!(seen(&exchange(request)), Ok((407, "who is")));
    credentials(request, WINHTTP_AUTH_TARGET_PROXY, WINHTTP_AUTH_SCHEME_BASIC, "proxy", "secret");
    assert_eq!(seen(&exchange(request)), HELLO);
    assert_eq!(number(request, WINHTTP_OPTION_IS_PROXY_CONNECT_RESPONSE), 0);
    close(request);
    assert_eq!(outside.lock().unwrap().len(), 4);
}

#[test]
fn what_a_proxy_says_to_connect_is_not_the_server_s_word() {
    let (server, _) = serve_hello(true);
    let answers: [(Answer, u32); 4] = [
        (|_| "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 302),
        (|_| "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"s\"\r\nContent-Length: 0\r\n\r\n", 401),
        (|_| "HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbad\r\n0\r\n\r\n", 502),
        (|_| "HTTP/1.1 503 Unavailable\r\nConnection: close\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n", 503),
    ];
    for (answer, status) in answers {
        let (proxy, outside) = serve_proxy(false, server, answer);
        let through = Through::new(&format!("127.0.0.1:{proxy}"), "server.test", 443);
        let request = through.request(true);
        credentials(request, WINHTTP_AUTH_TARGET_SERVER, WINHTTP_AUTH_SCHEME_BASIC, "user", "pass");
        assert_eq!(seen(&exchange(request)), Ok((status, "")));
        assert_eq!(seen(&exchange(request)), Ok((status, "")));
        close(request);
        for head in outside.lock().unwrap().iter() {
            assert!(
                head.starts_with("CONNECT ") && !head.contains("Cookie") && !head.contains("Authorization"),
                "{head}"
            );
        }
    }
}

#[test]
fn proxies_that_break() {
    let answers: [(Answer, u32); 3] = [
        (|_| "nonsense\r\n\r\n", ERROR_WINHTTP_INVALID_SERVER_RESPONSE),
        // Whoever speaks before TLS was begun is no server behind a tunnel.
        (|_| "HTTP/1.1 200 OK\r\n\r\nearly", ERROR_WINHTTP_INVALID_SERVER_RESPONSE),
        (|_| "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", ERROR_WINHTTP_INVALID_SERVER_RESPONSE),
    ];
    for (answer, error) in answers {
        let (proxy, _) = serve_proxy(false, 1, answer);
        let through = Through::new(&format!("127.0.0.1:{proxy}"), "server.test", 443);
        assert_eq!(through.get(true), Err(error));
    }
    let closing = serve(|mut stream| drop(head(&mut stream)));
    let through = Through::new(&format!("127.0.0.1:{closing}"), "server.test", 443);
    assert_eq!(through.get(true), Err(ERROR_WINHTTP_INVALID_SERVER_RESPONSE), "d01: an orderly end before the head");
}

/// OPTION_PROXY of a request goes before that of its session (source f11); a list that ends in a slash is none (f14).
#[test]
fn a_proxy_of_one_request() {
    let (theirs, heard) = serve_hello(false);
    let (own, heard_too) = serve_hello(false);
    let through = Through::new(&format!("127.0.0.1:{theirs}"), "server.test", 80);
    let request = through.request(false);
    let choose = |list: &str| {
        let mut list = wide(list);
        let info = WINHTTP_PROXY_INFO {
            dwAccessType: WINHTTP_ACCESS_TYPE_NAMED_PROXY,
            lpszProxy: list.as_mut_ptr(),
            lpszProxyBypass: std::ptr::null_mut(),
        };
        let size = size_of::<WINHTTP_PROXY_INFO>() as u32;
        // SAFETY: the structure and its list live until the call returns.
        let set = unsafe { WinHttpSetOption(request, WINHTTP_OPTION_PROXY, (&raw const info).cast(), size) };
        if set == 1 { 0 } else { last_error() }
    };
    assert_eq!(choose(&format!("http://127.0.0.1:{own}/")), 87);
    assert_eq!(choose(&format!("http://127.0.0.1:{own}")), 0);
    assert_eq!(seen(&exchange(request)), HELLO);
    close(request);
    assert_eq!(seen(&through.get(false)), HELLO);
    assert_eq!([heard, heard_too].map(|heads| heads.lock().unwrap().len()), [1, 1]);
}

#[test]
fn tls_is_spoken_with_a_proxy_and_through_it() {
    let (secure, inside) = serve_hello(true);
    let (proxy, outside) = serve_proxy(true, secure, OPEN);
    let list = format!("https://127.0.0.1:{proxy}");
    let through = Through::new(&list, "server.test", 443);
    assert_eq!(seen(&through.get(true)), HELLO);
    assert!(outside.lock().unwrap()[0].starts_with("CONNECT server.test:443 "));
    assert!(inside.lock().unwrap()[0].starts_with("GET /path "));
    // Its certificate is looked at; the error says whose it was.
    let request = through.request(true);
    set(request, WINHTTP_OPTION_SECURITY_FLAGS, 0);
    assert_eq!(exchange(request), Err(ERROR_WINHTTP_SECURE_FAILURE_PROXY));
    close(request);
    // A proxy that gets the request itself.
    let (proxy, heard) = serve_hello(true);
    let through = Through::new(&format!("https://127.0.0.1:{proxy}"), "server.test", 80);
    assert_eq!(seen(&through.get(false)), HELLO);
    assert!(heard.lock().unwrap()[0].starts_with("GET http://server.test/path HTTP/1.1\r\n"));
}

/// A SOCKS proxy of both versions whose connections all lead to `target`.
fn serve_socks(target: u16, heard: Heard) -> u16 {
    serve(move |mut stream| {
        let mut bytes = |count: usize| {
            let mut bytes = vec![0; count];
            stream.read_exact(&mut bytes).ok().map(|()| bytes)
        };
        let Some(version) = bytes(1) else { return };
        let (asked, granted): (String, &[u8]) = if version == [4] {
            let Some(ask) = bytes(7) else { return };
            let mut texts = [String::new(), String::new()];
            for text in &mut texts[..if ask[3..6] == [0, 0, 0] { 2 } else { 1 }] {
                while let Some(byte) = bytes(1).filter(|byte| byte[0] != 0) {
                    text.push(byte[0].into());
                }
            }
            (format!("4 {}", texts[1]), b"\0\x5a\0\0\0\0\0\0")
        } else {
            let _ = bytes(2);
            stream.write_all(&[5, 0]).unwrap();
            let mut head = [0; 5];
            stream.read_exact(&mut head).unwrap();
            let mut rest = vec![0; usize::from(head[4]) + 2];
            stream.read_exact(&mut rest).unwrap();
            let name = String::from_utf8_lossy(&rest[..rest.len() - 2]).into_owned();
            (format!("5 {name}"), b"\x05\0\0\x01\0\0\0\0\0\0")
        };
        heard.lock().unwrap().push(asked);
        stream.write_all(granted).unwrap();
        let socket = stream.try_clone().unwrap();
        splice(&mut stream, TcpStream::connect(("127.0.0.1", target)).unwrap(), &socket);
    })
}

#[test]
fn socks_proxies_connect() {
    for secure in [false, true] {
        let (server, inside) = serve_hello(secure);
        for (list, version) in [("socks=127.0.0.1", "4"), ("socks4://127.0.0.1", "4"), ("socks5://127.0.0.1", "5")] {
            let asked = Heard::default();
            let proxy = serve_socks(server, Arc::clone(&asked));
            let through = Through::new(&format!("{list}:{proxy}"), "server.test", 8080);
            assert_eq!(seen(&through.get(secure)), HELLO, "{list}");
            assert_eq!(*asked.lock().unwrap(), [format!("{version} server.test")]);
        }
        assert!(inside.lock().unwrap().iter().all(|head| head.starts_with("GET /path ")));
    }
    let refusing = serve(|mut stream| drop(stream.write_all(b"\x05\xff")));
    let through = Through::new(&format!("socks5://127.0.0.1:{refusing}"), "server.test", 80);
    assert_eq!(through.get(false), Err(ERROR_WINHTTP_CANNOT_CONNECT));
}
