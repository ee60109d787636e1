//! Every choice goes through one object, and the same choices make the same run.

use std::sync::{Arc, Mutex};

use portable_winhttp::lab::{Choices, Chooser, Fault, Point, Replay, Reply, Sim, Stage, any};

use crate::careful::Careful;

/// Chooses by a row of numbers that looks like chance, and keeps where.
struct Odd {
    state: u64,
    points: Arc<Mutex<Vec<String>>>,
}

impl Chooser for Odd {
    fn choose(&mut self, point: Point<'_>, options: usize) -> usize {
        let shown = format!("{point:?}");
        self.points.lock().unwrap().push(shown.split('(').next().unwrap_or_default().to_owned());
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.state >> 33) as usize % options
    }
}

/// Two clients and an actor, under a chooser: the trace, and the choices.
fn run(chooser: impl Chooser + 'static) -> (String, Choices) {
    let sim = Sim::builder().chooser(chooser).build();
    sim.peer("http://a.test").on(any()).reply(Reply::ok().body("0123456789").chunks([3, 3]));
    sim.fault(Fault::at(Stage::Close).reset().maybe());
    sim.fault(Fault::at(Stage::Read).any_length());
    let clients = [Careful::start("a.test", "/1", false), Careful::start("a.test", "/2", false)];
    sim.block_until(|| clients.iter().all(|client| client.closed()));
    assert_eq!(sim.uncontrolled(), None);
    (sim.trace().to_json_lines(), sim.choices())
}

#[test]
fn the_same_choices_make_the_same_run() {
    let mut traces = std::collections::BTreeSet::new();
    for seed in 0..40 {
        let points = Arc::default();
        let (trace, choices) = run(Odd { state: seed, points: Arc::clone(&points) });
        assert!(choices.unusual());
        let token: Choices = choices.to_string().parse().unwrap();
        let (again, taken) = run(Replay::new(token));
        assert_eq!((&again, &taken), (&trace, &choices), "seed {seed}");
        traces.insert(trace);
        let points = points.lock().unwrap();
        for point in ["Next", "Open", "Length", "Fault"] {
            assert!(points.iter().any(|known| known == point), "{point}: {points:?}");
        }
    }
    assert!(traces.len() > 20, "{} different runs", traces.len());
}

#[test]
fn the_usual_run_has_only_usual_choices() {
    let (_, choices) = run(portable_winhttp::lab::Usual);
    assert!(!choices.unusual() && !choices.is_empty());
}

/// A client that is cancelled, by another thread, wherever the chooser lets it run, closes once and says so.
#[test]
fn cancel_is_safe_at_every_point() {
    let mut outcomes = std::collections::BTreeSet::new();
    for seed in 0..60 {
        let sim = Sim::builder().chooser(Odd { state: seed, points: Arc::default() }).build();
        sim.peer("http://a.test").on(any()).reply(Reply::ok().body("0123456789").chunks([3, 3]));
        let client = Careful::start("a.test", "/", false);
        for _ in 0..seed {
            sim.step();
        }
        sim.actor("cancel", move || client.cancel());
        sim.block_until(|| client.closed());
        outcomes.insert(client.outcome());
    }
    assert!(outcomes.contains(&Some(Err(12017))) && outcomes.len() > 1, "{outcomes:?}");
}
