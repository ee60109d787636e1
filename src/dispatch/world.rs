//! The world that a handle lives in: its clock, its threads, its network.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Policy;
use crate::transport::Transport;

/// Something that a worker does.
pub trait Job: Send + Sync {
    /// Does it.
    fn run(self: Arc<Self>);
}

/// What a handle needs from outside.
pub trait World: Send + Sync {
    /// The time since some moment before the first handle.
    fn now(&self) -> Duration;
    /// Random bytes that nobody can guess.
    fn random(&self) -> [u8; 16];
    /// Runs a job on a worker.
    fn run(&self, job: Arc<dyn Job>);
    /// What carries requests.
    fn transport(&self) -> &dyn Transport;
}

static POLICY: Mutex<Policy> = Mutex::new(Policy { delivery: super::Delivery::Windows, hold_send: true });

/// Sets the delivery policy of the sessions that are opened from now on in this process; answers the former one.
///
/// ```
/// use portable_winhttp::dispatch::{Delivery, Policy, set_delivery_policy};
/// let former = set_delivery_policy(Policy { delivery: Delivery::Worker, ..Policy::default() });
/// assert_eq!(former, Policy::default());
/// ```
pub fn set_delivery_policy(policy: Policy) -> Policy {
    std::mem::replace(&mut POLICY.lock().unwrap_or_else(PoisonError::into_inner), policy)
}

/// The world and the policy of a session that is opened now.
pub(crate) fn current() -> Option<(Arc<dyn World>, Policy)> {
    let policy = *POLICY.lock().unwrap_or_else(PoisonError::into_inner);
    #[cfg(feature = "net")]
    return Some((super::real::world(), policy));
    #[cfg(not(feature = "net"))]
    {
        let _ = policy;
        None
    }
}
