//! HTTP/2 with nginx, and curl with our own server.

use std::ffi::c_void;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Networking::WinHttp::*;
use winhttp_foreign::{Server, certify, free_port};

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

fn set(handle: *mut c_void, option: u32, value: u32) {
    // SAFETY: a DWORD.
    assert_eq!(unsafe { WinHttpSetOption(handle, option, (&raw const value).cast(), 4) }, 1);
}

fn read_all(request: *mut c_void) -> Vec<u8> {
    let mut body = Vec::new();
    let mut buffer = vec![0u8; 100_000];
    loop {
        let mut count = 0;
        // SAFETY: the buffer has that length.
        let read = unsafe { WinHttpReadData(request, buffer.as_mut_ptr().cast(), buffer.len() as u32, &mut count) };
        assert_eq!(read, 1, "{}", unsafe { GetLastError() });
        if count == 0 {
            return body;
        }
        body.extend(&buffer[..count as usize]);
    }
}

/// What the server has sent, and over which protocol.
fn fetch(connection: *mut c_void, verb: &str, path: &str, body: &[u8]) -> (u32, Vec<u8>) {
    // SAFETY: texts end in NUL, buffers have their lengths.
    unsafe {
        let (verb, path, none) = (wide(verb), wide(path), null());
        let request =
            WinHttpOpenRequest(connection, verb.as_ptr(), path.as_ptr(), none, none, null(), WINHTTP_FLAG_SECURE);
        set(request, WINHTTP_OPTION_SECURITY_FLAGS, SECURITY_FLAG_IGNORE_UNKNOWN_CA);
        let length = body.len() as u32;
        assert_eq!(
            WinHttpSendRequest(request, none, 0, body.as_ptr().cast(), length, length, 0),
            1,
            "{}",
            GetLastError()
        );
        assert_eq!(WinHttpReceiveResponse(request, null_mut()), 1, "{}", GetLastError());
        let got = read_all(request);
        let (mut protocol, mut size) = (u32::MAX, 4);
        assert_eq!(
            WinHttpQueryOption(request, WINHTTP_OPTION_HTTP_PROTOCOL_USED, (&raw mut protocol).cast(), &mut size),
            1
        );
        WinHttpCloseHandle(request);
        (protocol, got)
    }
}

struct Client {
    session: *mut c_void,
    connection: *mut c_void,
}

impl Client {
    fn new(port: u16) -> Client {
        // SAFETY: texts end in NUL.
        unsafe {
            let session = WinHttpOpen(wide("foreign").as_ptr(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
            set(session, WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, WINHTTP_PROTOCOL_FLAG_HTTP2);
            let connection = WinHttpConnect(session, wide("127.0.0.1").as_ptr(), port, 0);
            assert!(!connection.is_null());
            Client { session, connection }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: handles of ours.
        unsafe {
            WinHttpCloseHandle(self.connection);
            WinHttpCloseHandle(self.session);
        }
    }
}

/// nginx with a certificate, a large file, and this in its server block.
fn nginx(folder: &Path, more: &str) -> Server {
    certify(folder);
    std::fs::write(folder.join("large"), vec![b'x'; 3 << 20]).unwrap();
    let (port, shown) = (free_port(), folder.display());
    Server::nginx(
        folder,
        port,
        &format!(
            "server {{\n listen 127.0.0.1:{port} ssl http2;\n ssl_certificate {shown}/chain.pem;\n\
             ssl_certificate_key {shown}/key.pem;\n root {shown};\n\
             location /which {{ default_type text/plain; return 200 \"$server_protocol $connection $request_method\"; }}\n\
             {more}\n}}\n"
        ),
    )
}

#[test]
fn nginx_speaks_it_with_us() {
    let folder = tempfile::tempdir().unwrap();
    let server = nginx(folder.path(), "");
    let client = Client::new(server.port);
    let (protocol, first) = fetch(client.connection, "GET", "/which", b"");
    assert_eq!(protocol, WINHTTP_PROTOCOL_FLAG_HTTP2);
    assert!(first.starts_with(b"HTTP/2.0 ") && first.ends_with(b" GET"), "{}", String::from_utf8_lossy(&first));
    for _ in 0..20 {
        assert_eq!(fetch(client.connection, "GET", "/which", b"").1, first, "one connection carries all");
    }
    let (_, posted) = fetch(client.connection, "POST", "/which", &vec![b'b'; 500_000]);
    assert!(posted.ends_with(b" POST"));
    let (protocol, large) = fetch(client.connection, "GET", "/large", b"");
    assert_eq!((protocol, large.len()), (WINHTTP_PROTOCOL_FLAG_HTTP2, 3 << 20));
    assert!(large.iter().all(|byte| *byte == b'x'));
}

/// nginx says GOAWAY after so many requests: nobody may notice.
#[test]
fn nginx_leaves_and_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = nginx(folder.path(), "keepalive_requests 3;");
    let client = Client::new(server.port);
    let mut connections = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let (protocol, body) = fetch(client.connection, "GET", "/which", b"");
        assert_eq!(protocol, WINHTTP_PROTOCOL_FLAG_HTTP2);
        connections.insert(body);
    }
    assert!((5..=10).contains(&connections.len()), "{} connections", connections.len());
}

/// Sixteen threads share a connection that takes two streams at once.
#[test]
fn nginx_takes_few_streams() {
    let folder = tempfile::tempdir().unwrap();
    let server = nginx(folder.path(), "http2_max_concurrent_streams 2;");
    let port = server.port;
    let threads: Vec<_> = (0..16)
        .map(|_| {
            std::thread::spawn(move || {
                let client = Client::new(port);
                for _ in 0..3 {
                    let (protocol, body) = fetch(client.connection, "GET", "/large", b"");
                    assert_eq!((protocol, body.len()), (WINHTTP_PROTOCOL_FLAG_HTTP2, 3 << 20));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// `portable-winhttp serve`, built from this tree.
struct Ours {
    process: Child,
    url: String,
}

impl Ours {
    fn start(words: &[&str]) -> Ours {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
        let mut command = Command::new(env!("CARGO"));
        command.args(["run", "--quiet", "--manifest-path", manifest, "--", "serve"]).args(words);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Ours { process, url: url.trim().to_owned() }
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn curl(words: &[&str]) -> String {
    let output = Command::new("curl").args(["--silent", "--show-error", "--noproxy", "*"]).args(words).output();
    let output = output.expect("curl is installed: see apt.txt");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn curl_speaks_it_with_our_server() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    let authority = authority.to_str().unwrap();
    let secure = Ours::start(&["--tls", authority]);
    let plain = Ours::start(&[]);
    let at = |server: &Ours, path: &str| format!("{}{path}", server.url);
    let version = ["--write-out", "\n%{http_version}"];
    let trusting = ["--cacert", authority];
    let ask = |words: &[&str]| curl(&[&version[..], &trusting, words].concat());
    let hello = "Hello from the other side of WinHTTP.\n";
    for (option, url, expected) in [
        ("--http2", at(&secure, ""), "2"),
        ("--http1.1", at(&secure, ""), "1.1"),
        ("--http2-prior-knowledge", at(&plain, ""), "2"),
        ("--http1.1", at(&plain, ""), "1.1"),
    ] {
        assert_eq!(ask(&[option, &url]), format!("{hello}\n{expected}"), "{option} {url}");
    }
    let echo = ask(&["--http2", "--data", "sent", &at(&secure, "echo")]);
    assert!(echo.starts_with("POST https://") && echo.ends_with("\r\n\r\nsent\n2"), "{echo}");
    let long =
        ask(&["--http2", &at(&secure, "bytes/3000000"), "--output", "/dev/null", "--write-out", "%{size_download}"]);
    assert_eq!(long, "3000000");
    let trailers = ask(&["--http2", "--include", &at(&secure, "trailers")]);
    assert!(trailers.contains("x-end: reached"), "{trailers}");
    let three = ask(&["--http2", &at(&secure, ""), &at(&secure, "chunked"), &at(&secure, "status/404")]);
    assert!(three.contains("one, two, three\n"), "{three}");
}
