//! The network of a Sim that speaks bytes: the real one, over pipes in memory and in virtual time.

use std::collections::HashMap;
use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Poll, Waker};
use std::time::Duration;

use super::authority::{Authority, Issued};
use super::fault::{Armed, Stage, What, When};
use super::gate::Gate;
use super::peer::{Handler, Peer};
use super::raw::{Link, RawConnection};
use super::served::{Io, Place, accept, bridge, serve};
use super::tasks::{SimTimer, Task, sleep};
use super::world::SimWorld;
use crate::dispatch::World;
use crate::net::Net;
use crate::net::pipe::{Pipe, pipe};
use crate::net::runtime::{Boxed, Connected, Runtime, Timer};
use crate::net::stream::Stream;
use crate::transport::Network;
use crate::win32::*;

/// See the module.
pub struct Pipes {
    net: Arc<Net>,
    shared: Arc<Shared>,
}

struct Shared {
    world: Weak<SimWorld>,
    tasks: Mutex<Vec<Weak<Task>>>,
    authority: Authority,
    /// A certificate for each host.
    issued: Mutex<HashMap<(String, u32), Issued>>,
}

/// What the transport gets: it must not keep the Sim alive.
struct OfSim(Arc<Shared>);

impl Pipes {
    pub fn new(world: Weak<SimWorld>) -> Pipes {
        let authority = Authority::new();
        let trusted = authority.der();
        let shared = Shared { world, tasks: Mutex::default(), authority, issued: Mutex::default() };
        let shared = Arc::new(shared);
        let net = Net::trusting(Box::new(OfSim(Arc::clone(&shared))), trusted);
        Pipes { net, shared }
    }

    pub fn net(&self) -> &Arc<Net> {
        &self.net
    }

    /// Nothing moves any more.
    pub fn end(&self) {
        let tasks = std::mem::take(&mut *self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.iter().filter_map(Weak::upgrade).for_each(|task| task.end());
    }
}

impl Shared {
    fn world(&self) -> Option<Arc<SimWorld>> {
        self.world.upgrade()
    }

    fn start(&self, future: Boxed<'static, ()>) -> Option<Arc<Task>> {
        let task = Task::new(&self.world()?, future);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| task.strong_count() > 0);
        tasks.push(Arc::downgrade(&task));
        Some(task)
    }

    /// A certificate for a host, with the faults that these WINHTTP_CALLBACK_STATUS_FLAG_* bits tell of.
    fn certificate(&self, host: &str, faults: u32) -> Issued {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let made = issued.entry((host.to_owned(), faults)).or_insert_with(|| {
            let stranger = (faults & WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA != 0).then(Authority::new);
            let authority = stranger.as_ref().unwrap_or(&self.authority);
            let name = if faults & WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID != 0 { "other.invalid" } else { host };
            if faults & WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID != 0 {
                authority.issue_expired(&[name])
            } else {
                authority.issue(&[name])
            }
        });
        made.clone()
    }

    /// A fault at a stage before there is anything to read.
    async fn stage(&self, stage: Stage, peer: &Peer) -> Result<Option<What>, io::Error> {
        let Some(world) = self.world() else { return Err(io::ErrorKind::NotConnected.into()) };
        match world.meets(&When::Stage(stage), Some(peer), &mut []) {
            Some(What::Fail(error, secure)) if stage == Stage::Tls => Ok(Some(What::Fail(error, secure))),
            Some(What::Fail(error, _)) => Err(io::Error::other(error)),
            Some(What::Close) => Err(io::Error::other(stage.error())),
            Some(What::Stall) => pending().await,
            Some(What::Delay(delay)) => {
                sleep(&world, delay).await;
                Ok(None)
            }
            Some(What::Wait(gate)) => {
                at_gate(&world, &gate).await;
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

fn at_gate(world: &Arc<SimWorld>, gate: &Gate) -> Boxed<'static, ()> {
    let passed: Arc<Mutex<(bool, Option<Waker>)>> = Arc::default();
    let opens = Arc::clone(&passed);
    let open = move || {
        let mut opens = opens.lock().unwrap_or_else(PoisonError::into_inner);
        opens.0 = true;
        let waker = opens.1.take();
        drop(opens);
        if let Some(waker) = waker {
            waker.wake();
        }
    };
    gate.then(world.next_order(), Box::new(open));
    Box::pin(poll_fn(move |cx| {
        let mut passed = passed.lock().unwrap_or_else(PoisonError::into_inner);
        if passed.0 {
            return Poll::Ready(());
        }
        passed.1 = Some(cx.waker().clone());
        Poll::Pending
    }))
}

impl Runtime for OfSim {
    fn now(&self) -> Duration {
        self.0.world().map_or(Duration::ZERO, |world| world.now())
    }

    fn timer(&self) -> Box<dyn Timer> {
        match self.0.world() {
            Some(world) => Box::new(SimTimer::new(&world)),
            None => Box::new(Never),
        }
    }

    fn run(&self, task: Boxed<'static, ()>) -> bool {
        let task = self.0.start(task);
        if let Some(task) = &task {
            task.poll();
        }
        task.is_some()
    }

    fn spawn(&self, task: Boxed<'static, ()>) {
        if let Some(task) = self.0.start(task) {
            std::task::Wake::wake(task);
        }
    }

    fn resolve<'a>(&'a self, name: &'a str, port: u16) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move {
            let world = self.0.world().ok_or(io::ErrorKind::NotConnected)?;
            let Some((peer, ends, _)) = world.peer_named(name, port) else {
                world.unknown_host(&(port == 443, name.to_owned(), port));
                return Err(io::ErrorKind::NotFound.into());
            };
            self.0.stage(Stage::Resolve, &peer).await?;
            Ok(vec![ends.remote])
        })
    }

    fn connect<'a>(&'a self, address: SocketAddr, _network: &'a Network) -> Boxed<'a, io::Result<Connected>> {
        Box::pin(async move {
            let world = self.0.world().ok_or(io::ErrorKind::NotConnected)?;
            let Some((peer, ends, origin)) = world.peer_at(address) else {
                let host = address.ip().to_string();
                world.unknown_host(&(address.port() == 443, host, address.port()));
                return Err(io::ErrorKind::ConnectionRefused.into());
            };
            self.0.stage(Stage::Connect, &peer).await?;
            let (here, there) = pipe();
            Runtime::spawn(self, Box::pin(served(Arc::clone(&self.0), peer, there, origin)));
            Ok(Connected { stream: Stream::Pipe(here), peer: ends, inquiry: None })
        })
    }
}

/// The far side of a connection.
async fn served(shared: Arc<Shared>, peer: Peer, pipe: Pipe, (secure, host, _): super::world::Origin) {
    let place: Arc<dyn Place> = Arc::new(OfSim(Arc::clone(&shared)));
    if !secure {
        return serve(place, peer, Box::new(pipe), false).await;
    }
    let faults = match shared.stage(Stage::Tls, &peer).await {
        Ok(Some(What::Fail(_, faults))) => Some(faults),
        Ok(_) => Some(0),
        Err(_) => None,
    };
    const SHOWN: u32 = WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA
        | WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID
        | WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID;
    // What no certificate can show is a server that breaks off.
    let Some(faults) = faults.filter(|faults| faults & !SHOWN == 0) else { return pipe.reset() };
    let certificate = shared.certificate(&host, faults);
    if let Some((io, http2)) = accept(pipe, &certificate, peer.handler().is_none()).await {
        serve(place, peer, io, http2).await;
    }
}

impl Place for OfSim {
    fn sleep(&self, time: Duration) -> Boxed<'static, ()> {
        self.0.world().map_or_else(|| Box::pin(pending()) as Boxed<'static, ()>, |world| sleep(&world, time))
    }

    fn gate(&self, gate: &Gate) -> Boxed<'static, ()> {
        self.0.world().map_or_else(|| Box::pin(pending()) as Boxed<'static, ()>, |world| at_gate(&world, gate))
    }

    fn spawn(&self, task: Boxed<'static, ()>) {
        Runtime::spawn(self, task);
    }

    fn meets(&self, when: &When, peer: &Peer, of_reply: &mut [Armed]) -> Option<What> {
        self.0.world()?.meets(when, Some(peer), of_reply)
    }

    fn play(&self, handler: Handler, io: Box<dyn Io>, early: Vec<u8>) {
        let Some(world) = self.0.world() else { return };
        let link = Link::new(&world, world.next_order());
        Runtime::spawn(self, Box::pin(bridge(Arc::clone(&link), io, &early)));
        world.spawn("a raw peer", Box::new(move || handler(RawConnection(link))));
    }
}

/// The timer of a Sim that is over.
struct Never;

impl Timer for Never {
    fn set(&mut self, _time: Duration) {}

    fn poll(&mut self, _cx: &mut std::task::Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}
