//! The real world: the system's clock, worker threads, sockets.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::workers::Workers;
use super::{Job, World};
use crate::net::Net;
use crate::transport::Transport;

struct Real {
    workers: Arc<Workers>,
    net: Net,
    began: Instant,
}

impl World for Real {
    fn now(&self) -> Duration {
        self.began.elapsed()
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
}

/// The one real world of the process, made by the first session.
pub(super) fn world() -> Arc<dyn World> {
    static REAL: OnceLock<Arc<Real>> = OnceLock::new();
    let real = REAL.get_or_init(|| {
        let began = Instant::now();
        Arc::new(Real { workers: Arc::default(), net: Net::new(began), began })
    });
    Arc::clone(real) as Arc<dyn World>
}
