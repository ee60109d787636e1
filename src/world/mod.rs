//! The world that a handle lives in, put together from small parts: its clock, its threads, its names, its network, what
//! it may choose, and who looks on.
#![forbid(unsafe_code)]

mod choices;
mod clock;
mod current;
mod proxies;
mod registration;

use std::net::IpAddr;
use std::sync::Arc;

pub use choices::{Choices, Requested, Unspecified};
pub use clock::{Clock, began, date, now};
pub use current::{Entered, Registered, enter, entered, register, stepped, wake};
pub use proxies::{Proxies, ScriptOverride};
pub use registration::Registration;

use crate::delivery::{Job, Steps};
use crate::observe::Observers;
use crate::transport::Transport;
use crate::win32::{ERROR_WINHTTP_INCORRECT_HANDLE_STATE, Win32Error};

/// See the module.
pub struct World {
    /// Its time.
    pub clock: Arc<dyn Clock>,
    /// Its random numbers.
    pub entropy: Arc<dyn Entropy>,
    /// Its names and addresses.
    pub names: Arc<dyn Names>,
    /// Its threads.
    pub spawner: Arc<dyn Spawner>,
    /// How its threads wait: by letting it go on; on our own primitives if that is `None`.
    pub steps: Option<Arc<dyn Steps>>,
    /// What happens where Windows does now this, now that, and which faults strike.
    pub choices: Arc<dyn Choices>,
    /// What carries requests.
    pub transport: Arc<dyn Transport>,
    /// What is known about proxies.
    pub proxies: Proxies,
    /// Who looks on.
    pub observers: Arc<Observers>,
}

impl World {
    /// How its threads wait.
    pub fn steps(&self) -> Option<&dyn Steps> {
        self.steps.as_deref()
    }
}

/// Random numbers.
pub trait Entropy: Send + Sync {
    /// Bytes that nobody can guess.
    fn random(&self) -> [u8; 16];
}

/// Names and addresses, as far as scripts and the search for them ask.
pub trait Names: Send + Sync {
    /// The addresses of a host name, IPv4 first; none if it is not known. May block.
    fn lookup(&self, name: &str) -> Vec<IpAddr>;
    /// The addresses of this machine, IPv4 first.
    fn addresses(&self) -> Vec<IpAddr>;
    /// The number of the network interface with this name: the zone of addresses there. A Sim has no interfaces.
    fn interface(&self, _name: &str) -> Option<u32> {
        None
    }
}

/// Threads for callbacks and for what may block.
pub trait Spawner: Send + Sync {
    /// Runs a job on a worker.
    fn run(&self, job: Arc<dyn Job>);
    /// Runs jobs on so many workers from now on; 0 is the world's own choice. ERROR_WINHTTP_INCORRECT_HANDLE_STATE when
    /// it is too late, or was done before.
    fn set_workers(&self, _count: u32) -> Result<(), Win32Error> {
        Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)
    }
    /// Whether there are, or can be had, the threads and the network that an operation needs. ERROR_NOT_ENOUGH_MEMORY where
    /// the system refuses them, now: a call that asks again may succeed.
    fn ready(&self) -> Result<(), Win32Error> {
        Ok(())
    }
}
