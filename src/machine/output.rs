//! What machines and those who drive them tell each other.

use std::time::Duration;

use bytes::Bytes;

use super::resolver::{TaskResult, WorkerTask};
use crate::http::RequestHead;
use crate::record::{Notification, Operation};
use crate::transport::{Event, TransportRequest};
use crate::win32::{CallerBuf, Win32Error};

/// What must be done, in this order, by whoever drives a machine.
#[derive(Debug)]
pub enum Output {
    /// Notify the application.
    Notify(Notification),
    /// The pending operation ended: its completion, or its error.
    End(Operation, Result<Notification, Win32Error>),
    /// Call [`Request::proceed`](super::Request::proceed) with this number when the callbacks before it have returned.
    ThenProceed(u64),
    /// Call [`Request::redirect_delivered`](super::Request::redirect_delivered) when the callbacks before it have returned.
    ThenFollowRedirect,
    /// Give the request to the transport; its events come back with this number.
    Start(u64, Box<TransportRequest>),
    /// Have this done by a worker; what it brings back goes to [`Machine::task_finished`] with this number.
    WorkerTask(u64, WorkerTask),
    /// To the running attempt: the head may go out.
    Proceed,
    /// To the running attempt: what follows after a refused CONNECT.
    Tunnel(Option<RequestHead>),
    /// To the running attempt: body bytes.
    Write(Bytes),
    /// To the running attempt: the body is complete.
    Finish,
    /// To the running attempt: the next address.
    NextAddress,
    /// To the running attempt: so many bytes were taken.
    Taken(usize),
    /// Drop the running attempt.
    Abandon,
    /// The read that this watched buffer was lent to has ended.
    GiveBack(CallerBuf),
    /// The running attempt becomes that of a web socket.
    HandOver,
    /// Something happened that the table of the machine has no answer to, in words: a mistake in the table.
    Impossible(String),
}

/// What all machines have in common: everything that happens to them without a call of the application.
pub trait Machine: Send {
    /// Where what is to be done is gathered, oldest first.
    fn gathered(&mut self) -> &mut Vec<Output>;
    /// What is to be done, oldest first. Must be called after every other method.
    fn outputs(&mut self) -> std::vec::Drain<'_, Output> {
        self.gathered().drain(..)
    }
    /// When [`Machine::tick`] wants to be called.
    fn deadline(&self) -> Option<Duration>;
    /// Whether nobody waits for that: it is only time to show that one is still there.
    fn idles(&self) -> bool {
        false
    }
    /// Whether an operation is pending.
    fn pending(&self) -> bool;
    /// Whether one is pending on each side, so that closing ends two.
    fn both_pending(&self) -> bool {
        false
    }
    /// The pending operation that `operation` would have to wait for.
    fn busy(&self, _operation: Operation) -> Option<Operation> {
        None
    }
    /// A header with a secret of the application that a redirect took to another origin.
    fn carried_away(&mut self) -> Option<&'static str> {
        None
    }
    /// The transport reports of attempt number `attempt`.
    fn event(&mut self, now: Duration, attempt: u64, event: Event);
    /// The time may have come that [`Machine::deadline`] named.
    fn tick(&mut self, now: Duration);
    /// A worker is done with task `number`.
    fn task_finished(&mut self, _now: Duration, _number: u64, _report: TaskResult) {}
    /// The session was closed. `write_first`: of two pending operations, that of the write side ends first.
    fn cancel(&mut self, now: Duration, write_first: bool);
    /// WinHttpCloseHandle, with `write_first` as for [`Machine::cancel`].
    fn close(&mut self, now: Duration, write_first: bool);
}
