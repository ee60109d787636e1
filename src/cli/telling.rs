//! Printing a record while it grows.

use std::process::exit;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use portable_winhttp::record::{Event, Recorder, Table, Trace};

use super::End;
use super::interrupt;
use super::output::{complain, print};

/// How a record is printed: lines as they come, diagrams at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Table,
    JsonLines,
    Mermaid,
    Svg,
}

/// How often is looked for what is new.
const OFTEN: Duration = Duration::from_millis(20);

/// What a shell says of a program that was interrupted: 128 and the number of SIGINT.
const INTERRUPTED: i32 = 130;

/// A thread that prints what a recorder has, until it is told that nothing more comes. When the time is up, or somebody
/// interrupts, it prints the rest and ends the process.
pub struct Telling {
    done: Sender<()>,
    thread: JoinHandle<End>,
}

impl Telling {
    /// Begins; `timeout` is from now.
    pub fn begin(recorder: &Arc<Recorder>, form: Form, timeout: Option<Duration>) -> Telling {
        interrupt::listen();
        let began = Instant::now();
        let (done, told) = channel();
        let mut printer =
            Printer { recorder: Arc::clone(recorder), form, kept: Vec::new(), table: Table::default(), begun: false };
        let thread = thread::spawn(move || {
            let mut end = End::Well;
            loop {
                let waited = told.recv_timeout(OFTEN);
                if waited != Err(RecvTimeoutError::Timeout) {
                    return worse(end, printer.print(true));
                }
                end = worse(end, printer.print(false));
                if interrupt::came() {
                    printer.print(true);
                    exit(INTERRUPTED);
                }
                if let Some(limit) = timeout.filter(|limit| began.elapsed() >= *limit) {
                    printer.print(true);
                    complain(&format!("no end after {} s", limit.as_secs_f64()));
                    exit(End::Badly as i32);
                }
            }
        });
        Telling { done, thread }
    }

    /// Nothing more comes: the rest is printed.
    pub fn end(self) -> End {
        drop(self.done);
        self.thread.join().unwrap_or(End::Badly)
    }
}

fn worse(one: End, other: End) -> End {
    if one == End::Well { other } else { one }
}

struct Printer {
    recorder: Arc<Recorder>,
    form: Form,
    /// What a diagram is made of.
    kept: Vec<Event>,
    table: Table,
    begun: bool,
}

impl Printer {
    fn print(&mut self, last: bool) -> End {
        let events = self.recorder.take(last);
        let first = !std::mem::replace(&mut self.begun, true);
        match self.form {
            Form::Table => print(&self.table.rows(&events)),
            // The first line says what follows.
            Form::JsonLines => {
                let lines = Trace { events }.to_json_lines();
                print(lines.split_once('\n').filter(|_| !first).map_or(&*lines, |(_, behind)| behind))
            }
            Form::Mermaid | Form::Svg => {
                self.kept.extend(events);
                if !last {
                    return End::Well;
                }
                let trace = Trace { events: std::mem::take(&mut self.kept) };
                print(&if self.form == Form::Svg { trace.to_svg() } else { trace.to_mermaid() })
            }
        }
    }
}
