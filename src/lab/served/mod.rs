//! Peers over bytes: a connection to a peer, answered by its rules, in a Sim over a pipe or on a real socket.
//!
//! HTTP/1 is written here, byte for byte as the reply says, for no server writes interim replies, the order and the case of
//! headers or half a body; HTTP/2 is framed by `h2`.

mod bridge;
mod faulted_attempt;
mod http1;
mod http2;
mod play;
mod stream;

use std::collections::HashMap;
use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::authority::{Authority, Issued};
use super::fault::{Armed, FaultKind, FaultTrigger, Stage, failure};
use super::gate::Gate;
use super::peer::{Handler, Peer};
use crate::net::failure::Injected;
use crate::net::runtime::Boxed;
use crate::sync::Mutex;
use crate::win32::{
    ERROR_WINHTTP_CANNOT_CONNECT, ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_SECURE_FAILURE,
    WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID, WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID,
    WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA, WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR, Win32Error,
};
use h2::Reason;
use stream::accept;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use bridge::what_bytes_meet;
pub use bridge::{BytesMeet, bridge};
pub use faulted_attempt::{FaultedAttempt, reason};
pub use stream::Io;

/// Where peers are served: whose time it is, what goes wrong, and who plays raw connections.
pub trait ServerHost: Send + Sync {
    /// Lets time pass.
    fn sleep(&self, time: Duration) -> Boxed<'static, ()>;
    /// Waits until a gate is open.
    fn gate(&self, gate: &Gate) -> Boxed<'static, ()>;
    /// Lets the client have what was written.
    fn turn(&self) -> Boxed<'static, ()> {
        self.sleep(Duration::from_millis(1))
    }
    /// Runs a task.
    fn spawn(&self, task: Boxed<'static, ()>);
    /// What a stage meets with.
    fn meets(&self, when: &FaultTrigger, peer: &Peer, of_reply: &mut [Armed]) -> Option<FaultKind>;
    /// What would strike there, if anything could.
    fn in_vain(&self, when: &FaultTrigger, peer: &Peer, of_reply: &mut [Armed]) -> Option<FaultKind>;
    /// A certificate for a host, with the faults that these WINHTTP_CALLBACK_STATUS_FLAG_* bits tell of.
    fn certificate(&self, host: &str, faults: u32) -> Issued;
    /// Has a connection played byte by byte; `early` was read already. `meets`: what each piece that is sent meets with.
    fn play(&self, handler: Handler, io: Box<dyn Io>, early: Vec<u8>, meets: BytesMeet);
    /// The server with this name and port, and the host of its certificate, if it speaks TLS.
    fn server(&self, host: &str, port: u16) -> Option<(Peer, Option<String>)>;
    /// How many of so many bytes come at a time.
    fn length(&self, bytes: usize) -> usize;
    /// The code of the RST_STREAM that a client takes for a failure: here one that it takes for a broken stream.
    fn reason(&self, _failure: Injected) -> Reason {
        Reason::INTERNAL_ERROR
    }
    /// Whether a connection can break with any failure.
    fn carries(&self) -> bool {
        false
    }
    /// A fault cannot do what it is for.
    fn complain(&self, what: String);
    /// A fault wants this failure. `error`: what the client will meet with, if a failure cannot be carried to it.
    fn brings(&self, _failure: Injected, _peer: &Peer, _error: Win32Error) {}
}

/// What a connection that breaks is to a client.
pub const CONNECTION: Win32Error = ERROR_WINHTTP_CONNECTION_ERROR;

/// The failure that a fault brings.
pub fn injected(error: Win32Error, secure: u32) -> Injected {
    Injected(failure(error, secure))
}

/// The bits that a certificate can show.
const SHOWN: u32 = WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA
    | WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID
    | WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID;

/// Makes a certificate, once for each host and faults.
pub fn certificate(
    authority: &Authority,
    issued: &mut HashMap<(String, u32), Issued>,
    host: &str,
    faults: u32,
) -> Issued {
    let make = || {
        let stranger = (faults & WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA != 0).then(Authority::new);
        let authority = stranger.as_ref().unwrap_or(authority);
        let name = if faults & WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID != 0 { "other.invalid" } else { host };
        match faults & WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID {
            0 => authority.issue(&[name]),
            _ => authority.issue_expired(&[name]),
        }
    };
    issued.entry((host.to_owned(), faults)).or_insert_with(make).clone()
}

/// A connection comes to a stage before there is anything to read, and goes on behind it if no fault keeps it.
pub async fn stage(place: &dyn ServerHost, stage: Stage, peer: &Peer) -> Result<(), Injected> {
    let met = place.meets(&FaultTrigger::Stage(stage), peer, &mut []);
    obey(place, stage, met).await
}

async fn obey(place: &dyn ServerHost, stage: Stage, met: Option<FaultKind>) -> Result<(), Injected> {
    match met {
        Some(FaultKind::Fail(error, secure)) => return Err(injected(error, secure)),
        Some(FaultKind::Close) => return Err(injected(stage.closed(), 0)),
        Some(FaultKind::Stall) => pending().await,
        Some(FaultKind::Delay(delay)) => place.sleep(delay).await,
        Some(FaultKind::Wait(gate)) => place.gate(&gate).await,
        _ => {}
    }
    Ok(())
}

/// Is ready when a gate is open.
pub fn at_gate(gate: &Gate, request: usize) -> Boxed<'static, ()> {
    let passed: Arc<Mutex<(bool, Option<Waker>)>> = Arc::default();
    let opens = Arc::clone(&passed);
    let open = move || {
        let mut opens = opens.lock();
        opens.0 = true;
        let waker = opens.1.take();
        drop(opens);
        if let Some(waker) = waker {
            waker.wake();
        }
    };
    gate.then(request, Box::new(open));
    Box::pin(poll_fn(move |cx| {
        let mut passed = passed.lock();
        if passed.0 {
            return Poll::Ready(());
        }
        passed.1 = Some(cx.waker().clone());
        Poll::Pending
    }))
}

/// A new connection to a peer; `host`: that of its certificate, if it speaks TLS.
pub async fn receive(place: Arc<dyn ServerHost>, peer: Peer, mut io: impl Io + 'static, host: Option<String>) {
    let Some(host) = host else { return serve(place, peer, Box::new(io), false).await };
    let faults = match place.meets(&FaultTrigger::Stage(Stage::Tls), &peer, &mut []) {
        // What a certificate can show, it shows.
        Some(FaultKind::Fail(ERROR_WINHTTP_SECURE_FAILURE, faults)) if faults != 0 && faults & !SHOWN == 0 => faults,
        met => match obey(&*place, Stage::Tls, met).await {
            Ok(()) => 0,
            Err(with) => return refuse(&*place, &peer, &mut io, with).await,
        },
    };
    let certificate = place.certificate(&host, faults);
    if let Some((io, http2)) = accept(io, &certificate, peer.handler().is_none()).await {
        serve(place, peer, io, http2).await;
    }
}

/// A handshake fails: over a socket by an answer that is no TLS (12175), or because the connection breaks.
async fn refuse(place: &dyn ServerHost, peer: &Peer, io: &mut impl Io, with: Injected) {
    let secure = with.0.error == ERROR_WINHTTP_SECURE_FAILURE;
    let channel = with.0.secure & !WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR == 0;
    place.brings(with, peer, if secure && channel { ERROR_WINHTTP_SECURE_FAILURE } else { CONNECTION });
    if !place.carries() {
        // Whoever has spoken has connected.
        let _ = io.read(&mut [0]).await;
    }
    if secure && !place.carries() {
        let _ = io.write_all(b"this is no TLS").await;
        let _ = io.flush().await;
        return;
    }
    io.reset(Some(with));
}

/// A tunnel that a proxy granted to this server: behind it is the server's own peer.
fn tunnel(place: Arc<dyn ServerHost>, io: Box<dyn Io>, target: &str) -> Boxed<'static, ()> {
    let server = target
        .rsplit_once(':')
        .and_then(|(host, port)| place.server(host.trim_start_matches('[').trim_end_matches(']'), port.parse().ok()?));
    Box::pin(async move {
        let Some((peer, host)) = server else { return io.reset(Some(injected(ERROR_WINHTTP_CANNOT_CONNECT, 0))) };
        match stage(&*place, Stage::Connect, &peer).await {
            Ok(()) => receive(place, peer, io, host).await,
            Err(with) => io.reset(Some(with)),
        }
    })
}

/// Serves one connection until it ends.
async fn serve(place: Arc<dyn ServerHost>, peer: Peer, io: Box<dyn Io>, http2: bool) {
    peer.is_carried();
    match peer.handler() {
        Some(handler) => {
            let meets = what_bytes_meet(&place, &peer, Vec::new());
            place.play(handler, io, Vec::new(), meets);
        }
        None if http2 => http2::serve(place, peer, io).await,
        None => http1::serve(place, peer, io).await,
    }
}
