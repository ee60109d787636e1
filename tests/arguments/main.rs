//! What every function and every option answers to faulty arguments: one row for each function and fault, one for each
//! option, with its source. `.ci/sanitize` runs this under the address sanitizer: each buffer is exactly as long as is said.

mod functions;
mod options;
mod random;
#[path = "../support/mod.rs"]
mod support;

use std::ffi::c_void;
use std::io::{Read, Write};
use std::ptr::{null, null_mut};

use portable_winhttp::http::upgrade;
use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

/// A handle of each type that can be had, with its letter: S session, C connection, R request that was not sent, D
/// request whose reply is there, W web socket, V proxy resolver.
struct Handles {
    client: Client,
    asynchronous: Client,
    all: Vec<(char, *mut c_void)>,
}

impl Handles {
    fn open() -> Handles {
        let client = Client::new(false, serve(answer));
        let open = || client.request("GET", "/", &Record::new());
        let (fresh, done, upgraded) = (open(), open(), open());
        assert_eq!((send(done), receive(done)), (1, 1), "{}", last_error());
        // SAFETY: an option without a value, and no pointers.
        let socket = unsafe {
            assert_eq!(WinHttpSetOption(upgraded, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0), 1);
            assert_eq!((send(upgraded), receive(upgraded)), (1, 1), "{}", last_error());
            WinHttpWebSocketCompleteUpgrade(upgraded, 0)
        };
        assert!(!socket.is_null(), "{}", last_error());
        close(upgraded);
        let asynchronous = Client::new(true, 80);
        let mut resolver = null_mut();
        // SAFETY: what the page asks for.
        assert_eq!(unsafe { WinHttpCreateProxyResolver(asynchronous.session, &mut resolver) }, 0);
        let all = vec![
            ('S', client.session),
            ('C', client.connection),
            ('R', fresh),
            ('D', done),
            ('W', socket),
            ('V', resolver),
        ];
        Handles { client, asynchronous, all }
    }

    fn of(&self, kind: char) -> *mut c_void {
        self.all.iter().find(|(known, _)| *known == kind).map_or(null_mut(), |(_, handle)| *handle)
    }

    fn close(self) {
        for kind in ['V', 'W', 'D', 'R'] {
            assert_eq!(close(self.of(kind)), 1);
        }
        self.asynchronous.close();
        self.client.close();
    }
}

/// Answers 200, or agrees to a web socket.
fn answer(mut stream: std::net::TcpStream) {
    while let Some(head) = read_head(&mut stream) {
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let reply = match key {
            Some(key) => format!(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n\r\n",
                upgrade::accept(key)
            ),
            None => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: 1\r\na: 2\r\n\r\nok".to_owned(),
        };
        if stream.write_all(reply.as_bytes()).is_err() {
            return;
        }
        if key.is_some() {
            // Until the client leaves.
            let mut sink = [0; 256];
            while matches!(stream.read(&mut sink), Ok(1..)) {}
            return;
        }
    }
}

/// The error of a function that answers FALSE or NULL; 0 if it did not.
fn failed(answer: bool) -> u32 {
    if answer { 0 } else { last_error() }
}
