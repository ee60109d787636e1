//! Ticks, sleeping, and the numbers of threads.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::observe::waits;
use crate::world::{entered, now};

/// Milliseconds since a moment before the first question; programs subtract, so it begins late enough for that.
pub fn ticks() -> u64 {
    const BEFORE: u64 = 60 * 60 * 1000;
    BEFORE + now().as_millis() as u64
}

/// Sleeps on this thread: in its world's time.
pub fn sleep(milliseconds: u32) {
    if milliseconds > 0 {
        waits("in Sleep");
    }
    if let Some((world, _)) = entered() {
        if let Some(steps) = world.steps() {
            let time = Duration::from_millis(milliseconds.into());
            let until = (milliseconds != u32::MAX).then(|| world.clock.now() + time);
            steps.wait("the end of a Sleep", until, &mut || false);
            return;
        }
    }
    match milliseconds {
        0 => std::thread::yield_now(),
        u32::MAX => loop {
            std::thread::park();
        },
        _ => std::thread::sleep(Duration::from_millis(milliseconds.into())),
    }
}

static NEXT: AtomicU32 = AtomicU32::new(1);

thread_local!(static NUMBER: Cell<u32> = Cell::new(new_thread_number()));

/// The number of a thread that is about to begin.
pub fn new_thread_number() -> u32 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// This thread has that number.
pub fn set_thread_number(number: u32) {
    NUMBER.set(number);
}

/// The number of this thread.
pub fn thread_number() -> u32 {
    NUMBER.get()
}
