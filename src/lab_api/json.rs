//! Peers, rules, replies and faults as JSON: the words of the lab in Rust.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::delivery::{Delivery, Policy};
use crate::lab::{Choices, Fault, Gate, Matcher, Peer, Profile, Reply, Rule, Sim, Stage, WebSocketScript, any};
use crate::record::Status;
use crate::sync::Mutex;

/// What is wrong with a text.
pub(super) type Wrong = String;

/// What a Sim is made of.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Begin {
    pub seed: Option<u64>,
    pub choices: Option<String>,
    pub profile: Option<String>,
    pub delivery: Option<String>,
    pub allow_unknown_hosts: bool,
}

impl Begin {
    pub fn choices(&self) -> Result<Option<Choices>, Wrong> {
        self.choices.as_deref().map(|text| text.parse().map_err(|error| format!("{error}"))).transpose()
    }

    pub fn profile(&self) -> Result<Profile, Wrong> {
        let Some(name) = self.profile.as_deref() else { return Ok(Profile::newest()) };
        Profile::named(name).ok_or_else(|| {
            let names: Vec<_> = Profile::names().collect();
            format!("profile: there is no {name:?}, but {}", names.join(", "))
        })
    }

    pub fn policy(&self) -> Result<Policy, Wrong> {
        let delivery = match self.delivery.as_deref() {
            None | Some("windows") => Delivery::Windows,
            Some("worker") => Delivery::Worker,
            Some("inside") => Delivery::Inside,
            Some(other) => return Err(format!("delivery: there is no {other:?}, but windows, worker, inside")),
        };
        Ok(Policy { delivery, ..Policy::default() })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PeerText {
    pub origin: String,
    #[serde(default)]
    rules: Vec<RuleText>,
    #[serde(default)]
    faults: Vec<FaultText>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RuleText {
    method: Option<String>,
    path: Option<String>,
    under: Option<String>,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    has_headers: Vec<String>,
    no_headers: Vec<String>,
    body: Option<String>,
    body_contains: Option<String>,
    name: Option<String>,
    expect: Option<Times>,
    replies: Vec<ReplyText>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(untagged)]
enum Times {
    Exactly(usize),
    Between([usize; 2]),
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct ReplyText {
    status: Option<u16>,
    redirect: Option<String>,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    chunks: Vec<usize>,
    trailers: BTreeMap<String, String>,
    delay_ms: Option<u64>,
    between_ms: Option<u64>,
    interim: Vec<u16>,
    wait: Option<String>,
    until_close: bool,
    early: bool,
    never: bool,
    web_socket: Option<Vec<WebSocketText>>,
    then: Vec<FaultText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WebSocketText {
    Text(String),
    Binary(Vec<u8>),
    Ping(String),
    ExpectText(String),
    ExpectBinary(Vec<u8>),
    ExpectClose(u16),
    SleepMs(u64),
    Wait(String),
    Close(u16, String),
    Echo,
    End,
    Reset,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FaultText {
    at: Option<String>,
    after_body: Option<usize>,
    in_call: Option<String>,
    on: Option<String>,
    nth: Option<usize>,
    first: Option<usize>,
    of: Option<String>,
    maybe: bool,
    fail: Option<u32>,
    fail_bound: Option<u32>,
    last_error: Option<u32>,
    secure: Option<u32>,
    delay_ms: Option<u64>,
    slow: Option<u64>,
    short: Option<usize>,
    wait: Option<String>,
    reset: bool,
    close: bool,
    stall: bool,
    inside: bool,
    later: bool,
    settle: bool,
}

/// Gates by name.
pub(super) struct Gates<'a> {
    pub sim: &'a Sim,
    pub known: &'a Mutex<BTreeMap<String, Gate>>,
}

impl Gates<'_> {
    pub fn of(&mut self, name: &str) -> Gate {
        self.known.lock().entry(name.to_owned()).or_insert_with(|| self.sim.gate(name)).clone()
    }
}

/// What a text says of a peer: nothing of it is wrong.
pub(super) struct ReadyPeer {
    origin: String,
    rules: Vec<ReadyRule>,
    faults: Vec<Fault>,
}

struct ReadyRule {
    matcher: Matcher,
    name: Option<String>,
    expect: Option<Times>,
    replies: Vec<Reply>,
}

impl PeerText {
    pub fn ready(self, gates: &mut Gates<'_>) -> Result<ReadyPeer, Wrong> {
        let faults = self.faults.into_iter().map(|fault| fault.fault(gates)).collect::<Result<_, _>>()?;
        let rules = self.rules.into_iter().map(|rule| rule.ready(gates)).collect::<Result<_, _>>()?;
        Ok(ReadyPeer { origin: self.origin, rules, faults })
    }
}

impl ReadyPeer {
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Adds the rules and faults to a peer.
    pub fn add(self, peer: &Peer) {
        for fault in self.faults {
            peer.fault(fault);
        }
        for ReadyRule { matcher, name, expect, replies } in self.rules {
            let mut rule: Rule<'_> = replies.into_iter().fold(peer.on(matcher), |rule, reply| rule.reply(reply));
            rule = match expect {
                Some(Times::Exactly(times)) => rule.expect(times),
                Some(Times::Between([low, high])) => rule.expect(low..=high),
                None => rule,
            };
            if let Some(name) = name {
                rule.named(&name);
            }
        }
    }
}

impl RuleText {
    fn matcher(&self) -> Matcher {
        let mut matcher = any();
        type Add = fn(Matcher, &str) -> Matcher;
        let parts: [(&Option<String>, Add); 5] = [
            (&self.method, |matcher, text| matcher.method(text)),
            (&self.path, |matcher, text| matcher.path(text)),
            (&self.under, |matcher, text| matcher.under(text)),
            (&self.body, |matcher, text| matcher.body(text)),
            (&self.body_contains, |matcher, text| matcher.body_contains(text)),
        ];
        for (text, add) in parts {
            matcher = text.iter().fold(matcher, |matcher, text| add(matcher, text));
        }
        matcher = self.query.iter().fold(matcher, |matcher, (name, value)| matcher.query(name, value));
        matcher = self.headers.iter().fold(matcher, |matcher, (name, value)| matcher.header(name, value));
        matcher = self.has_headers.iter().fold(matcher, |matcher, name| matcher.has_header(name));
        self.no_headers.iter().fold(matcher, |matcher, name| matcher.no_header(name))
    }

    fn ready(self, gates: &mut Gates<'_>) -> Result<ReadyRule, Wrong> {
        let matcher = self.matcher();
        if let Some(Times::Between([low, high])) = self.expect.filter(|times| !times.possible()) {
            return Err(format!("expect: from {low} to {high} is no number of times"));
        }
        let replies = self.replies.into_iter().map(|reply| reply.reply(gates)).collect::<Result<_, _>>()?;
        Ok(ReadyRule { matcher, name: self.name, expect: self.expect, replies })
    }
}

impl Times {
    fn possible(self) -> bool {
        !matches!(self, Times::Between([low, high]) if low > high)
    }
}

impl ReplyText {
    fn start(&mut self, gates: &mut Gates<'_>) -> Reply {
        if let Some(script) = self.web_socket.take() {
            return Reply::web_socket(
                script.into_iter().fold(WebSocketScript::new(), |done, act| act.add(done, gates)),
            );
        }
        match (self.never, &self.redirect, self.status) {
            (true, ..) => Reply::never(),
            (_, Some(location), status) => Reply::status(status.unwrap_or(302)).header("Location", location),
            (_, None, status) => Reply::status(status.unwrap_or(200)),
        }
    }

    /// What cannot be, or what would not be heard of.
    fn check(&self) -> Result<(), Wrong> {
        let plain = !self.never && self.web_socket.is_none();
        let rows = [
            (self.redirect.is_some() && !matches!(self.status.unwrap_or(302), 300..=399), {
                format!("redirect: not with status {}", self.status.unwrap_or_default())
            }),
            (self.status.is_some() && !plain, "status: the other words have one, or none".to_owned()),
            (self.redirect.is_some() && !plain, "redirect: there is another kind of reply beside it".to_owned()),
            (self.never && self.web_socket.is_some(), "never: there is a web socket".to_owned()),
        ];
        rows.into_iter().find(|(is, _)| *is).map_or(Ok(()), |(_, wrong)| Err(wrong))
    }

    fn reply(mut self, gates: &mut Gates<'_>) -> Result<Reply, Wrong> {
        self.check()?;
        let mut reply = self.start(gates);
        reply = self.headers.iter().fold(reply, |reply, (name, value)| reply.header(name, value));
        reply = self.trailers.iter().fold(reply, |reply, (name, value)| reply.trailer(name, value));
        reply = self.interim.iter().fold(reply, |reply, status| reply.interim(*status));
        if let Some(body) = self.body {
            reply = reply.body(body);
        }
        if !self.chunks.is_empty() {
            reply = reply.chunks(self.chunks);
        }
        if let Some(delay) = self.delay_ms {
            reply = reply.delay(Duration::from_millis(delay));
        }
        if let Some(between) = self.between_ms {
            reply = reply.between(Duration::from_millis(between));
        }
        if let Some(gate) = self.wait {
            reply = reply.wait(&gates.of(&gate));
        }
        if self.until_close {
            reply = reply.until_close();
        }
        if self.early {
            reply = reply.early();
        }
        let reply =
            self.then.into_iter().try_fold(reply, |reply, fault| fault.fault(gates).map(|fault| reply.then(fault)))?;
        reply.check()?;
        Ok(reply)
    }
}

impl WebSocketText {
    fn add(self, script: WebSocketScript, gates: &mut Gates<'_>) -> WebSocketScript {
        match self {
            WebSocketText::Text(text) => script.text(&text),
            WebSocketText::Binary(bytes) => script.binary(bytes),
            WebSocketText::Ping(payload) => script.ping(payload),
            WebSocketText::ExpectText(text) => script.expect_text(&text),
            WebSocketText::ExpectBinary(bytes) => script.expect_binary(bytes),
            WebSocketText::ExpectClose(status) => script.expect_close(status),
            WebSocketText::SleepMs(time) => script.sleep(Duration::from_millis(time)),
            WebSocketText::Wait(gate) => script.wait(&gates.of(&gate)),
            WebSocketText::Close(status, reason) => script.close(status, &reason),
            WebSocketText::Echo => script.echo(),
            WebSocketText::End => script.end(),
            WebSocketText::Reset => script.reset(),
        }
    }
}

fn stage(name: &str) -> Result<Stage, Wrong> {
    let stages = [
        ("resolve", Stage::Resolve),
        ("connect", Stage::Connect),
        ("tls", Stage::Tls),
        ("send", Stage::Send),
        ("write", Stage::Write),
        ("head", Stage::Head),
        ("read", Stage::Read),
        ("close", Stage::Close),
    ];
    let found = stages.into_iter().find(|(known, _)| *known == name);
    found.map(|(_, stage)| stage).ok_or_else(|| format!("at: there is no stage {name:?}"))
}

macro_rules! occurring {
    ($point:expr, $fault:expr) => {
        match ($fault.nth, $fault.first) {
            (Some(n), _) => $point.nth(n),
            (_, Some(n)) => $point.first(n),
            _ => $point,
        }
    };
}

impl FaultText {
    /// How many things are to happen.
    fn happenings(&self) -> usize {
        let numbers = [self.fail, self.fail_bound, self.last_error, self.secure];
        let others = [self.delay_ms.is_some(), self.slow.is_some(), self.short.is_some(), self.wait.is_some()];
        let words = [self.reset, self.close, self.stall, self.inside, self.later, self.settle];
        numbers.iter().flatten().count() + others.iter().chain(&words).filter(|is| **is).count()
    }

    pub fn fault(self, gates: &mut Gates<'_>) -> Result<Fault, Wrong> {
        if self.happenings() > 1 {
            return Err("a fault says one thing that happens".to_owned());
        }
        if self.nth.is_some() && self.first.is_some() {
            return Err("a fault has one of nth and first".to_owned());
        }
        let gate = self.wait.as_deref().map(|name| gates.of(name));
        let mut fault = match (&self.at, self.after_body, &self.in_call, &self.on) {
            (Some(name), None, None, None) => self.at_stage(Fault::at(stage(name)?), gate),
            (None, Some(bytes), None, None) => self.at_stage(Fault::after_body(bytes), gate),
            (None, None, Some(function), None) => self.in_a_call(function, gate),
            (None, None, None, Some(name)) => self.on_callback(name, gate)?,
            _ => return Err("a fault has one of at, after_body, in_call and on".to_owned()),
        }
        .ok_or("a fault says what happens there")?;
        if let Some(handle) = &self.of {
            fault = fault.of(handle);
        }
        Ok(if self.maybe { fault.maybe() } else { fault })
    }

    fn at_stage(&self, point: crate::lab::AtStage, gate: Option<Gate>) -> Option<Fault> {
        let point = occurring!(point, self);
        Some(match self {
            FaultText { fail: Some(error), .. } => point.fail(*error),
            FaultText { secure: Some(flags), .. } => point.secure(*flags),
            FaultText { delay_ms: Some(time), .. } => point.delay(Duration::from_millis(*time)),
            FaultText { slow: Some(rate), .. } => point.slow(*rate),
            FaultText { short: Some(bytes), .. } => point.short(*bytes),
            FaultText { reset: true, .. } => point.reset(),
            FaultText { close: true, .. } => point.close(),
            FaultText { stall: true, .. } => point.stall(),
            _ => point.wait(&gate?),
        })
    }

    fn in_a_call(&self, function: &str, gate: Option<Gate>) -> Option<Fault> {
        let point = occurring!(Fault::in_call(function), self);
        Some(match self {
            FaultText { fail: Some(error), .. } => point.fail(*error),
            FaultText { fail_bound: Some(error), .. } => point.fail_bound(*error),
            FaultText { last_error: Some(error), .. } => point.last_error(*error),
            FaultText { inside: true, .. } => point.inside(),
            FaultText { later: true, .. } => point.later(),
            FaultText { settle: true, .. } => point.settle_before_return(),
            _ => point.hold_return(&gate?),
        })
    }

    fn on_callback(&self, name: &str, gate: Option<Gate>) -> Result<Option<Fault>, Wrong> {
        let statuses = (0..31).map(|bit| Status(1 << bit));
        let status = statuses.into_iter().find(|status| status.name() == Some(name));
        let point = Fault::on(status.ok_or_else(|| format!("on: there is no status {name:?}"))?);
        let point = occurring!(point, self);
        Ok(if self.settle { Some(point.settle_first()) } else { gate.map(|gate| point.hold(&gate)) })
    }
}
