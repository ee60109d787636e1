//! The deadlines of a machine. What it waits for, how long, and what follows is a table of its own.

use std::time::Duration;

/// The deadlines that run: at most one a side. Times are those of the world's clock.
#[derive(Debug)]
pub(super) struct Deadlines<T, const SIDES: usize>([Option<(T, Duration)>; SIDES]);

impl<T, const SIDES: usize> Default for Deadlines<T, SIDES> {
    fn default() -> Self {
        Deadlines([const { None }; SIDES])
    }
}

impl<T: Copy, const SIDES: usize> Deadlines<T, SIDES> {
    /// The time of a timer begins, and that of the one before it on its side ends. 0 and 0xFFFFFFFF are no limit.
    pub fn start(&mut self, side: usize, timer: T, now: Duration, milliseconds: u32) {
        let limited = milliseconds != 0 && milliseconds != u32::MAX;
        self.0[side] = limited.then(|| (timer, now + Duration::from_millis(milliseconds.into())));
    }

    /// Nothing is waited for on a side.
    pub fn stop(&mut self, side: usize) {
        self.0[side] = None;
    }

    /// What is waited for on a side, and until when.
    pub fn on(&self, side: usize) -> Option<(T, Duration)> {
        self.0[side]
    }

    /// The same, to put another timer in its place for the rest of its time.
    pub fn timer_on(&mut self, side: usize) -> Option<&mut T> {
        self.0[side].as_mut().map(|(timer, _)| timer)
    }

    /// The timer whose time is over first, of those that are `told` of it.
    pub fn first(&self, told: impl Fn(T) -> bool) -> Option<(T, Duration)> {
        self.0.iter().flatten().filter(|(timer, _)| told(*timer)).min_by_key(|(_, deadline)| *deadline).copied()
    }
}
