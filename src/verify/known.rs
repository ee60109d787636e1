//! What is known of a handle.

use std::collections::BTreeSet;

use super::stop::Stop;
use crate::record::{Api, Notification, Operation};
use crate::win32::{ERROR_WINHTTP_INCORRECT_HANDLE_STATE, Win32Error};

/// How often a program may read behind the end.
const READS_AFTER_END: u32 = 3;

const SEND: Operation = Operation::Api(Api::SEND_REQUEST);
const READ: Operation = Operation::Api(Api::READ_DATA);

/// Whether one of them has to wait for the other.
fn exclude(one: Operation, other: Operation) -> bool {
    match (one, other) {
        (Operation::Api(_), Operation::Api(_)) => one.writes() == other.writes(),
        _ => one == other,
    }
}

/// A handle, open or closed.
#[derive(Debug, Default)]
pub struct Known {
    /// The function that made it.
    pub made_by: &'static str,
    pub parent: usize,
    pub closed: bool,
    pub context: usize,
    /// Whether its context was freed, by what the program says.
    pub freed: bool,
    /// Operations whose end was not told yet.
    pending: Vec<Operation>,
    /// Operations that began although nobody wants to hear of their end.
    unheard: Vec<Operation>,
    /// Bytes of the buffer of the read that began last.
    room: u32,
    /// The operation that REQUEST_ERROR told of.
    failed: Option<Operation>,
    /// WinHttpSendRequest answered FALSE.
    send_refused: bool,
    /// The operation that answered FALSE last, and why.
    refused: Option<(&'static str, Win32Error)>,
    reads_after_end: Option<u32>,
    /// Functions that wanted a larger buffer, and have not got it.
    pub too_small: BTreeSet<&'static str>,
    /// The context that HANDLE_CLOSING brought.
    pub closing: Option<usize>,
    pub told_of_closing: bool,
}

impl Known {
    /// A child of another handle.
    pub fn child(parent: usize, of: Option<&Known>, context: usize) -> Known {
        let freed = of.is_some_and(|parent| parent.freed && parent.context == context);
        Known { parent, context, freed, ..Known::default() }
    }

    /// Whether it is no session and no connection.
    pub fn transfers(&self) -> bool {
        !matches!(self.made_by, "WinHttpOpen" | "WinHttpConnect")
    }

    /// An asynchronous operation begins.
    pub fn begins(&mut self, operation: Operation, heard: bool, room: u32) -> Option<(Stop, String)> {
        let function = operation.function();
        self.refused = None;
        if operation == READ {
            self.room = room;
        }
        if operation == SEND {
            (self.failed, self.reads_after_end) = (None, None);
        }
        if !heard {
            if !self.unheard.contains(&operation) {
                self.unheard.push(operation);
            }
            let what = format!("{function} begins, but its end is not in the mask of a callback");
            return Some((Stop::NotInMask, what));
        }
        let former = self.pending.iter().copied().find(|pending| exclude(*pending, operation));
        self.pending.push(operation);
        if let Some(former) = former {
            return Some((Stop::Overlapping, format!("{function} before the end of {} was told", former.function())));
        }
        // What is written beside a reply that failed may have been on its way already.
        let failed = self.failed.filter(|failed| failed.writes() == operation.writes() || !operation.writes())?;
        let what = format!("{function} after REQUEST_ERROR told that {} failed", failed.function());
        Some((Stop::FailureIgnored, what))
    }

    /// The function of an operation answered FALSE.
    pub fn refused(&mut self, function: &'static str, error: Win32Error) -> Option<(Stop, String)> {
        self.send_refused |= SEND.function() == function;
        let (former, why) = self.refused.replace((function, error))?;
        // At the wrong time, but not for the same reason.
        let follows = error == ERROR_WINHTTP_INCORRECT_HANDLE_STATE && why != error;
        follows.then(|| (Stop::FailureIgnored, format!("{function} after {former} answered FALSE ({why})")))
    }

    /// The function of an operation succeeded.
    pub fn accepted(&mut self) {
        self.refused = None;
    }

    /// The callback is about to be called.
    pub fn notified(&mut self, context: usize, notification: &Notification) -> Vec<(Stop, String)> {
        let mut mistakes = Vec::new();
        let ended = Operation::ended_by(notification);
        self.pending.retain(|pending| Some(*pending) != ended);
        let mut zero = false;
        match notification {
            Notification::DataAvailable { bytes } => zero = *bytes == 0,
            Notification::ReadComplete { bytes, .. } => zero = *bytes == 0 && self.room > 0,
            // An operation that came at the wrong time leaves the exchange as it was.
            Notification::RequestError(result) if result.error != ERROR_WINHTTP_INCORRECT_HANDLE_STATE => {
                self.failed = ended;
            }
            Notification::HandleClosing { .. } => self.closing = Some(context),
            _ => {}
        }
        if zero {
            let reads = self.reads_after_end.map_or(0, |reads| reads + 1);
            self.reads_after_end = Some(reads);
            if reads == READS_AFTER_END {
                let what = format!("read {reads} times after it was told of 0 bytes, the end");
                mistakes.push((Stop::EndIgnored, what));
            }
        }
        if let Some(stop) = self.freed_context().filter(|_| context != 0) {
            mistakes.push((stop, format!("{} comes with a context that was freed", notification.name())));
        }
        mistakes
    }

    /// Which mistake a callback with its context is, if that was freed.
    pub fn freed_context(&self) -> Option<Stop> {
        let stop = if self.send_refused { Stop::ContextFreedOnFailure } else { Stop::ContextFreed };
        self.freed.then_some(stop)
    }

    /// What may be the reason why a program waits for ever.
    #[cfg(feature = "lab")]
    pub fn hung(&self) -> Vec<(Stop, String)> {
        let mut reasons = Vec::new();
        let mut because = |stop, what: String| reasons.push((stop, what));
        match self.closing {
            Some(0) => because(
                Stop::ContextNeverBound,
                "HANDLE_CLOSING came with context 0: none was ever bound to the handle".to_owned(),
            ),
            None if self.closed && !self.told_of_closing => {
                because(Stop::NotInMask, "it was closed, but HANDLE_CLOSING is not in its mask".to_owned());
            }
            _ => {}
        }
        if self.closed {
            return reasons;
        }
        for operation in &self.unheard {
            let what = format!("the end of {} is not in the mask of its callback", operation.function());
            because(Stop::NotInMask, what);
        }
        if let Some((function, error)) = self.refused {
            because(Stop::FailureIgnored, format!("{function} answered FALSE ({error}): no notification follows"));
        }
        reasons
    }
}
