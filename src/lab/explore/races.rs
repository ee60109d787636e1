//! Which steps of a run could have come in another order: source sets (Abdulla, Aronis, Jonsson and Sagonas 2014).
//!
//! Two steps are in a race if they are not independent and nothing between them puts them in their order. Then the run is to be
//! made in which the second comes first: at the choice of the first step, something is taken that leads to the second.

use super::footprint::Footprint;
use crate::lab::chooser::Actor;

/// A step of a run.
pub struct Step<'a> {
    pub actor: Actor,
    /// Who could have acted instead, and it.
    pub options: &'a [Actor],
    pub touched: &'a Footprint,
    /// Of the options, those of which all that comes behind them was visited in another order, with what they touch.
    pub sleeping: &'a [(Actor, Footprint)],
}

/// How the steps end.
pub enum End<'a> {
    /// Nobody can act, but when the time moves.
    Rest,
    /// These could, and are not looked at: their orders were visited.
    Cut(&'a [Actor]),
    /// The program ends, whoever could still act.
    Over,
}

/// Numbers of steps.
#[derive(Clone, Default)]
struct Steps(Vec<u64>);

impl Steps {
    fn insert(&mut self, step: usize) {
        let word = step / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (step % 64);
    }

    fn contains(&self, step: usize) -> bool {
        self.0.get(step / 64).is_some_and(|word| word & (1 << (step % 64)) != 0)
    }

    fn add(&mut self, other: &Steps) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(to, from)| *to |= from);
    }
}

/// Adds to what is `taken` at each choice what the races between these steps call for; where nothing is told, all is taken.
pub fn reverse(steps: &[Step<'_>], end: &End<'_>, taken: &mut [Option<Vec<Actor>>]) {
    // What each step comes behind, whatever the order of independent ones.
    let mut before: Vec<Steps> = Vec::with_capacity(steps.len());
    for (place, step) in steps.iter().enumerate() {
        let (behind, races) = behind(steps, &before, place, step.actor, Some(step.touched));
        for race in races {
            call_for(steps, &before, (race, step.actor, &behind), taken);
        }
        before.push(behind);
        // Whoever cannot act any more must have come before.
        let next = match (steps.get(place + 1), end) {
            (Some(next), _) => next.options,
            (None, End::Rest) => &[],
            (None, End::Cut(options)) => options,
            (None, End::Over) => step.options,
        };
        let gone = step.options.iter().filter(|actor| **actor != step.actor && !next.contains(actor));
        gone.for_each(|actor| take(&mut taken[place], *actor));
    }
    for (place, step) in steps.iter().enumerate() {
        let next = steps.get(place + 1).map_or(&[][..], |next| next.options);
        for (actor, touched) in step.sleeping.iter().filter(|(actor, _)| !next.contains(actor)) {
            prevented(steps, &before, (place, *actor, touched), taken);
        }
    }
    if let (End::Over, Some(last)) = (end, steps.last()) {
        // What these would have done is not known.
        for actor in last.options.iter().filter(|actor| **actor != last.actor) {
            let (behind, races) = behind(steps, &before, steps.len(), *actor, None);
            for race in races {
                call_for(steps, &before, (race, *actor, &behind), taken);
            }
        }
    }
}

/// Somebody sleeps at a step that prevents him. What he may not change places with could have come before both.
fn prevented(
    steps: &[Step<'_>],
    before: &[Steps],
    (place, actor, touched): (usize, Actor, &Footprint),
    taken: &mut [Option<Vec<Actor>>],
) {
    for later in place + 1..steps.len() {
        if steps[later].options.contains(&actor) {
            return;
        }
        if !before[later].contains(place) && !touched.independent(steps[later].touched) {
            let mut behind = Steps::default();
            behind.insert(later);
            call_for(steps, &before[..=later], (place, actor, &behind), taken);
        }
    }
}

/// What a step comes behind, and with which of these it is in a race.
fn behind(
    steps: &[Step<'_>],
    before: &[Steps],
    place: usize,
    actor: Actor,
    touched: Option<&Footprint>,
) -> (Steps, Vec<usize>) {
    // What made the step possible is no race.
    let possible =
        (0..place.min(steps.len() - 1) + 1).rev().take_while(|at| steps[*at].options.contains(&actor)).last();
    let enabler = possible.and_then(|first| first.checked_sub(1));
    let (mut behind, mut races) = (Steps::default(), Vec::new());
    for earlier in (0..place).rev() {
        let ordered = steps[earlier].actor == actor || enabler == Some(earlier);
        let depends = || touched.is_none_or(|touched| !touched.independent(steps[earlier].touched));
        if !behind.contains(earlier) && (ordered || depends()) {
            behind.add(&before[earlier]);
            behind.insert(earlier);
            if !ordered {
                races.push(earlier);
            }
        }
    }
    (behind, races)
}

/// At the choice of `race`, one of those is taken that come first of what leads to the other step.
fn call_for(
    steps: &[Step<'_>],
    before: &[Steps],
    (race, actor, behind): (usize, Actor, &Steps),
    taken: &mut [Option<Vec<Actor>>],
) {
    let Some(known) = &taken[race] else { return };
    let others = (race + 1..before.len()).filter(|step| !before[*step].contains(race));
    let mut first: Vec<(usize, Actor)> = Vec::new();
    let mut all: Vec<usize> = Vec::new();
    for step in others {
        if !all.iter().any(|earlier| before[step].contains(*earlier)) {
            first.push((step, steps[step].actor));
        }
        all.push(step);
    }
    if !all.iter().any(|earlier| behind.contains(*earlier)) {
        first.push((before.len(), actor));
    }
    if !first.iter().any(|(_, actor)| known.contains(actor)) {
        match first.iter().find(|(_, actor)| steps[race].options.contains(actor)) {
            Some((_, actor)) => take(&mut taken[race], *actor),
            None => taken[race] = None,
        }
    }
}

fn take(taken: &mut Option<Vec<Actor>>, actor: Actor) {
    if let Some(taken) = taken.as_mut().filter(|taken| !taken.contains(&actor)) {
        taken.push(actor);
    }
}
