//! Playing a recorded trace again: its servers answer as they did, and its calls must be made as they were.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::fault::{Fault, Stage};
use super::matcher::any;
use super::reply::{Act, Reply};
use super::sim::Sim;
use crate::http::{Headers, ResponseHead, Version};
use crate::record::{EventKind, Field, Trace, Traffic};

/// An exchange of the trace.
struct Exchange {
    origin: String,
    method: String,
    target: String,
    /// When its head was out, or what was heard of it last.
    since: Duration,
    sent: bool,
    acts: Vec<Act>,
    failure: Option<(Fault, bool)>,
}

impl Sim {
    /// A Sim whose peers answer as recorded in a trace: each request, by its origin, verb and target, gets the replies that it got
    /// then, in the same order and at the same times. At the end each handle must have had the same calls as in the trace; otherwise
    /// the Sim fails.
    ///
    /// [`Sim::trace`] and [`Trace::write`] make such a file, and so does any program under `WINHTTP_TRACE=jsonl:path`. Bodies are in it
    /// only with `WINHTTP_TRACE_CONTENT=1`; otherwise the replies have bodies of the same length, filled with `x`. Handles are named
    /// by the order in which they are made, so the code under test must make them in the same order.
    ///
    /// # Panics
    /// If the file cannot be read as a trace.
    pub fn replay(path: impl AsRef<Path>) -> Sim {
        let trace = Trace::read(path).unwrap_or_else(|error| panic!("{error}"));
        Sim::replaying(&trace)
    }

    /// [`Sim::replay`] of a trace in memory.
    pub fn replaying(trace: &Trace) -> Sim {
        let sim = Sim::new();
        let mut peers = BTreeMap::new();
        let mut rules: BTreeMap<(String, String, String), Vec<Reply>> = BTreeMap::new();
        for exchange in exchanges(trace) {
            let Exchange { origin, method, target, acts, failure, .. } = exchange;
            let peer = peers.entry(origin.clone()).or_insert_with(|| sim.peer(&origin));
            match failure {
                Some((fault, true)) => drop(peer.fault(fault)),
                _ => rules.entry((origin, method, target)).or_default().push(Reply::recorded(acts)),
            }
        }
        for ((origin, method, target), replies) in rules {
            let count = replies.len();
            // A target with a query is compared as the trace kept it, one without must have none.
            let kept = target.clone();
            let matcher = any().method(&method).when(&target, move |request| {
                [false, true].iter().any(|all| crate::record::target(&request.target, *all) == kept)
            });
            if let Some(peer) = peers.get(&origin) {
                replies.into_iter().fold(peer.on(matcher), |rule, reply| rule.reply(reply)).expect(count);
            }
        }
        sim.world().expect_calls(calls(trace));
        sim
    }
}

fn exchanges(trace: &Trace) -> Vec<Exchange> {
    let mut all: Vec<Exchange> = Vec::new();
    let mut current: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &trace.events {
        let EventKind::Traffic { handle, traffic } = &event.what else { continue };
        if let Traffic::Request { origin, method, target, .. } = traffic {
            current.insert(handle, all.len());
            all.push(Exchange {
                origin: origin.clone(),
                method: method.clone(),
                target: target.clone(),
                since: event.at,
                sent: false,
                acts: Vec::new(),
                failure: None,
            });
            continue;
        }
        if let Some(number) = current.get(handle.as_str()) {
            all[*number].hear(event.at, traffic);
        }
    }
    all
}

impl Exchange {
    fn hear(&mut self, at: Duration, traffic: &Traffic) {
        let acts = match traffic {
            Traffic::Request { .. } => return,
            Traffic::Write(_) => return self.since = at,
            Traffic::Sent | Traffic::Restarted => {
                self.sent = matches!(traffic, Traffic::Sent);
                return self.since = at;
            }
            Traffic::Interim(status) => vec![Act::Interim(*status)],
            Traffic::Head { status, reason, headers } => {
                let version = Version { major: 1, minor: 1 };
                let (reason, headers) = (reason.clone().into(), fields(headers));
                vec![Act::Head(ResponseHead { version, status: *status, reason, headers })]
            }
            Traffic::Body(data) => vec![Act::Bytes(data.bytes())],
            Traffic::End { trailers } => vec![Act::End(fields(trailers))],
            Traffic::Failed { error, secure } if self.sent => vec![Act::Fail(*error, *secure)],
            Traffic::Failed { error, secure } => {
                let stage = Stage::ALL.iter().find(|stage| stage.error() == *error).copied();
                let fault = Fault::at(stage.unwrap_or(Stage::Connect)).first(1).fail_so(*error, *secure);
                return self.failure = Some((fault, true));
            }
        };
        let waited = at.saturating_sub(self.since);
        self.since = at;
        if !waited.is_zero() {
            self.acts.push(Act::Wait(waited));
        }
        self.acts.extend(acts);
    }
}

fn fields(fields: &[Field]) -> Headers {
    let mut headers = Headers::default();
    fields.iter().for_each(|(name, value)| headers.append(name.as_str(), value.clone()));
    headers
}

/// The functions that were called on each handle, in their order.
pub(super) fn calls(trace: &Trace) -> BTreeMap<String, Vec<String>> {
    let mut calls: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in &trace.events {
        if let EventKind::Call { function, handle, .. } = &event.what {
            calls.entry(handle.clone().unwrap_or_default()).or_default().push(function.clone());
        }
    }
    calls
}

/// The first difference between the calls that were recorded and those that were made.
pub(super) fn difference(
    recorded: &BTreeMap<String, Vec<String>>,
    made: &BTreeMap<String, Vec<String>>,
) -> Option<String> {
    let nothing = Vec::new();
    recorded.keys().chain(made.keys()).find_map(|handle| {
        let (then, now) = (recorded.get(handle).unwrap_or(&nothing), made.get(handle).unwrap_or(&nothing));
        let place = (0..then.len().max(now.len())).find(|place| then.get(*place) != now.get(*place))?;
        let said = |calls: &[String]| calls.get(place).cloned().unwrap_or_else(|| "nothing".to_owned());
        let handle = if handle.is_empty() { "no handle" } else { handle };
        Some(format!("call {} on {handle}: {} was recorded, {} was made", place + 1, said(then), said(now)))
    })
}
