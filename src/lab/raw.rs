//! The byte door: a connection that a test plays itself.

use std::any::Any;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::sync::{Condvar, Mutex, MutexGuard};

use super::explore::footprint::Footprint;
use super::gate::Gate;
use super::scheduler::Limit;
use super::world::{SimWorld, wait_as_peer};

/// How the server's side ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Closed,
    Reset,
}

/// Where the bytes of a server that is played go.
pub trait PipeClient: Send + Sync {
    /// The server sends.
    fn arrived(self: Arc<Self>, bytes: &[u8]);
    /// The server sends nothing more.
    fn ended(self: Arc<Self>, end: End);
}

#[derive(Default)]
struct State {
    to_server: Vec<u8>,
    client_closed: bool,
    /// The server sends nothing more.
    end: Option<End>,
    /// It has sent what nobody asked for.
    unasked: bool,
    /// So much of what it has sent has not come yet.
    on_its_way: usize,
    client: Option<Weak<dyn PipeClient>>,
}

/// A connection between an attempt, or several one after the other, and a thread of the Sim.
pub struct RawPipe {
    world: Weak<SimWorld>,
    sequence: usize,
    /// Whether it is a real connection: waiting is that of the thread.
    live: bool,
    state: Mutex<State>,
    came: Condvar,
}

impl RawPipe {
    pub fn new(world: &Arc<SimWorld>, sequence: usize) -> Arc<RawPipe> {
        let world = Arc::downgrade(world);
        Arc::new(RawPipe { world, sequence, live: false, state: Mutex::default(), came: Condvar::new() })
    }

    /// A connection of the real world.
    #[cfg(feature = "live")]
    pub fn live() -> Arc<RawPipe> {
        Arc::new(RawPipe { world: Weak::new(), sequence: 0, live: true, state: Mutex::default(), came: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A thread and a request use it.
        if let Some(world) = self.world.upgrade() {
            world.scheduler().touch(Footprint::all);
        }
        self.state.lock()
    }

    /// Somebody takes the connection: what comes is told to it.
    pub fn attach(&self, client: &Arc<impl PipeClient + 'static>) {
        let client: Weak<dyn PipeClient> = Arc::downgrade(client) as _;
        self.lock().client = Some(client);
    }

    /// The attempt is over; the connection is idle.
    pub fn detach(&self) {
        self.lock().client = None;
    }

    pub fn send(&self, bytes: &[u8]) {
        self.lock().to_server.extend_from_slice(bytes);
        self.came.notify_all();
    }

    /// Nobody wants anything of it any more.
    pub fn leave(&self) {
        self.detach();
        self.close();
    }

    pub fn close(&self) {
        self.lock().client_closed = true;
        self.came.notify_all();
    }

    /// Whether it can carry no other request: the server has left, or has sent what nobody asked for (source r7).
    pub fn is_dead(&self) -> bool {
        let state = self.lock();
        state.end.is_some() || state.unasked || state.on_its_way > 0
    }

    /// Something for the far side, in its turn.
    fn tell(self: &Arc<Self>, what: impl FnOnce(Arc<dyn PipeClient>) + Send + 'static) {
        let pipe = Arc::clone(self);
        self.lock().on_its_way += 1;
        let act = move || {
            let mut state = pipe.lock();
            state.on_its_way -= 1;
            let client = state.client.as_ref().and_then(Weak::upgrade);
            state.unasked |= client.is_none();
            drop(state);
            if let Some(client) = client {
                what(client);
            }
        };
        match (self.world.upgrade(), self.live) {
            (Some(world), _) => world.after(Duration::ZERO, self.sequence, act),
            (None, true) => act(),
            (None, false) => {}
        }
    }

    fn end(self: &Arc<Self>, end: End) {
        if self.lock().end.replace(end).is_none() {
            self.tell(move |client| client.ended(end));
        }
    }

    fn wait(&self, what: &str, mut done: impl FnMut(&mut State) -> bool) {
        if let Some(world) = self.world.upgrade() {
            wait_as_peer(world.scheduler(), what, Limit::None, &mut || done(&mut self.lock()));
        } else if self.live {
            self.came.wait_while(&mut self.lock(), |state| !done(state));
        }
    }
}

/// The server's side of one connection, read and written byte by byte. The handler of [`Peer::raw`](super::Peer::raw) or
/// [`Reply::upgrade`](super::Reply::upgrade) gets one. Reading waits in the Sim's time. Dropping it closes the connection.
///
/// ```
/// use portable_winhttp::lab::Sim;
///
/// let sim = Sim::new();
/// let gate = sim.gate("answer");
/// let waits = gate.clone();
/// sim.peer("http://api.test").raw(move |raw| {
///     raw.expect(b"GET / HTTP/1.1\r\n");
///     raw.read_until(b"\r\n\r\n");
///     raw.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
///     raw.wait(&waits);
///     raw.reset();
/// });
/// gate.open();
/// ```
pub struct RawConnection(pub(super) Arc<RawPipe>);

impl RawConnection {
    /// Waits until the client has sent bytes, and returns all that came since the last read; `None` if it has closed.
    pub fn read(&self) -> Option<Vec<u8>> {
        self.0.wait("bytes of a client", |state| !state.to_server.is_empty() || state.client_closed);
        let bytes = self.waiting();
        (!bytes.is_empty()).then_some(bytes)
    }

    /// The bytes that the client has sent since the last read, without waiting; may be empty.
    pub fn waiting(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().to_server)
    }

    /// Puts bytes back: they are read next.
    fn unread(&self, bytes: Vec<u8>) {
        self.0.lock().to_server.splice(..0, bytes);
    }

    /// Reads up to and including `end`; `None` if the client closes before.
    pub fn read_until(&self, end: &[u8]) -> Option<Vec<u8>> {
        let mut read = Vec::new();
        loop {
            if let Some(at) = read.windows(end.len()).position(|window| window == end) {
                self.unread(read.split_off(at + end.len()));
                return Some(read);
            }
            read.extend(self.read()?);
        }
    }

    /// Reads exactly this many bytes; `None` if the client closes before.
    pub fn read_exact(&self, count: usize) -> Option<Vec<u8>> {
        let mut read = Vec::new();
        while read.len() < count {
            read.extend(self.read()?);
        }
        self.unread(read.split_off(count));
        Some(read)
    }

    /// Reads these bytes.
    ///
    /// # Panics
    /// If the client sends other bytes, or closes before. The Sim then fails with what came.
    pub fn expect(&self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        let mut read = Vec::new();
        while read.len() < bytes.len() && bytes.starts_with(&read) {
            match self.read() {
                Some(more) => read.extend(more),
                None => break,
            }
        }
        let came = &read[..bytes.len().min(read.len())];
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if came != bytes {
            fails(format!("the client was expected to send {:?} and sent {:?}", shown(bytes), shown(came)));
        }
        self.unread(read.split_off(bytes.len()));
    }

    /// Sends bytes.
    pub fn write(&self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref().to_vec();
        self.0.tell(move |client| client.arrived(&bytes));
    }

    /// Sends bytes in pieces of `size` bytes, and waits for `between` before each piece.
    pub fn trickle(&self, bytes: impl AsRef<[u8]>, size: usize, between: Duration) {
        for piece in bytes.as_ref().chunks(size.max(1)) {
            self.sleep(between);
            self.write(piece);
        }
    }

    /// Waits for this much of the Sim's time (of real time under `Live`).
    pub fn sleep(&self, time: Duration) {
        match self.0.world.upgrade() {
            Some(world) => {
                let until = world.scheduler().now() + time;
                wait_as_peer(world.scheduler(), "the end of a sleep", Limit::Time(until), &mut || false);
            }
            None => std::thread::sleep(time),
        }
    }

    /// Waits until the gate is open.
    pub fn wait(&self, gate: &Gate) {
        gate.wait_as_peer();
    }

    /// Closes the sending side only: the client reads the end, and may still send.
    pub fn shutdown_write(&self) {
        self.0.end(End::Closed);
    }

    /// Closes both sides.
    pub fn close(&self) {
        self.0.end(End::Closed);
        self.0.lock().client_closed = true;
    }

    /// Resets the connection: the client gets 12030.
    pub fn reset(&self) {
        self.0.end(End::Reset);
    }

    /// Waits until the client has closed. Bytes that it sent before can still be read.
    pub fn closed_by_client(&self) {
        self.0.wait("a client to close", |state| state.client_closed);
    }
}

impl Drop for RawConnection {
    fn drop(&mut self) {
        self.0.end(End::Closed);
    }
}

/// What a panic says.
pub(super) fn words(panic: &(dyn Any + Send)) -> &str {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default()
}

/// Ends the thread that plays a peer; the Sim fails with this. No panic hook: nothing is to be said before its report.
pub(super) fn fails(what: String) -> ! {
    std::panic::resume_unwind(Box::new(what))
}
