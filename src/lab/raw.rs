//! The byte door: a connection that a test plays itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::script::ScriptLeg;
use super::world::SimWorld;
use crate::dispatch::Steps;

/// How the server's side ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Closed,
    Reset,
}

#[derive(Default)]
struct State {
    to_server: Vec<u8>,
    client_closed: bool,
    end: Option<End>,
    leg: Option<Weak<ScriptLeg>>,
}

/// A connection between a leg, or several one after the other, and a thread of the Sim.
pub struct Link {
    world: Weak<SimWorld>,
    state: Mutex<State>,
}

impl Link {
    pub fn new(world: &Arc<SimWorld>) -> Arc<Link> {
        Arc::new(Link { world: Arc::downgrade(world), state: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A leg takes the connection: what comes is told to it.
    pub fn attach(&self, leg: &Arc<ScriptLeg>) {
        self.lock().leg = Some(Arc::downgrade(leg));
    }

    /// The leg is over; the connection is idle.
    pub fn detach(&self) {
        self.lock().leg = None;
    }

    pub fn send(&self, bytes: &[u8]) {
        self.lock().to_server.extend_from_slice(bytes);
    }

    pub fn close(&self) {
        self.lock().client_closed = true;
    }

    /// Whether the server has left.
    pub fn ended(&self) -> bool {
        self.lock().end.is_some()
    }

    /// Something for the leg, in its turn.
    fn tell(self: &Arc<Self>, what: impl FnOnce(&Arc<ScriptLeg>) + Send + 'static) {
        let Some(world) = self.world.upgrade() else { return };
        let link = Arc::clone(self);
        world.after(Duration::ZERO, move || {
            let leg = link.lock().leg.as_ref().and_then(Weak::upgrade);
            if let Some(leg) = leg {
                what(&leg);
            }
        });
    }

    fn end(self: &Arc<Self>, end: End) {
        if self.lock().end.replace(end).is_none() {
            self.tell(move |leg| leg.ended(end));
        }
    }
}

/// The server's side of a connection to a raw [`Peer`](super::Peer). Reading waits in the Sim's time. Dropping it closes
/// the connection.
pub struct RawConnection(pub(super) Arc<Link>);

impl RawConnection {
    /// The bytes that the client has sent since the last read; `None` when it has closed. Waits for some.
    pub fn read(&self) -> Option<Vec<u8>> {
        let mut again = false;
        loop {
            let mut state = self.0.lock();
            if !state.to_server.is_empty() {
                return Some(std::mem::take(&mut state.to_server));
            }
            if state.client_closed {
                return None;
            }
            drop(state);
            self.0.world.upgrade()?.step("bytes of a client", None, std::mem::replace(&mut again, true));
        }
    }

    /// The bytes that the client has sent since the last read, without waiting.
    pub fn waiting(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().to_server)
    }

    /// Reads until `end` has come; `None` when the client has closed before.
    pub fn read_until(&self, end: &[u8]) -> Option<Vec<u8>> {
        let mut read = Vec::new();
        loop {
            if let Some(at) = read.windows(end.len()).position(|window| window == end) {
                let rest = read.split_off(at + end.len());
                self.0.lock().to_server.splice(..0, rest);
                return Some(read);
            }
            read.extend(self.read()?);
        }
    }

    /// Sends bytes.
    pub fn write(&self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref().to_vec();
        self.0.tell(move |leg| leg.arrived(&bytes));
    }

    /// Sends nothing more, as when the server closes its side.
    pub fn close(&self) {
        self.0.end(End::Closed);
    }

    /// Breaks the connection.
    pub fn reset(&self) {
        self.0.end(End::Reset);
    }
}

impl Drop for RawConnection {
    fn drop(&mut self) {
        self.close();
    }
}
