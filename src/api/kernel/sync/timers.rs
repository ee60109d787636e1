//! Timers that programs set, on the clock of their world: one thread a world waits for the next of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::{event, threads};
use crate::sync::{Mutex, MutexGuard};
use crate::world::{World, entered, now};

/// What happens when a timer is due, on a thread that must not be kept.
pub type Due = Arc<dyn Fn() + Send + Sync>;

/// The number of a timer that is set.
pub type Number = u64;

struct Queue {
    due: BTreeMap<(Duration, Number), Due>,
    /// Tells the thread that something earlier may have come.
    changed: usize,
}

#[derive(Default)]
struct State {
    numbers: Number,
    /// By world; 0 is the real one. A world without timers has no thread.
    queues: HashMap<usize, Queue>,
}

static STATE: LazyLock<Mutex<State>> = LazyLock::new(Mutex::default);

fn lock() -> MutexGuard<'static, State> {
    STATE.lock()
}

fn key() -> usize {
    entered().map_or(0, |(world, _)| Arc::as_ptr(&world).addr())
}

/// Lets `due` happen after this time of the calling thread's world.
pub fn set(after: Duration, due: Due) -> Number {
    let (world, at) = (key(), now() + after);
    let mut state = lock();
    state.numbers += 1;
    let number = state.numbers;
    let made = !state.queues.contains_key(&world);
    let queue = state
        .queues
        .entry(world)
        .or_insert_with(|| Queue { due: BTreeMap::new(), changed: event::create(false, false) });
    queue.due.insert((at, number), due);
    let changed = queue.changed;
    drop(state);
    event::signal(changed);
    if made {
        // The thread keeps its world, so that no other gets the same number.
        let kept = entered().map(|(world, _)| world);
        threads::start(Box::new(move || serve(world, changed, kept.as_ref())));
    }
    number
}

/// Takes a timer back; `false` if it was due.
pub fn cancel(number: Number) -> bool {
    let mut state = lock();
    let mut found = false;
    for queue in state.queues.values_mut() {
        let before = queue.due.len();
        queue.due.retain(|(_, known), _| *known != number);
        if queue.due.len() < before {
            found = true;
            event::signal(queue.changed);
        }
    }
    found
}

fn serve(world: usize, changed: usize, _kept: Option<&Arc<World>>) {
    loop {
        let mut state = lock();
        let Some(queue) = state.queues.get_mut(&world) else { return };
        let Some(first) = queue.due.first_key_value().map(|(key, _)| *key) else {
            state.queues.remove(&world);
            drop(state);
            let _ = event::close(changed);
            return;
        };
        let time = now();
        if first.0 <= time {
            let due = queue.due.remove(&first);
            drop(state);
            due.iter().for_each(|due| due());
            continue;
        }
        drop(state);
        let _ = event::wait(&[changed], false, Some(first.0 - time));
    }
}
