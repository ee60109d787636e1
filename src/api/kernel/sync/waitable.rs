//! What can be waited for: when it lets a waiter go, and what that does to it.

use crate::win32::{ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOT_OWNER, ERROR_TOO_MANY_POSTS, Win32Error};

/// The number of a thread, which is never 0.
type Thread = u32;

/// A kind of object and its state.
#[derive(Debug)]
pub enum Waitable {
    /// An event; one that is not manual lets one waiter go for each signal.
    Event { manual: bool, signalled: bool },
    /// Lets so many waiters go.
    Semaphore { count: i32, most: i32 },
    /// Lets one thread go, and that again and again until it has released it as often.
    Mutex { owner: Option<Thread>, depth: u32, abandoned: bool },
    /// A thread, which is signalled when it has ended, or a file.
    Other { signalled: bool },
}

impl Waitable {
    /// A mutex, held by this thread or free.
    pub fn mutex(owner: Option<Thread>) -> Waitable {
        Waitable::Mutex { owner, depth: u32::from(owner.is_some()), abandoned: false }
    }

    /// A semaphore; ERROR_INVALID_PARAMETER unless 0 <= `count` <= `most` and 0 < `most`.
    pub fn semaphore(count: i32, most: i32) -> Result<Waitable, Win32Error> {
        let good = most > 0 && (0..=most).contains(&count);
        good.then_some(Waitable::Semaphore { count, most }).ok_or(ERROR_INVALID_PARAMETER)
    }

    /// Whether a name that belongs to this object can be opened as the other.
    pub fn same_kind(&self, other: &Waitable) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Whether it would let this thread go.
    pub fn lets_go(&self, thread: Thread) -> bool {
        match self {
            Waitable::Event { signalled, .. } | Waitable::Other { signalled } => *signalled,
            Waitable::Semaphore { count, .. } => *count > 0,
            Waitable::Mutex { owner, .. } => owner.is_none_or(|owner| owner == thread),
        }
    }

    /// Lets this thread go; whether it is a mutex whose owner ended without releasing it.
    pub fn take(&mut self, thread: Thread) -> bool {
        match self {
            Waitable::Event { manual, signalled } => *signalled &= *manual,
            Waitable::Semaphore { count, .. } => *count -= 1,
            Waitable::Mutex { owner, depth, abandoned } => {
                *owner = Some(thread);
                *depth += 1;
                return std::mem::take(abandoned);
            }
            Waitable::Other { .. } => {}
        }
        false
    }

    /// SetEvent and ResetEvent: for events only.
    pub fn set(&mut self, signal: bool) -> Result<(), Win32Error> {
        let Waitable::Event { signalled, .. } = self else { return Err(ERROR_INVALID_HANDLE) };
        *signalled = signal;
        Ok(())
    }

    /// An event is signalled; a thread has ended.
    pub fn signal(&mut self) {
        if let Waitable::Event { signalled, .. } | Waitable::Other { signalled } = self {
            *signalled = true;
        }
    }

    /// ReleaseSemaphore: how many it would have let go before.
    pub fn post(&mut self, by: i32) -> Result<i32, Win32Error> {
        let Waitable::Semaphore { count, most } = self else { return Err(ERROR_INVALID_HANDLE) };
        if by <= 0 {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let before = *count;
        *count = before.checked_add(by).filter(|count| *count <= *most).ok_or(ERROR_TOO_MANY_POSTS)?;
        Ok(before)
    }

    /// ReleaseMutex, by its owner only.
    pub fn release(&mut self, thread: Thread) -> Result<(), Win32Error> {
        let Waitable::Mutex { owner, depth, .. } = self else { return Err(ERROR_INVALID_HANDLE) };
        if *owner != Some(thread) {
            return Err(ERROR_NOT_OWNER);
        }
        *depth -= 1;
        if *depth == 0 {
            *owner = None;
        }
        Ok(())
    }

    /// The thread has ended: whether it held this mutex.
    pub fn abandon(&mut self, thread: Thread) -> bool {
        let Waitable::Mutex { owner, depth, abandoned } = self else { return false };
        let held = *owner == Some(thread);
        if held {
            (*owner, *depth, *abandoned) = (None, 0, true);
        }
        held
    }
}
