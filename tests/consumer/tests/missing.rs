//! This package has neither a provider of cryptography nor the feature `pac`: why `https` and PAC scripts fail is said.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::ptr::{null, null_mut};
use std::thread;

use portable_winhttp as _;
use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Networking::WinHttp::*;

const PORT: &str = "WINHTTP_CONSUMER_PORT";

/// A process that asks for it twice, what is said of that, and which features are named.
const ROWS: [(&str, &str, &[&str]); 2] = [
    ("a_process_without_tls", "no TLS: no provider of cryptography is compiled in", &["`ring`", "`aws-lc-rs`"]),
    ("a_process_without_pac", "PAC scripts cannot run", &["`pac`"]),
];

fn port() -> Option<u16> {
    std::env::var(PORT).ok()?.parse().ok()
}

/// Started below.
#[test]
fn a_process_without_tls() {
    let Some(port) = port() else { return };
    for _ in 0..2 {
        assert_eq!(winhttp_consumer::get_secure("127.0.0.1", port, "/"), Err(ERROR_WINHTTP_SECURE_FAILURE));
    }
}

/// Started below.
#[test]
fn a_process_without_pac() {
    let Some(port) = port() else { return };
    let wide = |text: &str| text.encode_utf16().chain([0]).collect::<Vec<u16>>();
    let (script, url) = (wide(&format!("http://127.0.0.1:{port}/proxy.pac")), wide("http://api.test/"));
    let mut options = WINHTTP_AUTOPROXY_OPTIONS {
        dwFlags: WINHTTP_AUTOPROXY_CONFIG_URL,
        lpszAutoConfigUrl: script.as_ptr(),
        ..Default::default()
    };
    for _ in 0..2 {
        // SAFETY: the texts end with NUL and every pointer outlives its call.
        let (found, error) = unsafe {
            let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
            let mut proxy = WINHTTP_PROXY_INFO { lpszProxy: null_mut(), ..Default::default() };
            let found = WinHttpGetProxyForUrl(session, url.as_ptr(), &mut options, &mut proxy);
            let error = GetLastError();
            WinHttpCloseHandle(session);
            (found, error)
        };
        assert_eq!((found, error), (0, ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR));
    }
}

/// Serves a PAC script to everybody who asks.
fn serve() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let script = "function FindProxyForURL(url, host) { return 'DIRECT'; }";
            let reply =
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{script}", script.len());
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(reply.as_bytes());
        }
    });
    port
}

#[test]
fn the_reason_is_once_on_stderr_and_each_time_in_the_trace() {
    let port = serve().to_string();
    for (process, reason, features) in ROWS {
        let trace = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{process}-{}.txt", std::process::id()));
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", process, "--nocapture"])
            .env(PORT, &port)
            .env("WINHTTP_TRACE", format!("text:{}", trace.display()))
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{process}: {stderr}");
        assert_eq!(stderr.matches(reason).count(), 1, "{process}: {stderr}");
        let traced = std::fs::read_to_string(&trace).unwrap();
        std::fs::remove_file(trace).unwrap();
        assert_eq!(traced.matches(reason).count(), 2, "{process}: {traced}");
        for feature in features {
            assert!(stderr.contains(feature) && traced.contains(feature), "{process}: {stderr}{traced}");
        }
    }
}
