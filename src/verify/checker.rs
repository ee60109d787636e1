//! What is known of the handles and threads of a world, and which calls are mistakes.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::{self, ThreadId};
use std::time::Duration;

use super::stop::{Level, Mistake, Stop};
use crate::dispatch::{Detail, Returned};
use crate::record::{Api, Notification, Operation, WebSocketOperation};
use crate::win32::{ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_STATE, Win32Error};

/// How often a program may read behind the end.
const READS_AFTER_END: u32 = 3;
/// How many threads are remembered that are in no call and no callback: they may have ended.
const THREADS: usize = 256;
/// How long a callback may take.
const LONG: Duration = Duration::from_secs(1);

/// A handle, open or closed.
#[derive(Debug, Default)]
struct Known {
    /// The function that made it.
    made_by: &'static str,
    parent: usize,
    closed: bool,
    context: usize,
    /// Whether its context was freed, by what the program says.
    freed: bool,
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
    too_small: BTreeSet<&'static str>,
    /// The context that HANDLE_CLOSING brought.
    closing: Option<usize>,
    told_of_closing: bool,
}

/// What a thread is in, outermost first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    Call { handle: usize, function: &'static str },
    Callback { handle: usize, status: u32, since: Duration },
}

#[derive(Debug, Default)]
struct OnThread {
    frames: Vec<Frame>,
    /// The call that failed last and was not asked about, and the one that succeeded after it.
    failed: Option<&'static str>,
    succeeded: Option<&'static str>,
}

impl OnThread {
    /// Leaves the innermost frame that is such a one, and what is in it.
    fn leave(&mut self, such: impl Fn(&Frame) -> bool) -> Option<Frame> {
        let place = self.frames.iter().rposition(such)?;
        self.frames.drain(place..).next()
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    handles: BTreeMap<usize, Known>,
    threads: Vec<(ThreadId, OnThread)>,
    /// The contexts that the program told of, and whether they live.
    contexts: BTreeMap<usize, bool>,
}

const SEND: Operation = Operation::Api(Api::SEND_REQUEST);
const READ: Operation = Operation::Api(Api::READ_DATA);

/// Whether a function begins an operation: where it answers FALSE, no notification follows.
fn operates(function: &str) -> bool {
    function == "WinHttpReadDataEx"
        || Api::ALL.iter().any(|api| api.function() == Some(function))
        || WebSocketOperation::ALL.iter().any(|operation| Operation::from(*operation).function() == function)
}

/// Whether one of them has to wait for the other.
fn exclude(one: Operation, other: Operation) -> bool {
    match (one, other) {
        (Operation::Api(_), Operation::Api(_)) => one.writes() == other.writes(),
        _ => one == other,
    }
}

impl Checker {
    fn here(&mut self) -> &mut OnThread {
        let me = thread::current().id();
        if let Some(place) = self.threads.iter().position(|(id, _)| *id == me) {
            return &mut self.threads[place].1;
        }
        if self.threads.len() >= THREADS {
            self.threads.retain(|(_, on)| !on.frames.is_empty());
        }
        self.threads.push((me, OnThread::default()));
        let last = self.threads.len() - 1;
        &mut self.threads[last].1
    }

    /// A function is called.
    pub fn called(&mut self, function: &'static str, handle: usize) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let me = thread::current().id();
        if function == "WinHttpCloseHandle" {
            let inside = |(id, on): &(ThreadId, OnThread)| match on.frames.last() {
                Some(Frame::Call { handle: of, function }) if *id != me && *of == handle => Some(*function),
                _ => None,
            };
            if let Some(other) = self.threads.iter().find_map(inside) {
                let what = format!("closed while another thread is in {other}");
                mistakes.push(Mistake::new(Stop::ClosedDuringCall, handle, what));
            }
        }
        self.here().frames.push(Frame::Call { handle, function });
        mistakes
    }

    /// It returns.
    pub fn returned(
        &mut self,
        function: &'static str,
        handle: usize,
        returned: Returned,
        last_error: Win32Error,
    ) -> Vec<Mistake> {
        let failure = match returned {
            Returned::Boolean(false) | Returned::Handle(0) => Some(last_error),
            Returned::Code(code) if code != 0 => Some(Win32Error(code)),
            _ => None,
        };
        let here = self.here();
        here.leave(|frame| matches!(frame, Frame::Call { function: of, .. } if *of == function));
        match (failure, returned) {
            (Some(_), Returned::Code(_)) => {}
            (Some(_), _) => (here.failed, here.succeeded) = (Some(function), None),
            // A program may ask whether an operation has already ended.
            (None, _) if operates(function) => (here.failed, here.succeeded) = (None, None),
            (None, _) => here.succeeded = Some(function),
        }
        if let (Returned::Handle(made), None) = (returned, failure) {
            self.handles.entry(made).or_default().made_by = function;
        }
        match failure {
            None => self.succeeded(function, handle),
            Some(error) => self.refused(function, handle, error).into_iter().collect(),
        }
    }

    fn succeeded(&mut self, function: &'static str, handle: usize) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        if function == "WinHttpCloseHandle" {
            let children = self.handles.values().filter(|known| known.parent == handle && !known.closed).count();
            if children > 0 {
                let what = match children {
                    1 => "closed before the handle that was made from it".to_owned(),
                    _ => format!("closed before the {children} handles that were made from it"),
                };
                mistakes.push(Mistake::new(Stop::HandleLeaked, handle, what).at(Level::Warn));
            }
        }
        let Some(known) = self.handles.get_mut(&handle) else { return mistakes };
        known.too_small.remove(function);
        if operates(function) {
            known.refused = None;
        }
        if function == "WinHttpCloseHandle" {
            known.closed = true;
            for function in std::mem::take(&mut known.too_small) {
                let what = format!("{function} asked for a larger buffer and was not called with one");
                mistakes.push(Mistake::new(Stop::BufferNotGrown, handle, what));
            }
        }
        mistakes
    }

    fn refused(&mut self, function: &'static str, handle: usize, error: Win32Error) -> Option<Mistake> {
        let Some(known) = self.handles.get_mut(&handle) else {
            let unknown = error == ERROR_INVALID_HANDLE && handle != 0;
            let what = format!("{function} on a value that is no handle");
            return unknown.then(|| Mistake::new(Stop::HandleAfterClose, handle, what));
        };
        if error == ERROR_INVALID_HANDLE && known.closed {
            let what = format!("{function} on a handle that was closed");
            return Some(Mistake::new(Stop::HandleAfterClose, handle, what));
        }
        if error == ERROR_INSUFFICIENT_BUFFER {
            known.too_small.insert(function);
        }
        if operates(function) {
            known.refused = Some((function, error));
        }
        known.send_refused |= function == "WinHttpSendRequest";
        None
    }

    /// The callback is about to be called.
    pub fn notified(
        &mut self,
        now: Duration,
        handle: usize,
        context: usize,
        notification: &Notification,
    ) -> Vec<Mistake> {
        let status = notification.status();
        self.here().frames.push(Frame::Callback { handle, status, since: now });
        let Some(known) = self.handles.get_mut(&handle) else { return Vec::new() };
        let mut mistakes = Vec::new();
        let ended = Operation::ended_by(notification);
        known.pending.retain(|pending| Some(*pending) != ended);
        let mut zero = false;
        match notification {
            Notification::DataAvailable { bytes } => zero = *bytes == 0,
            Notification::ReadComplete { bytes, .. } => zero = *bytes == 0 && known.room > 0,
            // An operation that came at the wrong time leaves the exchange as it was.
            Notification::RequestError(result) if result.error != ERROR_WINHTTP_INCORRECT_HANDLE_STATE => {
                known.failed = ended;
            }
            Notification::HandleClosing { .. } => known.closing = Some(context),
            _ => {}
        }
        if zero {
            let reads = known.reads_after_end.map_or(0, |reads| reads + 1);
            known.reads_after_end = Some(reads);
            if reads == READS_AFTER_END {
                let what = format!("read {reads} times after it was told of 0 bytes, the end");
                mistakes.push(Mistake::new(Stop::EndIgnored, handle, what));
            }
        }
        if known.freed && context != 0 {
            let stop = if known.send_refused { Stop::ContextFreedOnFailure } else { Stop::ContextFreed };
            let what = format!("{} comes with a context that was freed", notification.name());
            mistakes.push(Mistake::new(stop, handle, what));
        }
        mistakes
    }

    /// The callback has returned.
    pub fn delivered(&mut self, now: Duration) -> Option<Mistake> {
        let frame = self.here().leave(|frame| matches!(frame, Frame::Callback { .. }));
        let Some(Frame::Callback { handle, status, since }) = frame else { return None };
        let took = now.saturating_sub(since);
        (took >= LONG).then(|| {
            let what = format!("the callback of {} took {} ms", name(status), took.as_millis());
            Mistake::new(Stop::WaitInCallback, handle, what)
        })
    }

    /// What a function tells of its call.
    pub fn detail(&mut self, handle: usize, detail: &Detail) -> Option<Mistake> {
        let mistake = |stop, what: &str| Some(Mistake::new(stop, handle, what));
        match *detail {
            Detail::Begins { operation, heard, room } => self.begins(handle, operation, heard, room),
            Detail::Busy { operation, pending } => {
                mistake(Stop::Overlapping, &format!("{} while {} is pending", operation.function(), pending.function()))
            }
            Detail::Child(child) => {
                let (context, freed) =
                    self.handles.get(&handle).map_or((0, false), |parent| (parent.context, parent.freed));
                self.handles.insert(child, Known { parent: handle, context, freed, ..Known::default() });
                None
            }
            Detail::Bound(context) => {
                self.contexts.entry(context).and_modify(|alive| *alive = true);
                let known = self.handles.entry(handle).or_default();
                (known.context, known.freed) = (context, false);
                None
            }
            Detail::Allocated(context) => {
                self.contexts.insert(context, true);
                None
            }
            Detail::Freed(context) => {
                for known in self.handles.values_mut().filter(|known| known.context == context && context != 0) {
                    known.freed = true;
                }
                let twice = self.contexts.insert(context, false) == Some(false);
                if twice { mistake(Stop::ContextFreed, "a context is freed that was freed before") } else { None }
            }
            Detail::OutParameter(function) => {
                mistake(Stop::OutParameter, &format!("{function} got an out parameter in asynchronous mode"))
            }
            Detail::OutParameterGone(operation) => {
                let function = operation.function();
                let what = format!("the out parameter of {function} was used for something else when its value came");
                Some(Mistake::new(Stop::OutParameter, handle, what).at(Level::Error))
            }
            Detail::Closes { told } => {
                if let Some(known) = self.handles.get_mut(&handle) {
                    known.told_of_closing = told;
                }
                None
            }
            Detail::SecureFailureUnheard => {
                let what = "TLS failed, and SECURE_FAILURE, which says why, is not in the mask";
                Some(Mistake::new(Stop::NotInMask, handle, what).at(Level::Note))
            }
            Detail::ReadTouched => mistake(Stop::ReadBufferTouched, "the buffer was touched before the read had ended"),
            Detail::SentTouched { operation, late } => {
                let (when, level) = match late {
                    true => ("before the reply was there", Level::Warn),
                    false => ("before the operation had ended", Level::Error),
                };
                let what = format!("the bytes given to {} were touched {when}", operation.function());
                Some(Mistake::new(Stop::WriteBufferTouched, handle, what).at(level))
            }
            Detail::Unreadable { function, parameter } => {
                mistake(Stop::PointerUnreadable, &format!("{parameter} of {function} cannot be read"))
            }
            Detail::CallbackTakenAway => mistake(Stop::CallbackTakenAway, "an operation is pending"),
            Detail::Waits(what) => {
                let status = self.here().frames.iter().rev().find_map(|frame| match frame {
                    Frame::Callback { status, .. } => Some(*status),
                    Frame::Call { .. } => None,
                });
                mistake(Stop::WaitInCallback, &format!("the callback of {} waits {what}", name(status?)))
            }
            Detail::AsksLastError => self.asks_last_error(),
        }
    }

    fn begins(&mut self, handle: usize, operation: Operation, heard: bool, room: u32) -> Option<Mistake> {
        let known = self.handles.get_mut(&handle)?;
        let function = operation.function();
        if operation == READ {
            known.room = room;
        }
        if operation == SEND {
            (known.failed, known.reads_after_end) = (None, None);
        }
        if !heard {
            if !known.unheard.contains(&operation) {
                known.unheard.push(operation);
            }
            let what = format!("{function} begins, but its end is not in the mask of a callback");
            return Some(Mistake::new(Stop::NotInMask, handle, what));
        }
        let former = known.pending.iter().copied().find(|pending| exclude(*pending, operation));
        known.pending.push(operation);
        if let Some(former) = former {
            let what = format!("{function} before the end of {} was told", former.function());
            return Some(Mistake::new(Stop::Overlapping, handle, what));
        }
        // What is written beside a reply that failed may have been on its way already.
        let failed = known.failed.filter(|failed| failed.writes() == operation.writes() || !operation.writes())?;
        let what = format!("{function} after REQUEST_ERROR told that {} failed", failed.function());
        Some(Mistake::new(Stop::FailureIgnored, handle, what))
    }

    fn asks_last_error(&mut self) -> Option<Mistake> {
        let here = self.here();
        let (failed, succeeded) = (here.failed.take(), here.succeeded.take());
        let succeeded = succeeded?;
        let mistake = |what| Mistake::new(Stop::LastErrorOverwritten, 0, what);
        Some(match failed {
            Some(failed) => mistake(format!("the error of {failed} was overwritten by {succeeded}, which succeeded")),
            None => mistake(format!("asked for after {succeeded}, which succeeded")).at(Level::Note),
        })
    }

    /// What may be the reason why a program waits for ever.
    #[cfg(feature = "lab")]
    pub fn hung(&self) -> Vec<Mistake> {
        let of_handles = self.handles.iter().flat_map(|(handle, known)| known.hung(*handle));
        of_handles.map(|mistake| mistake.at(Level::Error)).collect()
    }

    /// The mistakes that only the end shows.
    pub fn ended(&self) -> Vec<Mistake> {
        let open = self.handles.iter().filter(|(_, known)| !known.closed && !known.made_by.is_empty());
        let handles = open.map(|(handle, known)| {
            let what = format!("made by {}, was not closed", known.made_by);
            Mistake::new(Stop::HandleLeaked, *handle, what)
        });
        let alive = self.contexts.values().filter(|alive| **alive).count();
        let contexts = (alive > 0).then(|| {
            let nameless = self.handles.values().filter(|known| known.closing == Some(0)).count();
            let why = match nameless {
                0 => String::new(),
                _ => format!("; HANDLE_CLOSING came with context 0 {nameless} times"),
            };
            Mistake::new(Stop::HandleLeaked, 0, format!("{alive} contexts were not freed{why}"))
        });
        handles.chain(contexts).collect()
    }
}

impl Known {
    #[cfg(feature = "lab")]
    fn hung(&self, handle: usize) -> Vec<Mistake> {
        let mut reasons = Vec::new();
        let mut because = |stop, what: String| reasons.push(Mistake::new(stop, handle, what));
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

fn name(status: u32) -> &'static str {
    crate::record::Status(status).name().unwrap_or("a status without a name")
}
