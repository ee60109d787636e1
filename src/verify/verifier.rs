//! The checker of a world as an observer, and which stops it is to look for.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::checker::Checker;
use super::stop::{Mistake, Stop};
use crate::observe::{CheckEvent, Observer, Returned, Watch};
use crate::record::Notification;
use crate::sync::Mutex;
use crate::variables;
use crate::win32::Win32Error;

/// The time of the world.
type Clock = Box<dyn Fn() -> Duration + Send + Sync>;
/// What is done with a mistake that is looked for.
type Found = Box<dyn Fn(Mistake) + Send + Sync>;

/// See the module.
pub(crate) struct Verifier {
    checker: Mutex<Checker>,
    wanted: Mutex<BTreeSet<Stop>>,
    late: AtomicBool,
    now: Clock,
    found: Found,
}

impl Verifier {
    /// One that looks for these.
    pub fn new(wanted: BTreeSet<Stop>, now: Clock, found: Found) -> Verifier {
        let (checker, wanted, late) = (Mutex::default(), Mutex::new(wanted), AtomicBool::new(false));
        Verifier { checker, wanted, late, now, found }
    }

    /// This one is not looked for any more.
    #[cfg(feature = "lab")]
    pub fn allow(&self, stop: Stop) {
        self.wanted.lock().remove(&stop);
    }

    /// Whether a callback of a handle would touch a context that was freed, where that is looked for.
    #[cfg(feature = "lab")]
    pub fn has_freed_context(&self, handle: usize) -> bool {
        let stop = self.checker.lock().has_freed_context(handle);
        stop.is_some_and(|stop| self.wanted.lock().contains(&stop))
    }

    /// Out parameters are written with the completion from now on.
    #[cfg(feature = "lab")]
    pub fn write_late(&self) {
        self.late.store(true, Ordering::Relaxed);
    }

    /// Lets the checker look at something; answers the mistakes that are looked for.
    pub fn look<M: IntoIterator<Item = Mistake>>(&self, look: impl FnOnce(&mut Checker) -> M) -> Vec<Mistake> {
        let mistakes = look(&mut self.checker.lock());
        let wanted = self.wanted.lock();
        mistakes.into_iter().filter(|mistake| wanted.contains(&mistake.stop)).collect()
    }
}

impl Verifier {
    fn report<M: IntoIterator<Item = Mistake>>(&self, look: impl FnOnce(&mut Checker) -> M) {
        self.look(look).into_iter().for_each(|mistake| (self.found)(mistake));
    }
}

impl Observer for Verifier {
    fn called(&self, function: &'static str, handle: usize) {
        self.report(|checker| checker.called(function, handle));
    }

    fn returned(&self, function: &'static str, handle: usize, returned: Returned, last_error: Win32Error) {
        self.report(|checker| checker.returned(function, handle, returned, last_error));
    }

    fn notified(&self, handle: usize, context: usize, notification: &Notification) {
        let now = (self.now)();
        self.report(|checker| checker.notified(now, handle, context, notification));
    }

    fn delivered(&self, _handle: usize) {
        let now = (self.now)();
        self.report(|checker| checker.delivered(now));
    }

    fn check(&self, handle: usize, event: &CheckEvent) {
        self.report(|checker| checker.check(handle, event));
    }

    /// What is left open?
    fn ended(&self) {
        self.report(|checker| checker.ended());
    }

    fn watch(&self) -> Watch {
        let wanted = self.wanted.lock();
        let buffers = [Stop::ReadBufferTouched, Stop::WriteBufferTouched, Stop::PointerUnreadable];
        Watch { buffers: buffers.iter().any(|stop| wanted.contains(stop)), late: self.late.load(Ordering::Relaxed) }
    }
}

/// The stops that WINHTTP_VERIFY names: `on`, `off`, or ids like `W01,W06`; `unset` if it is not set.
pub(crate) fn from_environment(unset: bool) -> BTreeSet<Stop> {
    let all = |on: bool| -> BTreeSet<Stop> { Stop::ALL.iter().copied().filter(|_| on).collect() };
    let assumed = (if unset { "on" } else { "off" }, all(unset));
    variables::read_or("WINHTTP_VERIFY", "on, off or ids like W01,W06", assumed, parse).unwrap_or_else(|| all(unset))
}

fn parse(value: &str) -> Option<BTreeSet<Stop>> {
    match value {
        "on" => Some(Stop::ALL.iter().copied().collect()),
        "off" => Some(BTreeSet::new()),
        ids => ids.split(',').map(|id| Stop::from_id(id.trim())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_variable() {
        assert_eq!(parse("on").map(|stops| stops.len()), Some(Stop::ALL.len()));
        assert_eq!(parse("off"), Some(BTreeSet::new()));
        let two = BTreeSet::from([Stop::ContextFreed, Stop::ReadBufferTouched]);
        assert_eq!(parse("W01, w06"), Some(two));
        assert_eq!(parse("W01,W99"), None);
    }
}
