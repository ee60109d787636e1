//! A failing schedule with as few unusual choices as can be.

use super::random::Deviating;
use super::run::{Run, Setup, run};
use crate::lab::choices::ChoiceKind;
use crate::lab::sim::Sim;

/// How many runs are made at most.
const RUNS: usize = 300;

/// An unusual choice: its number in the run, its kind, the option, what that is called.
pub type Deviation = (usize, ChoiceKind, usize, String);

/// The unusual choices of a run.
pub fn deviations(run: &Run) -> Vec<Deviation> {
    let unusual = run.choices.iter().enumerate().filter(|(_, choice)| choice.taken > 0);
    unusual.map(|(at, choice)| (at, choice.kind, choice.taken as usize, choice.label.clone())).collect()
}

/// Leaves out one part of the unusual choices after another, as long as the same goes wrong; answers how many runs that
/// took, too.
pub fn shrink(body: &dyn Fn(&Sim), setup: &Setup, failed: Run) -> (Run, usize) {
    let kind = failed.failure.as_ref().map(|failure| failure.kind());
    let mut best = failed;
    let mut runs = 0;
    let mut parts = 1;
    loop {
        let known = deviations(&best);
        if known.is_empty() || parts > known.len() || runs >= RUNS {
            return (best, runs);
        }
        let size = known.len().div_ceil(parts);
        let mut smaller = None;
        // What came last is least needed.
        for start in (0..known.len()).step_by(size).rev() {
            let without = known.iter().enumerate().filter(|(at, _)| !(start..start + size).contains(at));
            let without: Vec<Deviation> = without.map(|(_, deviation)| deviation.clone()).collect();
            runs += 1;
            let tried = run(body, setup, Box::new(Deviating::new(without)), false);
            let same = tried.failure.as_ref().map(|failure| failure.kind()) == kind;
            if same && deviations(&tried).len() < known.len() {
                smaller = Some(tried);
                break;
            }
            if runs >= RUNS {
                break;
            }
        }
        match smaller {
            Some(smaller) => {
                best = smaller;
                parts = parts.saturating_sub(1).max(1);
            }
            None if size == 1 => return (best, runs),
            None => parts = (2 * parts).min(known.len()),
        }
    }
}
