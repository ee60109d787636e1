//! The time of a world, and of the thread that asks.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use super::entered;

/// The time of a world.
pub trait Clock: Send + Sync {
    /// The time since some moment before the first handle.
    fn now(&self) -> Duration;
    /// The calendar's time.
    fn date(&self) -> SystemTime;
    /// Minutes that local time is ahead of UTC; `None` is what the system says.
    fn utc_offset(&self) -> Option<i32> {
        None
    }
}

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// When the clock of the real world began.
pub fn began() -> Instant {
    *BEGAN
}

/// The time of this thread's world.
pub fn now() -> Duration {
    entered().map_or_else(|| BEGAN.elapsed(), |(world, _)| world.clock.now())
}

/// The calendar's time: that of the world that the thread has entered.
pub fn date() -> SystemTime {
    entered().map_or_else(SystemTime::now, |(world, _)| world.clock.date())
}
