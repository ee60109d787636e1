//! The network of a Sim that speaks bytes: the real one, over pipes in memory and in virtual time.

use std::collections::HashMap;
use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use super::authority::{Authority, Issued};
use super::fault::{Armed, FaultKind, FaultTrigger, Stage};
use super::gate::Gate;
use super::peer::{Handler, Peer};
use super::raw::{RawConnection, RawPipe};
use super::served::{BytesMeet, FaultedAttempt, Io, ServerHost, at_gate, bridge, certificate, reason, receive, stage};
use super::tasks::{SimTimer, Task, sleep};
use super::world::SimWorld;
use crate::net::Net;
use crate::net::failure::Injected;
use crate::net::pipe::pipe;
use crate::net::runtime::{Boxed, Connected, Runtime, Timer};
use crate::net::stream::Stream;
use crate::sync::Mutex;
use crate::transport::{
    Attempt, ChainAsked, ChainQuestion, ConnectionGroupId, Network, Sink, Transport, TransportRequest,
};
use crate::world::Names;

/// See the module.
#[derive(Clone)]
pub struct Pipes {
    net: Arc<Net>,
    shared: Arc<Shared>,
}

struct Shared {
    world: Weak<SimWorld>,
    /// Each until it is over, whether anything will wake it or not.
    tasks: Mutex<Vec<Arc<Task>>>,
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

    /// Nothing moves any more.
    pub fn end(&self) {
        let tasks = std::mem::take(&mut *self.shared.tasks.lock());
        tasks.iter().for_each(|task| task.end());
    }
}

impl Transport for Pipes {
    fn start(&self, request: Box<TransportRequest>, sink: Arc<dyn Sink>) -> Arc<dyn Attempt> {
        match self.shared.world() {
            Some(world) => FaultedAttempt::new(&world, request, sink, |request, sink| self.net.start(request, sink)),
            None => self.net.start(request, sink),
        }
    }

    fn marked(
        &self,
        host: &str,
        port: u16,
        secure: bool,
        mark: Option<ConnectionGroupId>,
    ) -> Vec<(ConnectionGroupId, u32)> {
        self.net.marked(host, port, secure, mark)
    }

    fn judge(&self, question: ChainQuestion, asked: ChainAsked) {
        self.net.judge(question, asked);
    }

    fn roots(&self) -> Vec<Vec<u8>> {
        self.net.roots()
    }

    fn end_pool(&self, pool: usize) {
        self.net.end_pool(pool);
    }

    fn running(&self) -> usize {
        self.net.running()
    }
}

impl Shared {
    fn world(&self) -> Option<Arc<SimWorld>> {
        self.world.upgrade()
    }

    fn start(&self, future: Boxed<'static, ()>) -> Option<Arc<Task>> {
        let task = Task::new(&self.world()?, future);
        let mut tasks = self.tasks.lock();
        tasks.retain(|task| !task.is_over());
        tasks.push(Arc::clone(&task));
        Some(task)
    }
}

impl Runtime for OfSim {
    fn now(&self) -> Duration {
        self.0.world().map_or(Duration::ZERO, |world| world.time())
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
                // Nobody listens at this port of a host that is known all the same.
                if let Some(address) = world.lookup(name).first() {
                    return Ok(vec![SocketAddr::new(*address, port)]);
                }
                world.unknown_host(&(port == 443, name.to_owned(), port));
                return Err(io::ErrorKind::NotFound.into());
            };
            stage(self, Stage::Resolve, &peer).await?;
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
            stage(self, Stage::Connect, &peer).await?;
            let (here, there) = pipe();
            let (secure, host, _) = origin;
            let place = Arc::new(OfSim(Arc::clone(&self.0)));
            Runtime::spawn(self, Box::pin(receive(place, peer, there, secure.then_some(host))));
            Ok(Connected { stream: Stream::Pipe(here), peer: ends, inquiry: None })
        })
    }
}

impl ServerHost for OfSim {
    fn sleep(&self, time: Duration) -> Boxed<'static, ()> {
        self.0.world().map_or_else(|| Box::pin(pending()) as Boxed<'static, ()>, |world| sleep(&world, time))
    }

    /// Who was woken before goes on first.
    fn turn(&self) -> Boxed<'static, ()> {
        let mut passed = false;
        Box::pin(poll_fn(move |cx| {
            if std::mem::replace(&mut passed, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }))
    }

    fn gate(&self, gate: &Gate) -> Boxed<'static, ()> {
        at_gate(gate, self.0.world().map_or(0, |world| world.next_sequence()))
    }

    fn spawn(&self, task: Boxed<'static, ()>) {
        Runtime::spawn(self, task);
    }

    fn meets(&self, when: &FaultTrigger, peer: &Peer, of_reply: &mut [Armed]) -> Option<FaultKind> {
        self.0.world()?.faults.at(when, Some(peer), of_reply, None)
    }

    fn in_vain(&self, when: &FaultTrigger, peer: &Peer, of_reply: &mut [Armed]) -> Option<FaultKind> {
        self.0.world()?.faults.in_vain(when, Some(peer), of_reply)
    }

    fn server(&self, host: &str, port: u16) -> Option<(Peer, Option<String>)> {
        let world = self.0.world()?;
        let Some((peer, _, (secure, host, _))) = world.peer_named(host, port) else {
            world.unknown_host(&(port == 443, host.to_owned(), port));
            return None;
        };
        Some((peer, secure.then_some(host)))
    }

    fn length(&self, bytes: usize) -> usize {
        self.0.world().map_or(bytes, |world| world.faults.length(bytes))
    }

    fn reason(&self, failure: Injected) -> h2::Reason {
        reason(failure)
    }

    fn carries(&self) -> bool {
        true
    }

    fn certificate(&self, host: &str, faults: u32) -> Issued {
        let mut issued = self.0.issued.lock();
        certificate(&self.0.authority, &mut issued, host, faults)
    }

    fn complain(&self, what: String) {
        if let Some(world) = self.0.world() {
            world.complain(what);
        }
    }

    fn play(&self, handler: Handler, io: Box<dyn Io>, early: Vec<u8>, meets: BytesMeet) {
        let Some(world) = self.0.world() else { return };
        let pipe = RawPipe::new(&world, world.next_sequence());
        Runtime::spawn(self, Box::pin(bridge(Arc::clone(&pipe), io, &early, meets)));
        world.spawn("a raw peer", Box::new(move || handler(RawConnection(pipe))));
    }
}

/// The timer of a Sim that is over.
struct Never;

impl Timer for Never {
    fn set(&mut self, _time: Duration) {}

    fn poll(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}
