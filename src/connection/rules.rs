//! Where an attempt gets its connection from, as a table.

use std::time::Duration;

use crate::transport::{ConnectionGroupId, PoolRules};
use crate::win32::{ERROR_WINHTTP_RESPONSE_DRAIN_OVERFLOW, Win32Error};

/// What an attempt meets when it asks for a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Available {
    /// The connection of the same handle's reply before: it is being drained.
    pub draining: bool,
    /// A stream of an HTTP/2 connection that is open.
    pub stream: bool,
    /// An HTTP/2 connection whose server takes no more streams at once.
    pub full: bool,
    /// An idle connection of HTTP/1.
    pub idle: bool,
    /// A connection that may turn out to be HTTP/2, being made by another attempt.
    pub making: bool,
    /// The server may have one more connection (MAX_CONNS_PER_SERVER), and nobody waits for that before.
    pub room: bool,
    /// A connection to the server that carries nothing and cannot carry this request: it makes room when it is closed.
    pub useless: bool,
}

/// What an attempt is ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct May {
    /// It takes a connection that there is already.
    pub take: bool,
    /// It shares a connection of HTTP/2.
    pub share: bool,
    /// It waits while a server takes no more streams (else DISABLE_STREAM_QUEUE).
    pub queue: bool,
}

/// What an attempt waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The rest of the handle's reply before.
    Drain,
    /// A stream.
    Stream,
    /// What another attempt's connection turns out to be.
    Making,
    /// One of the connections that the server may have.
    Limit,
}

/// Where the connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A stream of a connection that others share.
    Share,
    /// The idle connection that was used last.
    Reuse,
    /// A new one.
    Make,
    /// A new one, in place of one that is of no use.
    Displace,
    /// Nowhere yet.
    Wait(Wait),
}

/// The table: the first line that holds.
#[rustfmt::skip]
pub const fn decide(available: Available, may: May) -> Decision {
    use Decision::*;
    match (may.take, available) {
        // w2: the next attempt of a handle goes out on the connection of the reply before.
        (true, Available { draining: true, .. })               => Wait(self::Wait::Drain),
        (true, Available { stream: true, .. })   if may.share  => Share,
        (true, Available { idle: true, .. })                   => Reuse,
        (true, Available { full: true, .. })     if may.share && may.queue => Wait(self::Wait::Stream),
        (true, Available { making: true, full: false, .. }) if may.share => Wait(self::Wait::Making),
        (_,    Available { room: true, .. })                   => Make,
        (_,    Available { useless: true, .. })                => Displace,
        _                                                 => Wait(self::Wait::Limit),
    }
}

/// Whether a connection with this mark may carry a request (MATCH_CONNECTION_GUID). m11: with "required" and none that is
/// marked so, a new connection is made, and gets the mark.
pub fn suits(mark: Option<ConnectionGroupId>, rules: &PoolRules) -> bool {
    match (rules.wanted, mark) {
        (None, _) => true,
        (Some((_, required)), None) => !required,
        (Some((wanted, _)), Some(mark)) => wanted == mark,
    }
}

/// Until when a connection may lie idle: milliseconds from a time; 0 and `u32::MAX` are no limit (source m18).
pub fn until(idle: u32, since: Duration) -> Option<Duration> {
    (!matches!(idle, 0 | u32::MAX)).then(|| since + Duration::from_millis(idle.into()))
}

/// How many connections a server may have; `None`: as many as there are (source CN1).
pub const fn limit(rules: &PoolRules, speaks_1_0: bool) -> Option<u32> {
    match if speaks_1_0 { rules.limit_1_0 } else { rules.limit } {
        u32::MAX => None,
        0 => Some(2),
        limit => Some(limit),
    }
}

/// So many bytes of a body wait for the program at most; what follows stays on the connection (our choice).
pub const READ_AHEAD: usize = 64 * 1024;

/// How long the rest of a reply that nobody wants is read (our choice).
pub const DRAIN: Duration = Duration::from_secs(5);

/// How much of it, by MAX_RESPONSE_DRAIN_SIZE: all that the program has not taken counts, whether it was read ahead or not; and
/// as much as may be read ahead is always read (source limit.drain-least).
pub fn drained_at_most(limit: usize) -> usize {
    limit.max(READ_AHEAD)
}

/// Whether it is read at all: only where the connection can carry another request behind it, which went out `whole` (source w6).
pub const fn drains(keep_alive: bool, keeps: bool, whole: bool) -> bool {
    keep_alive && keeps && whole
}

/// Whether a request is tried again whose connection died without a byte of a reply: one that was `used` before always where
/// nothing was written, else only if STALE_CONNECTION asks for it and WriteData gave nothing away (source d02, r7).
pub const fn tries_again(used: bool, unwritten: bool, retry_stale: bool, more: bool) -> bool {
    used && (unwritten || retry_stale && !more)
}

/// The error of an attempt that waited for a drain beyond its bound (source w2).
pub const OVERFLOW: Win32Error = ERROR_WINHTTP_RESPONSE_DRAIN_OVERFLOW;
