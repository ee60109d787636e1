//! What only a web socket's handle does.

use std::sync::Arc;
use std::time::Duration;

use super::commit::Deliver;
use super::driver::sink;
use super::lifetime::Reference;
use super::{BorrowedBuffer, CallOutcome, Driver, Handle, Kind};
use crate::machine::{self, WebSocketSettings};
use crate::record::WebSocketOperation;
use crate::win32::{ERROR_WINHTTP_INCORRECT_HANDLE_STATE, Win32Error};

/// The part of a handle that only a web socket has.
pub(crate) type WebSocket = Driver<machine::WebSocket>;

impl Handle {
    /// Makes a web socket of the connection of this request. It is a child of the request's connection, so that the
    /// request can be closed; it has the request's callback and mask, and HANDLE_CREATED comes through the request
    /// (source ws.request-closed). ERROR_INVALID_HANDLE when another thread has closed the request.
    pub(crate) fn upgrade(self: &Arc<Handle>, context: usize) -> Result<Arc<Handle>, Win32Error> {
        let request = self.as_request()?;
        let parent = self.parent().ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?;
        // HANDLE_CLOSING of the request does not come before HANDLE_CREATED of the socket.
        let _open = Reference::of(self)?;
        let (upgraded, commit) = self.step(request, |machine, now| machine.upgrade(now));
        let handed_over = commit.finish(Deliver::WhenFree).handed_over;
        upgraded?;
        let attempt = handed_over.ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?;
        let socket = Driver::new(machine::WebSocket::new(self.world.clock.now(), self.world.entropy.random()));
        socket.carry(Arc::clone(&attempt));
        let child = parent
            .child_with(Kind::WebSocket(Box::new(socket)), context, self.listener())
            .inspect_err(|_| attempt.release())?;
        let read_ahead = request.with(|machine| machine.config.settings.web_socket_receive_buffer) as usize;
        attempt.upgrade(sink(&child, 0), read_ahead);
        child.step(child.as_web_socket()?, |_, _| {}).1.deliver(Deliver::WhenFree);
        child.register();
        self.tell_created(&child);
        Ok(child)
    }

    /// Changes the options of this web socket.
    pub(crate) fn set_web_socket(self: &Arc<Handle>, settings: WebSocketSettings) -> Result<(), Win32Error> {
        self.step(self.as_web_socket()?, |machine, now| machine.set(now, settings)).1.deliver(Deliver::WhenFree);
        Ok(())
    }

    /// A call of the application on this web socket.
    pub(crate) fn call_web_socket(
        self: &Arc<Handle>,
        operation: WebSocketOperation,
        lent: BorrowedBuffer,
        take: impl FnOnce(&mut machine::WebSocket, Duration) -> Result<(), Win32Error>,
    ) -> Result<CallOutcome, Win32Error> {
        self.drive(self.as_web_socket()?, operation.into(), lent, take)
    }
}
