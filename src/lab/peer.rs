//! Servers of a Sim: what they are asked, what they answer, and what was expected of them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::raw::RawConnection;
use super::reply::{Fault, Reply};
use crate::http::{Headers, RequestHead};

/// A request as a peer got it.
#[derive(Clone, Debug)]
pub struct Received {
    /// The verb.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The headers, in their order.
    pub headers: Headers,
    /// The body, framed as it came over the wire.
    pub body: Bytes,
}

impl Received {
    pub(super) fn new(head: &RequestHead, body: Bytes) -> Received {
        let RequestHead { method, target, headers, .. } = head.clone();
        Received { method, target, headers, body }
    }

    /// The value of a header as text.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name, 0).map(|value| String::from_utf8_lossy(value).into_owned())
    }
}

impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)
    }
}

/// Which requests a rule is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    method: Option<String>,
    path: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<Bytes>,
}

/// Any request.
pub fn any() -> Matcher {
    Matcher::default()
}

/// A GET of this path.
pub fn get(path: &str) -> Matcher {
    any().method("GET").path(path)
}

/// A POST to this path.
pub fn post(path: &str) -> Matcher {
    any().method("POST").path(path)
}

impl Matcher {
    /// With this verb.
    pub fn method(mut self, method: &str) -> Matcher {
        self.method = Some(method.to_owned());
        self
    }

    /// With this path; a query is compared only if one is given.
    pub fn path(mut self, path: &str) -> Matcher {
        self.path = Some(path.to_owned());
        self
    }

    /// With this header.
    pub fn header(mut self, name: &str, value: &str) -> Matcher {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Matcher {
        self.body = Some(Bytes::from(body.into()));
        self
    }

    /// What of the matcher a request does not have; empty if it matches.
    fn misses(&self, request: &Received) -> Vec<String> {
        let mut misses = Vec::new();
        if let Some(method) = self.method.as_ref().filter(|method| **method != request.method) {
            misses.push(format!("the verb is not {method}"));
        }
        if let Some(path) = &self.path {
            let target = if path.contains('?') {
                request.target.as_str()
            } else {
                request.target.split('?').next().unwrap_or("")
            };
            if path != target {
                misses.push(format!("the path is not {path}"));
            }
        }
        for (name, value) in &self.headers {
            if request.header(name).as_ref() != Some(value) {
                misses.push(format!("there is no header {name}: {value}"));
            }
        }
        if let Some(body) = self.body.as_ref().filter(|body| **body != request.body) {
            misses.push(format!("the body is not {:?}", String::from_utf8_lossy(body)));
        }
        misses
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.as_deref().unwrap_or("any"), self.path.as_deref().unwrap_or("*"))?;
        for (name, value) in &self.headers {
            write!(f, " with {name}: {value}")?;
        }
        Ok(())
    }
}

struct Entry {
    matcher: Matcher,
    replies: Vec<Reply>,
    expected: Option<usize>,
    asked: usize,
}

/// What plays a connection byte by byte.
pub(super) type Handler = Arc<dyn Fn(RawConnection) + Send + Sync>;

/// What a peer is, shared with the transport.
#[derive(Default)]
struct State {
    rules: Vec<Entry>,
    fault: Option<Fault>,
    raw: Option<Handler>,
    received: Vec<Received>,
    /// Requests that no rule was for, and why.
    unmatched: Vec<String>,
}

/// A server of a Sim. Clones are the same server.
#[derive(Clone)]
pub struct Peer {
    origin: String,
    state: Arc<Mutex<State>>,
}

/// A rule of a peer, being written.
pub struct Rule<'a> {
    peer: &'a Peer,
    number: usize,
}

impl Peer {
    pub(super) fn new(origin: &str) -> Peer {
        Peer { origin: origin.to_owned(), state: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A rule for requests; of several that match, the newest that has a reply left answers.
    pub fn on(&self, matcher: Matcher) -> Rule<'_> {
        let mut state = self.lock();
        state.rules.push(Entry { matcher, replies: Vec::new(), expected: None, asked: 0 });
        Rule { peer: self, number: state.rules.len() - 1 }
    }

    /// New connections meet this fault: [`Fault::Refuse`] or [`Fault::Secure`].
    pub fn fault(&self, fault: Fault) -> &Peer {
        self.lock().fault = Some(fault);
        self
    }

    /// Each new connection is played by `handler`, byte by byte, on a thread of the Sim; rules are not asked.
    pub fn raw(&self, handler: impl Fn(RawConnection) + Send + Sync + 'static) -> &Peer {
        self.lock().raw = Some(Arc::new(handler));
        self
    }

    pub(super) fn handler(&self) -> Option<Handler> {
        self.lock().raw.clone()
    }

    /// The requests that came so far.
    pub fn received(&self) -> Vec<Received> {
        self.lock().received.clone()
    }

    pub(super) fn connection_fault(&self) -> Option<Fault> {
        self.lock().fault
    }

    /// The answer to a request: that of the newest matching rule; 404 and a note for the report if there is none.
    pub(super) fn answer(&self, request: Received) -> Reply {
        let mut state = self.lock();
        state.received.push(request.clone());
        let fits = |entry: &&mut Entry| entry.matcher.misses(&request).is_empty() && !entry.replies.is_empty();
        if let Some(entry) = state.rules.iter_mut().rev().find(fits) {
            entry.asked += 1;
            // The last reply of a rule is given again and again.
            return if entry.replies.len() > 1 { entry.replies.remove(0) } else { entry.replies[0].clone() };
        }
        let nearest = state.rules.iter().min_by_key(|entry| entry.matcher.misses(&request).len());
        let nearest = nearest.map_or("it has no rules".to_owned(), |entry| {
            format!("closest is `{}`, but {}", entry.matcher, entry.matcher.misses(&request).join(" and "))
        });
        let note = format!("{}: no rule for {request}: {nearest}", self.origin);
        state.unmatched.push(note);
        Reply::status(404)
    }

    /// What did not go as expected.
    pub(super) fn complaints(&self) -> Vec<String> {
        let state = self.lock();
        let mut complaints = state.unmatched.clone();
        for entry in &state.rules {
            if let Some(expected) = entry.expected.filter(|expected| *expected != entry.asked) {
                complaints.push(format!(
                    "{}: `{}` was expected {expected} times and came {} times",
                    self.origin, entry.matcher, entry.asked
                ));
            }
        }
        complaints
    }
}

impl Rule<'_> {
    fn change(self, change: impl FnOnce(&mut Entry)) -> Self {
        change(&mut self.peer.lock().rules[self.number]);
        self
    }

    /// The reply. Given several times: one after the other, the last for ever.
    pub fn reply(self, reply: Reply) -> Self {
        self.change(|entry| entry.replies.push(reply))
    }

    /// How often such a request has to come until the Sim ends.
    pub fn expect(self, times: usize) -> Self {
        self.change(|entry| entry.expected = Some(times))
    }
}
