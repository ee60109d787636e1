//! Choosers that follow chance, each from a seed.

use std::collections::HashMap;

use super::late::Latest;
use crate::lab::choices::ChoiceKind;
use crate::lab::chooser::{Actor, Chooser, Point};

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x6A09_E667_F3BC_C908)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// So many times in a hundred.
    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A [`Chooser`](crate::lab::Chooser) that chooses at random, from a seed. All options are equally likely, except faults: five in a
/// hundred.
///
/// ```
/// use portable_winhttp::lab::{Random, Sim};
/// let sim = Sim::builder().chooser(Random::new(7)).build();
/// ```
#[derive(Clone, Debug)]
pub struct Random {
    chance: Chance,
}

/// Of a hundred points at which something can fail, so many do.
const FAULTS: usize = 5;

impl Random {
    /// The same seed makes the same choices.
    pub fn new(seed: u64) -> Random {
        Random { chance: Chance::new(seed) }
    }
}

impl Chooser for Random {
    fn choose(&mut self, point: Point<'_>, options: usize) -> usize {
        match point {
            Point::Fault(_) => usize::from(self.chance.percent(FAULTS)),
            _ => self.chance.below(options),
        }
    }
}

/// What is known of the usual run, by which chance is spread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    /// How often was chosen what happens next.
    pub steps: usize,
    /// How many points could fail.
    pub faults: usize,
    /// The most calls and returns while no time passed.
    pub busiest: u64,
}

/// A run that is odd in few ways: each run varies other kinds of choices, at other rates (swarm testing).
pub struct Swarm {
    chance: Chance,
    /// Of a hundred choices of a kind, so many are unusual.
    rates: HashMap<ChoiceKind, usize>,
    /// The point that fails, from 0.
    fails: Option<usize>,
    passed: usize,
}

impl Swarm {
    pub fn new(seed: u64, shape: Shape) -> Swarm {
        let mut chance = Chance::new(seed);
        let varied = ChoiceKind::ALL.iter().copied().filter(|kind| *kind != ChoiceKind::Fault);
        let rates = varied.map(|kind| (kind, [0, 0, 5, 25, 50, 100][chance.below(6)])).collect();
        let fails = chance.percent(50).then(|| chance.below(2 * shape.faults + 1));
        Swarm { chance, rates, fails, passed: 0 }
    }
}

impl Chooser for Swarm {
    fn choose(&mut self, point: Point<'_>, options: usize) -> usize {
        if let Point::Fault(_) = point {
            self.passed += 1;
            return usize::from(self.fails == Some(self.passed - 1));
        }
        let rate = self.rates.get(&point.kind()).copied().unwrap_or(0);
        if self.chance.percent(rate) { self.chance.below(options) } else { 0 }
    }
}

/// Priorities (PCT): whoever has the highest goes on; at `depth - 1` random steps the one that goes on gets the lowest. A bug
/// that needs `depth` orderings in `n` actors and `k` steps is found with probability 1/(n k^(depth-1)) at least, in each
/// run (Burckhardt et al., ASPLOS 2010).
pub struct Pct {
    chance: Chance,
    priorities: HashMap<Actor, u64>,
    changes: Vec<usize>,
    step: usize,
    /// Of a hundred choices of other kinds, so many are unusual.
    others: usize,
}

/// Priorities begin above those that changes give.
const FIRST: u64 = 1 << 32;

impl Pct {
    pub fn new(seed: u64, depth: usize, shape: Shape, others: usize) -> Pct {
        let mut chance = Chance::new(seed);
        let mut changes: Vec<usize> = (1..depth).map(|_| 1 + chance.below(shape.steps)).collect();
        changes.sort_unstable_by(|one, other| other.cmp(one));
        Pct { chance, priorities: HashMap::new(), changes, step: 0, others }
    }

    fn priority(&mut self, actor: Actor) -> u64 {
        let chance = &mut self.chance;
        *self.priorities.entry(actor).or_insert_with(|| FIRST + (chance.next() >> 32))
    }
}

impl Chooser for Pct {
    fn choose(&mut self, point: Point<'_>, options: usize) -> usize {
        let Point::Next(candidates, _) = point else {
            let unusual = !matches!(point, Point::Fault(_)) && self.chance.percent(self.others);
            return if unusual { self.chance.below(options) } else { 0 };
        };
        self.step += 1;
        let highest = |this: &mut Pct| {
            let ranked = candidates.iter().enumerate().map(|(at, candidate)| (this.priority(candidate.actor), at));
            ranked.max_by_key(|(priority, at)| (*priority, usize::MAX - at)).map_or(0, |(_, at)| at)
        };
        let mut chosen = highest(self);
        while self.changes.last() == Some(&self.step) {
            self.changes.pop();
            self.priorities.insert(candidates[chosen].actor, self.changes.len() as u64);
            chosen = highest(self);
        }
        chosen
    }
}

/// The usual, or a run in which threads begin late, except for some choices by their number in the run; what does not fit
/// there is left out.
#[derive(Clone)]
pub struct Deviating {
    /// Number of the choice, its kind, the option and what that is called.
    deviations: Vec<(usize, ChoiceKind, usize, String)>,
    at: usize,
    late: bool,
}

impl Deviating {
    pub fn new(deviations: Vec<(usize, ChoiceKind, usize, String)>) -> Deviating {
        Deviating { deviations, at: 0, late: false }
    }

    /// Every thread begins as late as it can.
    pub fn late(self) -> Deviating {
        Deviating { late: true, ..self }
    }
}

impl Chooser for Deviating {
    fn choose(&mut self, point: Point<'_>, options: usize) -> usize {
        self.at += 1;
        let wanted = self.deviations.iter().find(|(at, kind, ..)| *at == self.at - 1 && *kind == point.kind());
        let Some((_, _, taken, label)) = wanted else {
            return if self.late { Latest.choose(point, options) } else { 0 };
        };
        let named = (0..options).find(|option| point.label(*option) == *label);
        named.unwrap_or(if *taken < options && label.is_empty() { *taken } else { 0 })
    }
}
