//! The real world of the process, and its settings.
//!
//! A session lives in the Sim of the lab that its thread has entered; without one, in the real world.
#![forbid(unsafe_code)]

mod opening;
#[cfg(feature = "net")]
mod system;

use std::sync::Arc;

#[cfg(feature = "lab")]
pub(crate) use opening::allows;
#[cfg(feature = "live")]
pub(crate) use opening::open_openly;
pub(crate) use opening::opening;
#[cfg(feature = "lab")]
pub(crate) use opening::{opens_openly, orphans};

pub use crate::delivery::{Delivery, Policy};
pub use crate::handle::decided;
pub use crate::http::proxy::UserSettings;
pub use crate::http::proxy::pac::Limits;
use crate::observe::{self, CheckEvent};
use crate::sync::Mutex;
pub use crate::world::{Proxies, ScriptOverride};
use crate::world::{World, entered};

static POLICY: Mutex<Policy> = Mutex::new(Policy { delivery: Delivery::Windows, hold_send: true });

/// Sets the delivery policy of real sessions that this process opens from now on; returns the previous one.
///
/// ```
/// use portable_winhttp::real::{Delivery, Policy, set_delivery_policy};
/// let former = set_delivery_policy(Policy { delivery: Delivery::Worker, ..Policy::default() });
/// assert_eq!(former, Policy::default());
/// ```
pub fn set_delivery_policy(policy: Policy) -> Policy {
    std::mem::replace(&mut POLICY.lock(), policy)
}

/// Reads or changes the proxy settings of this thread's world: of the Sim that it has entered, otherwise of the process. Returns
/// what `act` returns, or `None` without calling it if this build has no real world (feature `net`).
///
/// ```
/// use std::sync::Arc;
/// use portable_winhttp::real::with_proxies;
/// // Every PAC script of the process is answered by this function.
/// with_proxies(|proxies| proxies.set_script_override(Some(Arc::new(|_url, host| format!("PROXY {host}.proxy.test:8080")))));
/// ```
pub fn with_proxies<R>(act: impl FnOnce(&Proxies) -> R) -> Option<R> {
    current().map(|(world, _)| act(&world.proxies))
}

/// The handles and requests that exist in this process: for tests that look for leaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// Handles that are not closed yet.
    pub handles: usize,
    /// Requests in progress, and replies whose unread rest is being read before the connection is reused.
    pub requests: usize,
}

/// Counts the handles and requests that exist now.
pub fn census() -> Census {
    let requests = current().map_or(0, |(world, _)| world.transport.running());
    Census { handles: crate::handle::open_handles(), requests }
}

/// The world and the policy of a session that is opened now: the one that the thread has entered, else the real one.
pub(crate) fn current() -> Option<(Arc<World>, Policy)> {
    if let Some(entered) = entered() {
        return Some(entered);
    }
    #[cfg(feature = "net")]
    {
        let policy = *POLICY.lock();
        Some((system::world(), policy))
    }
    #[cfg(not(feature = "net"))]
    {
        opening::tell_nothing_is_there();
        None
    }
}

/// Tells what belongs to no handle to the observers of this thread's world.
pub(crate) fn tell(event: &CheckEvent) {
    if observe::anyone() {
        if let Some((world, _)) = current() {
            world.observers.check(0, event);
        }
    }
}
