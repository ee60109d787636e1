//! The parts of a Sim's world: its clock, its random numbers, its names, its threads, its transport without bytes.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::{EPOCH, SimWorld};
use crate::delivery::{Job, Steps};
use crate::lab::scheduler::{About, Limit, Scheduler, WORKER};
use crate::lab::script::{Held, ScriptAttempt};
use crate::transport::{Attempt, ChainAsked, ChainQuestion, ConnectionGroupId, Sink, Transport, TransportRequest};
use crate::world::{Clock, Entropy, Names, Spawner};

/// The virtual time.
#[derive(Clone)]
pub struct SimClock(pub Arc<Scheduler>);

impl SimClock {
    pub fn time(&self) -> Duration {
        self.0.now()
    }
}

impl Clock for SimClock {
    fn now(&self) -> Duration {
        self.time()
    }

    fn date(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + EPOCH + self.time()
    }

    /// The same everywhere.
    fn utc_offset(&self) -> Option<i32> {
        Some(0)
    }
}

/// The same numbers in every run: counts those that were asked for.
#[derive(Default)]
pub struct SimEntropy(AtomicU64);

impl Entropy for SimEntropy {
    fn random(&self) -> [u8; 16] {
        let drawn = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        let mut bytes = [0; 16];
        for (place, half) in bytes.chunks_mut(8).enumerate() {
            // SplitMix64, of a count.
            let mut mixed = (2 * drawn + place as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            half.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
        }
        bytes
    }
}

impl Steps for SimWorld {
    fn wait(&self, what: &str, until: Option<Duration>, done: &mut dyn FnMut() -> bool) -> bool {
        let limit = until.map_or(Limit::None, Limit::Time);
        let answer = self.scheduler().wait(what, limit, done);
        self.scheduler().preempt(About::Same, true);
        answer
    }

    fn happened(&self) {
        self.scheduler().happened_outside();
    }

    fn lets_out(&self) -> bool {
        self.lets_out.load(Ordering::SeqCst)
    }
}

impl Names for SimWorld {
    /// Every peer has a name; an address is its own.
    fn lookup(&self, name: &str) -> Vec<IpAddr> {
        if let Ok(address) = name.parse() {
            return vec![address];
        }
        let state = self.lock();
        let origin = state.peers.iter().map(|(origin, _)| origin).find(|(_, host, _)| host.eq_ignore_ascii_case(name));
        let origin = origin.cloned();
        drop(state);
        origin.and_then(|origin| self.peer_of(&origin)).map(|(_, ends)| ends.remote.ip()).into_iter().collect()
    }

    fn addresses(&self) -> Vec<IpAddr> {
        vec![Ipv4Addr::new(192, 0, 2, 254).into()]
    }
}

impl Spawner for SimWorld {
    fn run(&self, job: Arc<dyn Job>) {
        let handle = job.handle();
        let name = if handle == 0 { WORKER.to_owned() } else { self.name(handle) };
        let delivers = (handle != 0).then(|| self.number(handle));
        self.scheduler.post(&name, delivers, Box::new(move || job.run()));
    }
}

/// Carries requests to scripted peers without bytes.
pub struct ScriptTransport(pub Arc<SimWorld>);

impl Transport for ScriptTransport {
    fn start(&self, request: Box<TransportRequest>, sink: Arc<dyn Sink>) -> Arc<dyn Attempt> {
        let handle = sink.handle();
        let attempt = ScriptAttempt::new(Arc::clone(&self.0), *request, sink);
        if handle != 0 {
            self.0.scheduler.name_sequence(attempt.number(), &self.0.name(handle), self.0.lineage(handle));
        }
        Arc::new(Held(Arc::new(attempt)))
    }

    fn marked(
        &self,
        host: &str,
        port: u16,
        secure: bool,
        mark: Option<ConnectionGroupId>,
    ) -> Vec<(ConnectionGroupId, u32)> {
        self.0.pool.marked((host, port, secure), mark)
    }

    fn judge(&self, question: ChainQuestion, asked: ChainAsked) {
        asked(self.0.judge(question));
    }

    fn roots(&self) -> Vec<Vec<u8>> {
        self.0.roots()
    }

    fn end_pool(&self, pool: usize) {
        let now = self.0.time();
        self.0.pool.about(|engine| engine.end_pool(now, pool));
    }

    fn running(&self) -> usize {
        0
    }
}
