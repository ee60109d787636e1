//! The mistakes that a Sim has seen, and its report of them.

use std::backtrace::Backtrace;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use crate::record::{Recorder, Trace};
use crate::sync::Mutex;
use crate::verify::{Level, Mistake, Stop, Verifier, from_environment};

/// What was told at once of contexts that are freed.
static FREED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A mistake in words, and how many events were in the trace then.
struct RecordedMistake {
    mistake: Mistake,
    line: String,
    events: usize,
    /// Who was calling, if it is an error.
    stack: Option<Backtrace>,
}

impl RecordedMistake {
    /// The line of a report, with the place in the program.
    fn told(&self) -> String {
        let place = self.stack.as_ref().and_then(|stack| program_line(&stack.to_string()));
        place.map_or_else(|| self.line.clone(), |place| format!("{}\n      at {place}", self.line))
    }
}

/// The innermost line of a stack that is the program's: not this library's, nor that of another that was downloaded.
fn program_line(stack: &str) -> Option<String> {
    // Paths below the current folder are shown relative to it.
    let here = std::env::current_dir().unwrap_or_default();
    let others = ["/rustc/", "/library/", "/.cargo/", "/registry/src/"];
    let is_program = |path: &&str| {
        let file = here.join(path.rsplitn(3, ':').last().unwrap_or_default());
        let ours = file.starts_with(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
        // The sources of the system's libraries are not there.
        !ours && !others.iter().any(|other| path.contains(other)) && file.exists()
    };
    let places = stack.lines().filter_map(|line| line.trim_start().strip_prefix("at "));
    places.map(|path| path.strip_prefix("./").unwrap_or(path)).find(is_program).map(str::to_owned)
}

/// What a Sim knows at its end.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whether it is a reason to fail.
    pub fails: bool,
    /// What was injected, then complaints and mistakes, the worst first, then remarks.
    pub lines: Vec<String>,
    /// As far as the last mistake.
    pub trace: Trace,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.lines.join("\n  "), self.trace.to_table())
    }
}

/// See the module.
pub struct Mistakes {
    pub verifier: Arc<Verifier>,
    recorder: Arc<Recorder>,
    found: Arc<Mutex<Vec<RecordedMistake>>>,
}

impl Mistakes {
    /// Looks for mistakes at this time; what it finds is noted in the trace. `again`: how this run is made again.
    pub fn new(
        recorder: Arc<Recorder>,
        now: Box<dyn Fn() -> Duration + Send + Sync>,
        again: Box<dyn Fn() -> Option<String> + Send + Sync>,
    ) -> Mistakes {
        let all: Arc<Mutex<Vec<RecordedMistake>>> = Arc::default();
        let (list, trace) = (Arc::clone(&all), Arc::clone(&recorder));
        let found = move |mistake: Mistake| {
            let line = mistake.show(&trace.names(|names| names.handle(mistake.handle)));
            trace.note(&line);
            let freed = matches!(mistake.stop, Stop::ContextFreed | Stop::ContextFreedOnFailure) && mistake.handle == 0;
            let stack = (mistake.level == Level::Error).then(Backtrace::force_capture);
            let found = RecordedMistake { mistake, line, events: trace.count(), stack };
            if freed && found.mistake.level == Level::Error && FREED.lock().insert(found.line.clone()) {
                // The process may not live to tell it later; and not by `eprintln!`, which a test harness keeps.
                let _ = writeln!(io::stderr(), "{}\n{}", found.told(), again().unwrap_or_default());
            }
            list.lock().push(found);
        };
        let verifier = Arc::new(Verifier::new(from_environment(true), now, Box::new(found)));
        Mistakes { verifier, recorder, found: all }
    }

    /// The mistakes so far.
    pub fn all(&self) -> Vec<Mistake> {
        self.found.lock().iter().map(|found| found.mistake.clone()).collect()
    }

    /// The last one, in words.
    pub fn last(&self) -> Option<String> {
        self.found.lock().last().map(|found| found.line.clone())
    }

    /// What the checker knows of the reasons of a hang. `no_callback`: a fault refused to set one.
    pub fn hung(&self, no_callback: bool) -> String {
        let mut mistakes = self.verifier.look(|checker| checker.hung());
        // Then its mask is not the reason.
        if no_callback {
            mistakes.retain(|mistake| mistake.stop != Stop::NotInMask);
        }
        self.lines(&mistakes).iter().map(|line| format!("\n  perhaps {line}")).collect()
    }

    fn lines(&self, mistakes: &[Mistake]) -> Vec<String> {
        let named = |mistake: &Mistake| mistake.show(&self.recorder.names(|names| names.handle(mistake.handle)));
        mistakes.iter().map(|mistake| explained(&named(mistake), mistake.stop)).collect()
    }

    /// Why the Sim does not end well, if it does not: `causes` that were injected, complaints, errors, and the trace up to the
    /// last of them. What is milder is listed with them. What a test that `panicked` has left open is no mistake of its client.
    pub fn report(&self, mut complaints: Vec<String>, causes: &[String], panicked: bool) -> Report {
        let open = self.verifier.look(|checker| checker.ended());
        let (ended, open) = if panicked { (Vec::new(), open) } else { (open, Vec::new()) };
        let found = self.found.lock();
        let errors: Vec<&RecordedMistake> = found.iter().filter(|found| found.mistake.level == Level::Error).collect();
        let mut trace = self.recorder.finish();
        if let (Some(last), true, true) = (errors.last(), complaints.is_empty(), ended.is_empty()) {
            trace = Trace { events: trace.events.into_iter().take(last.events).collect() };
        }
        for found in &errors {
            push_once(&mut complaints, explained(&found.told(), found.mistake.stop));
        }
        let mut ended = self.lines(&ended);
        // The values of handles differ from run to run, and so would their order.
        ended.sort();
        complaints.extend(ended);
        let fails = !complaints.is_empty();
        complaints.splice(0..0, causes.iter().cloned());
        for found in found.iter().filter(|found| found.mistake.level != Level::Error) {
            push_once(&mut complaints, found.line.clone());
        }
        let name = |mistake: &Mistake| self.recorder.names(|names| names.handle(mistake.handle));
        let mut left: Vec<String> = open.iter().filter(|mistake| mistake.handle != 0).map(name).collect();
        left.sort();
        if !left.is_empty() {
            complaints.push(format!("open when the test failed: {}", left.join(", ")));
        }
        Report { fails, lines: complaints, trace }
    }
}

fn push_once(lines: &mut Vec<String>, line: String) {
    if !lines.contains(&line) {
        lines.push(line);
    }
}

fn explained(line: &str, stop: Stop) -> String {
    format!("{line}\n      how to fix it: {}", stop.fix())
}
