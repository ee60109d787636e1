//! What a request waits for, and until when. Times are those of the world's clock.

use std::time::Duration;

use crate::machine::Timeouts;

/// The deadlines of a request.
#[derive(Debug, Default)]
pub struct Timers {
    exchange: Option<Duration>,
    head: Option<Duration>,
    connecting: bool,
    read: Option<Duration>,
    write: Option<Duration>,
}

/// A timeout in milliseconds as Windows stores it: 0 and 0xFFFFFFFF mean no limit.
fn after(now: Duration, milliseconds: u32) -> Option<Duration> {
    (milliseconds != 0 && milliseconds != u32::MAX).then(|| now + Duration::from_millis(milliseconds.into()))
}

/// RECEIVE_RESPONSE_TIMEOUT while it is not set (source option.timeout-defaults).
const RESPONSE_UNSET: u32 = 90_000;

impl Timers {
    pub fn resolving(&mut self, now: Duration, timeouts: &Timeouts) {
        self.exchange = after(now, timeouts.resolve);
    }

    /// Another request's connection is waited for, or a stream: as long as one of its own may take.
    pub fn waiting(&mut self, now: Duration, timeouts: &Timeouts) {
        self.exchange = after(now, timeouts.connect);
    }

    /// Runs for each address of a host (source option.timeout-defaults), the last one's until the connection is ready.
    pub fn connecting(&mut self, now: Duration, timeouts: &Timeouts) {
        self.connecting = true;
        self.exchange = after(now, timeouts.connect);
    }

    /// TCP stands.
    pub fn connected(&mut self) {
        self.connecting = false;
    }

    /// Whether it is the attempt at one address that took too long; its time is over then.
    pub fn give_up_address(&mut self) -> bool {
        if self.connecting {
            self.exchange = None;
        }
        self.connecting
    }

    /// The connection is there and the application is being told.
    pub fn ready(&mut self) {
        self.exchange = None;
        self.connecting = false;
    }

    pub fn sending(&mut self, now: Duration, timeouts: &Timeouts) {
        self.exchange = after(now, timeouts.send);
    }

    /// The head is out; the server is only waited for when the body is complete.
    pub fn sent(&mut self) {
        self.exchange = None;
    }

    /// The request is complete: the server's time begins.
    pub fn awaiting(&mut self, now: Duration, timeouts: &Timeouts) {
        self.exchange = after(now, timeouts.receive);
        let response = timeouts.response.unwrap_or(RESPONSE_UNSET);
        self.head = match (after(now, response), after(now, timeouts.receive)) {
            (Some(response), Some(receive)) => Some(response.max(receive)),
            _ => None,
        };
    }

    /// Bytes of the head came. Says whether the head took too long: looked at only now
    /// (source option.timeout-defaults).
    pub fn heard(&mut self, now: Duration, timeouts: &Timeouts) -> bool {
        if self.exchange.is_some() {
            self.exchange = after(now, timeouts.receive);
        }
        self.head.is_some_and(|deadline| now >= deadline)
    }

    /// The exchange no longer waits for anything.
    pub fn arrived(&mut self) {
        self.exchange = None;
        self.head = None;
    }

    pub fn reading(&mut self, now: Duration, timeouts: &Timeouts) {
        self.read = after(now, timeouts.receive);
    }

    pub fn read(&mut self) {
        self.read = None;
    }

    pub fn writing(&mut self, now: Duration, timeouts: &Timeouts) {
        self.write = after(now, timeouts.send);
    }

    pub fn written(&mut self) {
        self.write = None;
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Duration> {
        [self.exchange, self.read, self.write].into_iter().flatten().min()
    }

    /// Whether one has passed.
    pub fn over(&self, now: Duration) -> bool {
        self.next().is_some_and(|deadline| now >= deadline)
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

    #[test]
    fn each_address_has_its_time() {
        let timeouts = Timeouts { connect: 1000, ..Settings::default().timeouts };
        let at = Duration::from_millis;
        let mut timers = Timers::default();
        timers.connecting(at(0), &timeouts);
        assert!(!timers.over(at(999)) && timers.over(at(1000)));
        assert!(timers.give_up_address());
        assert_eq!(timers.next(), None, "until the next address is told");
        timers.connecting(at(1000), &timeouts);
        timers.connected();
        assert!(timers.over(at(2000)), "TLS is part of the last address's time");
        assert!(!timers.give_up_address());
    }
}
