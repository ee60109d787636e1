//! tokio: the clock and the network of the system.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use async_task::Runnable;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpSocket;
use tokio::runtime::{self, Builder};
use tokio::time::{Sleep, sleep_until};

use super::budget::Budget;
use super::lookups::Lookups;
use super::runtime::{Boxed, Connected, Host, Runtime, Timer, task};
use super::stream::Stream;
use crate::delivery::{Poller, Workers};
use crate::sync::Mutex;
use crate::transport::{Network, Peer};
use crate::win32::socket;

/// See the module. The workers of the world poll it and take the steps of its tasks; it has no threads of its own.
pub struct Tokio {
    reactor: OnceLock<Arc<Reactor>>,
    /// Held while one is made: a failure is not kept.
    making: Mutex<()>,
    workers: Arc<Workers>,
    lookups: Arc<Lookups>,
    sleeps: Arc<Sleeps>,
    began: Instant,
}

/// Timers that nobody uses: most requests set one to much the same time as the one before, and its place in tokio's wheel is
/// good for them, too.
type Sleeps = Mutex<Vec<Pin<Box<Sleep>>>>;

/// How many are kept.
const SLEEPS: usize = 256;

impl Tokio {
    /// A runtime on these workers, whose clock began at this time.
    pub fn new(began: Instant, workers: Arc<Workers>) -> Tokio {
        Tokio {
            reactor: OnceLock::new(),
            making: Mutex::default(),
            workers,
            lookups: Arc::default(),
            sleeps: Arc::default(),
            began,
        }
    }

    fn reactor(&self) -> Option<&Arc<Reactor>> {
        if let Some(reactor) = self.reactor.get() {
            return Some(reactor);
        }
        let _making = self.making.lock();
        if self.reactor.get().is_none() {
            let reactor = Arc::new(Reactor::new(&self.workers)?);
            let _ = self.reactor.set(Arc::clone(&reactor));
            self.workers.poll(reactor);
        }
        self.reactor.get()
    }
}

/// Sockets and timers of tokio. None of its tasks are used.
struct Reactor {
    runtime: runtime::Runtime,
    workers: Arc<Workers>,
}

impl Reactor {
    /// `None` without descriptors for it.
    fn new(workers: &Arc<Workers>) -> Option<Reactor> {
        // tokio panics at some of what the system refuses.
        let runtime = catch_unwind(|| Builder::new_current_thread().enable_all().build()).ok()?.ok()?;
        Some(Reactor { runtime, workers: Arc::clone(workers) })
    }
}

impl Poller for Reactor {
    fn poll(&self, over: &mut dyn FnMut(&Waker) -> bool) {
        self.runtime.block_on(poll_fn(|cx| if over(cx.waker()) { Poll::Ready(()) } else { Poll::Pending }));
    }

    fn step(&self, task: Runnable) {
        let _context = self.runtime.enter();
        let _budget = Budget::of_step();
        // A task that panics is over; the worker is not.
        let _ = catch_unwind(AssertUnwindSafe(|| task.run()));
    }
}

impl Host for Reactor {
    fn step(&self, task: Runnable) {
        Poller::step(self, task);
    }

    fn resume(&self, task: Runnable) {
        self.workers.resume(task);
    }
}

impl Runtime for Tokio {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn ready(&self) -> bool {
        self.reactor().is_some()
    }

    fn timer(&self) -> Box<dyn Timer> {
        Box::new(Alarm { began: self.began, time: Duration::ZERO, sleep: None, spare: Arc::clone(&self.sleeps) })
    }

    fn host(&self) -> Option<Arc<dyn Host>> {
        self.reactor().map(|reactor| Arc::clone(reactor) as Arc<dyn Host>)
    }

    fn run(&self, future: Boxed<'static, ()>) -> bool {
        let host = self.host();
        if let Some(host) = &host {
            host.step(task(Arc::clone(host), future));
        }
        host.is_some()
    }

    fn spawn(&self, future: Boxed<'static, ()>) {
        if let Some(host) = self.host() {
            task(host, future).schedule();
        }
    }

    fn resolve<'a>(&'a self, name: &'a str, port: u16) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move {
            #[cfg(feature = "live")]
            if let Some(mapping) = super::mapped::Mapping::of(name, port) {
                return Ok(vec![mapping.address()]);
            }
            let mut found = self.lookups.ask(name).await?;
            found.iter_mut().for_each(|address| address.set_port(port));
            Ok(found)
        })
    }

    fn connect<'a>(&'a self, address: SocketAddr, network: &'a Network) -> Boxed<'a, io::Result<Connected>> {
        Box::pin(async move {
            let remote = address;
            #[cfg(feature = "live")]
            let address = match super::mapped::Mapping::at(address) {
                Some(mapping) => mapping.reach().await?,
                None => address,
            };
            let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            if network.fast_open {
                // A system without it connects all the same.
                let _ = socket::fast_open(&socket);
            }
            let stream = socket.connect(address).await?;
            stream.set_nodelay(true)?;
            if let Some((time, interval)) = network.keep_alive {
                let keep_alive = TcpKeepalive::new().with_time(time).with_interval(interval);
                SockRef::from(&stream).set_tcp_keepalive(&keep_alive)?;
            }
            let peer = Peer { local: stream.local_addr()?, remote };
            let inquiry = socket::inquiry(&stream);
            Ok(Connected { stream: Stream::Tcp(stream.into()), peer, inquiry })
        })
    }
}

/// A timer of tokio's that is set to a later time stays where it is until it rings: most are never heard.
struct Alarm {
    began: Instant,
    time: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    spare: Arc<Sleeps>,
}

impl Alarm {
    fn deadline(&self) -> tokio::time::Instant {
        (self.began + self.time).into()
    }
}

impl Timer for Alarm {
    fn set(&mut self, time: Duration) {
        self.time = time;
        let deadline = self.deadline();
        let kept = || self.spare.lock().pop();
        let mut sleep = self.sleep.take().or_else(kept).unwrap_or_else(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        self.sleep = Some(sleep);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline();
        let Some(sleep) = &mut self.sleep else { return Poll::Pending };
        loop {
            ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(sleep) = self.sleep.take() {
            let mut spare = self.spare.lock();
            if spare.len() < SLEEPS {
                spare.push(sleep);
            }
        }
    }
}
