//! HTTP/2: one connection carries the streams of many exchanges.
//!
//! The `h2` crate frames; its connection is polled by a task of its own, for no single exchange owns it. So there is one
//! hop that HTTP/1 does not have: the attempt puts its frames into h2's queue and wakes that task, which writes them, and
//! what comes is put into the stream's queue and wakes the attempt. h2's types are used as they are, not through hyper,
//! which would put two more tasks between them, and hide windows, resets and GOAWAY.
mod exchange;
mod head;
mod watch;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use tokio::sync::Notify;

use super::limits::Permit;
use super::registry::PoolEntry;
use super::stream::Stream;
use super::{Net, pool};
use crate::transport::{Failure, Http2, Peer, Secured, TransportRequest};
use crate::win32::ERROR_WINHTTP_CONNECTION_ERROR;
use watch::{Watch, Watched};

pub use exchange::Http2Exchange;

/// The window of the connection. It never fills before those of its streams do, so that no slow reader stops another.
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;
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
    /// Its part of the server's limit.
    permit: Mutex<Option<Permit>>,
    watch: Arc<Watch>,
    state: Mutex<State>,
    /// Commands when a stream ends, or the connection.
    freed: Notify,
}

#[derive(Debug)]
struct State {
    streams: usize,
    /// When the last one ended.
    since: Duration,
}

/// The right to one stream.
pub struct Slot {
    pub connection: Arc<Multiplexed>,
    net: Arc<Net>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.connection.lock();
        state.streams -= 1;
        state.since = self.net.runtime.now();
        drop(state);
        self.connection.freed.notify_one();
    }
}

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
        let watched = Watched::new(stream, Arc::clone(&watch));
        let (sender, connection) = Builder::new()
            .enable_push(false)
            .initial_max_send_streams(STREAMS_AT_FIRST)
            .initial_window_size(rules.window)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(LONGEST_HEAD)
            .handshake(watched)
            .await
            .map_err(|_| ERROR_WINHTTP_CONNECTION_ERROR)?;
        let state = Mutex::new(State { streams: 0, since: net.runtime.now() });
        let this = Multiplexed {
            sender,
            peer,
            secured,
            entry,
            permit: Mutex::new(None),
            watch: Arc::clone(&watch),
            state,
            freed: Notify::new(),
        };
        let this = Arc::new(this);
        let (weak, task_net, keepalive) = (Arc::downgrade(&this), Arc::clone(net), rules.keepalive);
        net.runtime.spawn(Box::pin(async move {
            drive(&task_net, connection, &watch, keepalive).await;
            watch.end();
            if let Some(this) = weak.upgrade() {
                this.freed.notify_waiters();
            }
        }));
        Ok(this)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it takes new streams.
    pub fn open(&self) -> bool {
        self.watch.open() && !self.entry.expired()
    }

    /// Whether a request may have a stream of it.
    pub fn takes(&self, request: &TransportRequest) -> bool {
        self.open() && pool::suits(self.entry.mark(), request)
    }

    /// It counts among the server's connections as long as it stands.
    pub fn hold(&self, permit: Option<Permit>) {
        *self.permit.lock().unwrap_or_else(PoisonError::into_inner) = permit;
    }

    /// Since when it carries nothing; `None` while it does.
    pub fn idle_since(&self) -> Option<Duration> {
        let state = self.lock();
        (state.streams == 0).then_some(state.since)
    }

    /// The right to a stream, unless the server takes no more at once.
    pub fn try_take(self: &Arc<Self>, net: &Arc<Net>) -> Option<Slot> {
        let mut state = self.lock();
        // A server that says 0 takes some later: h2 waits for that.
        let room = self.sender.current_max_send_streams().max(1);
        if state.streams >= room {
            return None;
        }
        state.streams += 1;
        if state.streams < room {
            // The server may have raised its limit: whoever waits is told one by one.
            self.freed.notify_one();
        }
        Some(Slot { connection: Arc::clone(self), net: Arc::clone(net) })
    }

    /// Waits for the right to a stream; `None` if the connection ends before.
    pub async fn take(self: &Arc<Self>, net: &Arc<Net>) -> Option<Slot> {
        loop {
            let freed = self.freed.notified();
            if !self.open() {
                return None;
            }
            if let Some(slot) = self.try_take(net) {
                return Some(slot);
            }
            freed.await;
        }
    }
}

/// Moves the connection until it ends or nobody wants it any more. `keepalive`: after so much silence the server is sent
/// a PING; after as much again without a byte of it the connection counts as dead (HTTP2_KEEPALIVE).
async fn drive(
    net: &Net,
    mut connection: Connection<Watched<Stream>, Bytes>,
    watch: &Watch,
    keepalive: Option<Duration>,
) {
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
