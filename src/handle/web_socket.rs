//! What only a web socket's handle does.

use std::sync::Arc;
use std::time::Duration;

use super::driver::sink;
use super::{BorrowedBuffer, CallOutcome, Driver, Handle, Kind};
use crate::machine::{self, WebSocketSettings};
use crate::record::{Notification, WebSocketOperation};
use crate::win32::{ERROR_WINHTTP_INCORRECT_HANDLE_STATE, Win32Error};

/// The part of a handle that only a web socket has.
pub(crate) type WebSocket = Driver<machine::WebSocket>;

impl Handle {
    /// Makes a web socket of the connection of this request. It is a child of the request's connection, so that the
    /// request can be closed; it has the request's callback and mask, and HANDLE_CREATED comes through the request
    /// (source ws.request-closed).
    pub(crate) fn upgrade(self: &Arc<Handle>, context: usize) -> Result<Arc<Handle>, Win32Error> {
        let request = self.as_request()?;
        let parent = self.parent().ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?;
        let (upgraded, stepped) = self.step(request, |machine, now| machine.upgrade(now));
        upgraded?;
        let leg = stepped.handed_over.ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?;
        let socket = Driver::new(machine::WebSocket::new(self.world.now(), self.world.random()));
        let child = parent.child_with(Kind::WebSocket(Box::new(socket)), context, self.listener());
        let read_ahead = request.with(|machine| machine.settings.web_socket_receive_buffer) as usize;
        if let Ok(socket) = child.as_web_socket() {
            socket.carry(Arc::clone(&leg));
            child.step(socket, |_, _| {});
        }
        self.notify(&Notification::HandleCreated { handle: child.value });
        leg.upgrade(sink(&child, 0), read_ahead);
        child.register();
        Ok(child)
    }

    /// Changes the options of this web socket.
    pub(crate) fn set_web_socket(self: &Arc<Handle>, settings: WebSocketSettings) -> Result<(), Win32Error> {
        self.step(self.as_web_socket()?, |machine, now| machine.set(now, settings));
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
