//! Waiting for a word of the program's memory to change: what locks and condition variables are made of.

use std::time::{Duration, Instant};

use crate::sync::{Condvar, Mutex};
use crate::world::{entered, wake};

/// Where threads wait, by the address of the word. Two words may share a place: who waits there looks again.
struct WaitQueue {
    lock: Mutex<()>,
    changed: Condvar,
}

static WAIT_QUEUES: [WaitQueue; 64] = [const { WaitQueue { lock: Mutex::new(()), changed: Condvar::new() } }; 64];

fn queue_of(address: usize) -> &'static WaitQueue {
    &WAIT_QUEUES[(address >> 4) % WAIT_QUEUES.len()]
}

/// Waits until `done` says so, which is asked whenever the word at `address` may have changed; whether it did before the
/// time was over.
pub fn wait(address: usize, what: &str, timeout: Option<Duration>, done: &mut dyn FnMut() -> bool) -> bool {
    if done() {
        return true;
    }
    if let Some((world, _)) = entered() {
        if let Some(steps) = world.steps() {
            let until = timeout.map(|timeout| world.clock.now() + timeout);
            return steps.wait(what, until, done);
        }
    }
    let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let queue = queue_of(address);
    let mut guard = queue.lock.lock();
    loop {
        if done() {
            return true;
        }
        match end.map(|end| end.saturating_duration_since(Instant::now())) {
            None => queue.changed.wait(&mut guard),
            Some(Duration::ZERO) => return false,
            Some(left) => {
                queue.changed.wait_for(&mut guard, left);
            }
        }
    }
}

/// The word has changed.
pub fn changed(address: usize) {
    let queue = queue_of(address);
    drop(queue.lock.lock());
    queue.changed.notify_all();
    wake();
}
