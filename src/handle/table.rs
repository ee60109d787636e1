//! Which handle values are valid: generation-checked slots in shards, so that lookups on the request path share no lock.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Handle;
use crate::sync::RwLock;

/// How many shards a table has.
pub const SHARDS: usize = 16;
/// Values are multiples of this, like pointers.
const STEP: usize = 4;
/// Bits of a value that hold the place; the others hold the generation.
const PLACE_BITS: u32 = if usize::BITS == 64 { 32 } else { 22 };
const GENERATIONS: usize = 1 << (usize::BITS - PLACE_BITS - 1);

#[derive(Default)]
struct Slot {
    generation: usize,
    handle: Option<Arc<Handle>>,
}

/// Some of the slots.
pub struct Shard {
    slots: Vec<Slot>,
    free: Vec<usize>,
}

impl Shard {
    /// One without slots.
    pub const fn new() -> Shard {
        Shard { slots: Vec::new(), free: Vec::new() }
    }
}

/// Handles by their values.
pub struct Table(pub [RwLock<Shard>; SHARDS]);

fn value(shard: usize, slot: usize, generation: usize) -> usize {
    // Slot numbers begin at 1, so that no value is 0.
    (((slot + 1) * SHARDS + shard) * STEP) | (generation << PLACE_BITS)
}

/// The shard, slot and generation of a value that could be ours.
fn place(value: usize) -> Option<(usize, usize, usize)> {
    let low = value & ((1 << PLACE_BITS) - 1);
    let number = low / STEP;
    (low % STEP == 0 && number >= SHARDS).then(|| (number % SHARDS, number / SHARDS - 1, value >> PLACE_BITS))
}

/// Spreads threads over the shards.
fn home() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static HOME: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS));
    HOME.get()
}

impl Table {
    /// Makes a handle that knows its own value.
    pub fn insert(&self, make: impl FnOnce(usize) -> Handle) -> Arc<Handle> {
        let home = home();
        let mut shard = self.0[home].write();
        let slot = shard.free.pop().unwrap_or_else(|| {
            shard.slots.push(Slot::default());
            shard.slots.len() - 1
        });
        let place = &mut shard.slots[slot];
        let handle = Arc::new(make(value(home, slot, place.generation)));
        place.handle = Some(Arc::clone(&handle));
        handle
    }

    /// The open handle with this value.
    pub fn get(&self, value: usize) -> Option<Arc<Handle>> {
        let (shard, slot, generation) = place(value)?;
        let shard = self.0[shard].read();
        let slot = shard.slots.get(slot).filter(|slot| slot.generation == generation)?;
        slot.handle.clone()
    }

    /// Makes the value invalid for good; answers the handle that it named.
    pub fn remove(&self, value: usize) -> Option<Arc<Handle>> {
        let (shard, slot, generation) = place(value)?;
        let mut shard = self.0[shard].write();
        let place = shard.slots.get_mut(slot).filter(|slot| slot.generation == generation)?;
        let handle = place.handle.take()?;
        place.generation = (generation + 1) % GENERATIONS;
        shard.free.push(slot);
        Some(handle)
    }

    /// How many handles are open.
    pub fn len(&self) -> usize {
        let open = |shard: &RwLock<Shard>| {
            let shard = shard.read();
            shard.slots.len() - shard.free.len()
        };
        self.0.iter().map(open).sum()
    }
}
