//! The fault points that a run passes: what `torture` counts, and lets fail one by one.

use std::collections::BTreeMap;

use super::fault::{FaultKind, FaultTrigger};
use crate::record::Operation;
use crate::win32::{ERROR_NOT_ENOUGH_MEMORY, Win32Error};

/// A point that a run has passed: `ReadData#2 -> 12030`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    name: String,
    error: Win32Error,
}

impl std::fmt::Display for Passed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} -> {}", self.name, self.error.0)
    }
}

/// Counts the points of a run; the one whose number is given, from 0, fails.
#[derive(Debug, Default)]
pub struct Points {
    fails: Option<usize>,
    passed: Vec<Passed>,
    named: BTreeMap<String, usize>,
}

impl Points {
    pub fn new(fails: Option<usize>) -> Points {
        Points { fails, ..Points::default() }
    }

    pub fn passed(&self) -> &[Passed] {
        &self.passed
    }

    /// Whether a point was made to fail.
    pub fn failed(&self) -> bool {
        self.fails.is_some_and(|fails| fails < self.passed.len())
    }

    fn pass(&mut self, name: &str, error: Win32Error) -> bool {
        let count = self.named.entry(name.to_owned()).or_default();
        *count += 1;
        self.passed.push(Passed { name: format!("{name}#{count}"), error });
        self.fails == Some(self.passed.len() - 1)
    }

    /// A stage of a request.
    pub fn stage(&mut self, when: &FaultTrigger) -> Option<FaultKind> {
        let FaultTrigger::Stage(stage) = when else { return None };
        let error = stage.error();
        self.pass(&format!("{stage:?}"), error).then_some(FaultKind::Fail(error, 0))
    }

    /// A call that may fail before it has looked at anything. Closing a handle cannot.
    pub fn call(&mut self, function: &str) -> Option<FaultKind> {
        let may = function != "WinHttpCloseHandle";
        let error = ERROR_NOT_ENOUGH_MEMORY;
        (may && self.pass(function, error)).then_some(FaultKind::Refuse(error))
    }

    /// A call that may fail after it has bound its context.
    pub fn bound(&mut self, operation: Operation) -> Option<Win32Error> {
        let sends = operation == Operation::from(crate::record::Api::SEND_REQUEST);
        let error = ERROR_NOT_ENOUGH_MEMORY;
        (sends && self.pass("WinHttpSendRequest with its context bound", error)).then_some(error)
    }
}
