//! The web socket endpoint of the local server: it echoes, and misbehaves as its query says.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, UPGRADE};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use portable_winhttp::http::upgrade;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A longer message is answered with 1009.
const LONGEST: usize = 64 << 20;

/// What goes wrong, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Faults {
    /// After so many messages.
    after: u64,
    /// What happens then.
    then: Then,
    /// Milliseconds before each echo.
    delay: u64,
    /// Bytes of a fragment at most.
    fragment: usize,
    /// Pings before each echo.
    pings: u64,
    /// Whether the client's close frame is answered.
    silent: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Then {
    Nothing,
    Close(u16, String),
    /// The connection ends without a close frame.
    End,
    /// A frame with a reserved bit.
    Bad,
}

impl Faults {
    /// Reads a query; the error says what is wrong with it.
    fn read(query: &str) -> Result<Faults, String> {
        let mut faults =
            Faults { after: 0, then: Then::Nothing, delay: 0, fragment: usize::MAX, pings: 0, silent: false };
        let mut words: HashMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).collect();
        let mut number = |name: &str| match words.remove(name) {
            None => Ok(None),
            Some(value) => value.parse::<u64>().map(Some).map_err(|_| format!("{name} is a number, not {value:?}")),
        };
        faults.after = number("after")?.unwrap_or(0);
        faults.delay = number("delay")?.unwrap_or(0);
        faults.fragment = number("fragment")?.map_or(usize::MAX, |bytes| bytes.max(1) as usize);
        faults.pings = number("pings")?.unwrap_or(0);
        let status = number("close")?;
        let reason = words.remove("reason").unwrap_or_default().into_owned();
        let mut flag = |name: &str| words.remove(name).is_some();
        faults.silent = flag("silent");
        faults.then = match (status, flag("end"), flag("bad")) {
            (Some(status), ..) => {
                let status = u16::try_from(status).map_err(|_| format!("{status} is no status"))?;
                Then::Close(status, reason)
            }
            (_, true, _) => Then::End,
            (_, _, true) => Then::Bad,
            _ => Then::Nothing,
        };
        match words.keys().next() {
            None => Ok(faults),
            Some(word) => {
                Err(format!("{word} is none of close, reason, end, bad, after, delay, fragment, pings, silent"))
            }
        }
    }
}

/// Answers a handshake and serves the web socket that comes of it; the error is what is wrong with the request.
pub fn upgrade(mut request: Request<Incoming>) -> Result<Response<()>, String> {
    let key = request.headers().get("sec-websocket-key").and_then(|key| key.to_str().ok());
    let accept = upgrade::accept(key.ok_or("this is a web socket: ask with Sec-WebSocket-Key")?);
    let faults = Faults::read(request.uri().query().unwrap_or_default())?;
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let stream = TokioIo::new(upgraded.await.ok()?);
        echo(stream, faults).await.ok()
    });
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert("sec-websocket-accept", HeaderValue::from_str(&accept).map_err(|error| error.to_string())?);
    Ok(response)
}

/// Serves one web socket until it ends.
async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin, faults: Faults) -> io::Result<()> {
    let mut messages = 0;
    let mut message = Vec::new();
    let mut kind = BINARY;
    loop {
        if messages == faults.after && faults.then != Then::Nothing {
            match &faults.then {
                Then::Close(status, reason) => {
                    write(&mut stream, 0x80 | CLOSE, &[&status.to_be_bytes(), reason.as_bytes()].concat()).await?;
                    // Its answer is the last that comes.
                    while read(&mut stream).await?.0 & 0xF != CLOSE {}
                    return Ok(());
                }
                Then::Bad => write(&mut stream, 0xC0 | TEXT, b"bad").await?,
                Then::End | Then::Nothing => return Ok(()),
            }
        }
        let (first, payload) = read(&mut stream).await?;
        match first & 0xF {
            CLOSE if faults.silent => {}
            CLOSE => return write(&mut stream, 0x80 | CLOSE, &payload).await,
            PING => write(&mut stream, 0x80 | PONG, &payload).await?,
            PONG => {}
            opcode => {
                if opcode != 0 {
                    kind = opcode;
                }
                message.extend(payload);
                if message.len() > LONGEST {
                    return write(&mut stream, 0x80 | CLOSE, &1009_u16.to_be_bytes()).await;
                }
                if first & 0x80 == 0 {
                    continue;
                }
                messages += 1;
                tokio::time::sleep(Duration::from_millis(faults.delay)).await;
                for number in 0..faults.pings {
                    write(&mut stream, 0x80 | PING, number.to_string().as_bytes()).await?;
                }
                send(&mut stream, kind, &std::mem::take(&mut message), faults.fragment).await?;
            }
        }
    }
}

/// Sends a message in fragments.
async fn send(stream: &mut (impl AsyncWrite + Unpin), kind: u8, message: &[u8], fragment: usize) -> io::Result<()> {
    let mut parts = message.chunks(fragment).peekable();
    let mut opcode = kind;
    loop {
        let part = parts.next().unwrap_or_default();
        let last = if parts.peek().is_none() { 0x80 } else { 0 };
        write(stream, last | opcode, part).await?;
        opcode = 0;
        if last != 0 {
            return Ok(());
        }
    }
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), first: u8, payload: &[u8]) -> io::Result<()> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(length as u8),
        length @ 126..=0xFFFF => {
            frame.push(126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    stream.write_all(&frame).await?;
    stream.flush().await
}

/// The first byte of a frame, and its payload without the mask.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(u8, Vec<u8>)> {
    let (first, second) = (stream.read_u8().await?, stream.read_u8().await?);
    let length = match second & 0x7F {
        126 => u64::from(stream.read_u16().await?),
        127 => stream.read_u64().await?,
        length => u64::from(length),
    };
    let length = usize::try_from(length).ok().filter(|length| *length <= LONGEST);
    let length = length.ok_or(io::ErrorKind::InvalidData)?;
    if second & 0x80 == 0 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mask = stream.read_u32().await?.to_be_bytes();
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await?;
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Ok((first, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let none = Faults { after: 0, then: Then::Nothing, delay: 0, fragment: usize::MAX, pings: 0, silent: false };
        let close = Then::Close(4000, "a b".to_owned());
        let rows = [
            ("", Ok(none.clone())),
            ("after=2&close=4000&reason=a+b", Ok(Faults { after: 2, then: close, ..none.clone() })),
            ("end", Ok(Faults { then: Then::End, ..none.clone() })),
            ("bad&pings=3&fragment=0", Ok(Faults { then: Then::Bad, pings: 3, fragment: 1, ..none.clone() })),
            ("silent&delay=5", Ok(Faults { silent: true, delay: 5, ..none.clone() })),
            ("close=70000", Err("70000 is no status".to_owned())),
            ("after=x", Err("after is a number, not \"x\"".to_owned())),
        ];
        for (query, expected) in rows {
            assert_eq!(Faults::read(query), expected, "{query}");
        }
        assert!(Faults::read("colour=red").is_err());
    }
}
