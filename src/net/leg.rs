//! One order on its way: a task that owns its connection and polls everything that may move.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use super::connect::{Connection, connect};
use super::control::Control;
use super::exchange::{Download, Exchange};
use super::pool::{Key, Pool};
use super::{failure, wire};
use crate::http::ResponseHead;
use crate::transport::{Event, Failure, Order, Sink};
use crate::win32::{ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_HEADER_SIZE_OVERFLOW};

/// How many body bytes wait at the machine before the leg stops reading ahead.
const READ_AHEAD: usize = 64 * 1024;
/// How long an unwanted body is drained.
const DRAIN: Duration = Duration::from_secs(5);

/// Why a leg stops.
enum Stop {
    /// The machine let it go.
    Dropped,
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failed(failure)
    }
}

pub struct Running {
    order: Order,
    control: Arc<Control>,
    sink: Arc<dyn Sink>,
    pool: Arc<Pool>,
    began: Instant,
    alarm: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl Running {
    pub fn new(order: Order, control: Arc<Control>, sink: Arc<dyn Sink>, pool: Arc<Pool>, began: Instant) -> Running {
        Running { order, control, sink, pool, began, alarm: None }
    }

    pub async fn run(mut self) {
        if let Err(Stop::Failed(failure)) = self.carry().await {
            self.sink.event(Event::Failed(failure));
        }
    }

    async fn carry(&mut self) -> Result<(), Stop> {
        let key = Key::from(&self.order);
        while self.order.keep_alive {
            let Some(mut connection) = self.pool.take(&key) else { break };
            if !alive(&mut connection).await {
                continue;
            }
            let tally = Arc::clone(&connection.tally);
            let outcome = self.exchange(connection).await;
            let untouched = wire::lock(&tally).received == 0;
            // The server closed it while it was idle: nothing was lost if the body can be sent again.
            match outcome {
                Err(Stop::Failed(failure))
                    if untouched && !self.order.more && failure.error == ERROR_WINHTTP_CONNECTION_ERROR =>
                {
                    self.control.lock().proceed = false;
                    self.sink.event(Event::Restarted);
                    break;
                }
                outcome => return outcome,
            }
        }
        let sink = Arc::clone(&self.sink);
        let order = self.order.clone();
        let connection = self.attended(connect(&order, &*sink)).await??;
        self.exchange(connection).await
    }

    /// Waits for a future, and meanwhile for the alarm and for being dropped.
    async fn attended<T>(&mut self, future: impl Future<Output = T>) -> Result<T, Stop> {
        let mut future = pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(done) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(done));
            }
            self.poll_control(cx).map(Err)
        })
        .await
    }

    /// Rings the alarm when its time has come; is ready when the machine let go.
    fn poll_control(&mut self, cx: &mut Context<'_>) -> Poll<Stop> {
        loop {
            let told = self.control.look(cx);
            if told.dropped {
                return Poll::Ready(Stop::Dropped);
            }
            let Some(time) = told.wake_at else { return Poll::Pending };
            drop(told);
            let deadline = (self.began + time).into();
            let alarm = match &mut self.alarm {
                Some((set, alarm)) => {
                    if *set != time {
                        alarm.as_mut().reset(deadline);
                        *set = time;
                    }
                    alarm
                }
                none => &mut none.insert((time, Box::pin(tokio::time::sleep_until(deadline)))).1,
            };
            ready!(alarm.as_mut().poll(cx));
            self.control.lock().wake_at = None;
            self.alarm = None;
            self.sink.tick();
        }
    }

    /// The order on this connection, from SENDING_REQUEST to the end of the body.
    async fn exchange(&mut self, connection: Connection) -> Result<(), Stop> {
        self.sink.event(Event::Ready(connection.peer));
        poll_fn(|cx| match self.poll_control(cx) {
            Poll::Ready(stop) => Poll::Ready(Err(stop)),
            Poll::Pending if self.control.lock().proceed => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        })
        .await?;

        let (mut exchange, stand_in) = Exchange::begin(connection, &self.order, Arc::clone(&self.control));
        let mut response = pin!(exchange.send(stand_in));
        let mut heard = 0;
        let response = poll_fn(|cx| {
            loop {
                if let Poll::Ready(stop) = self.poll_control(cx) {
                    return Poll::Ready(Err(stop));
                }
                exchange.poll(cx, &*self.sink);
                let received = exchange.tally().received;
                if let Poll::Ready(response) = response.as_mut().poll(cx) {
                    return Poll::Ready(response.map_err(|error| {
                        failure::of_exchange(&error, &exchange.tally().reply, self.order.head_limit).into()
                    }));
                }
                if received == heard {
                    return Poll::Pending;
                }
                heard = received;
                if received as usize > self.order.head_limit {
                    return Poll::Ready(Err(Failure::from(ERROR_WINHTTP_HEADER_SIZE_OVERFLOW).into()));
                }
                self.sink.event(Event::Progress);
            }
        })
        .await?;

        exchange.answered(&*self.sink);
        let (reply, received) = {
            let mut tally = exchange.tally();
            (tally.take_reply(), tally.received)
        };
        let (head, length) = ResponseHead::parse_final(&reply).map_err(Failure::from)?;
        if length > self.order.head_limit {
            return Err(Failure::from(ERROR_WINHTTP_HEADER_SIZE_OVERFLOW).into());
        }
        let mut download = Download::new(response.into_body(), &head);
        // What came with the head is taken first: the connection is back in the pool before anybody hears of the end.
        let mut pieces = Vec::new();
        let mut waiting = 0;
        while waiting < READ_AHEAD && !download.over() {
            let piece = poll_fn(|cx| Poll::Ready(download.poll_piece(cx, &mut exchange, &*self.sink))).await;
            let Poll::Ready(piece) = piece else { break };
            waiting += piece.as_ref().map_or(0, |piece| piece.bytes.len());
            pieces.push(piece);
        }
        if download.over() {
            self.keep(&mut exchange).await;
        }
        let told = pieces.into_iter().map(|piece| piece.map_or_else(Event::Failed, Event::from));
        self.sink.events(&mut std::iter::once(Event::Head { head, received }).chain(told));
        match self.body(&mut download, &mut exchange, waiting).await {
            Err(Stop::Dropped) => self.drain(&mut download, &mut exchange).await,
            outcome => outcome,
        }
    }

    /// The rest of the body, as far as the machine has room for it.
    async fn body(&mut self, download: &mut Download, exchange: &mut Exchange, mut waiting: usize) -> Result<(), Stop> {
        while !download.over() {
            let piece = poll_fn(|cx| {
                if let Poll::Ready(stop) = self.poll_control(cx) {
                    return Poll::Ready(Err(stop));
                }
                waiting -= std::mem::take(&mut self.control.lock().taken).min(waiting);
                if waiting >= READ_AHEAD {
                    exchange.poll(cx, &*self.sink);
                    return Poll::Pending;
                }
                download.poll_piece(cx, exchange, &*self.sink).map(|piece| piece.map_err(Stop::Failed))
            })
            .await?;
            waiting += piece.bytes.len();
            if download.over() {
                self.keep(exchange).await;
            }
            self.sink.event(piece.into());
        }
        if !exchange.upload_over() {
            // The server has answered. What the application still writes goes nowhere; if it writes nothing more, the
            // connection can be kept after all.
            poll_fn(|cx| match self.poll_control(cx) {
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
    async fn drain(&mut self, download: &mut Download, exchange: &mut Exchange) -> Result<(), Stop> {
        if !self.order.keep_alive {
            return Ok(());
        }
        if download.over() {
            if poll_fn(|cx| Poll::Ready(exchange.discard(cx, &Deaf))).await {
                self.keep(exchange).await;
            }
            return Ok(());
        }
        let limit = self.order.drain_limit;
        let drained = async {
            let mut seen = 0;
            while !download.over() && seen <= limit {
                let piece = poll_fn(|cx| download.poll_piece(cx, exchange, &Deaf)).await;
                seen += piece.map_err(Stop::Failed)?.bytes.len();
            }
            Ok::<_, Stop>(())
        };
        if let Ok(Ok(())) = tokio::time::timeout(DRAIN, drained).await {
            if download.over() {
                self.keep(exchange).await;
            }
        }
        Ok(())
    }

    /// Puts the connection into the pool if it can carry another request.
    async fn keep(&self, exchange: &mut Exchange) {
        if !self.order.keep_alive || !exchange.upload_over() {
            return;
        }
        poll_fn(|cx| {
            exchange.poll(cx, &Deaf);
            Poll::Ready(())
        })
        .await;
        if exchange.closed {
            return;
        }
        if let Some(connection) = exchange.connection.take().filter(|connection| connection.sender.is_ready()) {
            self.pool.put(Key::from(&self.order), connection);
        }
    }
}

/// Whether a connection from the pool is still open.
async fn alive(connection: &mut Connection) -> bool {
    let closed = poll_fn(|cx| Poll::Ready(Pin::new(&mut connection.driver).poll(cx).is_ready())).await;
    !closed && connection.sender.is_ready()
}

/// A sink for what happens when nobody listens any more.
struct Deaf;

impl Sink for Deaf {
    fn events(&self, _events: &mut dyn Iterator<Item = Event>) {}
    fn tick(&self) {}
}
