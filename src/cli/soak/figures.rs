//! What the process holds.

use std::fmt;

use portable_winhttp::real::census;

/// Handles, requests on their way, threads, descriptors and memory at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    pub handles: usize,
    pub orders: usize,
    pub threads: usize,
    pub descriptors: usize,
    /// Resident, in KiB.
    pub memory: u64,
}

impl Figures {
    pub fn take() -> Figures {
        let listed = |path: &str| std::fs::read_dir(path).map_or(0, Iterator::count);
        let memory = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages: u64 = memory.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
        let left = census();
        Figures {
            handles: left.handles,
            orders: left.requests,
            threads: listed("/proc/self/task"),
            descriptors: listed("/proc/self/fd"),
            memory: pages * 4,
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { handles, orders, threads, descriptors, memory } = self;
        write!(
            f,
            "handles {handles}, tasks {orders}, threads {threads}, descriptors {descriptors}, memory {memory} KiB"
        )
    }
}
