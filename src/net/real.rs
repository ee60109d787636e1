//! tokio: the clock and the network of the system.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpSocket;
use tokio::runtime::{self, Builder};
use tokio::time::{Sleep, sleep_until};

use super::lookups::Lookups;
use super::runtime::{Boxed, Connected, Runtime, Timer};
use super::stream::Stream;
use crate::transport::{Network, Peer};
use crate::win32::socket;

/// How many threads carry all connections.
const THREADS: usize = 2;

/// See the module. Its threads are started by the first request.
pub struct Tokio {
    runtime: OnceLock<runtime::Runtime>,
    /// Held while one is made: a failure is not kept.
    making: Mutex<()>,
    lookups: Arc<Lookups>,
    began: Instant,
}

impl Tokio {
    /// A runtime whose clock began at this time.
    pub fn new(began: Instant) -> Tokio {
        Tokio { runtime: OnceLock::new(), making: Mutex::default(), lookups: Arc::default(), began }
    }

    fn runtime(&self) -> Option<&runtime::Runtime> {
        if let Some(runtime) = self.runtime.get() {
            return Some(runtime);
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if self.runtime.get().is_none() {
            let _ = self.runtime.set(make()?);
        }
        self.runtime.get()
    }
}

/// A runtime; `None` without descriptors or threads for it.
fn make() -> Option<runtime::Runtime> {
    // tokio panics where it cannot start a thread, and keeps what it has opened: it is asked only where there is room.
    let room: Vec<_> = (0..THREADS).map_while(|_| thread::Builder::new().spawn(thread::park).ok()).collect();
    for thread in &room {
        thread.thread().unpark();
    }
    let enough = room.len() == THREADS;
    room.into_iter().for_each(|thread| drop(thread.join()));
    if !enough {
        return None;
    }
    let build = || Builder::new_multi_thread().worker_threads(THREADS).thread_name("winhttp net").enable_all().build();
    catch_unwind(build).ok()?.ok()
}

impl Runtime for Tokio {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn ready(&self) -> bool {
        self.runtime().is_some()
    }

    fn timer(&self) -> Box<dyn Timer> {
        Box::new(Alarm { began: self.began, sleep: None })
    }

    /// On a connection from the pool the head is out before this returns, and no other thread has to wake up first.
    fn run(&self, mut task: Boxed<'static, ()>) -> bool {
        let Some(runtime) = self.runtime() else { return false };
        let pending = {
            let _context = runtime.enter();
            task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
        };
        if pending {
            runtime.spawn(task);
        }
        true
    }

    fn spawn(&self, task: Boxed<'static, ()>) {
        if let Some(runtime) = self.runtime() {
            runtime.spawn(task);
        }
    }

    fn resolve<'a>(&'a self, name: &'a str, port: u16) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move {
            #[cfg(feature = "live")]
            if let Some(mapping) = super::mapped::Mapping::of(name, port) {
                return Ok(vec![mapping.address()]);
            }
            let found = self.lookups.ask(name).await?;
            Ok(found.into_iter().map(|address| SocketAddr::new(address, port)).collect())
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
            Ok(Connected { stream: Stream::Tcp(stream), peer, inquiry })
        })
    }
}

struct Alarm {
    began: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer for Alarm {
    fn set(&mut self, time: Duration) {
        let deadline = (self.began + time).into();
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(deadline),
            none => *none = Some(Box::pin(sleep_until(deadline))),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}
