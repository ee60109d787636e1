//! What a web socket waits for, and until when.

use std::time::Duration;

use super::WebSocketSettings;
use crate::machine::timers::Deadlines;

/// What a web socket waits for. Each runs by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The peer's close frame, for the pending Close.
    Close,
    /// The next ping.
    Ping,
}

/// What happens when the time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The conversation fails with ERROR_WINHTTP_TIMEOUT.
    Fail,
    /// A ping goes out, and the time begins again.
    Ping,
}

/// A limit in milliseconds as Windows stores it: 0 and 0xFFFFFFFF mean none.
type Limit = fn(&WebSocketSettings) -> u32;

fn close(settings: &WebSocketSettings) -> u32 {
    settings.close_timeout
}

fn keep_alive(settings: &WebSocketSettings) -> u32 {
    settings.keep_alive
}

/// The table, in the order of [`Timer`].
const TABLE: [(Timer, Limit, Over); 2] = [(Timer::Close, close, Over::Fail), (Timer::Ping, keep_alive, Over::Ping)];

/// The timers of a web socket.
#[derive(Debug, Default)]
pub struct Timers(Deadlines<Timer, { TABLE.len() }>);

impl Timers {
    /// The time of a timer begins.
    pub fn start(&mut self, timer: Timer, now: Duration, settings: &WebSocketSettings) {
        let (_, limit, _) = TABLE[timer as usize];
        self.0.start(timer as usize, timer, now, limit(settings));
    }

    /// It is not waited for.
    pub fn stop(&mut self, timer: Timer) {
        self.0.stop(timer as usize);
    }

    /// Whether it is waited for.
    pub fn runs(&self, timer: Timer) -> bool {
        self.0.on(timer as usize).is_some()
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Duration> {
        self.0.first(|_| true).map(|(_, deadline)| deadline)
    }

    /// What happens now, if the time of one is over; it is not waited for any more.
    pub fn over(&mut self, now: Duration) -> Option<Over> {
        let (timer, _) = self.0.first(|_| true).filter(|(_, deadline)| now >= *deadline)?;
        self.stop(timer);
        Some(TABLE[timer as usize].2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        for (place, (timer, ..)) in TABLE.iter().enumerate() {
            assert_eq!(*timer as usize, place, "{timer:?}");
        }
    }

    #[test]
    fn the_first_deadline_is_over_first() {
        let at = Duration::from_millis;
        let settings = WebSocketSettings { close_timeout: 300, keep_alive: 200 };
        let mut timers = Timers::default();
        timers.start(Timer::Close, at(0), &settings);
        timers.start(Timer::Ping, at(0), &settings);
        assert_eq!((timers.next(), timers.over(at(199))), (Some(at(200)), None));
        assert_eq!((timers.over(at(400)), timers.over(at(400))), (Some(Over::Ping), Some(Over::Fail)));
        assert_eq!((timers.next(), timers.over(at(400))), (None, None));
        for none in [0, u32::MAX] {
            timers.start(Timer::Close, at(0), &WebSocketSettings { close_timeout: none, ..settings });
            assert!(!timers.runs(Timer::Close), "{none}");
        }
    }
}
