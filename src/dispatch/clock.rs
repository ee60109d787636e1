//! The system's clock, for the Win32 functions that ask it.

use std::cell::Cell;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::Waiting;
use super::world::entered;

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// When the clock of the real world began.
#[cfg(feature = "net")]
pub(crate) fn began() -> Instant {
    *BEGAN
}

/// The time of this thread's world.
pub(crate) fn now() -> Duration {
    entered().map_or_else(|| BEGAN.elapsed(), |(world, _)| world.now())
}

/// Milliseconds since a moment before the first question; programs subtract, so it begins late enough for that.
pub(crate) fn ticks() -> u64 {
    const BEFORE: u64 = 60 * 60 * 1000;
    BEFORE + now().as_millis() as u64
}

/// Sleeps on this thread: in its world's time.
pub(crate) fn sleep(milliseconds: u32) {
    if milliseconds > 0 {
        super::waits("in Sleep");
    }
    if let Some((world, _)) = entered() {
        if let Waiting::Step(steps) = world.waiting() {
            let until = (milliseconds != u32::MAX).then(|| world.now() + Duration::from_millis(milliseconds.into()));
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
pub(crate) fn new_thread_number() -> u32 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// This thread has that number.
pub(crate) fn set_thread_number(number: u32) {
    NUMBER.set(number);
}

/// The number of this thread.
pub(crate) fn thread_number() -> u32 {
    NUMBER.get()
}

/// The calendar's time: that of the world that the thread has entered.
pub(crate) fn date() -> SystemTime {
    entered().map_or_else(SystemTime::now, |(world, _)| world.date())
}
