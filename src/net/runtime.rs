//! What carrying requests needs from outside: time, tasks, names, sockets.
//!
//! The real one is made of tokio; a Sim has one whose time is virtual and whose sockets are pipes.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{io, thread};

use async_task::Runnable;

use super::registry::Inquiry;
use super::stream::Stream;
use crate::transport::{Network, Peer};

/// A future behind a pointer.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// See the module.
pub trait Runtime: Send + Sync {
    /// The time of the world's clock.
    fn now(&self) -> Duration;
    /// Whether there can be tasks.
    fn ready(&self) -> bool {
        true
    }
    /// A timer that is not set.
    fn timer(&self) -> Box<dyn Timer>;
    /// Who takes the steps of tasks, if that is somebody else than this.
    fn host(&self) -> Option<Arc<dyn Host>> {
        None
    }
    /// Takes the first step of a task on this thread, which may be any, and goes on with it elsewhere. `false` if there
    /// can be no tasks.
    fn run(&self, task: Boxed<'static, ()>) -> bool;
    /// Runs a task. Only called inside another.
    fn spawn(&self, task: Boxed<'static, ()>);
    /// The addresses of a host name.
    fn resolve<'a>(&'a self, name: &'a str, port: u16) -> Boxed<'a, io::Result<Vec<SocketAddr>>>;
    /// A connection to an address.
    fn connect<'a>(&'a self, address: SocketAddr, network: &'a Network) -> Boxed<'a, io::Result<Connected>>;
}

/// Runs something to its end, or until this timer rings.
pub async fn until<T>(mut timer: Box<dyn Timer>, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Pending => timer.poll(cx).map(|()| None),
        Poll::Ready(done) => Poll::Ready(Some(done)),
    })
    .await
}

/// Runs something to its end, or until it panics: whoever waits for it hears of that, and then the panic goes on.
///
/// What it is given is pinned already: a future that holds another twice may be too large for its task's one block.
pub async fn caught<T>(mut work: Pin<&mut impl Future<Output = T>>) -> thread::Result<T> {
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(step) => step.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

/// Takes the steps of tasks that need no box of their own.
pub trait Host: Send + Sync {
    /// Takes the next step on this thread.
    fn step(&self, task: Runnable);
    /// Takes it elsewhere.
    fn resume(&self, task: Runnable);
}

/// A task that this host takes the steps of, before the first.
pub fn task(host: Arc<dyn Host>, future: impl Future<Output = ()> + Send + 'static) -> Runnable {
    let (runnable, task) = async_task::spawn(future, move |runnable| host.resume(runnable));
    task.detach();
    runnable
}

/// A connection that stands.
pub struct Connected {
    pub stream: Stream,
    pub peer: Peer,
    /// How to ask the system about it, where that is possible.
    pub inquiry: Option<Inquiry>,
}

/// Rings once at its time.
pub trait Timer: Send {
    /// Sets it, or sets it anew.
    fn set(&mut self, time: Duration);
    /// [`Timer::set`]; the time of a Sim does not move for it alone.
    fn set_idle(&mut self, time: Duration) {
        self.set(time);
    }
    /// Whether the time has come; pending for ever while none is set.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}
