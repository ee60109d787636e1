//! Who looks on: one interface for the trace, the recorder and the checker, and the list of a world's observers.
//!
//! Whatever tells observers something tells the list; an empty list costs a look at its length.
#![forbid(unsafe_code)]

mod callbacks;
mod check_event;
mod recording;
mod returned;
#[cfg(feature = "net")]
mod tracing;
mod traffic;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

pub use callbacks::{RunningCallback, waits};
pub use check_event::CheckEvent;
pub use returned::Returned;
#[cfg(feature = "net")]
pub use tracing::Tracing;
pub use traffic::TrafficEvent;

use crate::record::Notification;
use crate::variables;
use crate::win32::Win32Error;

/// Somebody who is told what happens in a world. Handles are values; 0 is none. Every method is called on the thread on
/// which it happens, and must not call WinHTTP.
pub trait Observer: Send + Sync {
    /// A function is called on a handle.
    fn called(&self, _function: &'static str, _handle: usize) {}
    /// What else the innermost call of this thread was given, as text without secrets.
    fn given(&self, _arguments: &str) {}
    /// That call is about to return, and leaves this last error. Observers are told of it in reverse order.
    fn returned(&self, _function: &'static str, _handle: usize, _returned: Returned, _last_error: Win32Error) {}
    /// A notification is about to be delivered.
    fn notified(&self, _handle: usize, _context: usize, _notification: &Notification) {}
    /// The callback that was told of that has returned.
    fn delivered(&self, _handle: usize) {}
    /// Something goes to a server for a handle, or comes from it.
    fn on_traffic(&self, _handle: usize, _what: &TrafficEvent<'_>) {}
    /// Something that only a checker of mistakes wants to know.
    fn check(&self, _handle: usize, _event: &CheckEvent) {}
    /// A remark for who reads a trace.
    fn note(&self, _text: &str) {}
    /// A panic was stopped where a call of WinHTTP returns to the application.
    fn stopped(&self, _panic: &str) {}
    /// The process ends.
    fn ended(&self) {}
    /// What of the caller's memory is watched.
    fn watch(&self) -> Watch {
        Watch::default()
    }
}

/// What of the memory that programs lend to operations is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Watch {
    /// Buffers: a pattern stands in those that are read into, and comes off with the completion.
    pub buffers: bool,
    /// Out parameters are written with the completion.
    pub late: bool,
}

/// How many worlds have observers.
static OBSERVED: AtomicUsize = AtomicUsize::new(0);

/// Whether anybody in the process observes; the real world is observed when WINHTTP_TRACE or WINHTTP_VERIFY is set.
pub fn anyone() -> bool {
    static ASKED: LazyLock<bool> =
        LazyLock::new(|| ["WINHTTP_TRACE", "WINHTTP_VERIFY"].iter().any(|name| variables::value(name).is_some()));
    OBSERVED.load(Ordering::Relaxed) > 0 || *ASKED
}

/// The observers of a world, in the order in which they are told.
#[derive(Default)]
pub struct Observers(Vec<Arc<dyn Observer>>);

impl Observers {
    /// These observe, as long as the list lives.
    pub fn new(list: Vec<Arc<dyn Observer>>) -> Observers {
        OBSERVED.fetch_add(usize::from(!list.is_empty()), Ordering::Relaxed);
        Observers(list)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Does what is done for observers alone, if there are any.
    pub fn only<R: Default>(&self, act: impl FnOnce() -> R) -> R {
        if self.is_empty() { R::default() } else { act() }
    }

    fn each(&self, tell: impl Fn(&dyn Observer)) {
        self.0.iter().for_each(|observer| tell(&**observer));
    }

    /// [`Observer::called`]
    pub fn called(&self, function: &'static str, handle: usize) {
        self.each(|observer| observer.called(function, handle));
    }

    /// [`Observer::given`]; the text is made only if somebody observes.
    pub fn given(&self, arguments: impl FnOnce() -> String) {
        if !self.is_empty() {
            let arguments = arguments();
            self.each(|observer| observer.given(&arguments));
        }
    }

    /// [`Observer::returned`]
    pub fn returned(&self, function: &'static str, handle: usize, returned: Returned, last_error: Win32Error) {
        self.0.iter().rev().for_each(|observer| observer.returned(function, handle, returned, last_error));
    }

    /// [`Observer::notified`]
    pub fn notified(&self, handle: usize, context: usize, notification: &Notification) {
        self.each(|observer| observer.notified(handle, context, notification));
    }

    /// [`Observer::delivered`]
    pub fn delivered(&self, handle: usize) {
        self.each(|observer| observer.delivered(handle));
    }

    /// [`Observer::on_traffic`]
    pub fn on_traffic(&self, handle: usize, what: &TrafficEvent<'_>) {
        self.each(|observer| observer.on_traffic(handle, what));
    }

    /// [`Observer::check`]
    pub fn check(&self, handle: usize, event: &CheckEvent) {
        self.each(|observer| observer.check(handle, event));
    }

    /// [`Observer::note`]
    pub fn note(&self, text: &str) {
        self.each(|observer| observer.note(text));
    }

    /// [`Observer::stopped`]
    pub fn stopped(&self, panic: &str) {
        self.each(|observer| observer.stopped(panic));
    }

    /// [`Observer::ended`]
    pub fn ended(&self) {
        self.each(|observer| observer.ended());
    }

    /// What any of them watches.
    pub fn watch(&self) -> Watch {
        self.0.iter().map(|observer| observer.watch()).fold(Watch::default(), |all, one| Watch {
            buffers: all.buffers || one.buffers,
            late: all.late || one.late,
        })
    }
}

impl Drop for Observers {
    fn drop(&mut self) {
        OBSERVED.fetch_sub(usize::from(!self.is_empty()), Ordering::Relaxed);
    }
}
