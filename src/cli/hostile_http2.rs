//! The hostile peer over TLS and HTTP/2: resets of streams, GOAWAY, stalls, settings that change, windows that overflow, broken
//! frames and fields, floods.
#![allow(dead_code)]

use std::io::{self, Error, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use portable_winhttp::lab::Authority;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::hostile::{HALF_OPEN, Random, limit, serve_with};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
/// END_STREAM, or ACK of SETTINGS and PING.
const LAST: u8 = 1;
const END_HEADERS: u8 = 4;
const HEADER_TABLE_SIZE: u16 = 1;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;
/// `:status: 200` in the static table of HPACK.
const OK: &[u8] = &[0x88];

/// The peer's port. It serves until the process ends.
pub fn serve(seed: u64) -> io::Result<u16> {
    serve_answers(seed, answer)
}

/// Gives each request, by the number of its stream, this answer; an error ends the connection.
pub fn serve_answers(
    seed: u64,
    answer: impl Fn(&mut Tls, &mut Random, u32) -> io::Result<()> + Copy + Send + Sync + 'static,
) -> io::Result<u16> {
    let config = Arc::new(configuration()?);
    serve_with(seed, move |stream, random| {
        limit(&stream)?;
        let tls = ServerConnection::new(Arc::clone(&config)).map_err(Error::other)?;
        play(StreamOwned::new(tls, stream), random, answer)
    })
}

fn configuration() -> io::Result<ServerConfig> {
    let issued = Authority::new().issue(&["127.0.0.1"]);
    let chain = issued.chain.into_iter().map(Into::into).collect();
    let key = PrivateKeyDer::try_from(issued.key).map_err(Error::other)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// A connection of a client.
pub type Tls = StreamOwned<ServerConnection, TcpStream>;

fn play(
    mut tls: Tls,
    mut random: Random,
    answer: impl Fn(&mut Tls, &mut Random, u32) -> io::Result<()>,
) -> io::Result<()> {
    tls.read_exact(&mut [0; 24])?;
    send(&mut tls, SETTINGS, 0, 0, &[])?;
    loop {
        let mut head = [0; 9];
        tls.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut payload = vec![0; length];
        tls.read_exact(&mut payload)?;
        match head[3] {
            HEADERS => answer(&mut tls, &mut random, stream)?,
            SETTINGS | PING if head[4] & LAST == 0 => {
                let echoed = if head[3] == PING { &payload[..] } else { &[] };
                send(&mut tls, head[3], LAST, 0, echoed)?;
            }
            GOAWAY => return Ok(()),
            _ => {}
        }
    }
}

/// What a request gets.
fn answer(tls: &mut Tls, random: &mut Random, stream: u32) -> io::Result<()> {
    match random.below(36) {
        0 => send(tls, RST_STREAM, 0, stream, &[0, 0, 0, 2]),
        1 => send(tls, GOAWAY, 0, 0, &[0; 8]).and(Err(Error::other("it leaves"))),
        2 => Err(Error::other("it leaves without a word")),
        3 => tls.write_all(&random.bytes(200)),
        4 => {
            send(tls, HEADERS, END_HEADERS, stream, OK)?;
            send(tls, DATA, 0, stream, &[b'x'; 100])?;
            send(tls, RST_STREAM, 0, stream, &[0, 0, 0, 8])
        }
        5 => {
            thread::sleep(HALF_OPEN);
            Ok(())
        }
        6 => (0..500).try_for_each(|_| send(tls, PING, 0, 0, &[7; 8])),
        7 => {
            send(tls, HEADERS, END_HEADERS, stream, OK)?;
            (0..2000).try_for_each(|_| send(tls, DATA, 0, stream, &[]))
        }
        8 => send(tls, HEADERS, END_HEADERS, stream, &[0xff, 0xff, 0xff, 0xff, 0xff]),
        9 => tls.write_all(&[0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1]),
        10 => send(tls, WINDOW_UPDATE, 0, 0, &[0; 4]),
        11 => (0..300).try_for_each(|_| send(tls, SETTINGS, 0, 0, &[])),
        12 => {
            // Fields without an end.
            send(tls, HEADERS, 0, stream, OK)?;
            (0..200).try_for_each(|_| send(tls, CONTINUATION, 0, stream, &[0x88; 1000]))
        }
        13 => {
            send(tls, HEADERS, END_HEADERS, stream, OK)?;
            for _ in 0..10 {
                thread::sleep(Duration::from_micros(200));
                send(tls, DATA, 0, stream, b"s")?;
            }
            send(tls, DATA, LAST, stream, &[])
        }
        14 => {
            // It leaves over and over, later and earlier, and answers all the same.
            for last in [u32::MAX >> 1, stream, 1, stream + 100, 0].into_iter().cycle().take(200) {
                send(tls, GOAWAY, 0, 0, &[last.to_be_bytes(), [0; 4]].concat())?;
            }
            whole(tls, stream)
        }
        // No streams, no windows, no table, and all of it again.
        15 => {
            for value in [0, 1, 0, u32::MAX >> 1, 65_535].into_iter().cycle().take(50) {
                set(tls, MAX_CONCURRENT_STREAMS, value)?;
                set(tls, INITIAL_WINDOW_SIZE, value)?;
                set(tls, HEADER_TABLE_SIZE, value)?;
            }
            set(tls, MAX_CONCURRENT_STREAMS, 100)?;
            whole(tls, stream)
        }
        16 => set(tls, INITIAL_WINDOW_SIZE, u32::MAX),
        17 => set(tls, MAX_FRAME_SIZE, 1),
        // A window that overflows, of the stream and of the connection.
        18 => (0..3).try_for_each(|_| send(tls, WINDOW_UPDATE, 0, stream, &[0x7f, 0xff, 0xff, 0xff])),
        19 => (0..3).try_for_each(|_| send(tls, WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff])),
        // More than the window that the client gave.
        20 => {
            send(tls, HEADERS, END_HEADERS, stream, OK)?;
            (0..5000).try_for_each(|_| send(tls, DATA, 0, stream, &[b'x'; 16_000]))
        }
        // A field section that another frame breaks into.
        21 => {
            send(tls, HEADERS, 0, stream, OK)?;
            send(tls, PING, 0, 0, &[7; 8])
        }
        22 => send(tls, CONTINUATION, END_HEADERS, stream, OK),
        23 => send(tls, PUSH_PROMISE, END_HEADERS, stream, &[0, 0, 0, 2, 0x82]),
        24 => send(tls, HEADERS, END_HEADERS, stream + 1000, OK),
        _ => whole(tls, stream),
    }
}

/// A whole reply.
fn whole(tls: &mut Tls, stream: u32) -> io::Result<()> {
    send(tls, HEADERS, END_HEADERS, stream, OK)?;
    send(tls, DATA, LAST, stream, &[b'x'; 600])
}

/// One setting.
fn set(tls: &mut Tls, setting: u16, value: u32) -> io::Result<()> {
    send(tls, SETTINGS, 0, 0, &[&setting.to_be_bytes()[..], &value.to_be_bytes()].concat())
}

fn send(tls: &mut Tls, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    tls.write_all(&frame)
}
