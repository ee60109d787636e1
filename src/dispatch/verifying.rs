//! WINHTTP_VERIFY: mistakes of any program, without a line of code.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{CheckEvent, Observing, Returned, Watch, observe};
use crate::record::{Notification, Recorder};
use crate::verify::{Level, Mistake, Verifier, from_environment};
use crate::win32::Win32Error;

/// What is shown of what happened before a mistake.
const EVENTS: usize = 30;

/// Looks for mistakes, and writes them to stderr.
pub struct Verifying {
    verifier: Verifier,
    recorder: Recorder,
    began: Instant,
    /// What was written: a mistake that is made again and again is told of once.
    told: Mutex<BTreeSet<String>>,
    _observing: Observing,
}

impl Verifying {
    /// If the environment asks for it.
    pub fn from_environment(began: Instant) -> Option<Verifying> {
        let wanted = from_environment(false);
        (!wanted.is_empty()).then(|| Verifying {
            verifier: Verifier::new(wanted),
            recorder: Recorder::new(Box::new(move || began.elapsed())),
            began,
            told: Mutex::default(),
            _observing: observe(),
        })
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub fn watch(&self) -> Watch {
        self.verifier.watch()
    }

    pub fn called(&self, function: &'static str, handle: usize) {
        self.recorder.call(function, (handle != 0).then_some(handle), "");
        self.report(self.verifier.look(|checker| checker.called(function, handle)));
    }

    pub fn returned(&self, function: &'static str, handle: usize, returned: Returned, last_error: Win32Error) {
        self.report(self.verifier.look(|checker| checker.returned(function, handle, returned, last_error)));
        returned.record(&self.recorder, function, last_error);
        self.recorder.keep_last(EVENTS);
    }

    pub fn notified(&self, handle: usize, context: usize, notification: &Notification) {
        self.recorder.notified(handle, context, notification);
        let now = self.now();
        self.report(self.verifier.look(|checker| checker.notified(now, handle, context, notification)));
    }

    pub fn delivered(&self) {
        let now = self.now();
        self.report(self.verifier.look(|checker| checker.delivered(now)));
    }

    pub fn check(&self, handle: usize, event: &CheckEvent) {
        self.report(self.verifier.look(|checker| checker.check(handle, event)));
    }

    /// The process ends: what is left open?
    pub fn ended(&self) {
        self.report(self.verifier.look(|checker| checker.ended()));
    }

    fn report(&self, mistakes: Vec<Mistake>) {
        for mistake in mistakes {
            let line = mistake.show(&self.recorder.names(|names| names.handle(mistake.handle)));
            let mut told = self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if told.insert(format!("{} {}", mistake.stop, mistake.what)) {
                let mut report = format!("{line}\n  how to fix it: {}\n", mistake.stop.fix());
                if mistake.level > Level::Note {
                    report += &self.recorder.finish().to_table();
                }
                // Nobody may listen any more.
                let _ = std::io::stderr().write_all(report.as_bytes());
            }
        }
    }
}
