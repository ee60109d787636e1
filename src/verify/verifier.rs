//! The checker of a world, and which stops it is to look for.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::checker::Checker;
use super::stop::{Mistake, Stop};
use crate::dispatch::Watch;

/// See the module.
#[derive(Debug)]
pub(crate) struct Verifier {
    checker: Mutex<Checker>,
    wanted: Mutex<BTreeSet<Stop>>,
    late: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Verifier {
    /// One that looks for these.
    pub fn new(wanted: BTreeSet<Stop>) -> Verifier {
        Verifier { checker: Mutex::default(), wanted: Mutex::new(wanted), late: AtomicBool::new(false) }
    }

    /// This one is not looked for any more.
    #[cfg(feature = "lab")]
    pub fn allow(&self, stop: Stop) {
        lock(&self.wanted).remove(&stop);
    }

    /// Out parameters are written with the completion from now on.
    #[cfg(feature = "lab")]
    pub fn write_late(&self) {
        self.late.store(true, Ordering::Relaxed);
    }

    /// What of the caller's memory is watched.
    pub fn watch(&self) -> Watch {
        let wanted = lock(&self.wanted);
        let buffers = [Stop::ReadBufferTouched, Stop::WriteBufferTouched, Stop::PointerUnreadable];
        Watch { buffers: buffers.iter().any(|stop| wanted.contains(stop)), late: self.late.load(Ordering::Relaxed) }
    }

    /// Lets the checker look at something; answers the mistakes that are looked for.
    pub fn look<M: IntoIterator<Item = Mistake>>(&self, look: impl FnOnce(&mut Checker) -> M) -> Vec<Mistake> {
        let mistakes = look(&mut lock(&self.checker));
        let wanted = lock(&self.wanted);
        mistakes.into_iter().filter(|mistake| wanted.contains(&mistake.stop)).collect()
    }
}

/// The stops that WINHTTP_VERIFY names: `on`, `off`, or ids like `W01,W06`; `unset` if it is not set.
pub(crate) fn from_environment(unset: bool) -> BTreeSet<Stop> {
    let all = |on: bool| Stop::ALL.iter().copied().filter(|_| on).collect();
    let Ok(value) = std::env::var("WINHTTP_VERIFY") else { return all(unset) };
    parse(&value).unwrap_or_else(|unknown| {
        eprintln!("WINHTTP_VERIFY: expected on, off or ids like W01,W06, found {unknown:?}");
        all(unset)
    })
}

fn parse(value: &str) -> Result<BTreeSet<Stop>, &str> {
    match value {
        "on" => Ok(Stop::ALL.iter().copied().collect()),
        "off" => Ok(BTreeSet::new()),
        ids => ids.split(',').map(|id| Stop::from_id(id.trim()).ok_or(id)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_variable() {
        assert_eq!(parse("on").map(|stops| stops.len()), Ok(Stop::ALL.len()));
        assert_eq!(parse("off"), Ok(BTreeSet::new()));
        let two = BTreeSet::from([Stop::ContextFreed, Stop::ReadBufferTouched]);
        assert_eq!(parse("W01, w06"), Ok(two));
        assert_eq!(parse("W01,W99"), Err("W99"));
        assert_eq!(parse(""), Err(""));
    }
}
