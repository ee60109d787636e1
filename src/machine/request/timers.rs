//! What a request waits for, and until when. Times are those of the world's clock.

use std::time::Duration;

use crate::machine::Timeouts;
use crate::machine::timers::Deadlines;

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The addresses of the host name.
    Resolve,
    /// Another request's connection, a stream on one, or the way behind a tunnel: as long as a connection may take.
    Connection,
    /// One address of a host to answer (source option.timeout-defaults).
    Address,
    /// The handshake after the last address answered: the rest of that address's time.
    Handshake,
    /// The head to go out.
    Send,
    /// The next bytes of the reply's head.
    Reply,
    /// The whole head of the reply: looked at when bytes of it come (source option.timeout-defaults).
    Head,
    /// Bytes for the pending read.
    Read,
    /// The pending write to go out.
    Write,
}

/// Timers of one side replace each other; those of different sides run together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Exchange,
    Head,
    Read,
    Write,
}

/// What happens when the time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The request fails with ERROR_WINHTTP_TIMEOUT.
    Fail,
    /// The next address of the host is tried.
    NextAddress,
    /// Nothing, until bytes come; then the request fails.
    FailAtBytes,
}

/// A limit in milliseconds as Windows stores it: 0 and 0xFFFFFFFF mean none.
type Limit = fn(&Timeouts) -> u32;

/// RECEIVE_RESPONSE_TIMEOUT while it is not set (source option.timeout-defaults).
const RESPONSE_UNSET: u32 = 90_000;

fn resolve(timeouts: &Timeouts) -> u32 {
    timeouts.resolve
}

fn connect(timeouts: &Timeouts) -> u32 {
    timeouts.connect
}

fn send(timeouts: &Timeouts) -> u32 {
    timeouts.send
}

fn receive(timeouts: &Timeouts) -> u32 {
    timeouts.receive
}

/// The head has the longer one of two times, and no limit if one of them has none.
fn head(timeouts: &Timeouts) -> u32 {
    let both = [timeouts.response.unwrap_or(RESPONSE_UNSET), timeouts.receive];
    if both.contains(&0) { 0 } else { both[0].max(both[1]) }
}

/// The table, in the order of [`Timer`].
const TABLE: [(Timer, Side, Limit, Over); 9] = [
    (Timer::Resolve, Side::Exchange, resolve, Over::Fail),
    (Timer::Connection, Side::Exchange, connect, Over::Fail),
    (Timer::Address, Side::Exchange, connect, Over::NextAddress),
    (Timer::Handshake, Side::Exchange, connect, Over::Fail),
    (Timer::Send, Side::Exchange, send, Over::Fail),
    (Timer::Reply, Side::Exchange, receive, Over::Fail),
    (Timer::Head, Side::Head, head, Over::FailAtBytes),
    (Timer::Read, Side::Read, receive, Over::Fail),
    (Timer::Write, Side::Write, send, Over::Fail),
];

/// How many sides there are.
const SIDES: usize = 4;

/// The timers of a request: at most one a side runs.
#[derive(Debug, Default)]
pub struct Timers(Deadlines<Timer, SIDES>);

impl Timers {
    /// The time of a timer begins, and that of the one before it on its side ends.
    pub fn start(&mut self, timer: Timer, now: Duration, timeouts: &Timeouts) {
        let (_, side, limit, _) = TABLE[timer as usize];
        self.0.start(side as usize, timer, now, limit(timeouts));
    }

    /// Nothing is waited for on a side.
    pub fn stop(&mut self, side: Side) {
        self.0.stop(side as usize);
    }

    /// The address answered: the handshake has the rest of its time.
    pub fn connected(&mut self) {
        if let Some(timer @ Timer::Address) = self.0.timer_on(Side::Exchange as usize) {
            *timer = Timer::Handshake;
        }
    }

    /// The request is complete: the server's time begins.
    pub fn awaiting(&mut self, now: Duration, timeouts: &Timeouts) {
        self.start(Timer::Reply, now, timeouts);
        self.start(Timer::Head, now, timeouts);
    }

    /// Bytes of the head came. Says whether the head took too long.
    pub fn received(&mut self, now: Duration, timeouts: &Timeouts) -> bool {
        if self.0.on(Side::Exchange as usize).is_some() {
            self.start(Timer::Reply, now, timeouts);
        }
        self.0.on(Side::Head as usize).is_some_and(|(_, deadline)| now >= deadline)
    }

    /// The exchange no longer waits for anything.
    pub fn arrived(&mut self) {
        self.stop(Side::Exchange);
        self.stop(Side::Head);
    }

    /// The timer whose time is over first, of those that are told.
    fn first(&self) -> Option<(Timer, Duration)> {
        self.0.first(|timer| TABLE[timer as usize].3 != Over::FailAtBytes)
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Duration> {
        self.first().map(|(_, deadline)| deadline)
    }

    /// What happens now, if the time of one is over. An address that is given up has no time any more.
    pub fn over(&mut self, now: Duration) -> Option<Over> {
        let (timer, _) = self.first().filter(|(_, deadline)| now >= *deadline)?;
        let (_, side, _, over) = TABLE[timer as usize];
        if over == Over::NextAddress {
            self.stop(side);
        }
        Some(over)
    }

    /// Nothing is waited for.
    pub fn clear(&mut self) {
        *self = Timers::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Settings;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn the_table_is_in_order() {
        for (place, (timer, ..)) in TABLE.iter().enumerate() {
            assert_eq!(*timer as usize, place, "{timer:?}");
        }
    }

    #[test]
    fn each_address_has_its_time() {
        let timeouts = Timeouts { connect: 1000, ..Settings::default().timeouts };
        let mut timers = Timers::default();
        timers.start(Timer::Address, at(0), &timeouts);
        assert_eq!(timers.over(at(999)), None);
        assert_eq!(timers.over(at(1000)), Some(Over::NextAddress));
        assert_eq!(timers.next(), None, "until the next address is told");
        timers.start(Timer::Address, at(1000), &timeouts);
        timers.connected();
        assert_eq!(timers.over(at(2000)), Some(Over::Fail), "TLS is part of the last address's time");
    }

    #[test]
    fn sides_run_together() {
        let timeouts = Timeouts { send: 100, receive: 300, response: Some(200), ..Settings::default().timeouts };
        let mut timers = Timers::default();
        timers.start(Timer::Write, at(0), &timeouts);
        timers.awaiting(at(0), &timeouts);
        assert_eq!(timers.next(), Some(at(100)));
        timers.stop(Side::Write);
        assert_eq!(timers.next(), Some(at(300)), "the head's own time is not told");
        assert!(!timers.received(at(299), &timeouts) && timers.received(at(300), &timeouts), "the longer of the two");
        assert_eq!(timers.next(), Some(at(600)));
        timers.arrived();
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn no_limit_is_no_timer() {
        for none in [0, u32::MAX] {
            let timeouts = Timeouts { receive: none, ..Settings::default().timeouts };
            let mut timers = Timers::default();
            timers.awaiting(at(0), &timeouts);
            assert!(timers.next().is_none() && !timers.received(at(1 << 40), &timeouts), "{none}");
        }
    }
}
