//! What the watch sees of a Sim, and does to it.

use std::sync::Arc;

use super::state::Doing;
use super::{MAIN, NOBODY, Scheduler};

/// See [`Scheduler::watched`].
#[derive(Clone, PartialEq, Eq)]
pub struct Watched {
    pub owner: Option<usize>,
    pub system: Option<u64>,
    pub moves: u64,
    /// Whether a thread that is not governed may still bring something.
    pub waits: bool,
    pub over: bool,
}

impl Scheduler {
    /// Who has the token, as the system calls it, and a number that changes with every sign of life.
    pub fn watched(&self) -> Watched {
        let state = self.lock();
        let system = state.owner.and_then(|owner| state.threads.get(owner)?.system);
        let waits = state.may_be_helped();
        Watched { owner: state.owner, system, moves: state.moves, waits, over: state.over }
    }

    /// The thread that has the token blocks in something that is not ours: the others go on without it.
    pub fn pass_over(self: &Arc<Self>, seen: &Watched) {
        let mut state = self.lock();
        let known = |owner: &usize| *owner != NOBODY && state.moves == seen.moves && !state.over;
        let Some(owner) = state.owner.filter(known) else { return };
        let name = state.threads[owner].name.clone();
        state.uncontrolled(&format!("the thread `{name}` blocks in something that is not the Sim's"));
        state.threads[owner].doing = Doing::Foreign;
        state.moves += 1;
        state.happened += 1;
        drop(self.go_on(state, None));
    }

    /// Nothing moves, and a thread that blocks in something else does not come back. The thread that made the Sim gets
    /// the report; or the caller does, if it is that one that blocks.
    pub fn abandoned(self: &Arc<Self>) -> Option<String> {
        let mut state = self.lock();
        let report = state.hang();
        if !matches!(state.threads[MAIN].doing, Doing::Waiting { .. }) {
            return Some(report);
        }
        state.failure = Some(report);
        drop(self.hand(state, MAIN, None));
        None
    }
}
