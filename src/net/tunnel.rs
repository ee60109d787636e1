//! A tunnel through an HTTP proxy: CONNECT is an exchange like any other, until the proxy agrees.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;

use super::attempt::{AttemptTask, Interruption};
use super::connect::{self, Connection, Dialed};
use super::exchange::Exchange;
use super::http1::Http1;
use super::stream::Stream;
use crate::connection::{ConnectionId, drained_at_most};
use crate::http::{RequestHead, RequestKind};
use crate::transport::{Event, Failure, Route, Sink, TransportRequest, Via};
use crate::win32::{ERROR_WINHTTP_INTERNAL_ERROR, ERROR_WINHTTP_INVALID_SERVER_RESPONSE};

/// What became of one CONNECT.
enum ConnectAnswer {
    Open(Stream),
    /// The machine wants to ask again; on the same connection, if there is one.
    Again(RequestHead, Option<Box<Connection>>),
}

impl AttemptTask {
    /// Asks until the tunnel stands; else the proxy's answer is told in place of a reply.
    pub(super) async fn tunnel(
        &mut self,
        via: &Via,
        mut head: RequestHead,
        id: ConnectionId,
    ) -> Result<Dialed, Interruption> {
        let mut idle = None;
        loop {
            let connection = match idle.take() {
                Some(connection) => connection,
                None => self.reach(via, id).await?,
            };
            let (peer, entry) = (connection.peer, Arc::clone(&connection.entry));
            match self.ask(connection, head).await? {
                ConnectAnswer::Open(stream) => return Ok(Dialed { stream, peer, entry }),
                ConnectAnswer::Again(next, connection) => (head, idle) = (next, connection),
            }
        }
    }

    /// A connection to the proxy.
    async fn reach(&mut self, via: &Via, id: ConnectionId) -> Result<Box<Connection>, Interruption> {
        let (net, started, sink) = (Arc::clone(&self.net), Arc::clone(&self.started), Arc::clone(&self.sink));
        let reach = async {
            let mut dialed = connect::dial(&net, &started.request, id, &*sink, Some(&started.mailbox)).await?;
            dialed.stream = connect::secure_proxy(&net, dialed.stream, via, &*sink).await?;
            connect::speak_http1(dialed, None).await
        };
        Ok(Box::new(self.attended(reach).await??))
    }

    async fn ask(&mut self, connection: Box<Connection>, head: RequestHead) -> Result<ConnectAnswer, Interruption> {
        let started = Arc::clone(&self.started);
        let mailbox = &started.mailbox;
        let request = asking(&self.started.request, head);
        let mut exchange = Http1::new(connection, &request, mailbox);
        self.sink.event(Event::TunnelReady(exchange.peer()));
        self.proceeded().await?;
        mailbox.lock().proceed = false;
        exchange.begin();
        let sink = TunnelSink(Arc::clone(&self.sink));
        let (head, received) = poll_fn(|cx| match self.poll_mailbox(cx) {
            Poll::Ready(stop) => Poll::Ready(Err(stop)),
            Poll::Pending => exchange.poll_head(cx, &sink).map_err(Interruption::Failed),
        })
        .await?;
        let stands = RequestKind::Connect.is_tunnel(head.status);
        self.sink.event(Event::TunnelReply { head: head.clone(), received });
        if stands {
            let connection = exchange.into_connection().ok_or(Failure::from(ERROR_WINHTTP_INTERNAL_ERROR))?;
            // Whoever speaks before it was spoken to is no TLS server behind a tunnel.
            let stream = connection.into_stream().ok_or(Failure::from(ERROR_WINHTTP_INVALID_SERVER_RESPONSE))?;
            return Ok(ConnectAnswer::Open(stream));
        }
        match self.verdict().await? {
            Some(next) => {
                let idle = self.drained(&mut exchange).await?;
                Ok(ConnectAnswer::Again(next, if idle { exchange.into_idle() } else { None }))
            }
            None => {
                // The refusal is the reply; what the application writes goes nowhere.
                self.sink.event(Event::Sent(0));
                exchange.swallow(started.request.more);
                self.reply(&mut exchange, head, received).await?;
                Err(Interruption::Told)
            }
        }
    }

    /// What the machine makes of a refusal.
    async fn verdict(&mut self) -> Result<Option<RequestHead>, Interruption> {
        poll_fn(|cx| match self.poll_mailbox(cx) {
            Poll::Ready(stop) => Poll::Ready(Err(stop)),
            Poll::Pending => {
                self.started.mailbox.lock().tunnel.take().map_or(Poll::Pending, |said| Poll::Ready(Ok(said)))
            }
        })
        .await
    }

    /// Reads the rest of a refusal, within bounds; whether that was all of it.
    async fn drained(&mut self, exchange: &mut Http1<'_>) -> Result<bool, Interruption> {
        let mut left = drained_at_most(self.started.request.drain_limit);
        while !exchange.over() {
            let piece = poll_fn(|cx| match self.poll_mailbox(cx) {
                Poll::Ready(stop) => Poll::Ready(Err(stop)),
                Poll::Pending => exchange.poll_piece(cx, usize::MAX, &TunnelSink(Arc::clone(&self.sink))).map(Ok),
            });
            match piece.await? {
                Ok(piece) if piece.bytes.len() <= left => left -= piece.bytes.len(),
                // Then on another connection.
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// The request of a CONNECT.
fn asking(request: &TransportRequest, head: RequestHead) -> TransportRequest {
    TransportRequest {
        head,
        body: Bytes::new(),
        more: false,
        chunked: false,
        keep_alive: false,
        route: Route::Direct,
        tls: None,
        http2: None,
        ..request.clone()
    }
}

/// Tells what happens to a CONNECT.
struct TunnelSink(Arc<dyn Sink>);

impl Sink for TunnelSink {
    fn events(&self, events: &mut dyn Iterator<Item = Event>) {
        self.0.events(&mut events.map(|event| match event {
            Event::Sent(bytes) => Event::TunnelSent(bytes),
            other => other,
        }));
    }

    fn tick(&self) {
        self.0.tick();
    }
}
