//! The resolver's table: every stage with every input, and the diagram drawn from it.

use std::collections::{BTreeMap, BTreeSet};

use portable_winhttp::machine::resolver::table::{Action, Input, Stage, Step, step};
use portable_winhttp::win32::Win32Error;

const STAGES: [Stage; 9] = [
    Stage::Idle,
    Stage::Reading,
    Stage::Asking,
    Stage::Choosing,
    Stage::Detecting,
    Stage::Running,
    Stage::Fetching,
    Stage::Cancelled,
    Stage::Closed,
];
const INPUTS: [Input; 14] = [
    Input::CallFind,
    Input::CallSettings,
    Input::SettingsRead,
    Input::Detect,
    Input::Script,
    Input::Lists,
    Input::Nowhere,
    Input::Detected,
    Input::Unfetched,
    Input::Fetched,
    Input::Answered,
    Input::Missed,
    Input::Cancel,
    Input::Close,
];

fn pending(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Idle | Stage::Cancelled | Stage::Closed => None,
        Stage::Reading => Some("settings"),
        _ => Some("find"),
    }
}

fn started(input: Input) -> Option<&'static str> {
    match input {
        Input::CallFind => Some("find"),
        Input::CallSettings => Some("settings"),
        _ => None,
    }
}

#[test]
fn every_stage_is_reached() {
    let mut seen = BTreeSet::from([format!("{:?}", Stage::Idle)]);
    let mut left = vec![Stage::Idle];
    while let Some(stage) = left.pop() {
        for input in INPUTS {
            if let Step::Take(next, _) = step(stage, input) {
                if seen.insert(format!("{next:?}")) {
                    left.push(next);
                }
            }
        }
    }
    assert_eq!(seen.len(), STAGES.len(), "{seen:?}");
}

/// A call is taken, or refused with an error; everything else may be impossible. Operations end exactly once.
#[test]
fn every_pair_keeps_the_promises() {
    for stage in STAGES {
        for input in INPUTS {
            let pair = format!("{stage:?} x {input:?}");
            match step(stage, input) {
                Step::Refuse(Win32Error(error)) => {
                    assert!(started(input).is_some(), "{pair}: only calls are refused");
                    let gone = matches!(stage, Stage::Cancelled | Stage::Closed);
                    let expected = if gone { 12017 } else { 12019 };
                    assert_eq!(error, expected, "{pair}");
                }
                Step::Impossible => assert!(started(input).is_none() || stage == Stage::Closed, "{pair}"),
                Step::Take(next, actions) => {
                    let asks = |action: &Action| matches!(action, Action::Choose | Action::Fetch);
                    let last = actions.len().saturating_sub(1);
                    assert!(!actions[..last].iter().any(asks), "{pair}: a question is the last action of its step");
                    let mut open: Vec<_> = pending(stage).into_iter().chain(started(input)).collect();
                    if actions.contains(&Action::CancelPending) {
                        open.clear();
                    }
                    for action in actions {
                        let ended = match action {
                            Action::EndFind | Action::FailFind => "find",
                            Action::EndSettings => "settings",
                            _ => continue,
                        };
                        let place = open.iter().position(|name| *name == ended);
                        open.remove(place.unwrap_or_else(|| panic!("{pair}: {ended} was not pending")));
                    }
                    assert_eq!(open, Vec::from_iter(pending(next)), "{pair} -> {next:?}");
                }
            }
        }
    }
}

#[test]
fn whatever_is_under_way_can_be_cancelled() {
    for stage in STAGES.into_iter().filter(|stage| *stage != Stage::Closed) {
        assert_eq!(step(stage, Input::Close), Step::Take(Stage::Closed, &[Action::CancelPending, Action::Abandon]));
    }
}

/// Whoever is asked to look for something can come back with nothing.
#[test]
fn every_source_may_have_no_answer() {
    for stage in [Stage::Detecting, Stage::Running, Stage::Fetching] {
        let Step::Take(next, actions) = step(stage, Input::Missed) else { panic!("{stage:?}") };
        assert_eq!((next, actions.last()), (Stage::Choosing, Some(&Action::Choose)));
    }
}

fn diagram() -> String {
    let mut edges: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
    let number = |stage| STAGES.iter().position(|known| *known == stage).unwrap();
    for stage in STAGES {
        for input in INPUTS.into_iter().filter(|input| !matches!(input, Input::Cancel | Input::Close)) {
            if let Step::Take(next, _) = step(stage, input) {
                edges.entry((number(stage), number(next))).or_default().push(format!("{input:?}"));
            }
        }
    }
    let mut text = String::from("\n```mermaid\nstateDiagram-v2\n    [*] --> Idle\n");
    for ((from, to), inputs) in edges {
        text += &format!("    {:?} --> {:?}: {}\n", STAGES[from], STAGES[to], inputs.join(", "));
    }
    text += "    note left of Cancelled: Cancel leads here from every stage\n";
    text += "    note left of Closed: Close leads here from every stage\n```\n";
    text
}

/// `UPDATE_DIAGRAM=1 cargo test --test machine_resolver` draws it anew.
#[test]
fn the_diagram_in_the_documentation_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/machine/resolver/states.md");
    if std::env::var_os("UPDATE_DIAGRAM").is_some() {
        std::fs::write(path, diagram()).unwrap();
    }
    let drawn = std::fs::read_to_string(path).unwrap();
    assert_eq!(drawn, diagram(), "run UPDATE_DIAGRAM=1 cargo test --test machine_resolver");
}
