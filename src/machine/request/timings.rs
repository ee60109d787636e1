//! When things happened to a request, and how much it was (REQUEST_TIMES, REQUEST_STATS; source ST1).

use std::time::Duration;

use crate::transport::Event;
use crate::win32::*;

/// The performance counter, in ticks of 100 nanoseconds: never 0, which means that something did not happen.
pub fn counter(now: Duration) -> u64 {
    const BEFORE: Duration = Duration::from_secs(60 * 60);
    ((BEFORE + now).as_nanos() / 100) as u64
}

/// The stamps and counts of the last exchange, by Windows' indices.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timings {
    times: Stamps,
    /// Attempts at addresses, of which all but the last have failed.
    attempts: u64,
    /// Proxies of the resolver's answer that could not be reached.
    proxies_failed: u64,
    /// Head and first piece of the body, as they went out, and how much of it is the body.
    out: u64,
    body_out: u64,
    head_in: u64,
    body_in: u64,
}

#[derive(Clone, Copy, Debug)]
struct Stamps([u64; WinHttpRequestTimeLast as usize]);

impl Default for Stamps {
    fn default() -> Stamps {
        Stamps([0; WinHttpRequestTimeLast as usize])
    }
}

impl Timings {
    /// WINHTTP_REQUEST_TIMES.rgullTimes
    pub fn times(&self) -> [u64; WinHttpRequestTimeLast as usize] {
        self.times.0
    }

    /// WINHTTP_REQUEST_STATS.rgullStats. `body`: its bytes without their content coding.
    pub fn counts(&self, body: u64) -> [u64; WinHttpRequestStatLast as usize] {
        let mut counts = [0; WinHttpRequestStatLast as usize];
        let connected = self.times.0[WinHttpConnectionEstablishmentEnd as usize] != 0;
        for (index, count) in [
            (WinHttpProxyFailureCount, self.proxies_failed),
            (WinHttpConnectFailureCount, self.attempts - u64::from(connected && self.attempts > 0)),
            (WinHttpRequestHeadersSize, self.out.saturating_sub(self.body_out)),
            (WinHttpResponseHeadersSize, self.head_in),
            (WinHttpResponseBodySize, body),
            (WinHttpResponseBodyCompressedSize, self.body_in),
        ] {
            counts[index as usize] = count;
        }
        counts
    }

    fn stamp(&mut self, now: Duration, indices: &[i32]) {
        for index in indices {
            self.times.0[*index as usize] = counter(now);
        }
    }

    fn first(&mut self, now: Duration, index: i32) {
        if self.times.0[index as usize] == 0 {
            self.stamp(now, &[index]);
        }
    }

    /// The resolver is asked for the route.
    pub fn detecting(&mut self, now: Duration) {
        self.stamp(now, &[WinHttpProxyDetectionStart]);
    }

    /// It has answered.
    pub fn detected(&mut self, now: Duration) {
        self.stamp(now, &[WinHttpProxyDetectionEnd]);
    }

    /// A proxy could not be reached, and the next is tried.
    pub fn proxy_failed(&mut self) {
        self.proxies_failed += 1;
    }

    /// An exchange begins, whose head is followed by so many bytes at once. How its route was found stays.
    pub fn begin(&mut self, now: Duration, body: u64) {
        let mut times = Stamps::default();
        for index in [WinHttpProxyDetectionStart, WinHttpProxyDetectionEnd] {
            times.0[index as usize] = self.times.0[index as usize];
        }
        *self = Timings { times, body_out: body, proxies_failed: self.proxies_failed, ..Timings::default() };
        self.stamp(now, &[WinHttpConnectionAcquireStart]);
    }

    /// The head goes out.
    pub fn sending(&mut self, now: Duration) {
        self.stamp(now, &[WinHttpSendRequestStart]);
    }

    /// The transport reports. A TLS handshake begins when TCP stands, and is over when the connection is ready.
    pub fn event(&mut self, now: Duration, event: &Event, secure: bool) {
        match event {
            Event::Resolving => self.stamp(now, &[WinHttpConnectionAcquireWaitEnd, WinHttpNameResolutionStart]),
            Event::Resolved(_) => self.stamp(now, &[WinHttpNameResolutionEnd]),
            Event::Connecting(_) => {
                self.attempts += 1;
                self.first(now, WinHttpConnectionEstablishmentStart);
            }
            Event::Connected(_) => {
                self.stamp(now, &[WinHttpConnectionEstablishmentEnd]);
                if secure {
                    self.stamp(now, &[WinHttpTlsHandshakeClientLeg1Start]);
                }
            }
            Event::TunnelReady(_) => self.first(now, WinHttpProxyTunnelStart),
            Event::TunnelReply { .. } => self.stamp(now, &[WinHttpProxyTunnelEnd, WinHttpTlsHandshakeClientLeg1Start]),
            Event::Ready { .. } => {
                if self.times.0[WinHttpTlsHandshakeClientLeg1Start as usize] != 0 {
                    self.stamp(now, &[WinHttpTlsHandshakeClientLeg1End]);
                }
                self.stamp(now, &[WinHttpConnectionAcquireEnd]);
            }
            Event::Sent(bytes) => {
                self.out = *bytes;
                self.stamp(now, &[WinHttpSendRequestHeadersEnd, WinHttpSendRequestEnd]);
            }
            Event::Wrote => self.stamp(now, &[WinHttpSendRequestEnd]),
            Event::Interim(_) | Event::Progress => self.first(now, WinHttpReceiveResponseStart),
            Event::Head { head, .. } => {
                self.first(now, WinHttpReceiveResponseStart);
                self.stamp(now, &[WinHttpReceiveResponseHeadersEnd]);
                self.head_in = head.length() as u64;
            }
            Event::Body { bytes, end } => {
                self.body_in += bytes.len() as u64;
                if end.is_some() {
                    self.stamp(now, &[WinHttpReceiveResponseEnd]);
                }
            }
            Event::Restarted => self.begin(now, self.body_out),
            Event::TunnelSent(_)
            | Event::Waiting
            | Event::Secured(_)
            | Event::CertificateWanted(_)
            | Event::Failed(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_the_route_was_found_stays() {
        let mut timings = Timings::default();
        timings.detecting(Duration::from_secs(1));
        timings.detected(Duration::from_secs(2));
        timings.begin(Duration::from_secs(3), 0);
        timings.proxy_failed();
        timings.begin(Duration::from_secs(4), 0);
        let stamps = [WinHttpProxyDetectionStart, WinHttpProxyDetectionEnd, WinHttpConnectionAcquireStart];
        let stamps = stamps.map(|index| timings.times()[index as usize]);
        assert_eq!(stamps, [1, 2, 4].map(|second| counter(Duration::from_secs(second))));
        assert_eq!(timings.counts(0)[WinHttpProxyFailureCount as usize], 1);
    }
}
