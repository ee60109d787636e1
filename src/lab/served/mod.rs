//! Peers over bytes: a connection to a peer, answered by its rules, in a Sim over a pipe or on a real socket.
//!
//! HTTP/1 is written here, byte for byte as the reply says, for no server writes interim replies, the order and the case of
//! headers or half a body; HTTP/2 is framed by `h2`.

mod bridge;
mod http1;
mod http2;
mod play;
mod stream;

use std::collections::HashMap;
use std::future::{pending, poll_fn};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use super::authority::{Authority, Issued};
use super::fault::{Armed, FaultKind, FaultTrigger, Stage};
use super::gate::Gate;
use super::peer::{Handler, Peer};
use crate::net::runtime::Boxed;
use crate::win32::{
    ERROR_WINHTTP_SECURE_FAILURE, WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID,
    WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID, WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA,
};
use stream::accept;

pub use bridge::bridge;
pub use stream::Io;

/// Where peers are served: whose time it is, what goes wrong, and who plays raw connections.
pub trait Place: Send + Sync {
    /// Lets time pass.
    fn sleep(&self, time: Duration) -> Boxed<'static, ()>;
    /// Waits until a gate is open.
    fn gate(&self, gate: &Gate) -> Boxed<'static, ()>;
    /// Runs a task.
    fn spawn(&self, task: Boxed<'static, ()>);
    /// What a stage meets with.
    fn meets(&self, when: &FaultTrigger, peer: &Peer, of_reply: &mut [Armed]) -> Option<FaultKind>;
    /// A certificate for a host, with the faults that these WINHTTP_CALLBACK_STATUS_FLAG_* bits tell of.
    fn certificate(&self, host: &str, faults: u32) -> Issued;
    /// Has a connection played byte by byte; `early` was read already.
    fn play(&self, handler: Handler, io: Box<dyn Io>, early: Vec<u8>);
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

/// A connection comes to a stage before there is anything to read, and goes on behind it if no fault keeps it: an error
/// has Windows' number. What is left for TLS is answered.
pub async fn stage(place: &dyn Place, stage: Stage, peer: &Peer) -> io::Result<u32> {
    match place.meets(&FaultTrigger::Stage(stage), peer, &mut []) {
        Some(FaultKind::Fail(ERROR_WINHTTP_SECURE_FAILURE, secure)) if stage == Stage::Tls => return Ok(secure),
        Some(FaultKind::Fail(error, _)) => return Err(io::Error::other(error)),
        Some(FaultKind::Close) => return Err(io::Error::other(stage.error())),
        Some(FaultKind::Stall) => pending().await,
        Some(FaultKind::Delay(delay)) => place.sleep(delay).await,
        Some(FaultKind::Wait(gate)) => place.gate(&gate).await,
        _ => {}
    }
    Ok(0)
}

/// Is ready when a gate is open.
pub fn at_gate(gate: &Gate, request: usize) -> Boxed<'static, ()> {
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
    gate.then(request, Box::new(open));
    Box::pin(poll_fn(move |cx| {
        let mut passed = passed.lock().unwrap_or_else(PoisonError::into_inner);
        if passed.0 {
            return Poll::Ready(());
        }
        passed.1 = Some(cx.waker().clone());
        Poll::Pending
    }))
}

/// A new connection to a peer; `host`: that of its certificate, if it speaks TLS.
pub async fn receive(place: Arc<dyn Place>, peer: Peer, io: impl Io + 'static, host: Option<String>) {
    let Some(host) = host else { return serve(place, peer, Box::new(io), false).await };
    let faults = stage(&*place, Stage::Tls, &peer).await.ok();
    // What no certificate can show is a server that breaks off.
    let Some(faults) = faults.filter(|faults| faults & !SHOWN == 0) else { return io.reset() };
    let certificate = place.certificate(&host, faults);
    if let Some((io, http2)) = accept(io, &certificate, peer.handler().is_none()).await {
        serve(place, peer, io, http2).await;
    }
}

/// Serves one connection until it ends.
async fn serve(place: Arc<dyn Place>, peer: Peer, io: Box<dyn Io>, http2: bool) {
    match peer.handler() {
        Some(handler) => place.play(handler, io, Vec::new()),
        None if http2 => http2::serve(place, peer, io).await,
        None => http1::serve(place, peer, io).await,
    }
}
