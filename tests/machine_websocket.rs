//! The web socket machine's table: every state with every input, and the diagram drawn from it.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use portable_winhttp::machine::websocket::table::{
    Action, Conversation, Input, OPENED, ReceiveSide, SendSide, State, Step, step,
};
use portable_winhttp::win32::{ERROR_INVALID_OPERATION, ERROR_WINHTTP_OPERATION_CANCELLED};

const CONVERSATIONS: [Conversation; 8] = [
    Conversation::Open,
    Conversation::Closing,
    Conversation::PeerClosed,
    Conversation::PeerGone,
    Conversation::Closed,
    Conversation::Done,
    Conversation::Broken,
    Conversation::Gone,
];
const SENDS: [SendSide; 4] = [SendSide::Idle, SendSide::Data, SendSide::Shutdown, SendSide::CloseFrame];
const RECEIVES: [ReceiveSide; 3] = [ReceiveSide::Idle, ReceiveSide::Receive, ReceiveSide::Close];
const CALLS: [Input; 4] = [Input::CallSend, Input::CallReceive, Input::CallShutdown, Input::CallClose];
const INPUTS: [Input; 14] = [
    Input::CallSend,
    Input::CallReceive,
    Input::CallShutdown,
    Input::CallClose,
    Input::SentData,
    Input::SentClose,
    Input::CloseQueued,
    Input::Data,
    Input::Supplied,
    Input::PeerClose,
    Input::Failure,
    Input::Fail,
    Input::Cancel,
    Input::Close,
];

fn states() -> impl Iterator<Item = State> {
    CONVERSATIONS.into_iter().flat_map(|conversation| {
        SENDS
            .into_iter()
            .flat_map(move |send| RECEIVES.into_iter().map(move |receive| State { conversation, send, receive }))
    })
}

fn reachable() -> HashSet<State> {
    let mut seen = HashSet::from([OPENED]);
    let mut left = VecDeque::from([OPENED]);
    while let Some(state) = left.pop_front() {
        for input in INPUTS {
            if let Step::Take(next, _) = step(state, input) {
                if seen.insert(next) {
                    left.push_back(next);
                }
            }
        }
    }
    seen
}

/// The pending operations of a state.
fn pending(state: State) -> BTreeSet<&'static str> {
    let receive = match state.receive {
        ReceiveSide::Idle => None,
        ReceiveSide::Receive => Some("Receive"),
        ReceiveSide::Close => Some("Close"),
    };
    let send = match state.send {
        SendSide::Idle | SendSide::CloseFrame => None,
        SendSide::Data => Some("Send"),
        SendSide::Shutdown => Some("Shutdown"),
    };
    receive.into_iter().chain(send).collect()
}

/// The operations that actions end.
fn ended(actions: &[Action]) -> Vec<&'static str> {
    let name = |action: &Action| match action {
        Action::EndSend | Action::FailSend => Some("Send"),
        Action::EndReceive | Action::EndReceiveClose | Action::FailReceive | Action::CancelReceive => Some("Receive"),
        Action::EndShutdown | Action::FailShutdown => Some("Shutdown"),
        Action::EndClose | Action::FailClose => Some("Close"),
        _ => None,
    };
    actions.iter().filter_map(name).collect()
}

fn started(input: Input) -> Option<&'static str> {
    match input {
        Input::CallSend => Some("Send"),
        Input::CallReceive => Some("Receive"),
        Input::CallShutdown => Some("Shutdown"),
        Input::CallClose => Some("Close"),
        _ => None,
    }
}

/// source m7
#[test]
fn close_waits_for_no_send() {
    for conversation in [Conversation::Open, Conversation::PeerClosed] {
        let state = State { conversation, send: SendSide::Data, receive: ReceiveSide::Idle };
        assert_eq!(step(state, Input::CallClose), Step::Refuse(ERROR_INVALID_OPERATION));
    }
}

#[test]
fn every_pair_has_an_answer() {
    for state in states() {
        for input in INPUTS {
            let pair = format!("{state:?} x {input:?}");
            match step(state, input) {
                Step::Refuse(error) => {
                    assert!(CALLS.contains(&input), "{pair}: only calls are refused");
                    let expected = match state.conversation {
                        Conversation::Gone => ERROR_WINHTTP_OPERATION_CANCELLED,
                        _ => ERROR_INVALID_OPERATION,
                    };
                    assert_eq!(error, expected, "{pair}");
                }
                Step::Impossible => assert!(!CALLS.contains(&input), "{pair}: a call always has an answer"),
                Step::Take(..) => {}
            }
        }
    }
}

/// What an action finds out is an input of its own; the step before it is whole by then.
#[test]
fn a_question_is_the_last_action_of_its_step() {
    let asks = |action: &Action| matches!(action, Action::Transmit | Action::TransmitClose | Action::Supply);
    for state in states() {
        for input in INPUTS {
            if let Step::Take(_, [before @ .., _]) = step(state, input) {
                assert!(!before.iter().any(asks), "{state:?} x {input:?}: {before:?}");
            }
        }
    }
}

/// Every operation that is started ends exactly once: while it is pending, or at the step that starts it.
#[test]
fn operations_end_exactly_once() {
    for state in reachable() {
        for input in INPUTS {
            let Step::Take(next, actions) = step(state, input) else { continue };
            let mut open: Vec<_> = pending(state).into_iter().chain(started(input)).collect();
            if actions.contains(&Action::CancelPending) || actions.contains(&Action::FailPending) {
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

/// Our close frame goes its way once at most, and no data behind it.
#[test]
fn nothing_follows_the_close_frame() {
    for state in reachable() {
        let closed = matches!(state.conversation, Conversation::Closing | Conversation::Closed | Conversation::Done);
        for input in INPUTS {
            let Step::Take(next, actions) = step(state, input) else { continue };
            let pair = format!("{state:?} x {input:?} -> {next:?}");
            let sends = actions.iter().filter(|action| matches!(action, Action::Transmit | Action::TransmitClose));
            assert!(!closed || sends.count() == 0, "{pair}");
            if actions.contains(&Action::TransmitClose) {
                assert!(matches!(next.conversation, Conversation::Closing | Conversation::Closed), "{pair}");
            }
        }
    }
}

/// Where the connection is gone, no frame is given to it, and nothing waits for one.
#[test]
fn nothing_waits_for_a_connection_that_is_gone() {
    let gone = [Conversation::PeerGone, Conversation::Done, Conversation::Broken, Conversation::Gone];
    for state in reachable().into_iter().filter(|state| gone.contains(&state.conversation)) {
        assert_eq!(state.send, SendSide::Idle, "{state:?}");
        for input in INPUTS {
            if let Step::Take(_, actions) = step(state, input) {
                assert!(!actions.contains(&Action::Transmit), "{state:?} x {input:?}");
                assert!(!actions.contains(&Action::TransmitClose), "{state:?} x {input:?}");
            }
        }
    }
}

#[test]
fn closing_the_handle_is_possible_in_every_open_state() {
    for state in reachable().into_iter().filter(|state| state.conversation != Conversation::Gone) {
        let Step::Take(next, actions) = step(state, Input::Close) else { panic!("{state:?}") };
        assert_eq!(next.conversation, Conversation::Gone);
        assert_eq!(actions.first(), Some(&Action::CancelPending));
    }
}

/// Draws the conversation: which input leads from where to where. Inputs that stay are left out.
fn diagram() -> String {
    let number = |conversation| CONVERSATIONS.iter().position(|known| *known == conversation).unwrap();
    let mut edges: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();
    for state in reachable() {
        for input in INPUTS {
            let Step::Take(next, _) = step(state, input) else { continue };
            // Close leads from everywhere: one note says so.
            if next.conversation != state.conversation && input != Input::Close {
                let edge = (number(state.conversation), number(next.conversation));
                edges.entry(edge).or_default().insert(format!("{input:?}"));
            }
        }
    }
    let mut text = String::from("\n```mermaid\nstateDiagram-v2\n    [*] --> Open\n");
    for ((from, to), inputs) in edges {
        let inputs: Vec<_> = inputs.into_iter().collect();
        text += &format!("    {:?} --> {:?}: {}\n", CONVERSATIONS[from], CONVERSATIONS[to], inputs.join(", "));
    }
    text += "    note left of Gone: Close leads here from every state\n```\n";
    text
}

/// `UPDATE_DIAGRAM=1 cargo test --test machine_websocket` draws it anew.
#[test]
fn the_diagram_in_the_documentation_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/machine/websocket/states.md");
    if std::env::var_os("UPDATE_DIAGRAM").is_some() {
        std::fs::write(path, diagram()).unwrap();
    }
    let drawn = std::fs::read_to_string(path).unwrap();
    assert_eq!(drawn, diagram(), "run UPDATE_DIAGRAM=1 cargo test --test machine_websocket");
}
