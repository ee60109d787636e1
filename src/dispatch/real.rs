//! The real world: the system's clock, worker threads, sockets.

use std::net::{IpAddr, ToSocketAddrs, UdpSocket};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use super::tracing::Tracing;
use super::verifying::Verifying;
use super::workers::Workers;
use super::{CheckEvent, Job, Proxies, Returned, TrafficEvent, Watch, World};
use crate::http::proxy::from_environment;
use crate::net::Net;
use crate::record::Notification;
use crate::transport::Transport;
use crate::win32::process::at_exit;
use crate::win32::{ERROR_NOT_ENOUGH_MEMORY, ERROR_WINHTTP_INCORRECT_HANDLE_STATE, Win32Error};

struct Real {
    workers: Arc<Workers>,
    net: Arc<Net>,
    proxies: Proxies,
    began: Instant,
    /// WINHTTP_TRACE
    tracing: Option<Tracing>,
    /// WINHTTP_VERIFY
    verifying: Option<Verifying>,
}

impl World for Real {
    fn newer_digest(&self) -> bool {
        std::env::var("WINHTTP_NEWER_DIGEST").is_ok_and(|value| value == "1")
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn date(&self) -> SystemTime {
        SystemTime::now()
    }

    fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        // A system without randomness: what it is for works with any bytes, and is only weaker.
        let _ = getrandom::fill(&mut bytes);
        bytes
    }

    fn run(&self, job: Arc<dyn Job>) {
        self.workers.run(job);
    }

    fn set_workers(&self, count: u32) -> Result<(), Win32Error> {
        if self.workers.limit(count as usize) { Ok(()) } else { Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE) }
    }

    fn ready(&self, asynchronous: bool) -> Result<(), Win32Error> {
        let ready = self.net.ready() && (!asynchronous || self.workers.ready());
        if ready { Ok(()) } else { Err(ERROR_NOT_ENOUGH_MEMORY) }
    }

    fn transport(&self) -> &dyn Transport {
        &self.net
    }

    fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    fn lookup(&self, name: &str) -> Vec<IpAddr> {
        let found = (name, 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect());
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

    fn called(&self, function: &'static str, handle: usize) -> Option<Win32Error> {
        if let Some(tracing) = &self.tracing {
            tracing.called(function, handle);
        }
        if let Some(verifying) = &self.verifying {
            verifying.called(function, handle);
        }
        None
    }

    fn returned(
        &self,
        function: &'static str,
        handle: usize,
        returned: Returned,
        last_error: Win32Error,
    ) -> Win32Error {
        if let Some(verifying) = &self.verifying {
            verifying.returned(function, handle, returned, last_error);
        }
        if let Some(tracing) = &self.tracing {
            tracing.returned(function, returned, last_error);
        }
        last_error
    }

    fn notified(&self, handle: usize, context: usize, notification: &Notification) {
        if let Some(tracing) = &self.tracing {
            tracing.notified(handle, context, notification);
        }
        if let Some(verifying) = &self.verifying {
            verifying.notified(handle, context, notification);
        }
    }

    fn delivered(&self, _handle: usize) {
        if let Some(verifying) = &self.verifying {
            verifying.delivered();
        }
    }

    fn check(&self, handle: usize, event: &CheckEvent) {
        if let Some(verifying) = &self.verifying {
            verifying.check(handle, event);
        }
    }

    fn given(&self, arguments: &str) {
        if let Some(tracing) = &self.tracing {
            tracing.given(arguments);
        }
    }

    fn note(&self, text: &str) {
        if let Some(tracing) = &self.tracing {
            tracing.note(text);
        }
    }

    fn on_traffic(&self, handle: usize, what: TrafficEvent<'_>) {
        if let Some(tracing) = &self.tracing {
            tracing.on_traffic(handle, &what);
        }
    }

    fn watch(&self) -> Watch {
        self.verifying.as_ref().map_or(Watch::default(), Verifying::watch)
    }
}

static REAL: OnceLock<Arc<Real>> = OnceLock::new();

/// The process ends.
fn end() {
    let Some(real) = REAL.get() else { return };
    if let Some(verifying) = &real.verifying {
        verifying.ended();
    }
    if let Some(tracing) = &real.tracing {
        tracing.ended();
    }
}

/// The one real world of the process, made by the first session.
pub(super) fn world() -> Arc<dyn World> {
    let real = REAL.get_or_init(|| {
        let began = super::clock::began();
        let tracing = Tracing::from_environment(began);
        let verifying = Verifying::from_environment(began);
        if verifying.is_some() || tracing.is_some() {
            at_exit(end);
        }
        let proxies = Proxies::new(from_environment(|name| std::env::var(name).ok()));
        Arc::new(Real { workers: Arc::default(), net: Net::real(began), proxies, began, tracing, verifying })
    });
    Arc::clone(real) as Arc<dyn World>
}
