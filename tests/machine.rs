//! The request machine's table: every state with every input, and the diagram drawn from it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use std::time::Duration;

use portable_winhttp::http::{Headers, ResponseHead, Version};
use portable_winhttp::machine::request::table::{
    Action, Exchange, FailureCause, Input, OPENED, ReadSide, State, Step, WriteSide, step,
};
use portable_winhttp::machine::{Machine, Origin, Output, Request, RequestTemplate, SendCall, Settings};
use portable_winhttp::transport::{Event, Peer};
use portable_winhttp::win32::CallerBuf;

const EXCHANGES: [Exchange; 9] = [
    Exchange::Unsent,
    Exchange::Sending,
    Exchange::Awaiting,
    Exchange::Arrived,
    Exchange::Following,
    Exchange::Failed,
    Exchange::Body,
    Exchange::Cancelled,
    Exchange::Closed,
];
const READS: [ReadSide; 6] =
    [ReadSide::Idle, ReadSide::Receive, ReadSide::Query, ReadSide::Read, ReadSide::ReceiveQuery, ReadSide::ReceiveRead];
const WRITES: [WriteSide; 6] =
    [WriteSide::Shut, WriteSide::Open, WriteSide::Dead, WriteSide::Send, WriteSide::Write, WriteSide::Last];
const INPUTS: [Input; 26] = [
    Input::CallSend,
    Input::CallWrite,
    Input::CallWriteLast,
    Input::CallReceive,
    Input::CallReceiveDuplex,
    Input::CallQuery,
    Input::CallRead,
    Input::CallUpgrade,
    Input::SentPart,
    Input::SentPartDuplex,
    Input::SentWhole,
    Input::SentHeld,
    Input::Wrote,
    Input::Restart,
    Input::Head,
    Input::Final,
    Input::Follow,
    Input::Resend,
    Input::Refused,
    Input::Told,
    Input::Data,
    Input::Supplied,
    Input::Broken,
    Input::Fail,
    Input::Cancel,
    Input::Close,
];

fn states() -> impl Iterator<Item = State> {
    EXCHANGES.into_iter().flat_map(|exchange| {
        READS.into_iter().flat_map(move |read| WRITES.into_iter().map(move |write| State { exchange, read, write }))
    })
}

fn reachable() -> BTreeMap<String, State> {
    let mut seen = BTreeMap::from([(format!("{OPENED:?}"), OPENED)]);
    let mut left = VecDeque::from([OPENED]);
    while let Some(state) = left.pop_front() {
        for input in INPUTS {
            if let Step::Take(next, _) = step(state, input) {
                if seen.insert(format!("{next:?}"), next).is_none() {
                    left.push_back(next);
                }
            }
        }
    }
    seen
}

fn is_call(input: Input) -> bool {
    use Input::*;
    let of_body = matches!(input, CallWrite | CallWriteLast | CallQuery | CallRead);
    of_body || matches!(input, CallSend | CallReceive | CallReceiveDuplex | CallUpgrade)
}

/// The pending operations of a state, as the names of their actions.
fn pending(state: State) -> BTreeSet<&'static str> {
    let read: &[&str] = match state.read {
        ReadSide::Idle => &[],
        ReadSide::Receive => &["Receive"],
        ReadSide::Query => &["Query"],
        ReadSide::Read => &["Read"],
        ReadSide::ReceiveQuery => &["Receive", "Query"],
        ReadSide::ReceiveRead => &["Receive", "Read"],
    };
    let write = match state.write {
        WriteSide::Shut | WriteSide::Open | WriteSide::Dead => None,
        WriteSide::Send => Some("Send"),
        WriteSide::Write | WriteSide::Last => Some("Write"),
    };
    read.iter().copied().chain(write).collect()
}

/// The operations that actions end.
fn ended(actions: &[Action]) -> Vec<&'static str> {
    let mut ended = Vec::new();
    for action in actions {
        match action {
            Action::EndSend | Action::FailSend(_) => ended.push("Send"),
            Action::EndWrite | Action::FailWrite(_) => ended.push("Write"),
            Action::EndReceive | Action::FailReceive(_) => ended.push("Receive"),
            Action::EndQuery | Action::FailQuery(_) => ended.push("Query"),
            Action::EndRead | Action::FailRead(_) => ended.push("Read"),
            _ => {}
        }
    }
    ended
}

fn started(input: Input) -> Option<&'static str> {
    use Input::*;
    Some(match input {
        CallSend => "Send",
        CallWrite | CallWriteLast => "Write",
        CallReceive | CallReceiveDuplex => "Receive",
        CallQuery => "Query",
        CallRead => "Read",
        _ => return None,
    })
}

#[test]
fn every_pair_keeps_the_promises() {
    for state in states() {
        for input in INPUTS {
            let pair = format!("{state:?} x {input:?}");
            match step(state, input) {
                Step::Refuse(error) => {
                    assert!(is_call(input), "{pair}: only calls are refused");
                    assert_ne!(error.0, 0, "{pair}");
                }
                Step::Impossible => assert!(!is_call(input), "{pair}: a call always has an answer"),
                Step::Take(..) => {}
            }
        }
    }
}

/// Every operation that is started ends exactly once: while it is pending, or at the step that starts it.
#[test]
fn operations_end_exactly_once() {
    for state in reachable().into_values() {
        for input in INPUTS {
            let Step::Take(next, actions) = step(state, input) else { continue };
            let mut open: Vec<_> = pending(state).into_iter().chain(started(input)).collect();
            if actions.contains(&Action::CancelPending) {
                open.clear();
            }
            for end in ended(actions) {
                let place = open.iter().position(|name| *name == end);
                let place = place.unwrap_or_else(|| panic!("{state:?} x {input:?}: {end} was not pending"));
                open.remove(place);
            }
            let open: BTreeSet<_> = open.into_iter().collect();
            assert_eq!(open, pending(next), "{state:?} x {input:?} -> {next:?}");
        }
    }
}

/// What an action finds out is an input of its own; the step before it is whole by then.
#[test]
fn a_question_is_the_last_action_of_its_step() {
    for state in states() {
        for input in INPUTS {
            if let Step::Take(_, [before @ .., _]) = step(state, input) {
                let asks = |action: &Action| matches!(action, Action::Answer | Action::Supply | Action::Start);
                assert!(!before.iter().any(asks), "{state:?} x {input:?}: {before:?}");
            }
        }
    }
}

#[test]
fn a_second_operation_on_a_busy_side_is_refused_with_12019() {
    for state in reachable().into_values() {
        for input in [Input::CallReceive, Input::CallQuery, Input::CallRead] {
            // Inside REDIRECT the body can be read beside the receive.
            let inside = state.exchange == Exchange::Following && state.read == ReadSide::Receive;
            if state.read != ReadSide::Idle && !(inside && input != Input::CallReceive) {
                assert_eq!(step(state, input), Step::Refuse(portable_winhttp::win32::Win32Error(12019)), "{state:?}");
            }
        }
    }
}

#[test]
fn cancelling_is_possible_in_every_open_state() {
    for state in reachable().into_values().filter(|state| state.exchange != Exchange::Closed) {
        let Step::Take(next, actions) = step(state, Input::Close) else { panic!("{state:?}") };
        assert_eq!(next.exchange, Exchange::Closed);
        assert_eq!(actions.first(), Some(&Action::CancelPending));
    }
}

#[test]
fn a_call_in_the_wrong_state_is_an_error_record() {
    let receive = step(OPENED, Input::CallReceive);
    assert_eq!(receive, Step::Take(OPENED, &[Action::FailReceive(FailureCause::WrongState)]));
}

/// A read has its time anew with bytes that can be read; those behind the end of a coded body cannot.
#[test]
fn what_nobody_can_read_is_no_sign_of_life() {
    const GZIP: &[u8] = b"\x1F\x8B\x08\0\0\0\0\0\x02\x03\xCBH\xCD\xC9\xC9W\xC8\xC0N\x02\0\xF6\xD2S8\x1D\0\0\0";
    let at = Duration::from_secs;
    let version = Version { major: 1, minor: 1 };
    let template = RequestTemplate {
        method: "GET".into(),
        target: "/".into(),
        version,
        headers: Headers::default(),
        agent: None,
        accept: Vec::new(),
        referrer: None,
        refresh: false,
        automatic_chunking: false,
    };
    let origin = Origin { secure: false, host: "host.test".into(), port: 80 };
    let mut request = Request::new(origin, template, Settings { decompression: 1, ..Settings::default() });
    let call = SendCall {
        headers: Vec::new(),
        optional: bytes::Bytes::new(),
        optional_address: 0,
        total: 0,
        key: [0; 16],
        hold: false,
    };
    request.send(at(0), call).unwrap();
    let attempt = request.outputs().find_map(|output| match output {
        Output::Start(number, _) => Some(number),
        _ => None,
    });
    let attempt = attempt.unwrap();
    let address = "127.0.0.1:80".parse().unwrap();
    request.event(at(0), attempt, Event::Ready { peer: Peer { local: address, remote: address }, http2: false });
    request.proceed(at(0), attempt);
    request.event(at(0), attempt, Event::Sent(10));
    request.receive(at(0)).unwrap();
    let head = ResponseHead::parse(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n").unwrap();
    request.event(at(0), attempt, Event::Head { head, received: 10 });
    let mut room = [0; 100];
    // SAFETY: the room outlives the request's use of it, and nobody else has it.
    let buffer = unsafe { CallerBuf::new(room.as_mut_ptr().cast(), 100) };
    request.read(at(0), buffer, true).unwrap();
    assert_eq!(request.deadline(), Some(at(30)));
    let body = |bytes: &'static [u8]| Event::Body { bytes: bytes.into(), end: None };
    request.event(at(10), attempt, body(GZIP));
    assert_eq!(request.deadline(), Some(at(40)));
    for second in 11..39 {
        request.event(at(second), attempt, body(b"behind"));
    }
    assert_eq!(request.deadline(), Some(at(40)));
    assert!(!request.outputs().any(|output| matches!(output, Output::Abandon)));
    // It is not waited for without a bound.
    request.event(at(39), attempt, Event::Body { bytes: vec![0; 128 * 1024].into(), end: None });
    assert!(request.outputs().any(|output| matches!(output, Output::Abandon)));
    drop(request);
}

/// Draws the exchange: which input leads from where to where. Inputs that stay are left out.
fn diagram() -> String {
    let mut edges: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();
    let number = |exchange| EXCHANGES.iter().position(|known| *known == exchange).unwrap();
    for state in reachable().into_values() {
        for input in INPUTS {
            let Step::Take(next, _) = step(state, input) else { continue };
            // Cancel and Close lead from everywhere: one note says so.
            if next.exchange != state.exchange && !matches!(input, Input::Cancel | Input::Close) {
                let edge = (number(state.exchange), number(next.exchange));
                edges.entry(edge).or_default().insert(format!("{input:?}"));
            }
        }
    }
    let mut text = String::from("\n```mermaid\nstateDiagram-v2\n    [*] --> Unsent\n");
    for ((from, to), inputs) in edges {
        let inputs: Vec<_> = inputs.into_iter().collect();
        text += &format!("    {:?} --> {:?}: {}\n", EXCHANGES[from], EXCHANGES[to], inputs.join(", "));
    }
    text += "    note left of Cancelled: Cancel leads here from every state\n";
    text += "    note left of Closed: Close leads here from every state\n```\n";
    text
}

/// `UPDATE_DIAGRAM=1 cargo test --test machine` draws it anew.
#[test]
fn the_diagram_in_the_documentation_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/machine/request/states.md");
    if std::env::var_os("UPDATE_DIAGRAM").is_some() {
        std::fs::write(path, diagram()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), diagram(), "run UPDATE_DIAGRAM=1 cargo test --test machine");
}
