//! The fault points that a run passes: the explorer lets them fail one by one.

use std::collections::BTreeMap;

use super::fault::{FaultKind, FaultTrigger, Stage};
use crate::record::Operation;
use crate::win32::{ERROR_NOT_ENOUGH_MEMORY, ERROR_WINHTTP_RESEND_REQUEST, Win32Error};

/// A point that a run has passed: `ReadData#2 -> 12030`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    name: String,
    error: Win32Error,
}

impl Passed {
    /// Whether it is a call of this function.
    pub fn is_call(&self, function: &str) -> bool {
        self.name.split('#').next() == Some(function)
    }
}

impl std::fmt::Display for Passed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} -> {}", self.name, self.error.0)
    }
}

/// Counts the points of a run at which something can fail, and asks at each whether it does.
#[derive(Debug, Default)]
pub struct Points {
    /// How many may still fail.
    left: u32,
    passed: Vec<Passed>,
    failed: Vec<Passed>,
    named: BTreeMap<String, usize>,
}

/// Whether a fault that may strike does.
pub type May<'a> = &'a mut dyn FnMut(&str) -> bool;

impl Points {
    pub fn new(left: u32) -> Points {
        Points { left, ..Points::default() }
    }

    pub fn passed(&self) -> &[Passed] {
        &self.passed
    }

    /// The points that were made to fail.
    pub fn struck(&self) -> &[Passed] {
        &self.failed
    }

    /// Whether a point was made to fail.
    pub fn failed(&self) -> bool {
        !self.failed.is_empty()
    }

    fn pass(&mut self, name: &str, error: Win32Error, may: May<'_>) -> bool {
        let count = self.named.entry(name.to_owned()).or_default();
        *count += 1;
        let passed = Passed { name: format!("{name}#{count}"), error };
        let fails = self.left > 0 && may(&format!("{}={}", passed.name, error.0));
        if fails {
            self.left -= 1;
            self.failed.push(passed.clone());
        }
        self.passed.push(passed);
        fails
    }

    /// A stage of a request. A server, or a proxy, may also ask for the whole request once more (12032).
    pub fn stage(&mut self, when: &FaultTrigger, may: May<'_>) -> Option<FaultKind> {
        let FaultTrigger::Stage(stage) = when else { return None };
        let again = (*stage == Stage::Head).then_some(ERROR_WINHTTP_RESEND_REQUEST);
        let errors = [Some(stage.error()), again];
        let error = errors.into_iter().flatten().find(|error| self.pass(&format!("{stage:?}"), *error, may));
        error.map(|error| FaultKind::Fail(error, 0))
    }

    /// A call that may fail before it has looked at anything. Closing a handle cannot.
    pub fn call(&mut self, function: &str, may: May<'_>) -> Option<FaultKind> {
        let fails = function != "WinHttpCloseHandle";
        let error = ERROR_NOT_ENOUGH_MEMORY;
        (fails && self.pass(function, error, may)).then_some(FaultKind::Refuse(error))
    }

    /// A call that may fail after it has bound its context.
    pub fn bound(&mut self, operation: Operation, may: May<'_>) -> Option<Win32Error> {
        let sends = operation == Operation::from(crate::record::Api::SEND_REQUEST);
        let error = ERROR_NOT_ENOUGH_MEMORY;
        (sends && self.pass("WinHttpSendRequest with its context bound", error, may)).then_some(error)
    }
}
