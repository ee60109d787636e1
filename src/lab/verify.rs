//! Mistakes in the use of WinHTTP that a Sim stops: each has a number that stays, and says why it is one on Windows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::dispatch::Returned;
use crate::win32::{ERROR_INVALID_HANDLE, Win32Error};

/// A mistake. Numbers are stable; more follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// **W08: a handle is used, or closed again, after WinHttpCloseHandle.**
    ///
    /// On Windows its value may already name another handle, of this program or of a library in it: the call then works
    /// on a stranger's request. Forget the value before closing it, and let only one place close it.
    HandleAfterClose,
    /// **W11: a handle is open when the Sim ends.**
    ///
    /// Its callback may still be called, with a context that is gone; a session that stays open keeps its threads. Close
    /// every handle, and wait for HANDLE_CLOSING before the context is freed.
    HandleLeaked,
}

impl Stop {
    /// `W08`
    pub fn id(self) -> &'static str {
        match self {
            Stop::HandleAfterClose => "W08",
            Stop::HandleLeaked => "W11",
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// What a Sim knows of its handles.
#[derive(Debug, Default)]
pub struct Verifier {
    /// Open handles, and the function that made each.
    open: BTreeMap<usize, &'static str>,
    closed: BTreeSet<usize>,
    allowed: BTreeSet<Stop>,
}

impl Verifier {
    pub fn allow(&mut self, stop: Stop) {
        self.allowed.insert(stop);
    }

    /// A call returns; the mistake that it was, if it was one.
    pub fn returned(
        &mut self,
        function: &'static str,
        handle: usize,
        returned: Returned,
        last_error: Win32Error,
    ) -> Option<(Stop, String)> {
        match returned {
            Returned::Handle(made) if made != 0 => {
                self.open.insert(made, function);
            }
            Returned::Boolean(true) if function == "WinHttpCloseHandle" => {
                self.open.remove(&handle);
                self.closed.insert(handle);
            }
            _ => {}
        }
        let refused = last_error == ERROR_INVALID_HANDLE || returned == Returned::Code(ERROR_INVALID_HANDLE.0);
        (refused && self.closed.contains(&handle))
            .then(|| (Stop::HandleAfterClose, format!("{function} on a handle that was closed")))
            .filter(|(stop, _)| !self.allowed.contains(stop))
    }

    /// The handles that are left.
    pub fn leaked(&self) -> Vec<(usize, &'static str)> {
        let allowed = self.allowed.contains(&Stop::HandleLeaked);
        self.open.iter().map(|(handle, function)| (*handle, *function)).filter(|_| !allowed).collect()
    }
}
