//! What only a request's handle does.

use std::sync::Arc;
use std::time::Duration;

use super::commit::Deliver;
use super::{BorrowedBuffer, CallOutcome, Driver, Handle};
use crate::machine;
use crate::record::Api;
use crate::win32::Win32Error;

/// The part of a handle that only a request has.
pub(crate) type Request = Driver<machine::Request>;

impl Handle {
    /// A call of the application on this request, with the memory of the caller that is watched meanwhile.
    pub(crate) fn call(
        self: &Arc<Handle>,
        api: Api,
        lent: BorrowedBuffer,
        take: impl FnOnce(&mut machine::Request, Duration) -> Result<(), Win32Error>,
    ) -> Result<CallOutcome, Win32Error> {
        self.drive(self.as_request()?, api.into(), lent, take)
    }

    /// SENDING_REQUEST of attempt number `attempt` was delivered.
    pub(super) fn proceed(self: &Arc<Handle>, attempt: u64) {
        if let Ok(request) = self.as_request() {
            self.step(request, |machine, now| machine.proceed(now, attempt)).1.deliver(Deliver::Holder);
        }
    }

    /// REDIRECT was delivered.
    pub(super) fn follow_redirect(self: &Arc<Handle>) {
        if let Ok(request) = self.as_request() {
            self.step(request, |machine, now| machine.redirect_delivered(now)).1.deliver(Deliver::Holder);
        }
    }
}
