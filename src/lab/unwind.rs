//! What a test holds may go through a panic that is caught: no panic poisons a lock, and what a Sim knows is whole between
//! any two calls.

use std::panic::{RefUnwindSafe, UnwindSafe};

use super::{EntryGuard, Gate, Peer, RawConnection, Rule, Sim};

macro_rules! may_unwind {
    ($($name:ty),*) => { $(impl UnwindSafe for $name {} impl RefUnwindSafe for $name {})* };
}

may_unwind!(EntryGuard, Gate, Peer, RawConnection, Rule<'_>, Sim);
#[cfg(feature = "live")]
may_unwind!(super::Live);
