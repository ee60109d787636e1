//! One request on its way: a task that owns its connection and polls everything that may move.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::Net;
use super::connect::{self, Connection, Dialed, New};
use super::exchange::{Exchange, Fate, NullSink};
use super::http1::Http1;
use super::http2::{Http2Exchange, Slot};
use super::limits::Permit;
use super::mailbox::Mailbox;
use super::pool::{Key, Lookup};
use super::registry::PoolEntry;
use super::runtime::Timer;
use super::socks;
use crate::http::ResponseHead;
use crate::transport::{Event, Failure, Route, Sink, TransportRequest};
use crate::win32::{ERROR_WINHTTP_CANNOT_CONNECT, ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH, ERROR_WINHTTP_INTERNAL_ERROR};

/// How many body bytes wait at the machine before the attempt stops reading ahead.
const READ_AHEAD: usize = 64 * 1024;
/// How many connections the first request to a server opens at most.
const MOST_AT_FIRST: u32 = 16;
/// How long an unwanted body is drained, and how long a stream may take to end.
const DRAIN: Duration = Duration::from_secs(5);

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
    pub(super) request: Arc<TransportRequest>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) sink: Arc<dyn Sink>,
    /// Rings at the time that the machine asked for; with the time for which it is set.
    alarm: Box<dyn Timer>,
    alarmed: Option<Duration>,
    /// The right to one of the server\'s connections, if there is a limit.
    permit: Option<Permit>,
}

impl AttemptTask {
    pub fn new(net: Arc<Net>, request: TransportRequest, mailbox: Arc<Mailbox>, sink: Arc<dyn Sink>) -> AttemptTask {
        let alarm = net.runtime.timer();
        AttemptTask { net, request: Arc::new(request), mailbox, sink, alarm, alarmed: None, permit: None }
    }

    pub async fn run(mut self) {
        if let Err(Interruption::Failed(failure)) = self.carry().await {
            self.sink.event(Event::Failed(failure));
        }
    }

    async fn carry(&mut self) -> Result<(), Interruption> {
        let (mut request, mailbox) = (Arc::clone(&self.request), Arc::clone(&self.mailbox));
        let mut pooled = request.keep_alive;
        let mut refused = 0;
        loop {
            let (acquired, used) = self.obtain(&request, pooled).await?;
            let outcome = match (acquired, &request.http2) {
                (Acquired::Http2(slot), Some(rules)) => {
                    self.carried(&slot.connection.entry);
                    self.attempt(Http2Exchange::new(slot, &request, rules, &mailbox)).await
                }
                (Acquired::Http2(_), None) => Err((Failure::from(ERROR_WINHTTP_INTERNAL_ERROR).into(), Fate::Final)),
                (Acquired::Http1(connection), _) => {
                    self.carried(&connection.entry);
                    self.attempt(Http1::new(connection, &request, &mailbox)).await
                }
            };
            // Nothing was lost if the body can be sent again.
            match outcome.map_err(|(stop, fate)| (stop, if request.more { Fate::Final } else { fate })) {
                Ok(()) => return Ok(()),
                Err((_, Fate::Unanswered)) if used && request.pool_rules.retry_stale => pooled = false,
                Err((_, Fate::Refused)) if refused < REFUSED_AT_MOST => refused += 1,
                Err((_, Fate::Http1Required)) if request.http2.is_some_and(|rules| !rules.required) => {
                    request = Arc::new(TransportRequest { http2: None, ..(*request).clone() });
                }
                Err((stop, _)) => return Err(stop),
            }
            self.mailbox.lock().proceed = false;
            self.sink.event(Event::Restarted);
        }
    }

    /// A connection from the pool, if one may be `pooled`, or a new one; and whether it was used before.
    async fn obtain(&mut self, request: &TransportRequest, pooled: bool) -> Result<(Acquired, bool), Interruption> {
        let (net, key) = (Arc::clone(&self.net), Key::from(request));
        let mut together = request.http2.is_some() && request.tls.is_some();
        // A stream is no connection of its own; everything else is, and there may be a limit of them.
        let limit = net.limits.of(request);
        if let Some(limit) = limit.filter(|_| self.permit.is_none()) {
            if let Some(slot) = Some(&key).filter(|_| pooled).and_then(|key| net.find_stream(key, request)) {
                return Ok((Acquired::Http2(slot), true));
            }
            self.permit = Some(self.attended(net.limits.enter(request, limit)).await?);
        }
        let maker = loop {
            if !pooled {
                break net.make(&key);
            }
            match net.find(&key, request, together) {
                Lookup::Stream(slot) => return Ok((Acquired::Http2(slot), true)),
                Lookup::Idle(mut connection) => {
                    if alive(&mut connection).await {
                        return Ok((Acquired::Http1(connection), true));
                    }
                }
                Lookup::Full(_) if request.http2.is_some_and(|rules| !rules.queue) => break net.make(&key),
                Lookup::Full(connection) => {
                    self.sink.event(Event::Waiting);
                    if let Some(slot) = self.attended(connection.take(&net)).await? {
                        return Ok((Acquired::Http2(slot), true));
                    }
                }
                Lookup::Making(making) => {
                    self.sink.event(Event::Waiting);
                    together = self.attended(making.wait()).await?;
                }
                Lookup::Nothing(maker) => break *maker,
            }
        };
        if let Some(limit) = limit {
            net.pool.trim(request, limit.saturating_sub(net.limits.used(request)) as usize);
        }
        if request.pool_rules.wanted.is_some_and(|(mark, strict)| strict && request.pool_rules.mark != Some(mark)) {
            return Err(Failure::from(ERROR_WINHTTP_CANNOT_CONNECT).into());
        }
        let ahead = request.pool_rules.at_first.min(MOST_AT_FIRST);
        if ahead > 1 && request.keep_alive && !together && request.route == Route::Direct && net.pool.first_time(&key) {
            for _ in 1..ahead {
                net.runtime.spawn(Box::pin(open(Arc::clone(&net), key.clone(), request.clone())));
            }
        }
        match self.connect(request).await {
            Ok(New::Http1(connection)) => {
                maker.keep_alone();
                Ok((Acquired::Http1(connection), false))
            }
            Ok(New::Http2(connection)) => {
                connection.hold(self.permit.take());
                let slot = connection.try_take(&net).ok_or(ERROR_WINHTTP_INTERNAL_ERROR).map_err(Failure::from)?;
                if request.keep_alive {
                    maker.share(connection);
                }
                Ok((Acquired::Http2(slot), false))
            }
            Err(stop) => {
                maker.keep_alone();
                Err(stop)
            }
        }
    }

    /// A connection carries this request now.
    fn carried(&self, entry: &Arc<PoolEntry>) {
        if let Some(mark) = self.request.pool_rules.mark {
            entry.set_mark(mark);
        }
        let earlier = entry.carry(&self.request);
        self.mailbox.lock().connection = Some((Arc::clone(entry), earlier));
    }

    /// An exchange, and what its failure means for the request.
    async fn attempt(&mut self, mut exchange: impl Exchange) -> Result<(), (Interruption, Fate)> {
        self.exchange(&mut exchange).await.map_err(|stop| match stop {
            Interruption::Failed(failure) => (Interruption::Failed(failure), exchange.fate(&failure)),
            other => (other, Fate::Final),
        })
    }

    /// A new connection to the server. A TLS handshake that breaks is tried again as often as the request allows.
    async fn connect(&mut self, request: &TransportRequest) -> Result<New, Interruption> {
        // Without TLS nobody says what the server speaks, and HTTP/1.1 is spoken.
        if request.tls.is_none() && request.http2.is_some_and(|rules| rules.required) {
            return Err(Failure::from(ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH).into());
        }
        let mut retries = request.network.handshake_retries;
        loop {
            let (net, sink) = (Arc::clone(&self.net), Arc::clone(&self.sink));
            let dialed = self.reach_server(request).await?;
            match self.attended(connect::speak(&net, dialed, request, &*sink)).await? {
                Err(failure) if retries > 0 && request.tls.is_some() && failure.handshake_broke() => retries -= 1,
                outcome => return Ok(outcome?),
            }
        }
    }

    /// A connection that leads to the server.
    async fn reach_server(&mut self, request: &TransportRequest) -> Result<Dialed, Interruption> {
        let (net, sink, mailbox) = (Arc::clone(&self.net), Arc::clone(&self.sink), Arc::clone(&self.mailbox));
        if let Route::Tunnel(via, head) = &request.route {
            return self.tunnel(via, head.clone()).await;
        }
        let mut dialed = self.attended(connect::dial(&net, request, &*sink, Some(&mailbox))).await??;
        match &request.route {
            Route::Direct | Route::Tunnel(..) => {}
            Route::Proxy(via) => {
                dialed.stream = self.attended(connect::secure_proxy(&net, dialed.stream, via)).await??;
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
            Poll::Pending if self.mailbox.lock().proceed => Poll::Ready(Ok(())),
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
            let commands = self.mailbox.look(cx);
            if commands.dropped {
                return Poll::Ready(Interruption::Dropped);
            }
            let (Some(time), idle) = (commands.wake_at, commands.idle) else { return Poll::Pending };
            drop(commands);
            if self.alarmed.replace(time) != Some(time) {
                if idle { self.alarm.set_idle(time) } else { self.alarm.set(time) }
            }
            ready!(self.alarm.poll(cx));
            self.mailbox.lock().wake_at = None;
            self.alarmed = None;
            self.sink.tick();
        }
    }

    /// The request on its connection, from SENDING_REQUEST to the end of the body.
    async fn exchange(&mut self, exchange: &mut impl Exchange) -> Result<(), Interruption> {
        let secured = exchange.secured().map(Event::Secured);
        self.sink.events(&mut secured.into_iter().chain([Event::Ready(exchange.peer())]));
        self.proceeded().await?;
        exchange.begin();
        let (head, received) = poll_fn(|cx| match self.poll_mailbox(cx) {
            Poll::Ready(stop) => Poll::Ready(Err(stop)),
            Poll::Pending => exchange.poll_head(cx, &*self.sink).map_err(Interruption::Failed),
        })
        .await?;
        self.net.limits.learn(&self.request, (head.version.major, head.version.minor) < (1, 1));
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
        let mut pieces = Vec::new();
        let mut waiting = 0;
        while waiting < READ_AHEAD && !exchange.over() {
            let piece = poll_fn(|cx| Poll::Ready(exchange.poll_piece(cx, &*self.sink))).await;
            let Poll::Ready(piece) = piece else { break };
            waiting += piece.as_ref().map_or(0, |piece| piece.bytes.len());
            pieces.push(piece);
        }
        let upgrade = self.request.upgrade && head.status == 101;
        if exchange.over() && !upgrade {
            self.keep(exchange).await;
        }
        let told = pieces.into_iter().map(|piece| piece.map_or_else(Event::Failed, Event::from));
        self.sink.events(&mut std::iter::once(Event::Head { head, received }).chain(told));
        if upgrade {
            return self.upgraded(exchange).await;
        }
        match self.body(exchange, waiting).await {
            Err(Interruption::Dropped) => self.drain(exchange).await,
            outcome => outcome,
        }
    }

    /// The connection is a stream of bytes; nothing of it is read until somebody wants them.
    async fn upgraded(&mut self, exchange: &mut impl Exchange) -> Result<(), Interruption> {
        let (sink, read_ahead) = poll_fn(|cx| {
            // One that was upgraded and let go has perhaps something to send.
            if let Some(upgrade) = self.mailbox.look(cx).upgrade.take() {
                return Poll::Ready(Ok(upgrade));
            }
            self.poll_mailbox(cx).map(Err)
        })
        .await?;
        self.sink = sink;
        let upgraded = poll_fn(|cx| Poll::Ready(exchange.upgraded(cx))).await;
        let mut upgraded = upgraded.ok_or(Failure::from(ERROR_WINHTTP_INTERNAL_ERROR))?;
        upgraded.begin(read_ahead);
        poll_fn(|cx| match self.poll_mailbox(cx) {
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => {
                upgraded.poll(cx, &self.mailbox, &*self.sink);
                Poll::Pending
            }
        })
        .await;
        self.alarm.set(self.net.runtime.now() + DRAIN);
        poll_fn(|cx| match self.alarm.poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => upgraded.poll_end(cx, &self.mailbox),
        })
        .await;
        Ok(())
    }

    /// The rest of the body, as far as the machine has room for it.
    async fn body(&mut self, exchange: &mut impl Exchange, mut waiting: usize) -> Result<(), Interruption> {
        while !exchange.over() {
            let piece = poll_fn(|cx| {
                if let Poll::Ready(stop) = self.poll_mailbox(cx) {
                    return Poll::Ready(Err(stop));
                }
                waiting -= std::mem::take(&mut self.mailbox.lock().taken).min(waiting);
                if waiting >= READ_AHEAD {
                    exchange.poll_upload(cx, &*self.sink);
                    return Poll::Pending;
                }
                exchange.poll_piece(cx, &*self.sink).map_err(Interruption::Failed)
            })
            .await?;
            waiting += piece.bytes.len();
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

    /// Nobody wants the rest: it is read so that the connection can be kept, within bounds.
    async fn drain(&mut self, exchange: &mut impl Exchange) -> Result<(), Interruption> {
        if !exchange.drains() {
            return Ok(());
        }
        if exchange.over() {
            if poll_fn(|cx| Poll::Ready(exchange.discard(cx, &NullSink))).await {
                self.keep(exchange).await;
            }
            return Ok(());
        }
        let mut left = self.request.drain_limit;
        self.alarm.set(self.net.runtime.now() + DRAIN);
        while !exchange.over() && left > 0 {
            let piece = poll_fn(|cx| match self.alarm.poll(cx) {
                Poll::Ready(()) => Poll::Ready(Err(Interruption::Dropped)),
                Poll::Pending => exchange.poll_piece(cx, &NullSink).map_err(Interruption::Failed),
            });
            left = left.saturating_sub(piece.await?.bytes.len());
        }
        if exchange.over() {
            self.keep(exchange).await;
        }
        Ok(())
    }

    /// Puts the connection into the pool if it can carry another request.
    async fn keep(&mut self, exchange: &mut impl Exchange) {
        poll_fn(|cx| {
            exchange.keep(cx, &self.net);
            Poll::Ready(())
        })
        .await;
    }
}

/// Opens a connection that nobody waits for, within the limit.
async fn open(net: Arc<Net>, key: Key, request: TransportRequest) {
    if net.limits.of(&request).is_some_and(|limit| net.limits.used(&request) >= limit) {
        return;
    }
    let Ok(dialed) = connect::dial(&net, &request, &NullSink, None).await else { return };
    if let Ok(New::Http1(connection)) = connect::speak(&net, dialed, &request, &NullSink).await {
        net.keep(key, connection);
    }
}

/// Whether a connection from the pool is still open.
async fn alive(connection: &mut Connection) -> bool {
    let closed = poll_fn(|cx| Poll::Ready(Pin::new(&mut connection.driver).poll(cx).is_ready())).await;
    !closed && connection.sender.is_ready()
}
