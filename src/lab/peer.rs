//! Servers of a Sim: what they are asked, what they answer, and what was expected of them.

use std::fmt;
use std::net::IpAddr;
use std::ops::{RangeFrom, RangeInclusive, RangeToInclusive};
use std::sync::Arc;

use crate::sync::{Mutex, MutexGuard};

use super::fault::{self, Armed, Fault, FaultKind, FaultTrigger, Stage};
use super::login::Login;
use super::matcher::Matcher;
use super::raw::RawConnection;
use super::received::Received;
use super::reply::Reply;
use super::scheduler::asked;
use super::world::Origin;

/// A number of times, for [`Rule::expect`]: `3`, `1..=2`, `1..`, `..=4`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times(RangeInclusive<usize>);

impl From<usize> for Times {
    fn from(times: usize) -> Times {
        Times(times..=times)
    }
}

impl From<RangeInclusive<usize>> for Times {
    fn from(times: RangeInclusive<usize>) -> Times {
        Times(times)
    }
}

impl From<RangeFrom<usize>> for Times {
    fn from(times: RangeFrom<usize>) -> Times {
        Times(times.start..=usize::MAX)
    }
}

impl From<RangeToInclusive<usize>> for Times {
    fn from(times: RangeToInclusive<usize>) -> Times {
        Times(0..=times.end)
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (*self.0.start(), *self.0.end()) {
            (0, 0) => f.write_str("never"),
            (1, 1) => f.write_str("once"),
            (low, high) if low == high => write!(f, "{low} times"),
            (low, usize::MAX) => write!(f, "at least {low} times"),
            (low, high) => write!(f, "{low} to {high} times"),
        }
    }
}

struct Entry {
    matcher: Matcher,
    name: Option<String>,
    login: Option<Login>,
    replies: Vec<Reply>,
    expected: Option<Times>,
    asked: usize,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.matcher)?;
        self.name.iter().try_for_each(|name| write!(f, " ({name})"))
    }
}

/// What plays a connection byte by byte.
pub(crate) type Handler = Arc<dyn Fn(RawConnection) + Send + Sync>;

/// What a peer is, shared with whoever carries requests to it.
#[derive(Default)]
struct State {
    rules: Vec<Entry>,
    faults: Vec<Armed>,
    certificates: Option<Vec<Vec<u8>>>,
    raw: Option<Handler>,
    /// Whether connections to it went over a pipe or a socket.
    carried: bool,
    /// Whether a web socket of its rules was played.
    socket: bool,
    streams: Option<u32>,
    received: Vec<Received>,
    /// Requests that no rule was for, and why.
    unmatched: Vec<String>,
}

/// A scripted server, from [`Sim::peer`](super::Sim::peer) or `Live::peer`. Clones are the same server.
///
/// It gets whole requests and answers each with a [`Reply`], by its rules. That is the same in a Sim, in a Sim over bytes and on
/// sockets. A request that no rule with a reply matches gets 404, and the test fails with a report of the closest rule.
#[derive(Clone)]
pub struct Peer {
    origin: String,
    state: Arc<Mutex<State>>,
}

/// A rule of a peer: which requests it is for, and what they get. From [`Peer::on`].
pub struct Rule<'a> {
    peer: &'a Peer,
    number: usize,
}

/// What an origin names.
///
/// # Panics
/// If it is none of http or https, or says more than an origin: a path, a query, a user; or its port is 0.
#[track_caller]
pub(crate) fn origin(text: &str) -> Origin {
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let place = url.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
    let (Some(url), Some((host, port))) = (&url, place) else {
        panic!("a peer needs an origin like https://api.test, not {text:?}");
    };
    let more = !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some();
    assert!(
        !more && url.username().is_empty(),
        "a peer is a whole origin like https://api.test, without path, query or user: {text:?}; its rules look at paths"
    );
    assert!(port != 0, "no server has port 0: {text:?}");
    (url.scheme() == "https", host.trim_matches(['[', ']']).to_owned(), port)
}

/// A reply that a test gives can be.
#[track_caller]
pub(super) fn possible(reply: &Reply) {
    if let Err(wrong) = reply.check() {
        panic!("{wrong}");
    }
}

impl Peer {
    pub(super) fn new(origin: &str) -> Peer {
        Peer { origin: origin.to_owned(), state: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Adds a rule for the requests that `matcher` selects. If several rules match, the newest one that has a reply answers.
    pub fn on(&self, matcher: Matcher) -> Rule<'_> {
        let mut state = self.lock();
        let entry = Entry { matcher, name: None, login: None, replies: Vec::new(), expected: None, asked: 0 };
        state.rules.push(entry);
        Rule { peer: self, number: state.rules.len() - 1 }
    }

    /// Sets the certificate chain that the peer presents for TLS: DER, its own certificate first. The chain is only shown to the
    /// program, not checked. By default the peer presents a trusted certificate for its host.
    pub fn shows(&self, chain: &[Vec<u8>]) -> &Peer {
        self.lock().certificates = Some(chain.to_vec());
        self
    }

    pub(super) fn shown(&self) -> Option<Vec<Vec<u8>>> {
        self.lock().certificates.clone()
    }

    /// Arms a fault for the connections to this peer.
    pub fn fault(&self, fault: Fault) -> &Peer {
        self.lock().faults.push(Armed::new(fault));
        self
    }

    /// How many requests the peer accepts at once on one HTTP/2 connection (SETTINGS_MAX_CONCURRENT_STREAMS): at least 1, by default
    /// 100.
    ///
    /// # Panics
    /// If it is none.
    #[track_caller]
    pub fn streams(&self, at_once: u32) -> &Peer {
        assert!(at_once > 0, "a peer that takes 0 requests at once answers none");
        self.lock().streams = Some(at_once);
        self
    }

    pub(crate) fn streams_at_once(&self) -> u32 {
        self.lock().streams.unwrap_or(100)
    }

    /// Plays each new connection byte by byte: `handler` runs on a thread of the Sim, and rules do not apply. Faults of this peer at
    /// [`Stage::Head`](super::Stage::Head), at [`Stage::Close`](super::Stage::Close) or after some bytes of the body cannot strike such a
    /// connection, and are reported as complaints; at [`Stage::Read`](super::Stage::Read) only `fail`, `reset`, `secure`, `close` and
    /// `stall` can.
    pub fn raw(&self, handler: impl Fn(RawConnection) + Send + Sync + 'static) -> &Peer {
        self.lock().raw = Some(Arc::new(handler));
        self
    }

    /// A connection to it is carried as bytes, by a pipe or a socket.
    #[cfg(feature = "live")]
    pub(super) fn is_carried(&self) {
        self.lock().carried = true;
    }

    /// A web socket of its rules is played.
    pub(super) fn plays_socket(&self) {
        self.lock().socket = true;
    }

    /// What it is that a fault cannot strike.
    pub(super) fn cannot_be_struck_by(&self, fault: &Fault) -> Option<&'static str> {
        let state = self.lock();
        if state.raw.is_some() && !fault.strikes_bytes() {
            return Some("a server that is played byte by byte");
        }
        if state.socket && fault.is_of_body() && !fault.strikes_bytes() {
            return Some("a web socket");
        }
        let address = || origin(&self.origin).1.parse::<IpAddr>().is_ok();
        (state.carried && fault.when == FaultTrigger::Stage(Stage::Resolve) && address())
            .then_some("the look-up of an address over bytes: there is none")
    }

    /// The faults that have never struck and may not stay away.
    pub(super) fn idle(&self) -> Vec<Fault> {
        let state = self.lock();
        let idle = state.faults.iter().filter(|armed| !armed.struck() && !armed.fault.may);
        idle.map(|armed| armed.fault.clone()).collect()
    }

    pub(crate) fn handler(&self) -> Option<Handler> {
        self.lock().raw.clone()
    }

    /// The requests that this peer has received so far.
    pub fn received(&self) -> Vec<Received> {
        asked();
        self.lock().received.clone()
    }

    /// Whether code of the program looks at what comes.
    pub(super) fn runs_code(&self) -> bool {
        self.lock().rules.iter().any(|entry| entry.matcher.runs_code())
    }

    /// Whether anything may go wrong on connections to it.
    pub(super) fn is_faulty(&self) -> bool {
        !self.lock().faults.is_empty()
    }

    /// Where it is.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Its faults at stages that nothing here comes to, as complaints.
    #[cfg(feature = "live")]
    pub(super) fn cannot_meet(&self, stages: &[fault::Stage]) -> Vec<String> {
        let state = self.lock();
        let of_stage = |fault: &Fault| stages.iter().any(|stage| fault.when == FaultTrigger::Stage(*stage));
        let cannot = state.faults.iter().filter(|armed| of_stage(&armed.fault));
        cannot
            .map(|armed| format!("{}: a fault that cannot strike over sockets: {}", self.origin, armed.fault))
            .collect()
    }

    pub(super) fn meets(&self, when: &FaultTrigger, may: &mut dyn FnMut(&str) -> bool) -> Option<FaultKind> {
        fault::first(&mut self.lock().faults, when, "", may)
    }

    /// The answer to a request: that of the newest matching rule; 404 and a note for the report if there is none.
    pub(crate) fn answer(&self, request: Received) -> Reply {
        let mut state = self.lock();
        state.received.push(request.clone());
        let fits = |entry: &Entry| {
            entry.matcher.misses(&request).is_empty() && (entry.login.is_some() || !entry.replies.is_empty())
        };
        if let Some(entry) = state.rules.iter_mut().rev().find(|entry| fits(entry)) {
            if let Some(refusal) = entry.login.as_ref().and_then(|login| login.refusal(&request)) {
                return refusal;
            }
            entry.asked += 1;
            // The last reply of a rule is given again and again.
            return match entry.replies.len() {
                0 => Reply::ok(),
                1 => entry.replies[0].clone(),
                _ => entry.replies.remove(0),
            };
        }
        let nearest = state.rules.iter().min_by_key(|entry| entry.matcher.misses(&request).len());
        let nearest = nearest.map_or("it has no rules".to_owned(), |entry| {
            let misses = entry.matcher.misses(&request);
            let but = if misses.is_empty() { "it has no reply".to_owned() } else { misses.join(" and ") };
            format!("closest is {entry}, but {but}")
        });
        let note = format!("{}: no rule for {request}: {nearest}", self.origin);
        state.unmatched.push(note);
        Reply::status(404)
    }

    /// The answer of a server that does not wait for the body, if the newest rule that matches the head has such a reply.
    pub(crate) fn answer_early(&self, head: &Received) -> Option<Reply> {
        let state = self.lock();
        let rule = state.rules.iter().rev().find(|entry| entry.matcher.misses(head).is_empty())?;
        let early = rule.replies.first().is_some_and(Reply::is_early);
        drop(state);
        early.then(|| self.answer(head.clone()))
    }

    /// What did not go as expected.
    pub(super) fn complaints(&self) -> Vec<String> {
        let state = self.lock();
        let missed = state.rules.iter().enumerate().filter_map(|(number, entry)| {
            let expected = entry.expected.as_ref().filter(|expected| !expected.0.contains(&entry.asked))?;
            let came = Times::from(entry.asked);
            let came = if entry.asked == 0 { "never came".to_owned() } else { format!("came {came}") };
            let mut complaint = format!("{}: {entry} was expected {expected} and {came}", self.origin);
            if entry.asked < *expected.0.start() {
                let misses = |request: &Received| entry.matcher.misses(request);
                let taken = |request: &&Received| misses(request).is_empty();
                let newer = &state.rules[number + 1..];
                let by = |request: &Received| newer.iter().rfind(|rule| rule.matcher.misses(request).is_empty());
                let others = state.received.iter().filter(|request| !misses(request).is_empty());
                if let Some((request, by)) =
                    state.received.iter().filter(taken).find_map(|came| Some((came, by(came)?)))
                {
                    complaint += &format!("; {request} came, but the newer rule {by} answers it");
                } else if let Some(closest) = others.min_by_key(|request| misses(request).len()) {
                    complaint += &format!("; closest came {closest}, but {}", misses(closest).join(" and "));
                }
            }
            Some(complaint)
        });
        let mut complaints: Vec<String> = state.unmatched.iter().cloned().chain(missed).collect();
        drop(state);
        complaints.extend(self.idle().iter().filter_map(|fault| {
            let what = self.cannot_be_struck_by(fault)?;
            Some(format!("{}: a fault that cannot strike {what}: {fault}", self.origin))
        }));
        complaints
    }

    /// Checks the expectations now, not only at the end of the Sim.
    ///
    /// # Panics
    /// With a report, if an expected request has not come, or one came that no rule matches.
    #[track_caller]
    pub fn verify(&self) {
        let complaints = self.complaints();
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
}

impl Rule<'_> {
    fn change(self, change: impl FnOnce(&mut Entry)) -> Self {
        change(&mut self.peer.lock().rules[self.number]);
        self
    }

    /// The next reply of this rule. Each is given once, in order; the last one is repeated.
    ///
    /// # Panics
    /// If something of the reply cannot be, or would not happen: a body with status 204, a chunk of 0 bytes.
    #[track_caller]
    pub fn reply(self, reply: Reply) -> Self {
        possible(&reply);
        self.change(|entry| entry.replies.push(reply))
    }

    /// Requires authentication: a request without the right user name and password gets 401 (or 407) instead of the reply, and does
    /// not count for [`expect`](Rule::expect).
    pub fn requires(self, login: Login) -> Self {
        self.change(|entry| entry.login = Some(login))
    }

    /// How often a request of this rule must come until the Sim ends: `1`, `1..=3`, `2..`. Otherwise the test fails.
    pub fn expect(self, times: impl Into<Times>) -> Self {
        self.change(|entry| entry.expected = Some(times.into()))
    }

    /// The name of the rule in reports.
    pub fn named(self, name: &str) -> Self {
        self.change(|entry| entry.name = Some(name.to_owned()))
    }
}
