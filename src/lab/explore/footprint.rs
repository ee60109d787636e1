//! What a step touches: two steps that touch nothing in common may change places without anybody noticing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// Something that steps look at, or change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Thing {
    /// A handle, with its machine and its settings, by its number in the Sim.
    Handle(u32),
    /// How far it is on the way to its server: what closes it takes no notice of that.
    Way(u32),
    /// What its callback is and what it is told next. The network only adds to the end of that.
    Told(u32),
    /// The program's memory that belongs to it.
    Memory(u32),
    /// The cookies of a session.
    Cookies(u32),
    /// A server, what it knows, and the connections to it.
    Server(u32),
    /// Faults that count what passes.
    Faults,
}

impl Thing {
    /// A server that is called this.
    pub(crate) fn server(name: impl Hash) -> Thing {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        Thing::Server(hasher.finish() as u32)
    }
}

/// The number of a handle, and of those that it was made from.
pub(crate) type Lineage = Arc<[u32]>;

/// What a step of a Sim reads and changes. An explorer uses it to skip orders of independent steps.
///
/// Callbacks and threads run the program's code, which may share memory: two such steps are never independent, unless
/// [`Explore::independent_handles`](super::Explore::independent_handles) states that handles share none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint {
    /// It cannot be told: it is independent of nothing.
    all: bool,
    /// The program's code ran, and may have touched any of its memory.
    program: bool,
    changed: SmallVec<[Thing; 8]>,
    seen: SmallVec<[Thing; 8]>,
}

fn insert(things: &mut SmallVec<[Thing; 8]>, thing: Thing) {
    if !things.contains(&thing) {
        things.push(thing);
    }
}

impl Footprint {
    pub(crate) fn all(&mut self) {
        self.all = true;
    }

    pub(crate) fn program(&mut self) {
        self.program = true;
    }

    pub(crate) fn changes(&mut self, thing: Thing) {
        insert(&mut self.changed, thing);
    }

    pub(crate) fn sees(&mut self, thing: Thing) {
        insert(&mut self.seen, thing);
    }

    /// The handle, which stands in what it was made from.
    pub(crate) fn handle(&mut self, lineage: &Lineage, changes: bool) {
        let Some((own, above)) = lineage.split_first() else { return };
        for thing in [Thing::Handle(*own), Thing::Way(*own)] {
            if changes {
                self.changes(thing);
            } else {
                self.sees(thing);
            }
        }
        above.iter().for_each(|handle| self.sees(Thing::Handle(*handle)));
    }

    /// The handle is closed, or what it was told is delivered: how far it is on its way makes no difference.
    pub(crate) fn closes(&mut self, lineage: &Lineage) {
        let Some((own, above)) = lineage.split_first() else { return };
        self.changes(Thing::Handle(*own));
        above.iter().for_each(|handle| self.sees(Thing::Handle(*handle)));
    }

    /// The handle comes a step further on its way, and nobody is told.
    pub(crate) fn goes_on(&mut self, lineage: &Lineage) {
        if let Some(own) = lineage.first() {
            self.changes(Thing::Way(*own));
        }
    }

    /// The next that a handle is told, which no call of its own is about: the network may add more at the same time.
    pub(crate) fn told(&mut self, lineage: &Lineage) {
        let Some((own, above)) = lineage.split_first() else { return };
        self.changes(Thing::Told(*own));
        above.iter().for_each(|handle| self.sees(Thing::Handle(*handle)));
    }

    pub(crate) fn add(&mut self, other: &Footprint) {
        self.all |= other.all;
        self.program |= other.program;
        other.changed.iter().for_each(|thing| self.changes(*thing));
        other.seen.iter().for_each(|thing| self.sees(*thing));
    }

    fn disturbs(&self, other: &Footprint) -> bool {
        let memory = |thing: &Thing| matches!(thing, Thing::Memory(_));
        let runs = other.program || other.changed.iter().any(memory);
        let meets = |thing: &Thing| other.changed.contains(thing) || other.seen.contains(thing);
        (self.program && runs) || self.changed.iter().any(meets)
    }

    /// Whether the two steps are independent: their order makes no difference.
    pub fn independent(&self, other: &Footprint) -> bool {
        !self.all && !other.all && !self.disturbs(other) && !other.disturbs(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(touch: impl Fn(&mut Footprint)) -> Footprint {
        let mut footprint = Footprint::default();
        touch(&mut footprint);
        footprint
    }

    #[test]
    fn what_commutes() {
        // A session 0 with a connection 1 and the requests 2 and 3.
        let request = |number: u32| of(move |print| print.handle(&Arc::from([number, 1, 0]), true));
        let session = |changes| of(move |print| print.handle(&Arc::from([0]), changes));
        let memory = |number: u32| of(move |print| print.changes(Thing::Memory(number)));
        let closed = |number: u32| of(move |print| print.closes(&Arc::from([number, 1, 0])));
        let under_way = of(|print| print.goes_on(&Arc::from([2, 1, 0])));
        let program = of(Footprint::program);
        let nothing = of(|_| {});
        let rows = [
            (request(2), request(3), true),
            (request(2), request(2), false),
            (request(2), program.clone(), true),
            (request(2), session(true), false),
            (request(2), session(false), true),
            (under_way.clone(), closed(2), true),
            (under_way.clone(), request(2), false),
            (under_way.clone(), under_way, false),
            (closed(2), request(2), false),
            (closed(2), session(true), false),
            (memory(2), memory(3), true),
            (memory(2), memory(2), false),
            (memory(2), program.clone(), false),
            (program.clone(), program.clone(), false),
            (program, nothing.clone(), true),
            (of(Footprint::all), nothing, false),
        ];
        for (a, b, expected) in rows {
            assert_eq!((a.independent(&b), b.independent(&a)), (expected, expected), "{a:?} {b:?}");
        }
    }
}
