//! One request on its way: a task that owns its connection and polls everything that may move.

use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use smallvec::SmallVec;

use super::connect::{self, Connection, Dialed, New};
use super::exchange::{Exchange, FailureKind, NullSink};
use super::http1::Http1;
use super::http2::Http2Exchange;
use super::pool::{Got, Lease, PoolClient, Slot};
use super::registry::PoolEntry;
use super::runtime::{Timer, caught, until};
use super::socks;
use super::{Net, Started};
use crate::connection::{ConnectionId, DRAIN, READ_AHEAD, drained_at_most, tries_again};
use crate::http::ResponseHead;
use crate::transport::{Event, Failure, Route, Sink, TransportRequest};
use crate::win32::{ERROR_WINHTTP_CANNOT_CONNECT, ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH, ERROR_WINHTTP_INTERNAL_ERROR};

/// How often a server may refuse a request before that is its answer.
const REFUSED_AT_MOST: u32 = 3;

/// What carries an exchange.
enum Acquired {
    Http1(Box<Connection>),
    Http2(Slot),
}

/// Why an attempt stops.
pub(super) enum Interruption {
    /// The machine let it go.
    Dropped,
    /// A proxy's refusal was told in place of the reply.
    Told,
    Failed(Failure),
}

impl From<Failure> for Interruption {
    fn from(failure: Failure) -> Interruption {
        Interruption::Failed(failure)
    }
}

pub struct AttemptTask {
    pub(super) net: Arc<Net>,
    /// The request, and what the machine tells.
    pub(super) started: Arc<Started>,
    pub(super) sink: Arc<dyn Sink>,
    /// Rings at the time that the machine asked for, or before.
    alarm: Box<dyn Timer>,
    /// The right to the connection of HTTP/1 that is used.
    lease: Option<Lease>,
    /// Whether somebody was told that a connection is waited for: that time runs once.
    waited: bool,
}

impl AttemptTask {
    pub fn new(started: Arc<Started>) -> AttemptTask {
        let (net, sink) = (Arc::clone(&started.net), Arc::clone(&started.sink));
        let alarm = net.runtime.timer();
        AttemptTask { net, started, sink, alarm, lease: None, waited: false }
    }

    /// Carries the request; if that panics, the machine hears of an end all the same.
    pub async fn run(mut self) {
        let carried = caught(pin!(self.carry())).await;
        match carried {
            Ok(Err(Interruption::Failed(failure))) => self.sink.event(Event::Failed(failure)),
            Ok(_) => {}
            Err(panic) => {
                self.sink.event(Event::Failed(ERROR_WINHTTP_INTERNAL_ERROR.into()));
                resume_unwind(panic);
            }
        }
    }

    async fn carry(&mut self) -> Result<(), Interruption> {
        let started = Arc::clone(&self.started);
        let mailbox = &started.mailbox;
        let mut over_http1: Option<Box<TransportRequest>> = None;
        let mut fresh = false;
        let mut refused = 0;
        loop {
            let request = over_http1.as_ref().unwrap_or(&started.request);
            let (acquired, used) = self.obtain(request, fresh).await?;
            let outcome = match (acquired, &request.http2) {
                (Acquired::Http2(slot), Some(rules)) => {
                    self.carried(&slot.connection.entry, slot.earlier);
                    mailbox.lock().silence = Some(slot.connection.silence());
                    self.attempt(Http2Exchange::new(slot, request, rules, mailbox)).await
                }
                (Acquired::Http2(_), None) => {
                    Err((Failure::from(ERROR_WINHTTP_INTERNAL_ERROR).into(), FailureKind::Final))
                }
                (Acquired::Http1(connection), _) => {
                    self.carried(&connection.entry, self.lease.as_ref().map_or(0, |lease| lease.earlier));
                    self.attempt(Http1::new(connection, request, mailbox)).await
                }
            };
            self.lease = None;
            let (stop, failure_kind) = match outcome {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            match failure_kind {
                FailureKind::Unwritten | FailureKind::Unanswered
                    if tries_again(
                        used,
                        failure_kind == FailureKind::Unwritten,
                        request.pool_rules.retry_stale,
                        request.more,
                    ) =>
                {
                    fresh = true;
                }
                // What the application has given away cannot be sent again.
                _ if request.more => return Err(stop),
                FailureKind::Refused if refused < REFUSED_AT_MOST => refused += 1,
                FailureKind::Http1Required if request.http2.is_some_and(|rules| !rules.required) => {
                    over_http1 = Some(Box::new(TransportRequest { http2: None, ..TransportRequest::clone(request) }));
                }
                _ => return Err(stop),
            }
            self.started.mailbox.lock().proceed = false;
            self.sink.event(Event::Restarted);
        }
    }

    /// A connection that there is, or unless it must be `fresh`, and whether it was used before.
    async fn obtain(&mut self, request: &TransportRequest, fresh: bool) -> Result<(Acquired, bool), Interruption> {
        let net = Arc::clone(&self.net);
        let mut client = PoolClient::new(&net, fresh);
        let (lease, ahead) = loop {
            let got = match client.ask(request) {
                Some(got) => got,
                None => {
                    if !std::mem::replace(&mut self.waited, true) {
                        self.sink.event(Event::Waiting);
                    }
                    self.attended(client.wait()).await?
                }
            };
            match got.map_err(Failure::from)? {
                // r7: its task may not have heard yet that the server has closed it.
                Got::Stream(slot) if slot.connection.entry.ended() => {
                    slot.expire();
                }
                Got::Stream(slot) => return Ok((Acquired::Http2(slot), true)),
                Got::TooMany => {}
                Got::Idle(lease, mut connection) => {
                    if connection.alive() {
                        self.lease = Some(lease);
                        return Ok((Acquired::Http1(connection), true));
                    }
                }
                Got::Make(lease, ahead) => break (lease, ahead),
            }
        };
        for lease in (0..ahead).filter_map(|_| client.ahead()) {
            net.runtime.spawn(Box::pin(open(Arc::clone(&net), lease, request.clone())));
        }
        // Boxed: a request that finds a connection does not carry the room for making one.
        let made = Box::pin(self.connect(request, lease.id())).await;
        match made {
            Ok(New::Http1(connection)) => {
                lease.made();
                self.lease = Some(lease);
                Ok((Acquired::Http1(connection), false))
            }
            Ok(New::Http2(connection)) => {
                let slot = lease.made_shared(&connection, request.keep_alive);
                let slot = slot.ok_or(ERROR_WINHTTP_INTERNAL_ERROR).map_err(Failure::from)?;
                Ok((Acquired::Http2(slot), false))
            }
            Err(stop) => {
                if matches!(stop, Interruption::Failed(_)) {
                    lease.failed();
                }
                Err(stop)
            }
        }
    }

    /// A connection carries this request now.
    fn carried(&self, entry: &Arc<PoolEntry>, earlier: u32) {
        let mut commands = self.started.mailbox.lock();
        (commands.connection, commands.silence) = (Some((Arc::clone(entry), earlier)), None);
    }

    /// An exchange, and what its failure means for the request.
    async fn attempt(&mut self, mut exchange: impl Exchange) -> Result<(), (Interruption, FailureKind)> {
        self.exchange(&mut exchange).await.map_err(|stop| match stop {
            Interruption::Failed(failure) => (Interruption::Failed(failure), exchange.failure_kind(&failure)),
            other => (other, FailureKind::Final),
        })
    }

    /// A new connection to the server. A TLS handshake that breaks is tried again as often as the request allows.
    async fn connect(&mut self, request: &TransportRequest, id: ConnectionId) -> Result<New, Interruption> {
        // Without TLS nobody says what the server speaks, and HTTP/1.1 is spoken.
        if request.tls.is_none() && request.http2.is_some_and(|rules| rules.required) {
            return Err(Failure::from(ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH).into());
        }
        let mut retries = request.network.handshake_retries;
        loop {
            let (net, sink) = (Arc::clone(&self.net), Arc::clone(&self.sink));
            let dialed = self.reach_server(request, id).await?;
            match self.attended(connect::speak(&net, dialed, request, &*sink)).await? {
                Err(failure) if retries > 0 && request.tls.is_some() && failure.handshake_broke() => retries -= 1,
                outcome => return Ok(outcome?),
            }
        }
    }

    /// A connection that leads to the server.
    async fn reach_server(&mut self, request: &TransportRequest, id: ConnectionId) -> Result<Dialed, Interruption> {
        let (net, sink, started) = (Arc::clone(&self.net), Arc::clone(&self.sink), Arc::clone(&self.started));
        if let Route::Tunnel(via, head) = &request.route {
            return self.tunnel(via, head.clone(), id).await;
        }
        let mut dialed = self.attended(connect::dial(&net, request, id, &*sink, Some(&started.mailbox))).await??;
        match &request.route {
            Route::Direct | Route::Tunnel(..) => {}
            Route::Proxy(via) => {
                dialed.stream = self.attended(connect::secure_proxy(&net, dialed.stream, via, &*sink)).await??;
            }
            Route::Socks(server) => {
                let opened = socks::open(&mut dialed.stream, server.scheme, &request.host, request.port);
                self.attended(opened).await?.map_err(|_| Failure::from(ERROR_WINHTTP_CANNOT_CONNECT))?;
            }
        }
        Ok(dialed)
    }

    /// Waits until SENDING_REQUEST was delivered.
    pub(super) async fn proceeded(&mut self) -> Result<(), Interruption> {
        poll_fn(|cx| match self.poll_mailbox(cx) {
            Poll::Ready(stop) => Poll::Ready(Err(stop)),
            Poll::Pending if self.started.mailbox.lock().proceed => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Waits for a future, and meanwhile for the alarm and for being dropped.
    pub(super) async fn attended<T>(&mut self, future: impl Future<Output = T>) -> Result<T, Interruption> {
        let mut future = pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(done) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(done));
            }
            self.poll_mailbox(cx).map(Err)
        })
        .await
    }

    /// Rings the alarm when its time has come; is ready when the machine let go.
    pub(super) fn poll_mailbox(&mut self, cx: &mut Context<'_>) -> Poll<Interruption> {
        loop {
            let mut commands = self.started.mailbox.look(cx);
            commands.ringing = false;
            if commands.dropped {
                return Poll::Ready(Interruption::Dropped);
            }
            if commands.wake_at.is_none() {
                return Poll::Pending;
            }
            let alarm = commands.set_alarm();
            drop(commands);
            match alarm {
                Some((time, true)) => self.alarm.set_idle(time),
                Some((time, false)) => self.alarm.set(time),
                None => {}
            }
            ready!(self.alarm.poll(cx));
            // Another time may have been asked for meanwhile.
            if self.started.mailbox.lock().rang() {
                self.sink.tick();
            }
        }
    }

    /// The request on its connection, from SENDING_REQUEST to the end of the body.
    async fn exchange(&mut self, exchange: &mut impl Exchange) -> Result<(), Interruption> {
        let secured = exchange.secured().map(Event::Secured);
        let ready = Event::Ready { peer: exchange.peer(), http2: exchange.http2() };
        self.sink.events(&mut secured.into_iter().chain([ready]));
        self.proceeded().await?;
        exchange.begin();
        let (head, received) = poll_fn(|cx| match self.poll_mailbox(cx) {
            Poll::Ready(stop) => Poll::Ready(Err(stop)),
            Poll::Pending => exchange.poll_head(cx, &*self.sink).map_err(Interruption::Failed),
        })
        .await?;
        self.net.learn(&self.started.request, (head.version.major, head.version.minor) < (1, 1));
        self.reply(exchange, head, received).await
    }

    /// The reply behind its head.
    pub(super) async fn reply(
        &mut self,
        exchange: &mut impl Exchange,
        head: ResponseHead,
        received: u64,
    ) -> Result<(), Interruption> {
        // What came with the head is taken first: the connection is back in the pool before anybody hears of the end.
        let mut pieces = SmallVec::<[_; 2]>::new();
        let mut waiting = 0;
        while waiting < READ_AHEAD && !exchange.over() {
            let room = READ_AHEAD - waiting;
            let piece = poll_fn(|cx| Poll::Ready(exchange.poll_piece(cx, room, &*self.sink))).await;
            let Poll::Ready(piece) = piece else { break };
            let piece = piece.map(|piece| piece.beside(waiting));
            waiting += piece.as_ref().map_or(0, |piece| piece.bytes.len());
            pieces.push(piece);
        }
        let upgrade = self.started.request.upgrade && head.status == 101;
        if exchange.over() && !upgrade {
            self.keep(exchange).await;
        }
        let told = pieces.into_iter().map(|piece| piece.map_or_else(Event::Failed, Event::from));
        self.sink.events(&mut std::iter::once(Event::Head { head, received }).chain(told));
        if upgrade {
            return Box::pin(self.upgraded(exchange)).await;
        }
        match self.body(exchange, &mut waiting).await {
            // Boxed: what not every request does takes no room in all of them.
            Err(Interruption::Dropped) => Box::pin(self.drain(exchange, waiting)).await,
            outcome => outcome,
        }
    }

    /// The connection is a stream of bytes; nothing of it is read until somebody wants them.
    async fn upgraded(&mut self, exchange: &mut impl Exchange) -> Result<(), Interruption> {
        let (sink, read_ahead) = poll_fn(|cx| {
            // One that was upgraded and let go has perhaps something to send.
            if let Some(upgrade) = self.started.mailbox.look(cx).upgrade.take() {
                return Poll::Ready(Ok(upgrade));
            }
            self.poll_mailbox(cx).map(Err)
        })
        .await?;
        self.sink = sink;
        if let Some(lease) = &self.lease {
            lease.switched();
        }
        let upgraded = poll_fn(|cx| Poll::Ready(exchange.upgraded(cx))).await;
        let mut upgraded = upgraded.ok_or(Failure::from(ERROR_WINHTTP_INTERNAL_ERROR))?;
        upgraded.begin(read_ahead);
        poll_fn(|cx| match self.poll_mailbox(cx) {
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => {
                upgraded.poll(cx, &self.started.mailbox, &*self.sink);
                Poll::Pending
            }
        })
        .await;
        self.alarm.set(self.net.runtime.now() + DRAIN);
        poll_fn(|cx| match self.alarm.poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => upgraded.poll_end(cx, &self.started.mailbox),
        })
        .await;
        Ok(())
    }

    /// The rest of the body, as far as the machine has room for it.
    async fn body(&mut self, exchange: &mut impl Exchange, waiting: &mut usize) -> Result<(), Interruption> {
        while !exchange.over() {
            let piece = poll_fn(|cx| {
                let stop = self.poll_mailbox(cx);
                *waiting -= std::mem::take(&mut self.started.mailbox.lock().taken).min(*waiting);
                if let Poll::Ready(stop) = stop {
                    return Poll::Ready(Err(stop));
                }
                if *waiting >= READ_AHEAD {
                    exchange.poll_upload(cx, &*self.sink);
                    return Poll::Pending;
                }
                exchange.poll_piece(cx, READ_AHEAD - *waiting, &*self.sink).map_err(Interruption::Failed)
            })
            .await?
            .beside(*waiting);
            *waiting += piece.bytes.len();
            if exchange.over() {
                self.keep(exchange).await;
            }
            self.sink.event(piece.into());
        }
        if !exchange.upload_over() {
            // The server has answered, and the application still writes. When it is done the connection can be kept.
            poll_fn(|cx| match self.poll_mailbox(cx) {
                Poll::Ready(stop) => Poll::Ready(Err(stop)),
                Poll::Pending if exchange.discard(cx, &*self.sink) => Poll::Ready(Ok(())),
                Poll::Pending => Poll::Pending,
            })
            .await?;
            self.keep(exchange).await;
        }
        Ok(())
    }

    /// Nobody wants the rest: it is read so that the connection can be kept, within bounds. The `waiting` bytes that were read ahead
    /// count, too.
    async fn drain(&mut self, exchange: &mut impl Exchange, waiting: usize) -> Result<(), Interruption> {
        if !exchange.drains() {
            return Ok(());
        }
        if exchange.over() {
            if poll_fn(|cx| Poll::Ready(exchange.discard(cx, &NullSink))).await {
                self.keep(exchange).await;
            }
            return Ok(());
        }
        let mut left = drained_at_most(self.started.request.drain_limit).checked_sub(waiting);
        self.alarm.set(self.net.runtime.now() + DRAIN);
        while let Some(rest) = left.filter(|_| !exchange.over()) {
            let piece = poll_fn(|cx| match self.alarm.poll(cx) {
                Poll::Ready(()) => Poll::Ready(Ok(None)),
                Poll::Pending => {
                    exchange.poll_piece(cx, usize::MAX, &NullSink).map_ok(Some).map_err(Interruption::Failed)
                }
            });
            left = piece.await?.and_then(|piece| rest.checked_sub(piece.bytes.len()));
        }
        if left.is_some() {
            self.keep(exchange).await;
        } else if let Some(lease) = self.lease.take() {
            lease.overflowed();
        }
        Ok(())
    }

    /// Puts the connection into the pool if it can carry another request.
    async fn keep(&mut self, exchange: &mut impl Exchange) {
        let connection = poll_fn(|cx| Poll::Ready(exchange.keep(cx))).await;
        if let Some((connection, lease)) = connection.and_then(|connection| Some((connection, self.lease.take()?))) {
            connection.rest();
            lease.give_back(connection);
        }
    }
}

/// Opens a connection that nobody waits for: no machine looks at the time, and its place is somebody's meanwhile.
async fn open(net: Arc<Net>, lease: Lease, request: TransportRequest) {
    let mut timer = net.runtime.timer();
    timer.set_idle(net.runtime.now() + request.ahead_within);
    let made = async {
        let dialed = connect::dial(&net, &request, lease.id(), &NullSink, None).await?;
        connect::speak(&net, dialed, &request, &NullSink).await
    };
    if let Some(Ok(New::Http1(connection))) = until(timer, made).await {
        lease.made();
        lease.give_back(connection);
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::task::Waker;
    use std::time::Duration;

    use super::super::mailbox::Mailbox;
    use super::super::runtime::{Boxed, Connected, Runtime};
    use super::*;
    use crate::sync::Mutex;
    use crate::transport::{Network, Transport};

    const FIRST: Duration = Duration::from_secs(1);
    const SECOND: Duration = Duration::from_secs(2);

    /// A clock whose timers ring at the first time only; a moment before one does, the machine asks for the second.
    #[derive(Clone, Default)]
    struct Clock {
        set: Arc<Mutex<Vec<Duration>>>,
        asks: Arc<Mutex<Option<Arc<Started>>>>,
    }

    impl Timer for Clock {
        fn set(&mut self, time: Duration) {
            self.set.lock().push(time);
        }

        fn poll(&mut self, _: &mut Context<'_>) -> Poll<()> {
            if *self.set.lock() != [FIRST] {
                return Poll::Pending;
            }
            if let Some(started) = self.asks.lock().take() {
                started.mailbox.tell(|commands| commands.wake_at = Some(SECOND));
            }
            Poll::Ready(())
        }
    }

    impl Runtime for Clock {
        fn now(&self) -> Duration {
            FIRST
        }

        fn timer(&self) -> Box<dyn Timer> {
            Box::new(self.clone())
        }

        fn run(&self, _: Boxed<'static, ()>) -> bool {
            false
        }

        fn spawn(&self, _: Boxed<'static, ()>) {}

        fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Boxed<'a, std::io::Result<Vec<SocketAddr>>> {
            unreachable!("nothing is asked for")
        }

        fn connect<'a>(&'a self, _: SocketAddr, _: &'a Network) -> Boxed<'a, std::io::Result<Connected>> {
            unreachable!("nothing is asked for")
        }
    }

    /// An address that never answers, or a dialler that panics; each timer has rung when it is looked at.
    struct Silent {
        panics: bool,
    }

    struct Rung;

    impl Timer for Rung {
        fn set(&mut self, _: Duration) {}

        fn poll(&mut self, _: &mut Context<'_>) -> Poll<()> {
            Poll::Ready(())
        }
    }

    impl Runtime for Silent {
        fn now(&self) -> Duration {
            FIRST
        }

        fn timer(&self) -> Box<dyn Timer> {
            Box::new(Rung)
        }

        fn run(&self, mut task: Boxed<'static, ()>) -> bool {
            let step = || task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(catch_unwind(AssertUnwindSafe(step)).is_err());
            true
        }

        fn spawn(&self, _: Boxed<'static, ()>) {}

        fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Boxed<'a, std::io::Result<Vec<SocketAddr>>> {
            unreachable!("the host is an address")
        }

        fn connect<'a>(&'a self, _: SocketAddr, _: &'a Network) -> Boxed<'a, std::io::Result<Connected>> {
            assert!(!self.panics, "on purpose");
            Box::pin(std::future::pending())
        }
    }

    /// The place of a connection that nobody waits for is free when its time is over.
    #[test]
    fn a_connection_that_nobody_waits_for_ends() {
        let net = Net::on(Box::new(Silent { panics: false }), Default::default(), false);
        let mut request = TransportRequest::to("127.0.0.1", 80);
        request.pool_rules.at_first = 2;
        let mut client = PoolClient::new(&net, false);
        let Some(Ok(Got::Make(lease, 1))) = client.ask(&request) else { panic!("nothing to make") };
        let ahead = client.ahead().unwrap();
        assert_eq!(net.known(|engine| engine.counts()), (2, 0));
        let mut opened = pin!(open(Arc::clone(&net), ahead, request));
        assert!(opened.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        assert_eq!(net.known(|engine| engine.counts()), (1, 0));
        drop(lease);
    }

    /// Notes what failed.
    #[derive(Default)]
    struct Failures(Mutex<Vec<Failure>>);

    impl Sink for Failures {
        fn events(&self, events: &mut dyn Iterator<Item = Event>) {
            self.0.lock().extend(events.filter_map(|event| match event {
                Event::Failed(failure) => Some(failure),
                _ => None,
            }));
        }

        fn tick(&self) {}
    }

    /// A request whose task panics ends.
    #[test]
    fn a_panic_is_told() {
        let net = Net::on(Box::new(Silent { panics: true }), Default::default(), false);
        let sink = Arc::new(Failures::default());
        let request = Box::new(TransportRequest::to("127.0.0.1", 80));
        Transport::start(&net, request, Arc::clone(&sink) as Arc<dyn Sink>).go();
        let failed: Vec<_> = sink.0.lock().iter().map(|failure| failure.error).collect();
        assert_eq!(failed, [ERROR_WINHTTP_INTERNAL_ERROR]);
        assert_eq!((Transport::running(&net), net.known(|engine| engine.counts())), (0, (0, 0)));
    }

    /// A call on another thread may ask for another time while the alarm rings: that is not lost.
    #[test]
    fn a_time_that_is_asked_for_while_the_alarm_rings_comes() {
        let clock = Clock::default();
        let started = Arc::new(Started {
            net: Net::on(Box::new(clock.clone()), Default::default(), false),
            request: Box::new(TransportRequest::to("host.test", 80)),
            mailbox: Mailbox::default(),
            sink: Arc::new(NullSink),
            follows: None,
        });
        let mut task = AttemptTask::new(Arc::clone(&started));
        started.mailbox.tell(|commands| commands.wake_at = Some(FIRST));
        *clock.asks.lock() = Some(started);
        let mut context = Context::from_waker(Waker::noop());
        assert!(task.poll_mailbox(&mut context).is_pending());
        assert_eq!(*clock.set.lock(), [FIRST, SECOND]);
    }
}
