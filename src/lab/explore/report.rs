//! What an exploration tells: of a whole one, and of a schedule that fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::run::{Run, is_freed_context};
use super::shrink::deviations;
use crate::lab::choices::Choices;
use crate::lab::environment;

/// The result of an exploration. Its `Display` is a summary.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Exploration {
    /// How many schedules were run; all are different.
    pub schedules: u64,
    /// How many continuations of runs were skipped because they differ from others only in the order of independent steps.
    pub pruned: u64,
    /// How many known continuations of runs were not visited; 0 if the exploration is complete.
    pub left: u64,
    /// Whether every schedule of the strategies was run.
    pub complete: bool,
    /// How long the exploration took, in real time.
    pub took: Duration,
    /// Which completions came in any run, each with its error and where it was delivered.
    pub coverage: BTreeSet<String>,
    /// The assertions of [`Sim::sometimes`](crate::lab::Sim::sometimes), and whether each was true in any run.
    pub sometimes: BTreeMap<String, bool>,
    /// The points of the usual run at which something can fail: `ReadData#2 -> 12030`.
    pub faults: Vec<String>,
    /// Why runs cannot be repeated exactly: a thread blocked in something outside the Sim's control. `None` if they can.
    pub uncontrolled: Option<String>,
    /// The schedules that were run, if [`Explore::keep_schedules`](super::Explore::keep_schedules) was called; otherwise empty.
    pub visited: Vec<Choices>,
}

impl Exploration {
    /// [`coverage`](Exploration::coverage) as text, one line each: for a snapshot that shows what a change no longer reaches.
    pub fn coverage_lines(&self) -> String {
        self.coverage.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Combines this result with that of another shard.
    pub fn merge(mut self, other: Exploration) -> Exploration {
        self.schedules += other.schedules;
        self.pruned += other.pruned;
        self.left += other.left;
        self.complete &= other.complete;
        self.took = self.took.max(other.took);
        self.coverage.extend(other.coverage);
        for (what, held) in other.sometimes {
            *self.sometimes.entry(what).or_default() |= held;
        }
        self.uncontrolled = self.uncontrolled.or(other.uncontrolled);
        self.visited.extend(other.visited);
        self
    }

    pub(super) fn take(&mut self, run: &Run, keep: bool) {
        self.schedules += 1;
        self.coverage.extend(run.reached.iter().cloned());
        for (what, held) in &run.sometimes {
            *self.sometimes.entry(what.clone()).or_default() |= held;
        }
        if self.uncontrolled.is_none() {
            self.uncontrolled.clone_from(&run.uncontrolled);
        }
        if keep {
            self.visited.push(run.choices.clone());
        }
    }
}

impl fmt::Display for Exploration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} schedules in {:.2?}, {} pruned", self.schedules, self.took, self.pruned)?;
        match (self.complete, self.left) {
            (true, _) => f.write_str(", none left")?,
            (false, 0) => {}
            (false, left) => write!(f, ", at least {left} left")?,
        }
        match &self.uncontrolled {
            Some(why) => write!(f, "; uncontrolled: {why}"),
            None => Ok(()),
        }
    }
}

/// Where a failing schedule comes from.
pub enum Source {
    /// It was found as the n-th, with so many deviations, and shrunk in so many runs.
    Found { as_the: u64, deviations: usize, runs: usize },
    /// It was given.
    Given(Choices),
}

/// The report of a failing run.
pub fn failing(run: &Run, source: &Source) -> String {
    let Some(failure) = &run.failure else { return String::new() };
    let deviations = deviations(run);
    let (first, schedule) = match source {
        Source::Found { as_the, deviations: before, runs } => {
            let shrunk =
                format!("shrunk from {before} to {} deviations from the usual in {runs} runs", deviations.len());
            (format!("schedule {as_the} fails; {shrunk}"), run.choices.clone())
        }
        Source::Given(choices) => ("the schedule that is replayed fails".to_owned(), choices.labelled_by(&run.choices)),
    };
    let mut lines = vec![first];
    let (injected, others): (Vec<&String>, Vec<&String>) =
        failure.report.lines.iter().partition(|line| line.starts_with("fault injected"));
    lines.extend(injected.iter().map(|line| format!("  {line}")));
    let (freed, others): (Vec<&String>, Vec<&String>) = others.into_iter().partition(|line| is_freed_context(line));
    lines.extend(freed.iter().map(|line| format!("  {line}")));
    // A hang brings its trace, which stands below anyway.
    lines.extend(failure.said.iter().map(|said| format!("  {}", without_trace(said))));
    let said = failure.said.clone().unwrap_or_default();
    let others = others.iter().filter(|line| {
        !said.starts_with(line.as_str()) && !line.starts_with("choices: ") && !line.starts_with("the Sim was made")
    });
    lines.extend(others.map(|line| format!("  {line}")));
    for (number, deviation) in deviations.iter().enumerate() {
        lines.push(format!("  deviation {}: {}", number + 1, deviation.show(&run.choices)));
    }
    lines.push(failure.report.trace.to_table());
    lines.push(format!("the schedule: {}", schedule.trimmed().long()));
    lines.push(environment::again(&schedule));
    lines.join("\n")
}

/// The text without the table of a trace in it, and with its place.
fn without_trace(said: &str) -> String {
    let trace = |line: &&str| line.trim_start().starts_with("ms  ");
    let Some(place) = said.lines().position(|line| trace(&line)) else { return said.to_owned() };
    let head = said.lines().take(place).collect::<Vec<_>>().join("\n");
    let at = said.lines().last().and_then(|line| line.rsplit_once(" at ")).map(|(_, at)| at.to_owned());
    at.map_or(head.clone(), |at| format!("{}\n  at {at}", head.trim_end()))
}
