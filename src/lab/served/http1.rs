//! HTTP/1 as a server.

use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::bridge::what_bytes_meet;
use super::play::{Next, Play};
use super::{CONNECTION, Io, ServerHost, tunnel};
use crate::http::chunks::ChunkReader;
use crate::http::{BodyLength, OutgoingBody, RequestHead, RequestKind};
use crate::lab::fault::Armed;
use crate::lab::peer::{Handler, Peer};
use crate::lab::received::Received;
use crate::lab::reply::{Reply, accept, interim as interim_reply};
use crate::net::failure::Injected;

/// A head that is longer is none.
const LONGEST_HEAD: usize = 1 << 20;

/// Answers requests until one side has enough.
pub async fn serve(place: Arc<dyn ServerHost>, peer: Peer, io: Box<dyn Io>) {
    let mut connection = Connection { io, read: Vec::new() };
    while let Some(head) = connection.head().await {
        let awaits = !OutgoingBody::of(&head).whole();
        let early = if awaits { peer.answer_early(&Received::new(&head, Bytes::new())) } else { None };
        let whole = early.is_none();
        let reply = match early {
            Some(reply) => reply,
            None => match connection.body(&head).await {
                Some(body) => peer.answer(Received::new(&head, body)),
                None => return,
            },
        };
        match connection.reply(&place, &peer, &reply, &head).await {
            After::Keep if whole => {}
            // The rest of the request comes, or the client leaves.
            After::Keep if connection.body(&head).await.is_some() => {}
            After::Keep | After::Close => {
                let _ = connection.io.shutdown().await;
                return;
            }
            After::Reset(with) => {
                place.brings(with, &peer, CONNECTION);
                return connection.io.reset(Some(with));
            }
            After::Play(handler, faults) => {
                let meets = what_bytes_meet(&place, &peer, faults);
                return place.play(handler, connection.io, connection.read, meets);
            }
            After::Tunnel => return tunnel(place, connection.io, &head.target).await,
        }
    }
}

/// What becomes of a connection after a reply.
enum After {
    Keep,
    Close,
    Reset(Injected),
    /// With the faults of the reply.
    Play(Handler, Vec<Armed>),
    /// What follows is for the server that was named.
    Tunnel,
}

struct Connection {
    io: Box<dyn Io>,
    /// What was read and belongs to what comes next.
    read: Vec<u8>,
}

impl Connection {
    /// Reads more; `false` at the end.
    async fn more(&mut self) -> bool {
        matches!(self.io.read_buf(&mut self.read).await, Ok(1..))
    }

    async fn exactly(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.read.len() < count {
            if !self.more().await {
                return None;
            }
        }
        let rest = self.read.split_off(count);
        Some(std::mem::replace(&mut self.read, rest))
    }

    /// The next request.
    async fn head(&mut self) -> Option<RequestHead> {
        loop {
            if let Some((head, length)) = RequestHead::parse_begun(&self.read).ok()? {
                self.read.drain(..length);
                return Some(head);
            }
            if self.read.len() > LONGEST_HEAD || !self.more().await {
                return None;
            }
        }
    }

    /// The body, framed as it comes.
    async fn body(&mut self, head: &RequestHead) -> Option<Bytes> {
        let field = |name| head.headers.get(name, 0).map(|value| String::from_utf8_lossy(value).into_owned());
        if field("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked")) {
            let (mut body, mut reader) = (Vec::new(), ChunkReader::default());
            while !reader.ended() {
                let mut left = self.read.as_slice();
                while reader.next(&mut left, usize::MAX).ok()?.is_some() {}
                let read = self.read.len() - left.len();
                body.extend(self.read.drain(..read));
                if !reader.ended() && !self.more().await {
                    return None;
                }
            }
            return Some(body.into());
        }
        let length = field("content-length").map_or(Some(0), |value| value.trim().parse().ok())?;
        self.exactly(length).await.map(Bytes::from)
    }

    /// Writes a reply. What needs no time goes out together.
    async fn reply(&mut self, place: &Arc<dyn ServerHost>, peer: &Peer, reply: &Reply, request: &RequestHead) -> After {
        let asked = RequestKind::of(&request.method, false);
        let head_only = request.asks_for_head_only();
        let mut play = Play::new(place, peer, reply, asked);
        let mut out = Vec::new();
        let (mut chunked, mut keep, mut ended, mut tunnel, mut interim) = (false, false, false, false, false);
        while let Some(next) = play.next() {
            match next {
                Next::Interim(status) => out.extend(interim_reply(status).bytes()),
                Next::Head(mut head) => {
                    if head.status == 101 {
                        accept(request, &mut head.headers);
                    }
                    tunnel = asked.is_tunnel(head.status);
                    interim = head.is_interim(request.headers.get("upgrade", 0).is_some());
                    chunked = head.is_chunked();
                    keep = BodyLength::of(&head, head_only).is_ok_and(|length| length.keeps(&head));
                    for line in head.raw_lines() {
                        out.extend(line);
                        out.extend(b"\r\n");
                    }
                    out.extend(b"\r\n");
                }
                Next::Bytes(bytes) if chunked => {
                    out.extend(format!("{:x}\r\n", bytes.len()).bytes());
                    out.extend(bytes);
                    out.extend(b"\r\n");
                }
                Next::Bytes(bytes) => out.extend(bytes),
                Next::End(trailers) => {
                    ended = true;
                    if chunked && !head_only && !tunnel {
                        out.extend(b"0\r\n");
                        for field in trailers.iter() {
                            out.extend(field.line());
                            out.extend(b"\r\n");
                        }
                        out.extend(b"\r\n");
                    }
                }
                Next::Upgrade(handler) => {
                    let written = self.write(&mut out).await;
                    return if written { After::Play(handler, play.into_faults()) } else { After::Close };
                }
                Next::Pause(pause) => {
                    if !self.write(&mut out).await {
                        return After::Close;
                    }
                    pause.over(&**place).await;
                }
                Next::Close => {
                    self.write(&mut out).await;
                    return After::Close;
                }
                Next::Reset(with) => {
                    self.write(&mut out).await;
                    return After::Reset(with);
                }
                Next::Stall => {
                    self.write(&mut out).await;
                    return self.idle().await;
                }
            }
        }
        if !self.write(&mut out).await {
            return After::Close;
        }
        match (ended, keep) {
            (false, _) => self.idle().await,
            // A 101 that nobody asked for: nothing comes behind it.
            (true, _) if interim => self.idle().await,
            (true, _) if tunnel => After::Tunnel,
            (true, true) => After::Keep,
            (true, false) => After::Close,
        }
    }

    /// Waits until the client has left.
    async fn idle(&mut self) -> After {
        while self.more().await {
            self.read.clear();
        }
        After::Close
    }

    async fn write(&mut self, out: &mut Vec<u8>) -> bool {
        let written = self.io.write_all(out).await.is_ok() && self.io.flush().await.is_ok();
        out.clear();
        written
    }
}
