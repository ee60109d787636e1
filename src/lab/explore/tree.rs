//! The tree of all schedules, walked depth first; what only changes the order of independent steps is left out.
//!
//! At a choice the first option is taken, and others as far as the runs behind it [call for them](super::races): where steps
//! that are not independent could have come in another order. And after everything behind a step *t* was visited, *t* need not
//! be taken again behind another step that is independent of it: so *t* sleeps there until a step comes that is not (sleep sets,
//! Godefroid 1996). What a step touches is known when it was taken; a step behind which choices of another kind lie touches what
//! it touches in any of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::footprint::Footprint;
use super::races::{End, Step, reverse};
use crate::lab::chooser::{Actor, Candidate, Chooser, Point};
use crate::sync::Mutex;

/// Steps with more than one option after which the tree is parted among shards.
const TOP: usize = 6;

/// A choice on the way from the root.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Node {
    /// The letter of its kind.
    kind: String,
    options: usize,
    taken: usize,
    /// What its options are, if it is about what happens next.
    actors: Vec<Actor>,
    /// Whether another option than the first is a preemption.
    preempts: bool,
    /// What is taken of them; all, where there is none.
    only: Option<Vec<Actor>>,
    /// Whether the Sim was at rest before it.
    rested: bool,
    sleeping: Vec<(Actor, Footprint)>,
    /// What was visited before, with all that is behind it.
    visited: Vec<(Actor, Footprint)>,
    /// What the option that is taken touches.
    touched: Footprint,
}

impl Node {
    fn steps(&self) -> bool {
        !self.actors.is_empty()
    }

    fn is_left(&self, option: usize) -> bool {
        let actor = self.actors[option];
        let among = |list: &[(Actor, Footprint)]| list.iter().any(|(known, _)| *known == actor);
        option != self.taken && self.is_wanted(option) && !among(&self.visited) && !among(&self.sleeping)
    }

    fn is_wanted(&self, option: usize) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&self.actors[option]))
    }

    /// How many of its options are left out.
    fn left_out(&self) -> usize {
        let unwanted = (0..self.actors.len()).filter(|option| !self.is_wanted(*option));
        let asleep = |option: &usize| self.sleeping.iter().any(|(actor, _)| *actor == self.actors[*option]);
        self.sleeping.len() + unwanted.filter(|option| !asleep(option)).count()
    }
}

/// How the tree is walked.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Walk {
    /// Whether steps sleep.
    pub reduced: bool,
    /// How many preemptions a schedule has at most.
    pub preemptions: Option<usize>,
    /// How many unusual choices a schedule has at most.
    pub deviations: Option<usize>,
    /// Which part of how many, from 1.
    pub shard: Option<(usize, usize)>,
}

/// See the module.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Tree {
    walk: Walk,
    path: Vec<Node>,
    /// After so many steps with more than one option the tree is parted among shards.
    top: usize,
    /// Options that were left out because their order makes no difference.
    pub pruned: u64,
    /// Parts of the tree that were begun.
    parts: usize,
    #[serde(skip)]
    run: CurrentRun,
}

/// Where a run is.
#[derive(Debug, Default)]
struct CurrentRun {
    at: usize,
    /// The node of the last step.
    last: Option<usize>,
    touched: Footprint,
    /// The Sim was at rest since then.
    rested: bool,
    /// Nothing new comes in this run: it goes on as usual.
    free: bool,
    /// What could happen where that began.
    left_at: Vec<Actor>,
    /// The first node that is another than in the run before.
    new: usize,
    /// Where the part begins that belongs to one shard.
    part: Option<usize>,
    steps: usize,
    diverged: Option<String>,
}

impl Tree {
    pub fn new(walk: Walk) -> Tree {
        Tree { walk, top: TOP, ..Tree::default() }
    }

    /// A run begins.
    pub fn begin(&mut self) {
        self.run = CurrentRun { new: self.path.len().saturating_sub(1), ..CurrentRun::default() };
    }

    /// Whether the run that was made is one of this shard, and no mere repetition.
    pub fn counts(&self) -> bool {
        !self.run.free && self.is_mine()
    }

    fn is_mine(&self) -> bool {
        self.walk.shard.is_none_or(|(part, of)| self.parts % of == part - 1)
    }

    /// Why the program did something else than before with the same choices, if it did.
    pub fn diverged(&self) -> Option<String> {
        self.run.diverged.clone()
    }

    /// Options that are known and not visited.
    pub fn left(&self) -> u64 {
        let left = |node: &Node| match node.steps() {
            true => (0..node.options).filter(|option| node.is_left(*option)).count(),
            false => node.options - node.taken - 1,
        };
        self.path.iter().map(left).sum::<usize>() as u64
    }

    /// How far the schedules that were begun are known.
    pub fn length(&self) -> usize {
        self.path.len()
    }

    /// Forgets what a run has added that was disturbed.
    pub fn forget(&mut self, length: usize) {
        self.path.truncate(length);
    }

    /// Goes to the next schedule; `false` if there is none.
    pub fn advance(&mut self) -> bool {
        self.widen();
        let mut boundary = usize::MAX;
        if let Some(part) = self.run.part {
            boundary = part;
            if !self.is_mine() {
                self.path.truncate(part);
            }
        }
        while let Some(mut node) = self.path.pop() {
            let odd =
                self.path.iter().filter(|node| node.taken > 0).count() < self.walk.deviations.unwrap_or(usize::MAX);
            let next = match node.steps() {
                true => {
                    let done = (node.actors[node.taken], std::mem::take(&mut node.touched));
                    node.visited.push(done);
                    let within = self.preemptions() < self.walk.preemptions.unwrap_or(usize::MAX);
                    let allowed = odd && (!node.preempts || within);
                    (0..node.options).find(|option| allowed && node.is_left(*option))
                }
                false => Some(node.taken + 1).filter(|option| odd && *option < node.options),
            };
            if let Some(next) = next {
                node.taken = next;
                self.path.push(node);
                self.parts += usize::from(self.path.len() <= boundary);
                return true;
            }
            self.pruned += node.left_out() as u64;
        }
        false
    }

    /// Preemptions on the way to the end of the path.
    fn preemptions(&self) -> usize {
        self.path.iter().filter(|node| node.preempts && node.taken > 0).count()
    }

    /// At the choices of the path more is taken, as what came behind them calls for.
    fn widen(&mut self) {
        if !self.walk.reduced {
            return;
        }
        let Tree { path, run, .. } = self;
        let places: Vec<usize> = (0..path.len()).filter(|at| path[*at].steps()).collect();
        let mut from = 0;
        // What comes behind a rest comes behind all that is before it.
        let parts: Vec<&[usize]> = places.chunk_by(|_, next| !path[*next].rested).collect();
        for part in parts {
            from += part.len();
            let end = match () {
                _ if from < places.len() || run.rested => End::Rest,
                _ if run.free => End::Cut(&run.left_at),
                _ => End::Over,
            };
            if part.last().is_none_or(|last| *last < run.new) {
                continue;
            }
            let mut taken: Vec<_> = part.iter().map(|at| path[*at].only.take()).collect();
            let step = |at: &usize| {
                let Node { actors, touched, sleeping, .. } = &path[*at];
                Step { actor: actors[path[*at].taken], options: actors, touched, sleeping }
            };
            reverse(&part.iter().map(step).collect::<Vec<_>>(), &end, &mut taken);
            part.iter().zip(taken).for_each(|(at, taken)| path[*at].only = taken);
        }
    }

    fn choose(&mut self, point: Point<'_>, options: usize) -> usize {
        if self.run.free {
            return 0;
        }
        let kind = &point.kind().name()[..1];
        let at = self.run.at;
        self.run.at += 1;
        let is_step = matches!(point, Point::Next(..));
        if let Some(node) = self.path.get(at) {
            let taken = node.taken;
            if node.kind != kind || node.options != options {
                let known = format!("{}{taken}/{}", node.kind, node.options);
                let came = format!("the program comes to {}{taken}/{options} where it came to {known}", kind);
                self.run.diverged = Some(format!(
                    "with the same choices the program does something else, at choice {at}: {came}; what is it that a Sim \
                     does not govern: a clock, a random number, the address of something, a thread of its own?"
                ));
                self.run.free = true;
                return 0;
            }
            if is_step {
                self.run.rested = false;
                self.stepped(at, options);
            }
            return taken;
        }
        let mut node = Node {
            kind: kind.to_owned(),
            options,
            taken: 0,
            actors: Vec::new(),
            preempts: false,
            only: None,
            rested: false,
            sleeping: Vec::new(),
            visited: Vec::new(),
            touched: Footprint::default(),
        };
        if let Point::Next(candidates, preempts) = point {
            node.actors = candidates.iter().map(|candidate| candidate.actor).collect();
            node.preempts = preempts;
            node.rested = std::mem::take(&mut self.run.rested);
            node.sleeping = self.sleeping();
            let within = self.preemptions() < self.walk.preemptions.unwrap_or(usize::MAX);
            let asleep = |actor: &Actor| node.sleeping.iter().any(|(known, _)| known == actor);
            let awake =
                (0..options).find(|option| (*option == 0 || !preempts || within) && !asleep(&node.actors[*option]));
            let Some(awake) = awake else {
                // Every continuation was visited in another order.
                self.run.free = true;
                self.run.left_at = node.actors;
                self.pruned += 1;
                return 0;
            };
            node.taken = awake;
            self.stepped(at, options);
            // Before the tree is parted, all is taken: each shard must have the same parts.
            if self.walk.reduced && self.run.steps >= self.top {
                node.only = Some(vec![node.actors[awake]]);
            }
        }
        let taken = node.taken;
        self.path.push(node);
        taken
    }

    /// The node at `at` is a step.
    fn stepped(&mut self, at: usize, options: usize) {
        self.run.last = Some(at);
        self.run.touched = Footprint::default();
        if options > 1 {
            self.run.steps += 1;
            if self.run.steps == self.top {
                self.run.part = Some(at);
            }
        }
    }

    /// What sleeps behind the last step.
    fn sleeping(&self) -> Vec<(Actor, Footprint)> {
        let Some(last) = self.run.last.filter(|_| self.walk.reduced) else { return Vec::new() };
        let node = &self.path[last];
        let taken = node.actors[node.taken];
        let known = node.sleeping.iter().chain(&node.visited);
        let stays = known.filter(|(actor, touched)| *actor != taken && touched.independent(&self.run.touched));
        stays.cloned().collect()
    }

    /// What follows is no part of the last step: it comes behind all that could happen.
    fn rested(&mut self) {
        self.run.last = None;
        self.run.touched = Footprint::default();
        self.run.rested = true;
    }

    fn touched(&mut self, what: &Footprint) {
        if self.run.free {
            return;
        }
        if let Some(node) = self.run.last.and_then(|last| self.path.get_mut(last)) {
            node.touched.add(what);
        }
        self.run.touched.add(what);
    }
}

/// Makes the choices of the tree's path, and lengthens it.
pub struct Walking(pub Arc<Mutex<Tree>>);

impl Walking {
    fn with<R>(&self, act: impl FnOnce(&mut Tree) -> R) -> R {
        act(&mut self.0.lock())
    }
}

impl Chooser for Walking {
    fn choose(&mut self, point: Point<'_>, options: usize) -> usize {
        self.with(|tree| tree.choose(point, options))
    }

    fn stopped(&self) -> Option<String> {
        self.with(|tree| tree.diverged())
    }

    fn forced(&mut self, only: &Candidate) {
        self.with(|tree| tree.choose(Point::Next(std::slice::from_ref(only), false), 1));
    }

    fn touched(&mut self, what: &Footprint) {
        self.with(|tree| tree.touched(what));
    }

    fn rested(&mut self) {
        self.with(Tree::rested);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::footprint::Thing;
    use super::*;

    /// What a thread does in one step: it may look at something shared and wait until a number stands there, and may add one.
    #[derive(Clone, Debug)]
    struct Act {
        waits: Option<(usize, usize)>,
        sees: Option<usize>,
        adds: Option<usize>,
        /// Which of two it does is a choice of another kind.
        chooses: bool,
        /// It closes what belongs to another.
        closes: Option<usize>,
    }

    const SHARED: usize = 2;

    fn act() -> impl Strategy<Value = Act> {
        let seldom = |most: usize| proptest::option::weighted(0.25, 0..most);
        let waits = proptest::option::weighted(0.2, (0..SHARED, 0..2usize));
        (
            waits,
            seldom(SHARED),
            seldom(SHARED),
            proptest::bool::weighted(0.1),
            proptest::option::weighted(0.1, 0..3usize),
        )
            .prop_map(|(waits, sees, adds, chooses, closes)| Act { waits, sees, adds, chooses, closes })
    }

    #[derive(Clone, Debug)]
    struct Program {
        /// Threads, each about a handle, with what they do; then others, after a rest.
        rounds: Vec<Vec<(usize, Vec<Act>)>>,
        /// It ends with the first thread of the last round, whatever others could still do.
        hurries: bool,
    }

    fn program() -> impl Strategy<Value = Program> {
        let thread = (0..3usize, prop::collection::vec(act(), 1..3));
        let rounds = prop::collection::vec(prop::collection::vec(thread, 1..4), 1..3);
        (rounds, any::<bool>()).prop_map(|(rounds, hurries)| Program { rounds, hurries })
    }

    /// What each handle notices, in its order.
    type Noticed = [Vec<String>; 3];

    fn play(program: &Program, chooser: &mut Walking) -> Noticed {
        let mut noticed = Noticed::default();
        let mut shared = [0; SHARED];
        for (round, threads) in program.rounds.iter().enumerate() {
            let mut done = vec![0; threads.len()];
            loop {
                let able = |(thread, (_, acts)): (usize, &(usize, Vec<Act>))| {
                    let act = acts.get(done[thread])?;
                    act.waits.is_none_or(|(at, number)| shared[at] == number).then_some(thread)
                };
                let able: Vec<usize> = threads.iter().enumerate().filter_map(able).collect();
                let candidate =
                    |thread: &usize| Candidate { actor: Actor::Thread(round * 10 + thread), name: "".into(), step: "" };
                let candidates: Vec<Candidate> = able.iter().map(candidate).collect();
                let taken = match candidates.len() {
                    0 => break,
                    1 => {
                        chooser.forced(&candidates[0]);
                        0
                    }
                    options => chooser.choose(Point::Next(&candidates, false), options),
                };
                let thread = able[taken];
                let (handle, acts) = &threads[thread];
                let act = &acts[done[thread]];
                done[thread] += 1;
                let mut touched = Footprint::default();
                touched.changes(Thing::Handle(*handle as u32));
                touched.changes(Thing::Memory(*handle as u32));
                let chosen = if act.chooses { chooser.choose(Point::Length(1), 2) } else { 0 };
                let looked = act.waits.map(|(at, _)| at).into_iter().chain(act.sees);
                // Whoever waits looks first.
                if let Some((at, _)) = acts.get(done[thread]).and_then(|next| next.waits) {
                    touched.sees(Thing::Server(at as u32));
                }
                let mut saw = String::new();
                for at in looked {
                    touched.sees(Thing::Server(at as u32));
                    saw += &format!(" {at}:{}", shared[at]);
                }
                if let Some(at) = act.adds.filter(|_| chosen == 0) {
                    touched.changes(Thing::Server(at as u32));
                    shared[at] += 1;
                    saw += &format!(" {at}={}", shared[at]);
                }
                if let Some(other) = act.closes.filter(|other| other != handle) {
                    touched.changes(Thing::Handle(other as u32));
                    noticed[other].push(format!("closed by {handle}"));
                }
                noticed[*handle].push(format!("{round}.{thread}.{}/{chosen}{saw}", done[thread]));
                let last = program.hurries && round + 1 == program.rounds.len() && thread == 0;
                if last && done[0] == acts.len() {
                    touched.program();
                    chooser.touched(&touched);
                    return noticed;
                }
                chooser.touched(&touched);
            }
            chooser.rested();
        }
        noticed
    }

    /// What comes of all schedules, and how many count; nothing, where there are too many.
    fn all(program: &Program, walk: Walk, top: usize) -> Option<(BTreeSet<Noticed>, usize)> {
        let tree = Arc::new(Mutex::new(Tree { top, ..Tree::new(walk) }));
        let (mut came, mut counted) = (BTreeSet::new(), 0);
        for _ in 0..20_000 {
            tree.lock().begin();
            let noticed = play(program, &mut Walking(Arc::clone(&tree)));
            assert_eq!(tree.lock().diverged(), None);
            if tree.lock().counts() {
                came.insert(noticed);
                counted += 1;
            }
            if !tree.lock().advance() {
                return Some((came, counted));
            }
        }
        None
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        /// What is left out is nothing that a handle can notice; and shards leave out nothing either.
        #[test]
        fn nothing_is_lost(program in program()) {
            let reduced = Walk { reduced: true, ..Walk::default() };
            if let Some((expected, many)) = all(&program, Walk::default(), TOP) {
                for top in [0, 2, usize::MAX] {
                    let (came, few) = all(&program, reduced, top).expect("there are not more");
                    prop_assert_eq!(&came, &expected);
                    prop_assert!(few <= many);
                    let parts = (1..=3).map(|part| all(&program, Walk { shard: Some((part, 3)), ..reduced }, top));
                    let parts = parts.map(|part| part.expect("nor in a part")).collect::<Vec<_>>();
                    prop_assert_eq!(parts.iter().map(|(_, runs)| runs).sum::<usize>(), few);
                    let together = parts.into_iter().flat_map(|(came, _)| came).collect::<BTreeSet<_>>();
                    prop_assert_eq!(&together, &expected);
                }
            }
        }
    }
}
