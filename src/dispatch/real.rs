//! The real world: the system's clock, worker threads, sockets.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use super::tracing::Tracing;
use super::workers::Workers;
use super::{Job, Returned, World};
use crate::net::Net;
use crate::record::Notification;
use crate::transport::Transport;
use crate::win32::Win32Error;

struct Real {
    workers: Arc<Workers>,
    net: Arc<Net>,
    began: Instant,
    /// WINHTTP_TRACE
    tracing: Option<Tracing>,
}

impl World for Real {
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

    fn transport(&self) -> &dyn Transport {
        &self.net
    }

    fn called(&self, function: &'static str, handle: usize) -> Option<Win32Error> {
        if let Some(tracing) = &self.tracing {
            tracing.called(function, handle);
        }
        None
    }

    fn returned(
        &self,
        function: &'static str,
        _handle: usize,
        returned: Returned,
        last_error: Win32Error,
    ) -> Win32Error {
        if let Some(tracing) = &self.tracing {
            tracing.returned(function, returned, last_error);
        }
        last_error
    }

    fn notified(&self, handle: usize, context: usize, notification: &Notification) {
        if let Some(tracing) = &self.tracing {
            tracing.notified(handle, context, notification);
        }
    }
}

/// The one real world of the process, made by the first session.
pub(super) fn world() -> Arc<dyn World> {
    static REAL: OnceLock<Arc<Real>> = OnceLock::new();
    let real = REAL.get_or_init(|| {
        let began = Instant::now();
        let tracing = Tracing::from_environment(began);
        Arc::new(Real { workers: Arc::default(), net: Net::real(began), began, tracing })
    });
    Arc::clone(real) as Arc<dyn World>
}
