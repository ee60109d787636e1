//! The tree of all schedules, walked depth first; sleep sets leave out what only changes the order of independent steps.
//!
//! After everything behind a step *t* was visited, *t* need not be taken again behind another step that is independent of it:
//! that would only change their places. So *t* sleeps there until a step comes that is not independent of it (Godefroid
//! 1996). What a step touches is known when it was taken; a step behind which choices of another kind lie touches what it
//! touches in any of them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::footprint::Footprint;
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
        option != self.taken && !among(&self.visited) && !among(&self.sleeping)
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
    /// Options that were left out because they sleep.
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
    /// Nothing new comes in this run: it goes on as usual.
    free: bool,
    /// Where the part begins that belongs to one shard.
    part: Option<usize>,
    steps: usize,
    diverged: Option<String>,
}

impl Tree {
    pub fn new(walk: Walk) -> Tree {
        Tree { walk, ..Tree::default() }
    }

    /// A run begins.
    pub fn begin(&mut self) {
        self.run = CurrentRun::default();
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
            self.pruned += node.sleeping.len() as u64;
        }
        false
    }

    /// Preemptions on the way to the end of the path.
    fn preemptions(&self) -> usize {
        self.path.iter().filter(|node| node.preempts && node.taken > 0).count()
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
            sleeping: Vec::new(),
            visited: Vec::new(),
            touched: Footprint::default(),
        };
        if let Point::Next(candidates, preempts) = point {
            node.actors = candidates.iter().map(|candidate| candidate.actor).collect();
            node.preempts = preempts;
            node.sleeping = self.sleeping();
            let within = self.preemptions() < self.walk.preemptions.unwrap_or(usize::MAX);
            let asleep = |actor: &Actor| node.sleeping.iter().any(|(known, _)| known == actor);
            let awake =
                (0..options).find(|option| (*option == 0 || !preempts || within) && !asleep(&node.actors[*option]));
            let Some(awake) = awake else {
                // Every continuation was visited in another order.
                self.run.free = true;
                self.pruned += 1;
                return 0;
            };
            node.taken = awake;
            self.stepped(at, options);
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
            if self.run.steps == TOP {
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
}
