//! WINHTTP_VERIFY: mistakes of any program, without a line of code.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use super::{Level, Mistake, Verifier, from_environment};
use crate::observe::{Observer, Returned};
use crate::record::{Notification, Recorder};
use crate::sync::Mutex;
use crate::win32::Win32Error;

/// What is shown of what happened before a mistake.
const EVENTS: usize = 30;

/// The last events.
struct LastEvents(Recorder);

impl Observer for LastEvents {
    fn called(&self, function: &'static str, handle: usize) {
        self.0.call(function, (handle != 0).then_some(handle), "");
    }

    fn returned(&self, function: &'static str, _handle: usize, returned: Returned, last_error: Win32Error) {
        returned.record(&self.0, function, last_error);
        self.0.keep_last(EVENTS);
    }

    fn notified(&self, handle: usize, context: usize, notification: &Notification) {
        self.0.notified(handle, context, notification);
    }
}

/// Observers that look for the mistakes that the environment names, and write them to stderr; none if it names none. A
/// mistake that is made again and again is told of once.
pub(crate) fn observers(began: Instant) -> Vec<Arc<dyn Observer>> {
    let wanted = from_environment(false);
    if wanted.is_empty() {
        return Vec::new();
    }
    let last = Arc::new(LastEvents(Recorder::new(Box::new(move || began.elapsed()))));
    let (events, told) = (Arc::clone(&last), Mutex::new(BTreeSet::new()));
    let found = move |mistake: Mistake| {
        let mut told = told.lock();
        if told.insert(format!("{} {}", mistake.stop, mistake.what)) {
            report(&mistake, &events.0);
        }
    };
    let verifier = Verifier::new(wanted, Box::new(move || began.elapsed()), Box::new(found));
    vec![last, Arc::new(verifier)]
}

fn report(mistake: &Mistake, events: &Recorder) {
    let line = mistake.show(&events.names(|names| names.handle(mistake.handle)));
    let mut report = format!("{line}\n  how to fix it: {}\n", mistake.stop.fix());
    if mistake.level > Level::Note {
        report += &events.finish().to_table();
    }
    // Nobody may listen any more.
    let _ = std::io::stderr().write_all(report.as_bytes());
}
