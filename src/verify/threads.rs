//! What each thread of a program is in.

use std::thread::{self, ThreadId};
use std::time::Duration;

/// How many threads are remembered that are in no call and no callback: they may have ended.
const THREADS: usize = 256;

/// What a thread is in, outermost first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A call.
    Call { handle: usize, function: &'static str },
    /// A callback.
    Callback { handle: usize, context: usize, status: u32, since: Duration },
}

#[derive(Debug, Default)]
pub struct OnThread {
    pub frames: Vec<Frame>,
    /// The call that failed last and was not asked about, and the one that succeeded after it.
    pub failed: Option<&'static str>,
    pub succeeded: Option<&'static str>,
}

impl OnThread {
    /// Leaves the innermost frame that is such a one, and what is in it.
    pub fn leave(&mut self, such: impl Fn(&Frame) -> bool) -> Option<Frame> {
        let place = self.frames.iter().rposition(such)?;
        self.frames.drain(place..).next()
    }
}

/// The threads that were seen.
#[derive(Debug, Default)]
pub struct Threads(Vec<(ThreadId, OnThread)>);

impl Threads {
    /// This thread.
    pub fn here(&mut self) -> &mut OnThread {
        let me = thread::current().id();
        if let Some(place) = self.0.iter().position(|(id, _)| *id == me) {
            return &mut self.0[place].1;
        }
        if self.0.len() >= THREADS {
            self.0.retain(|(_, on)| !on.frames.is_empty());
        }
        self.0.push((me, OnThread::default()));
        let last = self.0.len() - 1;
        &mut self.0[last].1
    }

    /// All of them.
    #[cfg(feature = "lab")]
    pub fn all(&self) -> impl Iterator<Item = &OnThread> {
        self.0.iter().map(|(_, on)| on)
    }

    /// The other threads.
    pub fn others(&self) -> impl Iterator<Item = &OnThread> {
        let me = thread::current().id();
        self.0.iter().filter(move |(id, _)| *id != me).map(|(_, on)| on)
    }
}
