//! A failing schedule with as few unusual choices as can be.

use std::sync::Arc;

use super::random::Deviating;
use super::run::{Run, Setup, run};
use crate::lab::choices::{Choice, ChoiceKind};
use crate::lab::sim::Sim;

/// How many runs are made at most.
const RUNS: usize = 300;

/// An unusual choice: its number in the run, its kind, the option, what that is called.
pub type Unusual = (usize, ChoiceKind, usize, String);

/// What is unusual in a run, for one reason: a choice, or the choices that put off the same step until it comes.
#[derive(Clone, Debug)]
pub struct Deviation {
    /// Who is passed over, if it is a question of what happens next.
    put_off: Option<Arc<str>>,
    choices: Vec<Unusual>,
}

impl Deviation {
    /// For a report: the first choice in full, or who is put off for how long.
    pub fn show(&self, choices: &[Choice]) -> String {
        let at = |(at, ..): &Unusual| at + 1;
        match (&self.put_off, &self.choices[..]) {
            (_, [only]) => format!("{:#}, choice {} of {}", choices[only.0], at(only), choices.len()),
            (put_off, all) => {
                let name = put_off.as_deref().unwrap_or("it");
                let (first, last) = (all.first().map_or(0, at), all.last().map_or(0, at));
                let times = all.len();
                format!("{name} is put off {times} times, from choice {first} to {last} of {}", choices.len())
            }
        }
    }
}

/// What is unusual in a run. Choices that pass over one step belong together until that step is taken.
pub fn deviations(run: &Run) -> Vec<Deviation> {
    let mut all: Vec<Deviation> = Vec::new();
    // Which deviation passes over whom.
    let mut open: Vec<(Arc<str>, usize)> = Vec::new();
    for (at, choice) in run.choices.iter().enumerate() {
        let steps = choice.kind == ChoiceKind::Next;
        if steps {
            open.retain(|(name, _)| **name != *choice.label);
        }
        if choice.taken == 0 {
            continue;
        }
        let unusual = (at, choice.kind, choice.taken as usize, choice.label.clone());
        let put_off = run.passed.get(at).cloned().flatten();
        let known = open.iter().find(|(name, _)| put_off.as_ref() == Some(name)).map(|(_, number)| *number);
        match (known, &put_off) {
            (Some(number), _) => all[number].choices.push(unusual),
            (None, name) => {
                open.extend(name.iter().map(|name| (Arc::clone(name), all.len())));
                all.push(Deviation { put_off, choices: vec![unusual] });
            }
        }
    }
    all
}

/// The smaller schedules that are tried in place of one: without a part of its deviations, the last parts first.
fn without_parts(known: &[Deviation], parts: usize) -> Vec<Vec<Deviation>> {
    let size = known.len().div_ceil(parts);
    let starts = (0..known.len()).step_by(size).rev();
    starts.map(|start| [&known[..start], &known[(start + size).min(known.len())..]].concat()).collect()
}

/// The schedules in which what is put off is put off for a shorter time.
fn shorter(known: &[Deviation]) -> Vec<Vec<Deviation>> {
    let long = known.iter().enumerate().filter(|(_, deviation)| deviation.choices.len() > 1);
    let lengths = long.flat_map(|(at, deviation)| {
        let whole = deviation.choices.len();
        [whole / 2, whole - 1].map(|length| (at, length))
    });
    let cut = lengths.map(|(at, length)| {
        let mut fewer = known.to_vec();
        fewer[at].choices.truncate(length);
        fewer
    });
    cut.collect()
}

/// How many deviations, and how many unusual choices they are.
fn size(known: &[Deviation]) -> (usize, usize) {
    (known.len(), known.iter().map(|deviation| deviation.choices.len()).sum())
}

struct Shrinking<'a> {
    body: &'a dyn Fn(&Sim),
    setup: &'a Setup,
    kind: Option<String>,
    best: Run,
    runs: usize,
}

impl Shrinking<'_> {
    /// Whether one of these fails in the same way with fewer unusual choices; that is then the best.
    fn improves(&mut self, smaller: Vec<Vec<Deviation>>) -> bool {
        let known = size(&deviations(&self.best));
        for fewer in smaller {
            if self.runs >= RUNS {
                return false;
            }
            self.runs += 1;
            let choices = fewer.into_iter().flat_map(|deviation| deviation.choices).collect();
            let tried = run(self.body, self.setup, Box::new(Deviating::new(choices)), false);
            let same = tried.failure.as_ref().map(|failure| failure.kind()) == self.kind;
            if same && size(&deviations(&tried)) < known {
                self.best = tried;
                return true;
            }
        }
        false
    }
}

/// Leaves out one part of the deviations after another, and then makes shorter what is left, as long as the same goes wrong;
/// answers how many runs that took, too.
pub fn shrink(body: &dyn Fn(&Sim), setup: &Setup, failed: Run) -> (Run, usize) {
    let kind = failed.failure.as_ref().map(|failure| failure.kind());
    let mut shrinking = Shrinking { body, setup, kind, best: failed, runs: 0 };
    let mut parts = 1;
    loop {
        let known = deviations(&shrinking.best);
        if known.is_empty() {
            break;
        }
        parts = parts.min(known.len());
        if shrinking.improves(without_parts(&known, parts)) {
            parts = parts.saturating_sub(1).max(1);
        } else if parts < known.len() {
            parts *= 2;
        } else {
            break;
        }
    }
    loop {
        let known = deviations(&shrinking.best);
        if !shrinking.improves(shorter(&known)) {
            return (shrinking.best, shrinking.runs);
        }
    }
}
