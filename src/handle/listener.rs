//! The callback of a handle, and what it wants to hear. Most of what happens nobody wants, and that is known without a lock.

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::win32::{StatusCallback, WINHTTP_CALLBACK_FLAG_HANDLES};

/// A callback, and which notifications it wants; none if there is no callback.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Listener {
    pub callback: Option<StatusCallback>,
    pub mask: u32,
}

/// The listener that a handle has at present.
#[derive(Debug, Default)]
pub(super) struct Listening {
    callback: Mutex<Option<StatusCallback>>,
    /// 0 without a callback; changed under the lock.
    mask: AtomicU32,
}

impl Listening {
    pub fn new(listener: Listener) -> Listening {
        let listening = Listening::default();
        listening.replace(listener);
        listening
    }

    pub fn get(&self) -> Listener {
        let callback = self.callback.lock();
        Listener { callback: *callback, mask: self.mask.load(Ordering::SeqCst) }
    }

    /// Sets it; answers the former callback.
    pub fn replace(&self, listener: Listener) -> Option<StatusCallback> {
        let mut callback = self.callback.lock();
        let mask = listener.callback.map_or(0, |_| listener.mask);
        self.mask.store(mask, Ordering::SeqCst);
        std::mem::replace(&mut *callback, listener.callback)
    }

    /// Whether the application wants this status.
    pub fn wants(&self, status: u32) -> bool {
        wants(self.mask.load(Ordering::SeqCst), status)
    }

    /// The callback that wants this status.
    pub fn wanted(&self, status: u32) -> Option<StatusCallback> {
        if !self.wants(status) {
            return None;
        }
        let Listener { callback, mask } = self.get();
        callback.filter(|_| wants(mask, status))
    }
}

/// HANDLE_CREATED and HANDLE_CLOSING share one flag with two bits.
fn wants(mask: u32, status: u32) -> bool {
    let flags = if status & WINHTTP_CALLBACK_FLAG_HANDLES != 0 { WINHTTP_CALLBACK_FLAG_HANDLES } else { status };
    mask & flags != 0
}
