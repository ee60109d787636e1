//! HTTP/2: one connection carries the streams of many exchanges.
//!
//! The `h2` crate frames; its connection is polled by a task of its own, for no single exchange owns it. So there is one
//! hop that HTTP/1 does not have: the attempt puts its frames into h2's queue and wakes that task, which writes them, and
//! what comes is put into the stream's queue and wakes the attempt. h2's types are used as they are, not through hyper,
//! which would put two more tasks between them, and hide windows, resets and GOAWAY.
mod exchange;
mod head;
mod length;
mod watch;

use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use super::Net;
use super::registry::PoolEntry;
use super::runtime::caught;
use super::stream::Stream;
use crate::transport::{Failure, Http2, Peer, Secured};
use crate::win32::ERROR_WINHTTP_CONNECTION_ERROR;
use bytes::Bytes;
use h2::SendStream;
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use hyper::http::Request;
use length::Renamed;
use watch::{Watch, Watched, WatchedStream};

pub use exchange::Http2Exchange;

/// The window of the connection. It never fills before those of its streams do, so that no slow reader stops another.
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;
/// What small frames of DATA that nobody has read yet may lack of 256 bytes each, all together: some 65,000 of them. By
/// itself `h2` would derive it from the window of the connection, which bounds nothing.
const SMALL_FRAMES: usize = 16 << 20;
/// Longest list of fields that is taken at all; the limit of a request is looked at when its head is there.
const LONGEST_HEAD: u32 = 1 << 20;
/// How many streams are opened before the server has said how many it takes.
const STREAMS_AT_FIRST: usize = 100;

/// A connection that takes streams. Clones of the `Arc` are in the pool and in each exchange; the last one ends it.
#[derive(Debug)]
pub struct Multiplexed {
    sender: SendRequest<Bytes>,
    pub peer: Peer,
    pub secured: Option<Arc<Secured>>,
    pub entry: Arc<PoolEntry>,
    watch: Arc<Watch>,
}

/// Both sides of a stream.
type Opened = (ResponseFuture, SendStream<Bytes>);

impl Drop for Multiplexed {
    fn drop(&mut self) {
        self.watch.leave();
    }
}

impl Multiplexed {
    /// Begins HTTP/2 on a stream.
    pub async fn begin(
        net: &Arc<Net>,
        stream: Stream,
        peer: Peer,
        secured: Option<Arc<Secured>>,
        entry: Arc<PoolEntry>,
        rules: &Http2,
    ) -> Result<Arc<Multiplexed>, Failure> {
        let watch = Arc::new(Watch::default());
        let watched = Watched::new(Renamed::new(stream), Arc::clone(&watch));
        let (sender, connection) = Builder::new()
            .enable_push(false)
            .initial_max_send_streams(STREAMS_AT_FIRST)
            .initial_window_size(rules.window)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .data_frame_budget(SMALL_FRAMES)
            .max_header_list_size(LONGEST_HEAD)
            .handshake(watched)
            .await
            .map_err(|_| ERROR_WINHTTP_CONNECTION_ERROR)?;
        let this = Multiplexed { sender, peer, secured, entry, watch: Arc::clone(&watch) };
        let this = Arc::new(this);
        let (weak, task_net, keepalive) = (Arc::downgrade(&this), Arc::clone(net), rules.keepalive);
        let id = this.entry.id();
        net.runtime.spawn(Box::pin(async move {
            let driven = caught(pin!(drive(&task_net, connection, &watch, keepalive, &weak))).await;
            watch.end();
            task_net.about(|engine, now| engine.expire(now, id));
            if let Err(panic) = driven {
                resume_unwind(panic);
            }
        }));
        Ok(this)
    }

    /// Opens a stream. `ends`: it has no body.
    fn open(&self, request: Request<()>, ends: bool) -> Result<(Opened, WatchedStream), h2::Error> {
        self.watch.opening(|| {
            let opened = self.sender.clone().send_request(request, ends)?;
            let id = opened.1.stream_id().as_u32();
            Ok((opened, id))
        })
    }

    /// What it is like now.
    pub fn silence(&self) -> Silence {
        Silence { watch: Arc::clone(&self.watch), heard: self.watch.received() }
    }

    /// How many streams the server takes at once. One that says 0 takes some later: h2 waits for that.
    pub fn room(&self) -> usize {
        self.sender.current_max_send_streams().max(1)
    }
}

/// What a connection was like when a request began.
pub struct Silence {
    watch: Arc<Watch>,
    heard: u64,
}

impl Silence {
    /// Whether not a byte has come since, for anybody.
    pub fn lasts(&self) -> bool {
        self.watch.received() == self.heard
    }
}

/// Tells the engine what it must know of a connection.
struct Teller<'a> {
    connection: &'a Weak<Multiplexed>,
    room: usize,
    open: bool,
}

impl Teller<'_> {
    fn tell(&mut self, net: &Net, watch: &Watch) {
        let Some(connection) = self.connection.upgrade() else { return };
        let (id, room) = (connection.entry.id(), connection.room());
        if std::mem::replace(&mut self.room, room) != room {
            net.about(|engine, now| engine.room(now, id, room));
        }
        if self.open && !watch.open() {
            self.open = false;
            net.about(|engine, now| engine.expire(now, id));
        }
    }
}

/// Moves the connection until it ends or nobody wants it any more. `keepalive`: after so much silence the server is sent
/// a PING; after as much again without a byte of it the connection counts as dead (HTTP2_KEEPALIVE).
async fn drive(
    net: &Net,
    mut connection: Connection<Watched<Renamed<Stream>>, Bytes>,
    watch: &Watch,
    keepalive: Option<Duration>,
    multiplexed: &Weak<Multiplexed>,
) {
    let mut teller = Teller { connection: multiplexed, room: 0, open: true };
    let mut pings = connection.ping_pong();
    let mut timer = net.runtime.timer();
    let mut heard = watch.received();
    let mut asked = false;
    if let Some(silence) = keepalive {
        timer.set(net.runtime.now() + silence);
    }
    poll_fn(|cx| {
        loop {
            if watch.poll_left(cx).is_ready() || Pin::new(&mut connection).poll(cx).is_ready() {
                return Poll::Ready(());
            }
            teller.tell(net, watch);
            let (Some(silence), Some(pings)) = (keepalive, &mut pings) else { return Poll::Pending };
            // The answer counts like any other byte; h2 wants it taken.
            let _ = pings.poll_pong(cx);
            if timer.poll(cx).is_pending() {
                return Poll::Pending;
            }
            let received = watch.received();
            match (received == heard, asked) {
                (true, true) => return Poll::Ready(()),
                (true, false) => asked = pings.send_ping(h2::Ping::opaque()).is_ok(),
                (false, _) => asked = false,
            }
            heard = received;
            timer.set(net.runtime.now() + silence);
        }
    })
    .await;
}
