//! A recorder observes.

use super::{Observer, Returned, TrafficEvent};
use crate::record::{Notification, Recorder};
use crate::win32::Win32Error;

/// It keeps everything, bodies and queries included.
impl Observer for Recorder {
    fn called(&self, function: &'static str, handle: usize) {
        self.call(function, (handle != 0).then_some(handle), "");
    }

    fn given(&self, arguments: &str) {
        Recorder::given(self, arguments);
    }

    fn returned(&self, function: &'static str, _handle: usize, returned: Returned, last_error: Win32Error) {
        returned.record(self, function, last_error);
    }

    fn notified(&self, handle: usize, context: usize, notification: &Notification) {
        Recorder::notified(self, handle, context, notification);
    }

    fn on_traffic(&self, handle: usize, what: &TrafficEvent<'_>) {
        what.traffic(true).into_iter().for_each(|traffic| self.carried(handle, traffic));
    }

    fn note(&self, text: &str) {
        Recorder::note(self, text);
    }
}
