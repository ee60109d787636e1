//! `portable-winhttp bench`: the same work by WinHTTP's functions and by a peer, in turns, against one server.
//!
//! Only ratios of one run are told as results: times change with the machine and its mood.

mod callbacks;
#[cfg(feature = "bench-curl")]
mod curl;
mod driven;
mod figures;
mod http2;
mod peer;
mod server;
mod socket;
mod winhttp;
mod work;

use std::io::{self, Write};
use std::time::Instant;

use super::End;
use super::arguments::Bench;
use work::{Row, Work};

/// Rounds of which none counts: they fill pools and caches.
const WARM_UP: usize = 1;

/// Runs what was asked for and prints a row for each.
pub fn run(arguments: &Bench) -> End {
    let scale = if arguments.quick { 0.01 } else { 1.0 };
    let rounds = if arguments.quick { 1 } else { arguments.rounds.max(1) };
    let wanted = |name: &str| arguments.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    let mut output = io::stdout().lock();
    let mut head =
        (!arguments.json).then(|| format!("{:<38} {:>14} {:>14} {:<20} {:>6}", "work", "WinHTTP", "peer", "", "ratio"));
    let mut told = 0;
    // The head comes with the first row: a name that fits nothing has none.
    let mut print = |row: &str| {
        let lines = head.take().into_iter().chain([row.to_owned()]).collect::<Vec<_>>().join("\n");
        writeln!(output, "{lines}").and_then(|()| output.flush()).is_ok()
    };
    for work in work::all(scale).into_iter().filter(|work| wanted(&work.name)) {
        let row = measure(work, rounds);
        told += 1;
        if !print(&if arguments.json { row.json() } else { row.line() }) {
            return End::Badly;
        }
    }
    for figure in figures::all(scale, wanted) {
        told += 1;
        if !print(&if arguments.json { figure.json() } else { figure.line() }) {
            return End::Badly;
        }
    }
    if told == 0 {
        let only = arguments.only.as_deref().unwrap_or_default();
        let names: Vec<_> = work::all(scale).into_iter().map(|work| work.name).collect();
        eprintln!("no work has {only:?} in its name; there are, among others:\n  {}", names.join("\n  "));
        return End::Usage;
    }
    End::Well
}

/// Both sides in turns; the medians of their rates, and the median of the ratios of each turn.
fn measure(mut work: Work, rounds: usize) -> Row {
    let rate = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        work.amount / start.elapsed().as_secs_f64()
    };
    let mut turns: Vec<[f64; 3]> = Vec::new();
    for _ in 0..WARM_UP + rounds {
        let ours = rate(&mut work.ours);
        let theirs = rate(&mut work.theirs);
        turns.push([ours, theirs, ours / theirs]);
    }
    turns.drain(..WARM_UP);
    let [ours, theirs, ratio] = [0, 1, 2].map(|column| median(turns.iter().map(|turn| turn[column]).collect()));
    Row { name: work.name, unit: work.unit, peer: work.peer, ours, theirs, ratio }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
