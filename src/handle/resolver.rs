//! What only a proxy resolver's handle does.

use std::sync::Arc;

use super::{BorrowedBuffer, CallOutcome, Driver, Handle, Kind, Listener};
use crate::http::proxy::Choice;
use crate::machine::resolver::Query;
use crate::machine::{self, Timeouts};
use crate::record::Api;
use crate::win32::{ERROR_WINHTTP_INCORRECT_HANDLE_TYPE, ERROR_WINHTTP_INTERNAL_ERROR, Win32Error};

/// The part of a handle that only a resolver has.
pub(crate) type Resolver = Driver<machine::Resolver>;

impl Handle {
    /// Makes a resolver of this asynchronous session. No HANDLE_CREATED is told of it (source resolver.one).
    pub(crate) fn resolver(self: &Arc<Handle>) -> Result<Arc<Handle>, Win32Error> {
        let timeouts = self.timeouts()?;
        if !self.asynchronous {
            return Err(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        }
        self.resolver_with(self.listener(), true, timeouts)
    }

    fn timeouts(&self) -> Result<Timeouts, Win32Error> {
        Ok(self.as_session()?.settings.lock().timeouts)
    }

    fn resolver_with(
        self: &Arc<Handle>,
        listener: Listener,
        asynchronous: bool,
        timeouts: Timeouts,
    ) -> Result<Arc<Handle>, Win32Error> {
        let machine = machine::Resolver::new(timeouts, 0);
        let kind = Kind::Resolver(Box::new(Driver::new(machine)));
        let child = self.child_of_mode(kind, self.context(), listener, asynchronous)?;
        child.register();
        Ok(child)
    }

    /// Finds the routes for a query and waits for them: WinHttpGetProxyForUrl. Works on a resolver that nobody else sees.
    pub(crate) fn find_and_wait(self: &Arc<Handle>, query: Query) -> Result<Choice, Win32Error> {
        let timeouts = self.timeouts()?;
        let resolver = self.resolver_with(Listener::default(), false, timeouts)?;
        let found =
            resolver.find_proxy(query).and_then(|called| called.outcome.unwrap_or(Err(ERROR_WINHTTP_INTERNAL_ERROR)));
        let choice = resolver.as_resolver().and_then(|driver| driver.with(|machine| machine.answer().cloned()));
        Handle::close(resolver.value())?;
        found?;
        choice
    }

    /// WinHttpGetProxyForUrlEx
    pub(crate) fn find_proxy(self: &Arc<Handle>, query: Query) -> Result<CallOutcome, Win32Error> {
        let operation = Api::GET_PROXY_FOR_URL.into();
        self.drive(self.as_resolver()?, operation, BorrowedBuffer::default(), |machine, now| machine.find(now, query))
    }

    /// WinHttpGetProxySettingsEx
    pub(crate) fn read_proxy_settings(self: &Arc<Handle>) -> Result<CallOutcome, Win32Error> {
        let operation = Api::GET_PROXY_SETTINGS.into();
        self.drive(self.as_resolver()?, operation, BorrowedBuffer::default(), |machine, now| machine.read_settings(now))
    }
}

/// What decided the last answer of a resolver: for tools that show it. `None` for a value that is no resolver, or has no
/// answer.
pub fn decided(resolver: usize) -> Option<Choice> {
    Handle::find(resolver).ok()?.as_resolver().ok()?.with(|machine| machine.answer().ok().cloned())
}
