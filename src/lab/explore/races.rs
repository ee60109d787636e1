//! Races of a schedule: steps that are not independent and could have come in the other order. Only where there is one must
//! another step be tried (source-DPOR: Abdulla, Aronis, Jonsson and Sagonas 2014).

use super::footprint::Footprint;
use crate::lab::chooser::Actor;

/// A step of a schedule.
pub struct Step<'a> {
    pub actor: Actor,
    pub touched: &'a Footprint,
    /// Who could have taken it, the actor among them.
    pub enabled: &'a [Actor],
}

/// Two steps that could have come in the other order.
#[derive(Debug, PartialEq, Eq)]
pub struct Race {
    /// The number of the earlier one.
    pub at: usize,
    /// In its place one of these begins what leads to the other order.
    pub initials: Vec<Actor>,
}

/// Which steps happen before which: `before[later][earlier]`.
fn order(steps: &[Step<'_>]) -> Vec<Vec<bool>> {
    let mut before: Vec<Vec<bool>> = Vec::with_capacity(steps.len());
    for (at, step) in steps.iter().enumerate() {
        let mut earlier = vec![false; at];
        for other in (0..at).rev() {
            if !earlier[other] && (follows(steps, other, at) || !step.touched.independent(steps[other].touched)) {
                earlier[other] = true;
                before[other].iter().enumerate().filter(|(_, is)| **is).for_each(|(at, _)| earlier[at] = true);
            }
        }
        before.push(earlier);
    }
    before
}

/// Whether a step can only come after an earlier one: of the same actor, or the one that made it possible. A thread takes
/// other work when it is done with some: its steps may have nothing to do with each other. Where a step was forced, what else
/// was possible is not known.
fn follows(steps: &[Step<'_>], earlier: usize, later: usize) -> bool {
    let actor = steps[later].actor;
    let known = |at: usize| steps[at].enabled.contains(&actor);
    let possible = |at: usize| known(at) || steps[at].enabled.len() == 1;
    let same = steps[earlier].actor == actor && !matches!(actor, Actor::Thread(_));
    same || (!possible(earlier) && known(earlier + 1) && (earlier + 2..=later).all(possible))
}

/// Who could have taken a step in the place of this one, and cannot any more: what it would have touched is not known.
fn prevented(steps: &[Step<'_>], at: usize) -> impl Iterator<Item = Actor> {
    let goes_on = move |actor: &Actor| {
        let known = |step: &&Step<'_>| step.actor == *actor || step.enabled.len() > 1;
        steps[at + 1..].iter().find(known).is_some_and(|step| step.enabled.contains(actor))
    };
    steps[at].enabled.iter().copied().filter(move |actor| *actor != steps[at].actor && !goes_on(actor))
}

/// All races of a schedule.
pub fn races(steps: &[Step<'_>]) -> Vec<Race> {
    let before = order(steps);
    let prevents = |at| prevented(steps, at).map(move |actor| Race { at, initials: vec![actor] });
    let mut races: Vec<Race> = (0..steps.len()).flat_map(prevents).collect();
    for later in 0..steps.len() {
        for earlier in 0..later {
            let between = |at: &usize| before[later][*at] && before[*at][earlier];
            let races_with = before[later][earlier]
                && !follows(steps, earlier, later)
                && !(earlier + 1..later).any(|at| between(&at));
            if races_with {
                // What comes between without the earlier one, and then the later one.
                let moved: Vec<usize> =
                    (earlier + 1..=later).filter(|at| *at == later || !before[*at][earlier]).collect();
                let begins =
                    |at: &&usize| !moved.iter().take_while(|other| other < at).any(|other| before[**at][*other]);
                let initials = moved.iter().filter(begins).map(|at| steps[*at].actor).collect();
                races.push(Race { at: earlier, initials });
            }
        }
    }
    races
}

#[cfg(test)]
mod tests {
    use super::super::footprint::Thing;
    use super::*;

    #[test]
    fn what_races() {
        let [a, b, c] = [1, 2, 3].map(Actor::Network);
        let thread = Actor::Thread(1);
        let touch = |things: &[u32]| {
            let mut footprint = Footprint::default();
            things.iter().for_each(|thing| footprint.changes(Thing::Memory(*thing)));
            footprint
        };
        let [x, y, both, none] = [touch(&[1]), touch(&[2]), touch(&[1, 2]), touch(&[])];
        let (abc, ab, ac, bc) = ([a, b, c], [a, b], [a, c], [b, c]);
        let [only_a, only_b, only_c, alone] = [[a], [b], [c], [thread]];
        type Row<'a> = (&'static str, Vec<(Actor, &'a Footprint, &'a [Actor])>, Vec<(usize, Vec<Actor>)>);
        let rows: [Row<'_>; 10] = [
            ("nothing in common", vec![(a, &x, &ab), (b, &y, &only_b)], vec![]),
            ("the same memory", vec![(a, &x, &ab), (b, &x, &only_b)], vec![(0, vec![b])]),
            ("the same request", vec![(a, &x, &only_a), (a, &x, &only_a)], vec![]),
            ("perhaps other work", vec![(thread, &x, &alone), (thread, &x, &alone)], vec![(0, vec![thread])]),
            ("made possible", vec![(a, &x, &ac), (b, &x, &bc), (c, &none, &only_c)], vec![]),
            (
                "ordered by a third",
                vec![(a, &x, &abc), (c, &x, &bc), (b, &x, &only_b)],
                vec![(0, vec![c]), (1, vec![b])],
            ),
            ("another may begin", vec![(a, &x, &abc), (c, &y, &bc), (b, &x, &only_b)], vec![(0, vec![c, b])]),
            (
                "another must begin",
                vec![(a, &x, &abc), (c, &y, &bc), (b, &both, &only_b)],
                vec![(0, vec![c]), (1, vec![b])],
            ),
            ("taken away", vec![(a, &x, &ab), (c, &y, &ac), (a, &none, &only_a)], vec![(0, vec![b])]),
            ("never taken", vec![(a, &x, &ab)], vec![(0, vec![b])]),
        ];
        for (what, steps, expected) in rows {
            let steps: Vec<Step<'_>> =
                steps.into_iter().map(|(actor, touched, enabled)| Step { actor, touched, enabled }).collect();
            let found: Vec<(usize, Vec<Actor>)> =
                races(&steps).into_iter().map(|race| (race.at, race.initials)).collect();
            assert_eq!(found, expected, "{what}");
        }
    }
}
