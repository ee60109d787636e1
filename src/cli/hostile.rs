//! A peer on loopback that does to its clients what the network does to them: resets, stalls, truncation, garbage, slow
//! bytes, half-open connections, floods. What it does follows from a seed and the number of the connection.
#![allow(dead_code)]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use portable_winhttp::http::upgrade;

/// Numbers that follow from a seed (xorshift).
#[derive(Clone, Copy, Debug)]
pub struct Random(u64);

impl Random {
    /// Of this seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next number below a limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit.max(1)
    }

    pub fn bytes(&mut self, most: u64) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.below(256) as u8).collect()
    }
}

/// The peer's port. It serves until the process ends.
pub fn serve(seed: u64) -> std::io::Result<u16> {
    serve_with(seed, play)
}

/// Serves each connection on a thread of its own, with chance that follows from the seed.
pub fn serve_with(
    seed: u64,
    play: impl Fn(TcpStream, Random) -> std::io::Result<()> + Send + Sync + 'static,
) -> std::io::Result<u16> {
    let play = Arc::new(play);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let connections = Arc::new(AtomicU64::new(0));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let random = Random::new(seed ^ connections.fetch_add(1, Ordering::Relaxed));
            let play = Arc::clone(&play);
            let _ = thread::Builder::new().stack_size(256 * 1024).spawn(move || {
                // A client that left is no failure.
                let _ = play(stream, random);
            });
        }
    });
    Ok(port)
}

/// How long a connection stands that does nothing.
pub const HALF_OPEN: Duration = Duration::from_millis(400);

/// A connection that is not waited for long.
pub fn limit(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.set_write_timeout(Some(Duration::from_secs(1)))
}

fn play(mut stream: TcpStream, mut random: Random) -> std::io::Result<()> {
    limit(&stream)?;
    if random.below(40) == 0 {
        // Before a byte of the request.
        return reset(&stream);
    }
    let mut came = Vec::new();
    while let Some(head) = head(&mut stream, &mut came)? {
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        if let Some(key) = key.filter(|_| random.below(10) > 0) {
            agree(&mut stream, key)?;
            return frames(stream, random);
        }
        match random.below(24) {
            0 => return reset(&stream),
            1 => return stream.shutdown(Shutdown::Both),
            2 => {
                thread::sleep(HALF_OPEN);
                return Ok(());
            }
            3 => {
                let garbage = random.bytes(400);
                stream.write_all(&garbage)?;
                return Ok(());
            }
            4 => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")?;
                return stream.shutdown(Shutdown::Both);
            }
            5 => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n")?;
                return Ok(());
            }
            6 => {
                for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" {
                    stream.write_all(&[*byte])?;
                    thread::sleep(Duration::from_micros(200));
                }
            }
            7 => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")?;
                return reset(&stream);
            }
            8 => {
                // A flood: as many fields as it takes.
                stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
                for _ in 0..2000 {
                    stream.write_all(b"X-Flood: 0123456789012345678901234567890123456789\r\n")?;
                }
                return Ok(());
            }
            9 => stream.write_all(&b"HTTP/1.1 100 Continue\r\n\r\n".repeat(300))?,
            10 => stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n")?,
            11 => stream
                .write_all(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\n\r\n")?,
            12 => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")?;
                return Ok(());
            }
            13 => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nnobody asked")?
            }
            14..=16 => stream.write_all(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
            )?,
            _ if head.contains(".pac ") => {
                let script = "function FindProxyForURL(url, host) { return \"DIRECT\"; }";
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{script}", script.len())?;
            }
            _ => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1200\r\n\r\n")?;
                stream.write_all(&[b'x'; 1200])?;
            }
        }
    }
    Ok(())
}

/// The reply that opens a web socket.
pub fn agree(stream: &mut TcpStream, key: &str) -> std::io::Result<()> {
    let accept = upgrade::accept(key);
    let head =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ";
    stream.write_all(format!("{head}{accept}\r\n\r\n").as_bytes())
}

/// Frames of a web socket, good and bad.
fn frames(mut stream: TcpStream, mut random: Random) -> std::io::Result<()> {
    for _ in 0..random.below(12) {
        match random.below(9) {
            0 => return reset(&stream),
            1 => {
                let garbage = random.bytes(64);
                stream.write_all(&garbage)?;
            }
            2 => stream.write_all(&b"\x02\x00\x00\x00".repeat(200))?,
            3 => stream.write_all(b"\x81\x03\xff\xff\xff")?,
            4 => stream.write_all(b"\x88\x02\x03\xe8")?,
            5 => stream.write_all(b"\x89\x01p")?,
            6 => thread::sleep(Duration::from_millis(5)),
            _ => stream.write_all(b"\x82\x05hello")?,
        }
    }
    let mut sink = [0; 1024];
    while matches!(stream.read(&mut sink), Ok(1..)) {
        stream.write_all(b"\x82\x02ok")?;
    }
    Ok(())
}

/// Ends the connection so that what was sent may be lost.
fn reset(stream: &TcpStream) -> std::io::Result<()> {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

/// The next head of a request, out of what came; `None` when the client has left. A body counts as part of the head that
/// follows it.
pub fn head(stream: &mut TcpStream, came: &mut Vec<u8>) -> std::io::Result<Option<String>> {
    let mut piece = [0; 2048];
    loop {
        if let Some(end) = came.windows(4).position(|four| four == b"\r\n\r\n") {
            let head: Vec<u8> = came.drain(..end + 4).collect();
            return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
        }
        match stream.read(&mut piece)? {
            1.. if came.len() > 64 * 1024 => return Ok(None),
            0 => return Ok(None),
            count => came.extend_from_slice(&piece[..count]),
        }
    }
}
