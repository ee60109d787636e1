//! The real world, put together: the system's clock, worker threads, sockets.

use std::net::{IpAddr, ToSocketAddrs, UdpSocket};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use crate::delivery::{Job, Workers};
use crate::http::proxy::from_environment;
use crate::http::system_name;
use crate::net::Net;
use crate::observe::{Observer, Observers, Tracing};
use crate::variables;
use crate::verify;
use crate::win32::process::at_exit;
use crate::win32::socket;
use crate::win32::{ERROR_NOT_ENOUGH_MEMORY, ERROR_WINHTTP_INCORRECT_HANDLE_STATE, Win32Error};
use crate::world::{Choices, Clock, Entropy, Names, Proxies, Spawner, World, began};

struct System {
    began: Instant,
}

impl Clock for System {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn date(&self) -> SystemTime {
        SystemTime::now()
    }
}

impl Entropy for System {
    fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        // A system without randomness: what it is for works with any bytes, and is only weaker.
        let _ = getrandom::fill(&mut bytes);
        bytes
    }
}

impl Names for System {
    fn lookup(&self, name: &str) -> Vec<IpAddr> {
        let found = (system_name(name), 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect());
        let mut addresses: Vec<IpAddr> = found.unwrap_or_default();
        addresses.sort_by_key(IpAddr::is_ipv6);
        addresses.dedup();
        addresses
    }

    /// Those that packets to the rest of the world would come from; none is sent.
    fn addresses(&self) -> Vec<IpAddr> {
        const PROBES: [(&str, &str); 2] = [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")];
        let from = |(any, there): (&str, &str)| {
            let socket = UdpSocket::bind(any).ok()?;
            socket.connect(there).ok()?;
            Some(socket.local_addr().ok()?.ip())
        };
        PROBES.into_iter().filter_map(from).collect()
    }

    fn interface(&self, name: &str) -> Option<u32> {
        socket::interface(name)
    }
}

impl Choices for System {
    fn newer_digest(&self) -> bool {
        variables::is_on("WINHTTP_NEWER_DIGEST")
    }
}

struct Threads {
    workers: Arc<Workers>,
    net: Arc<Net>,
}

impl Spawner for Threads {
    fn run(&self, job: Arc<dyn Job>) {
        self.workers.run(job);
    }

    fn set_workers(&self, count: u32) -> Result<(), Win32Error> {
        if self.workers.limit(count as usize) { Ok(()) } else { Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE) }
    }

    fn ready(&self) -> Result<(), Win32Error> {
        let ready = self.net.ready() && self.workers.ready();
        if ready { Ok(()) } else { Err(ERROR_NOT_ENOUGH_MEMORY) }
    }
}

static REAL: OnceLock<Arc<World>> = OnceLock::new();

/// The process ends.
fn end() {
    if let Some(real) = REAL.get() {
        real.observers.ended();
    }
}

/// What the environment asks for: WINHTTP_TRACE, WINHTTP_VERIFY.
fn observers(began: Instant) -> Observers {
    let tracing = Tracing::from_environment(began, crate::handle::open_handles);
    let tracing = tracing.map(|tracing| Arc::new(tracing) as Arc<dyn Observer>);
    let list: Vec<_> = tracing.into_iter().chain(verify::environment::observers(began)).collect();
    if !list.is_empty() {
        at_exit(end);
    }
    Observers::new(list)
}

fn make() -> Arc<World> {
    let began = began();
    let system = Arc::new(System { began });
    let workers = Arc::<Workers>::default();
    let net = Net::real(began, Arc::clone(&workers));
    let variable = |name: &str| match name {
        "WINHTTP_WPAD" => variables::is_on(name).then(|| "1".to_owned()),
        _ => std::env::var(name).ok(),
    };
    Arc::new(World {
        clock: system.clone(),
        entropy: system.clone(),
        names: system.clone(),
        spawner: Arc::new(Threads { workers, net: Arc::clone(&net) }),
        steps: None,
        choices: system,
        transport: Arc::new(net),
        proxies: Proxies::new(from_environment(variable)),
        observers: Arc::new(observers(began)),
    })
}

/// The one real world of the process, made by the first session.
pub(super) fn world() -> Arc<World> {
    Arc::clone(REAL.get_or_init(make))
}
