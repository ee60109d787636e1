//! A server that tells what it has seen.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

use crate::support::PATIENCE;

/// What happened on one connection.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Visit {
    /// Whether the handshake was completed.
    pub greeted: bool,
    /// Bytes of requests.
    pub bytes: usize,
    /// Whether the client showed a certificate.
    pub identified: bool,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// Whom the client asked for (SNI).
    pub name: Option<String>,
}

pub struct Server {
    pub port: u16,
    visits: Mutex<Receiver<Visit>>,
}

impl Server {
    /// Says hello to every request.
    pub fn new(config: Arc<ServerConfig>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (told, visits) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (config, told) = (Arc::clone(&config), told.clone());
                thread::spawn(move || told.send(visit(stream, config)));
            }
        });
        Server { port, visits: Mutex::new(visits) }
    }

    /// The next connection that is over.
    pub fn visit(&self) -> Visit {
        self.visits.lock().unwrap().recv_timeout(PATIENCE).expect("a connection ends")
    }
}

fn visit(stream: TcpStream, config: Arc<ServerConfig>) -> Visit {
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    let mut bytes = 0;
    let mut head = Vec::new();
    let mut byte = [0];
    while stream.read_exact(&mut byte).is_ok() {
        bytes += 1;
        head.push(byte[0]);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        }
    }
    let identified = stream.conn.peer_certificates().is_some_and(|chain| !chain.is_empty());
    let resumed = stream.conn.handshake_kind() == Some(HandshakeKind::Resumed);
    let name = stream.conn.server_name().map(str::to_owned);
    // What it said last arrives whole: who closes with something unread resets the connection.
    let _ = stream.sock.shutdown(Shutdown::Write);
    let _ = stream.sock.read_to_end(&mut Vec::new());
    Visit { greeted: !stream.conn.is_handshaking(), bytes, identified, resumed, name }
}

/// Shows this certificate, be it what it may.
#[derive(Debug)]
pub struct ShowsOne(Arc<CertifiedKey>);

impl ShowsOne {
    pub fn new(chain: Vec<CertificateDer<'static>>, key: Arc<dyn SigningKey>) -> ShowsOne {
        ShowsOne(Arc::new(CertifiedKey::new(chain, key)))
    }
}

impl ResolvesServerCert for ShowsOne {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}
