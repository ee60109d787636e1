//! Handshakes that go wrong: each ends in a record, in time.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustls::{ALL_VERSIONS, ServerConfig, ServerConnection, StreamOwned};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::certificates::*;
use crate::client::Get;
use crate::support::serve;

const CHANNEL: u32 = WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR;

/// What a server does to the bytes that it sends.
#[derive(Clone, Copy, Debug)]
enum Harm {
    /// Nothing, but they go one at a time.
    Trickle,
    /// The connection ends after so many.
    Cut(usize),
    /// Three from this place on are others: of one record's version, which means nothing, there are two.
    Flip(usize),
}

/// A stream that does it, and counts.
struct Harmed {
    stream: TcpStream,
    harm: Harm,
    sent: Arc<AtomicUsize>,
}

impl Read for Harmed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Harmed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.sent.load(Ordering::SeqCst);
        let count = match self.harm {
            Harm::Trickle => self.stream.write(&bytes[..1])?,
            Harm::Cut(at) if sent >= at => {
                self.stream.shutdown(Shutdown::Both)?;
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            Harm::Cut(at) => self.stream.write(&bytes[..bytes.len().min(at - sent)])?,
            Harm::Flip(at) if (at..at + 3).contains(&sent) => self.stream.write(&[bytes[0] ^ 0x55])?,
            Harm::Flip(at) if sent < at => self.stream.write(&bytes[..bytes.len().min(at - sent)])?,
            Harm::Flip(_) => self.stream.write(bytes)?,
        };
        self.sent.fetch_add(count, Ordering::SeqCst);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A server that answers one request on a connection, with that harm; its port, and what it has sent.
fn harmful(config: Arc<ServerConfig>, harm: Harm) -> (u16, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let port = serve(move |stream| {
        stream.set_nodelay(true).unwrap();
        let stream = Harmed { stream, harm, sent: Arc::clone(&counted) };
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    (port, sent)
}

fn get(port: u16) -> Get {
    Get::new(port).option(WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_DISABLE_KEEP_ALIVE)
}

#[test]
fn a_handshake_that_is_cut_or_changed_anywhere() {
    let _ = &*TRUSTED;
    let mut config = certificate(&[]).config(ALL_VERSIONS, Clients::Unasked);
    // Each handshake is a whole one.
    config.send_tls13_tickets = 0;
    let config = Arc::new(config);
    let (port, sent) = harmful(Arc::clone(&config), Harm::Trickle);
    assert_eq!(get(port).run().error, None);
    let whole = sent.load(Ordering::SeqCst);
    // Signatures differ in length by a few bytes.
    for at in (0..whole - 16).step_by(67) {
        for harm in [Harm::Cut(at), Harm::Flip(at)] {
            let (port, _) = harmful(Arc::clone(&config), harm);
            let outcome = get(port).run();
            let Some((api, error)) = outcome.error else { panic!("{harm:?} went well") };
            // What comes after the handshake is the reply's.
            assert!([API_SEND_REQUEST, API_RECEIVE_RESPONSE].contains(&api), "{harm:?} {outcome:?}");
            assert!([12030, 12152, 12175].contains(&error), "{harm:?} {outcome:?}");
            assert_eq!(error == 12175, outcome.failure.is_some(), "{harm:?} {outcome:?}");
        }
    }
}

/// A record of TLS: its kind, and what it says its length is.
fn record(kind: u8, length: u16, bytes: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3], &length.to_be_bytes()[..], bytes].concat()
}

#[test]
fn what_is_no_handshake() {
    let _ = &*TRUSTED;
    let large = vec![0; 0x5000];
    // A message that says of itself that it is of 16 MiB.
    let endless = [&[2, 0xFF, 0xFF, 0xFF][..], &[0; 0x4000 - 4]].concat();
    let endless = record(22, 0x4000, &endless).repeat(8);
    let rows: Vec<(&str, Vec<u8>, (u32, u32))> = vec![
        ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), (CHANNEL, 12175)),
        ("noise", (0..=255).cycle().take(4096).collect(), (CHANNEL, 12175)),
        ("an oversized record", record(22, 0x5000, &large), (CHANNEL, 12175)),
        ("a record of an unknown kind", record(99, 1, &[0]), (CHANNEL, 12175)),
        ("an alert: handshake_failure", record(21, 2, &[2, 40]), (CHANNEL, 12175)),
        ("an alert: protocol_version", record(21, 2, &[2, 70]), (CHANNEL, 12175)),
        ("data instead of a handshake", record(23, 4, b"data"), (CHANNEL, 12175)),
        ("an endless message", endless, (CHANNEL, 12175)),
        ("a message that is cut", record(22, 100, &[2, 0, 0, 90, 3, 3]), (0, 12030)),
        ("nothing", Vec::new(), (0, 12030)),
    ];
    for (what, bytes, expected) in rows {
        let port = serve(move |mut stream| {
            // The client's greeting is read first: an unread one would become a reset.
            let mut greeting = [0; 16 * 1024];
            let _ = stream.read(&mut greeting);
            let _ = stream.write_all(&bytes);
            let _ = stream.shutdown(Shutdown::Write);
            while matches!(stream.read(&mut greeting), Ok(1..)) {}
        });
        let outcome = get(port).run();
        assert_eq!(outcome.verdict(), expected, "{what}: {outcome:?}");
        assert_eq!(outcome.error.map(|(api, _)| api), Some(API_SEND_REQUEST), "{what}");
        assert!(!outcome.statuses.contains(&WINHTTP_CALLBACK_STATUS_SENDING_REQUEST), "{what}");
    }
}

/// Silence, and a server that never comes to an end, are timeouts of the connection.
#[test]
fn a_handshake_takes_no_longer_than_a_connection_may() {
    let _ = &*TRUSTED;
    let silent = |mut stream: TcpStream| while matches!(stream.read(&mut [0; 1024]), Ok(1..)) {};
    let chatty = |mut stream: TcpStream| {
        // The beginning of a message that never ends; the other side decides when it is enough.
        let _ = stream.write_all(&record(22, 0x4000, &[2, 0, 0x40, 0]));
        while stream.write_all(&[0]).is_ok() && stream.read(&mut [0; 1024]).is_ok_and(|count| count > 0) {}
    };
    for port in [serve(silent), serve(chatty)] {
        let begun = Instant::now();
        let outcome = get(port).option(WINHTTP_OPTION_CONNECT_TIMEOUT, 200).run();
        assert_eq!((outcome.failure, outcome.error), (None, Some((API_SEND_REQUEST, 12002))));
        assert!(begun.elapsed() >= Duration::from_millis(200));
    }
}
