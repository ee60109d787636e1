//! The one place where a Sim chooses: whoever explores orders replaces this.

/// What could happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// A callback on a worker.
    Deliver,
    /// A thread that waited looks again.
    Resume,
    /// The network, or a timer.
    Happen,
}

/// Chooses among what could happen, and keeps the choices.
#[derive(Debug, Default)]
pub struct Chooser {
    taken: Vec<(usize, usize)>,
}

impl Chooser {
    /// The number of the candidate that happens: the first. Callbacks come before threads, threads before the network.
    pub fn choose(&mut self, candidates: &[Candidate]) -> usize {
        if candidates.len() > 1 {
            self.taken.push((0, candidates.len()));
        }
        0
    }
}
