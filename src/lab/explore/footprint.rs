//! What a step touches: two steps that touch nothing in common may change places without anybody noticing.

use std::collections::BTreeSet;

/// Things that a step reads or changes.
///
/// Callbacks and threads run the program's code, which may share its memory: two steps that do are never independent,
/// unless [`Explore::independent_handles`](super::Explore::independent_handles) says that callbacks of different handles
/// are.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Footprint {
    /// It cannot be told: it is independent of nothing.
    all: bool,
    /// The program's code ran, on a thread of its own.
    program: bool,
    /// The program's code ran in callbacks of these handles.
    callbacks: BTreeSet<String>,
    /// Handles, servers, connections.
    things: BTreeSet<String>,
    /// Some handle, or any of them.
    handles: bool,
    /// Whether callbacks of different handles are independent.
    apart: bool,
}

impl Footprint {
    pub(crate) fn all(&mut self) {
        self.all = true;
    }

    pub(crate) fn program(&mut self) {
        self.program = true;
    }

    pub(crate) fn callback(&mut self, handle: &str, apart: bool) {
        self.apart = apart;
        if !self.callbacks.contains(handle) {
            self.callbacks.insert(handle.to_owned());
        }
    }

    pub(crate) fn thing(&mut self, name: &str) {
        if !self.things.contains(name) {
            self.things.insert(name.to_owned());
        }
    }

    pub(crate) fn any_handle(&mut self) {
        self.handles = true;
    }

    pub(crate) fn add(&mut self, other: &Footprint) {
        self.all |= other.all;
        self.program |= other.program;
        self.handles |= other.handles;
        self.apart |= other.apart;
        self.callbacks.extend(other.callbacks.iter().cloned());
        self.things.extend(other.things.iter().cloned());
    }

    /// Whether the two may change places.
    pub fn independent(&self, other: &Footprint) -> bool {
        if self.all || other.all {
            return false;
        }
        let runs = |of: &Footprint| of.program || !of.callbacks.is_empty();
        let apart = self.apart || other.apart;
        let alone = |one: &Footprint, two: &Footprint| one.program && runs(two);
        let memory = match apart {
            true => {
                alone(self, other)
                    || alone(other, self)
                    || self.callbacks.intersection(&other.callbacks).next().is_some()
            }
            false => runs(self) && runs(other),
        };
        let any = |one: &Footprint, two: &Footprint| one.handles && (two.handles || !two.things.is_empty());
        !memory && !any(self, other) && !any(other, self) && self.things.intersection(&other.things).next().is_none()
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
        let (one, two) = ("R1", "R2");
        let network = |name: &str| of(|print| print.thing(name));
        let callback = |name: &str, apart| of(|print| print.callback(name, apart));
        let program = of(Footprint::program);
        let rows = [
            (network(one), network(two), true),
            (network(one), network(one), false),
            (network(one), program.clone(), true),
            (callback(one, false), callback(two, false), false),
            (callback(one, true), callback(two, true), true),
            (callback(one, true), callback(one, true), false),
            (callback(one, true), program.clone(), false),
            (program.clone(), program.clone(), false),
            (of(Footprint::any_handle), network(one), false),
            (of(Footprint::all), of(|_| {}), false),
        ];
        for (a, b, expected) in rows {
            assert_eq!((a.independent(&b), b.independent(&a)), (expected, expected), "{a:?} {b:?}");
        }
    }
}
