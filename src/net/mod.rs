//! The real transport: tokio, hyper and rustls, glued.
//!
//! hyper's `client::conn` carries HTTP/1.1. Under it lies a [`wire::Wire`] that puts the exact head on the wire and reads
//! the exact head of the reply: hyper's header map can express neither.
#![forbid(unsafe_code)]

mod attempt;
mod budget;
mod buffer;
mod connect;
mod exchange;
pub(crate) mod failure;
mod fetch;
mod http1;
mod http2;
mod lookups;
mod mailbox;
#[cfg(feature = "live")]
pub(crate) mod mapped;
mod names;
#[cfg(feature = "live")]
pub(crate) mod pipe;
mod pool;
mod real;
mod registry;
mod reply;
pub(crate) mod runtime;
mod socks;
pub(crate) mod stream;
pub(crate) mod tls;
mod tunnel;
mod upgraded;
mod upload;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::delivery::Workers;
use crate::http::RequestHead;
use crate::transport::{
    Attempt, ChainAsked, ChainQuestion, ConnectionGroupId, ConnectionInfo, Event, Failure, Sink, Tls, Transport,
    TransportRequest,
};
use crate::win32::ERROR_WINHTTP_INTERNAL_ERROR;
use attempt::AttemptTask;
use http2::Silence;
use mailbox::{Commands, Mailbox};
use pool::Pool;
use runtime::{Runtime, task};
use stream::Stream;
#[cfg(feature = "lab")]
pub use tls::judge_by;
use tls::{Handshake, Protocols, Security};

/// The network of a world.
pub struct Net {
    runtime: Box<dyn Runtime>,
    security: Security,
    /// Whether it is the system's.
    #[cfg(feature = "live")]
    real: bool,
    pool: Pool,
    names: names::Names,
    attempts: AtomicUsize,
}

impl Net {
    /// The system's network, on these workers, for a world whose clock began at this time.
    pub fn real(began: Instant, workers: Arc<Workers>) -> Arc<Net> {
        Net::on(Box::new(real::Tokio::new(began, workers)), Security::default(), true)
    }

    /// Whether requests can be carried: what it takes of the system is there, or could be had.
    pub fn ready(&self) -> bool {
        self.runtime.ready()
    }

    /// A network on another runtime that trusts only this authority (DER).
    #[cfg(feature = "live")]
    pub fn trusting(runtime: Box<dyn Runtime>, authority: Vec<u8>) -> Arc<Net> {
        Net::on(runtime, Security::trusting(authority), false)
    }

    /// TLS with a host; one that is played in a test has its own.
    async fn handshake(
        &self,
        stream: Stream,
        (host, port): (&str, u16),
        rules: &Tls,
        offered: Protocols,
        sink: &dyn Sink,
    ) -> Handshake {
        #[cfg(feature = "live")]
        if let Some(mapping) = mapped::Mapping::of(host, port).filter(|_| self.real) {
            return mapping.security().handshake(stream, host, rules, offered, sink).await;
        }
        let _ = port;
        self.security.handshake(stream, host, rules, offered, sink).await
    }

    /// Takes the first step of a task on this thread: on a connection from the pool the head is out before this returns, and
    /// no other thread has to wake up first. `false` if there can be no tasks.
    fn run(&self, future: impl Future<Output = ()> + Send + 'static) -> bool {
        match self.runtime.host() {
            Some(host) => {
                host.step(task(Arc::clone(&host), future));
                true
            }
            None => self.runtime.run(Box::pin(future)),
        }
    }

    fn on(runtime: Box<dyn Runtime>, security: Security, real: bool) -> Arc<Net> {
        #[cfg(not(feature = "live"))]
        let _ = real;
        Arc::new(Net {
            runtime,
            security,
            #[cfg(feature = "live")]
            real,
            pool: Pool::default(),
            names: names::Names::default(),
            attempts: AtomicUsize::new(0),
        })
    }
}

impl Transport for Arc<Net> {
    fn start(&self, request: Box<TransportRequest>, sink: Arc<dyn Sink>) -> Arc<dyn Attempt> {
        #[cfg(feature = "live")]
        let request = mapped::set_apart(self, request);
        let mut follows = None;
        self.tell(|engine| follows = engine.follows(request.handle));
        Arc::new(Started { net: Arc::clone(self), request, mailbox: Mailbox::default(), sink, follows })
    }

    fn marked(
        &self,
        host: &str,
        port: u16,
        secure: bool,
        mark: Option<ConnectionGroupId>,
    ) -> Vec<(ConnectionGroupId, u32)> {
        self.known(|engine| engine.marked(host, port, secure, mark))
    }

    fn judge(&self, question: ChainQuestion, asked: ChainAsked) {
        tls::judge(self, question, asked);
    }

    fn roots(&self) -> Vec<Vec<u8>> {
        tls::roots(self)
    }

    fn end_pool(&self, pool: usize) {
        self.about(|engine, now| engine.end_pool(now, pool));
    }

    fn running(&self) -> usize {
        self.attempts.load(Ordering::Relaxed)
    }
}

/// Counts an attempt while it lives.
struct Counted(Arc<Net>);

impl Counted {
    fn new(net: &Arc<Net>) -> Counted {
        net.attempts.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(net))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.attempts.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What an attempt's task and the machine share.
struct Started {
    net: Arc<Net>,
    request: Box<TransportRequest>,
    mailbox: Mailbox,
    sink: Arc<dyn Sink>,
    /// That the pool was told of it, which may ask for the connection of the attempt before it.
    follows: Option<u64>,
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(number) = self.follows {
            self.net.tell(|engine| engine.follows_not(self.request.handle, number));
        }
    }
}

impl Attempt for Started {
    fn go(self: Arc<Self>) {
        let (counted, attempt) = (Counted::new(&self.net), AttemptTask::new(Arc::clone(&self)));
        let future = async move {
            let _counted = counted;
            attempt.run().await;
        };
        if !self.net.run(future) {
            self.sink.event(Event::Failed(Failure::from(ERROR_WINHTTP_INTERNAL_ERROR)));
        }
    }

    fn proceed(&self) {
        self.mailbox.tell(|commands| commands.proceed = true);
    }

    fn tunnel(&self, again: Option<RequestHead>) {
        self.mailbox.tell(|commands| commands.tunnel = Some(again));
    }

    fn write(&self, bytes: Bytes) {
        self.mailbox.tell(|commands| commands.writes.push_back(bytes));
    }

    fn finish(&self) {
        self.mailbox.tell(|commands| commands.finish = true);
    }

    fn taken(&self, bytes: usize) {
        self.mailbox.tell(|commands| commands.taken += bytes);
    }

    fn next_address(&self) {
        self.mailbox.tell(|commands| commands.next_address = true);
    }

    fn mark(&self, mark: ConnectionGroupId) {
        let connection = self.mailbox.lock().connection.as_ref().map(|(entry, _)| entry.id());
        if let Some(id) = connection {
            self.net.tell(|engine| engine.mark(id, mark));
        }
    }

    fn expire(&self) {
        let connection = self.mailbox.lock().connection.as_ref().map(|(entry, _)| entry.id());
        if let Some(id) = connection {
            self.net.about(|engine, now| engine.expire(now, id));
        }
    }

    fn connection_info(&self) -> Option<ConnectionInfo> {
        let connection = self.mailbox.lock().connection.clone();
        connection.map(|(entry, earlier)| entry.info(earlier, self.net.runtime.now()))
    }

    fn upgrade(&self, sink: Arc<dyn Sink>, read_ahead: usize) {
        self.mailbox.tell(|commands| commands.upgrade = Some((sink, read_ahead)));
    }

    fn wake_at(&self, time: Option<Duration>, idle: bool) {
        self.mailbox.wake_at(time, idle);
    }

    fn release(&self) {
        // Whose time is over, and has not heard a byte, was perhaps on a connection that leads nowhere any more: others get
        // another one, also those that begin before its task has stopped.
        let silent = |commands: &Commands| commands.ringing && commands.silence.as_ref().is_some_and(Silence::lasts);
        if silent(&self.mailbox.lock()) {
            self.expire();
        }
        self.mailbox.tell(|commands| commands.dropped = true);
    }
}
