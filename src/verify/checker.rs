//! Which calls, callbacks and ends are mistakes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::known::Known;
use super::stop::{Level, Mistake, Stop};
use super::threads::{Frame, OnThread, Threads};
use crate::observe::{CheckEvent, Returned};
use crate::record::{Api, Notification, Operation, Status, WebSocketOperation};
use crate::win32::{
    ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_HANDLE, ERROR_IO_PENDING, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING,
    Win32Error,
};

/// How many handles are known before those are forgotten that are gone.
const HANDLES: usize = 10_000;
/// How long a callback may take.
const LONG: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    handles: BTreeMap<usize, Known>,
    threads: Threads,
    /// The contexts that the program told of, and whether they live.
    contexts: BTreeMap<usize, bool>,
}

/// Whether a function begins an operation: where it answers FALSE, no notification follows.
fn operates(function: &str) -> bool {
    function == "WinHttpReadDataEx"
        || Api::ALL.iter().any(|api| api.function() == Some(function))
        || WebSocketOperation::ALL.iter().any(|operation| Operation::from(*operation).function() == function)
}

impl Checker {
    /// A function is called.
    pub fn called(&mut self, function: &'static str, handle: usize) -> Option<Mistake> {
        let inside = |on: &OnThread| match on.frames.last() {
            Some(Frame::Call { handle: of, function }) if *of == handle => Some(*function),
            _ => None,
        };
        let beside = self.threads.others().find_map(inside).filter(|_| function == "WinHttpCloseHandle");
        self.threads.here().frames.push(Frame::Call { handle, function });
        let what = format!("closed while another thread is in {}", beside?);
        Some(Mistake::new(Stop::ClosedDuringCall, handle, what))
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
            Returned::Boolean(false) | Returned::Handle(0) | Returned::InvalidCallback => Some(last_error),
            // Of a function that answers codes, ERROR_IO_PENDING is no failure.
            Returned::Code(code) if code != 0 && code != ERROR_IO_PENDING.0 => Some(Win32Error(code)),
            _ => None,
        };
        let here = self.threads.here();
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
        let Some(known) = self.handles.get_mut(&handle) else { return mistakes };
        known.too_small.remove(function);
        if operates(function) {
            known.accepted();
        }
        if function == "WinHttpCloseHandle" {
            known.closed = true;
            mistakes = self.closed(handle);
        }
        mistakes
    }

    fn closed(&mut self, handle: usize) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let children = self.handles.values().filter(|known| known.parent == handle && !known.closed).count();
        if self.handles.len() > HANDLES {
            let awaited = |known: &Known| known.told_of_closing && known.closing.is_none();
            self.handles.retain(|of, known| !known.closed || awaited(known) || *of == handle);
        }
        let Some(known) = self.handles.get_mut(&handle) else { return mistakes };
        // A web socket goes on when its request is closed.
        if children > 0 && known.made_by != "WinHttpOpenRequest" {
            let what = match children {
                1 => "closed before the handle that was made from it".to_owned(),
                _ => format!("closed before the {children} handles that were made from it"),
            };
            mistakes.push(Mistake::new(Stop::HandleLeaked, handle, what).at(Level::Note));
        }
        for function in std::mem::take(&mut known.too_small) {
            let what = format!("{function} asked for a larger buffer and was not called with one");
            mistakes.push(Mistake::new(Stop::BufferNotGrown, handle, what));
        }
        mistakes
    }

    fn refused(&mut self, function: &'static str, handle: usize, error: Win32Error) -> Option<Mistake> {
        let wrong = |what: &str| Some(Mistake::new(Stop::HandleAfterClose, handle, format!("{function} on {what}")));
        let invalid = error == ERROR_INVALID_HANDLE;
        let Some(known) = self.handles.get_mut(&handle) else {
            return match (invalid, handle) {
                (true, 0) if operates(function) => wrong("NULL"),
                (true, 0) if function.starts_with("WinHttp") && function != "WinHttpCloseHandle" => {
                    wrong("NULL").map(|mistake| mistake.at(Level::Warn))
                }
                (true, 1..) => wrong("a value that is no handle"),
                _ => None,
            };
        };
        if invalid && known.closed {
            return wrong("a handle that was closed");
        }
        // What is set has its size.
        if error == ERROR_INSUFFICIENT_BUFFER && function != "WinHttpSetOption" {
            known.too_small.insert(function);
        }
        let mistake = if operates(function) { known.refused(function, error) } else { None };
        mistake.map(|(stop, what)| Mistake::new(stop, handle, what))
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
        self.threads.here().frames.push(Frame::Callback { handle, context, status, since: now });
        let mistakes = self.handles.get_mut(&handle).map(|known| known.notified(context, notification));
        let mistakes = mistakes.unwrap_or_default().into_iter();
        mistakes.map(|(stop, what)| Mistake::new(stop, handle, what)).collect()
    }

    /// The callback has returned.
    pub fn delivered(&mut self, now: Duration) -> Option<Mistake> {
        let frame = self.threads.here().leave(|frame| matches!(frame, Frame::Callback { .. }));
        let Some(Frame::Callback { handle, status, since, .. }) = frame else { return None };
        let took = now.saturating_sub(since);
        (took >= LONG).then(|| {
            let what = format!("the callback of {} took {} ms", name(status), took.as_millis());
            Mistake::new(Stop::WaitInCallback, handle, what)
        })
    }

    /// What a function tells of its call.
    pub fn check(&mut self, handle: usize, event: &CheckEvent) -> Option<Mistake> {
        let mistake = |stop, what: &str| Some(Mistake::new(stop, handle, what));
        match *event {
            CheckEvent::Begins { operation, heard, room } => {
                let (stop, what) = self.handles.get_mut(&handle)?.begins(operation, heard, room)?;
                // One that is taken has found its side free: the end of the other was only not told yet.
                let level = if stop == Stop::Overlapping { Level::Warn } else { stop.level() };
                mistake(stop, &what).map(|mistake| mistake.at(level))
            }
            CheckEvent::Busy { operation, pending } => {
                mistake(Stop::Overlapping, &format!("{} while {} is pending", operation.function(), pending.function()))
            }
            CheckEvent::Child { handle: child, context } => {
                let known = Known::child(handle, self.handles.get(&handle), context);
                self.handles.insert(child, known);
                None
            }
            CheckEvent::Bound(context) => {
                self.contexts.entry(context).and_modify(|alive| *alive = true);
                let known = self.handles.entry(handle).or_default();
                (known.context, known.freed) = (context, false);
                None
            }
            CheckEvent::Allocated(context) => {
                self.contexts.insert(context, true);
                None
            }
            CheckEvent::Freed(context) => self.freed(context),
            CheckEvent::OutParameter(function) => {
                mistake(Stop::OutParameter, &format!("{function} got an out parameter in asynchronous mode"))
            }
            CheckEvent::OutParameterGone(operation) => {
                let function = operation.function();
                let what = format!("the out parameter of {function} was used for something else when its value came");
                Some(Mistake::new(Stop::OutParameter, handle, what).at(Level::Error))
            }
            CheckEvent::Closes { told } => {
                if let Some(known) = self.handles.get_mut(&handle) {
                    known.told_of_closing = told;
                }
                None
            }
            CheckEvent::SecureFailureUnheard => {
                let what = "TLS failed, and SECURE_FAILURE, which says why, is not in the mask";
                Some(Mistake::new(Stop::NotInMask, handle, what).at(Level::Note))
            }
            CheckEvent::ReadTouched => {
                mistake(Stop::ReadBufferTouched, "the buffer was touched before the read had ended")
            }
            CheckEvent::SentTouched { operation, late } => {
                let (when, level) = match late {
                    true => ("before the reply was there", Level::Warn),
                    false => ("before the operation had ended", Level::Error),
                };
                let what = format!("the bytes given to {} were touched {when}", operation.function());
                Some(Mistake::new(Stop::WriteBufferTouched, handle, what).at(level))
            }
            CheckEvent::Unreadable { function, parameter } => {
                mistake(Stop::PointerUnreadable, &format!("{parameter} of {function} cannot be read"))
            }
            CheckEvent::CallbackTakenAway => mistake(Stop::CallbackTakenAway, "an operation is pending"),
            CheckEvent::Waits(what) => {
                let status = self.threads.here().frames.iter().rev().find_map(|frame| match frame {
                    Frame::Callback { status, .. } => Some(*status),
                    Frame::Call { .. } => None,
                });
                mistake(Stop::WaitInCallback, &format!("the callback of {} waits {what}", name(status?)))
            }
            CheckEvent::CarriedAway(header) => mistake(
                Stop::SecretCarriedAway,
                &format!("{header} of the application follows a redirect to another origin"),
            ),
            // Of no interest here.
            CheckEvent::Stepped { .. } | CheckEvent::Released | CheckEvent::Impossible(_) => None,
            CheckEvent::AsksLastError => self.asks_last_error(),
            CheckEvent::SetsLastError => {
                let here = self.threads.here();
                (here.failed, here.succeeded) = (None, None);
                None
            }
        }
    }

    /// Whether the program said that it freed the context of a handle, and which mistake a callback is then.
    #[cfg(feature = "lab")]
    pub fn has_freed_context(&self, handle: usize) -> Option<Stop> {
        self.handles.get(&handle)?.freed_context()
    }

    fn freed(&mut self, context: usize) -> Option<Mistake> {
        let mistake = |what: String| Mistake::new(Stop::ContextFreed, 0, what);
        let told = self.handles.values().filter(|known| known.context == context).find_map(Known::freed_context);
        for known in self.handles.values_mut().filter(|known| known.context == context && context != 0) {
            known.freed = true;
        }
        if self.contexts.insert(context, false) == Some(false) {
            let stop = told.unwrap_or(Stop::ContextFreed);
            return Some(Mistake::new(stop, 0, "a context is freed that was freed before"));
        }
        let running = |on: &OnThread| {
            on.frames.iter().find_map(|frame| match frame {
                Frame::Callback { context: of, status, .. } if *of == context => Some(*status),
                _ => None,
            })
        };
        let status = self.threads.others().find_map(running)?;
        let what = format!("a context is freed while the callback of {} runs with it", name(status));
        // The last callback may have nothing more to do with it.
        let last = status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;
        Some(mistake(what).at(if last { Level::Warn } else { Level::Error }))
    }

    fn asks_last_error(&mut self) -> Option<Mistake> {
        let here = self.threads.here();
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
        let reason = |handle, (stop, what)| Mistake::new(stop, handle, what).at(Level::Error);
        // Sessions and connections mostly go without a context.
        let of_handles = self.handles.iter().filter(|(_, known)| known.transfers());
        let of_handles =
            of_handles.flat_map(|(handle, known)| known.hung().into_iter().map(|why| reason(*handle, why)));
        let frames = self.threads.all().flat_map(|on| &on.frames);
        let callbacks = frames.filter_map(|frame| match frame {
            Frame::Callback { handle, status, .. } => {
                let what = format!("the callback of {} has not returned", name(*status));
                Some(reason(*handle, (Stop::WaitInCallback, what)))
            }
            Frame::Call { .. } => None,
        });
        of_handles.chain(callbacks).collect()
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
            let nameless = self.handles.values().any(|known| known.transfers() && known.closing == Some(0));
            let why = if nameless { "; HANDLE_CLOSING came with context 0" } else { "" };
            let contexts = if alive == 1 { "a context was".to_owned() } else { format!("{alive} contexts were") };
            Mistake::new(Stop::HandleLeaked, 0, format!("{contexts} not freed{why}"))
        });
        handles.chain(contexts).collect()
    }
}

fn name(status: u32) -> &'static str {
    Status(status).name().unwrap_or("a status without a name")
}
