//! WINHTTP_TRACE: what a program asks of WinHTTP and is told, without a line of code.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::{Observer, Returned, TrafficEvent};
use crate::record::{Event, Notification, Recorder, Trace, header, lines, target};
use crate::sync::{Mutex, MutexGuard};
use crate::variables;
use crate::win32::{Wide, Win32Error};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Text,
    JsonLines,
    Mermaid,
    Svg,
}

/// So many events are written together, unless the last handle is closed before.
const TOGETHER: usize = 256;
/// How many events a diagram has at most.
const DRAWN: usize = 10_000;
/// How long a file may become, in bytes.
const FILE: u64 = 1 << 30;

/// Records everything, and writes it: lines as they come, a diagram whenever the last handle was closed; to a file, or to
/// stderr. Queries and bodies are left out unless WINHTTP_TRACE_CONTENT is on.
pub struct Tracing {
    recorder: Recorder,
    content: bool,
    out: Mutex<Out>,
    /// Counts the open handles of the process.
    open: fn() -> usize,
}

struct Out {
    format: Format,
    to: To,
    /// What a diagram has, in a file.
    drawn: Trace,
    /// Events of the diagram that is in the file.
    written: usize,
    /// Handles whose close was asked for before the last writing, and after it.
    closed: [Vec<usize>; 2],
}

enum To {
    Stderr,
    /// Lines go into it as they come.
    Lines {
        file: File,
        length: u64,
    },
    /// A diagram replaces it.
    Diagram(PathBuf),
    /// It could not be written, or has all that it may have.
    Nowhere,
}

impl Tracing {
    /// What the environment asks for: `text`, `jsonl`, `mermaid` or `svg`, and a path behind a colon. `open` counts the
    /// open handles of the process.
    pub fn from_environment(began: Instant, open: fn() -> usize) -> Option<Tracing> {
        let expected = "text, jsonl, mermaid or svg, with :path behind it or not";
        let read = variables::read_or("WINHTTP_TRACE", expected, ("none", None), |value| parse(value).map(Some));
        let (format, path) = read.flatten()?;
        let content = variables::is_on("WINHTTP_TRACE_CONTENT");
        let recorder = Recorder::new(Box::new(move || began.elapsed()));
        let out = Mutex::new(Out::new(format, path));
        Some(Tracing { recorder, content, out, open })
    }

    fn last(&self) -> bool {
        (self.open)() == 0
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock()
    }

    fn write(&self, last: bool, ended: bool) {
        if !last && self.recorder.len() < TOGETHER {
            return;
        }
        // One thread at a time: what is newer is written behind.
        let mut out = self.out();
        let events = self.recorder.take(ended);
        if last && !ended {
            let (before, since) = out.closed.split_at_mut(1);
            self.recorder.names(|names| before[0].drain(..).for_each(|handle| names.forget(handle)));
            before[0].append(&mut since[0]);
        }
        out.take(events, last, ended);
    }
}

impl Observer for Tracing {
    fn called(&self, function: &'static str, handle: usize) {
        self.recorder.call(function, (handle != 0).then_some(handle), "");
        if function == "WinHttpCloseHandle" {
            self.out().closed[1].push(handle);
        }
    }

    fn returned(&self, function: &'static str, _handle: usize, returned: Returned, last_error: Win32Error) {
        returned.record(&self.recorder, function, last_error);
        let last = function == "WinHttpCloseHandle" && self.last();
        self.write(last, false);
    }

    fn notified(&self, handle: usize, context: usize, notification: &Notification) {
        let url = match notification {
            Notification::Redirect { url } if !self.content => Some(target(&url.to_string(), true)),
            _ => None,
        };
        let kept = url.map(|url| Notification::Redirect { url: Wide::from(&*url) });
        self.recorder.notified(handle, context, kept.as_ref().unwrap_or(notification));
        // The last HANDLE_CLOSING may come after the last close.
        let last = matches!(notification, Notification::HandleClosing { .. }) && self.last();
        self.write(last, false);
    }

    fn given(&self, arguments: &str) {
        self.recorder.given(&if self.content { arguments.to_owned() } else { target(arguments, true) });
    }

    fn note(&self, text: &str) {
        self.recorder.note(text);
    }

    fn on_traffic(&self, handle: usize, what: &TrafficEvent<'_>) {
        what.traffic(self.content).into_iter().for_each(|traffic| self.recorder.carried(handle, traffic));
    }

    /// The rest is written.
    fn ended(&self) {
        self.write(true, true);
    }
}

impl Out {
    fn new(format: Format, path: Option<PathBuf>) -> Out {
        let to = match path {
            None => To::Stderr,
            Some(path) if format.draws() => To::Diagram(path),
            Some(path) => match create(&path) {
                Ok(file) => To::Lines { file, length: 0 },
                Err(error) => {
                    complain(&path, &error);
                    To::Nowhere
                }
            },
        };
        let mut out = Out { format, to, drawn: Trace::default(), written: 0, closed: Default::default() };
        if format == Format::JsonLines {
            out.put(&header());
        }
        out
    }

    /// More events came; the `last` handle was closed, or the process has `ended`.
    fn take(&mut self, events: Vec<Event>, last: bool, ended: bool) {
        if !self.format.draws() {
            if !events.is_empty() {
                let text = self.format.show(&Trace { events });
                self.put(&text);
            }
            return;
        }
        let room = DRAWN.saturating_sub(self.drawn.events.len());
        self.drawn.events.extend(events.into_iter().take(room));
        // Each writing is of a diagram that has grown by a quarter: all of them together cost as much as a few.
        let grown = self.drawn.events.len() - self.written;
        if grown == 0 || !(ended || (last && grown >= self.written / 4)) {
            return;
        }
        let text = self.format.show(&self.drawn);
        self.written = self.drawn.events.len();
        match &self.to {
            To::Diagram(path) => {
                if let Err(error) = replace(path, &text) {
                    complain(path, &error);
                }
            }
            _ => {
                // On stderr each diagram has what is new.
                self.put(&text);
                self.drawn.events.clear();
                self.written = 0;
            }
        }
    }

    fn put(&mut self, text: &str) {
        match &mut self.to {
            // Nobody may listen any more.
            To::Stderr => drop(std::io::stderr().write_all(text.as_bytes())),
            To::Lines { file, length } => {
                *length += text.len() as u64;
                let written = file.write_all(text.as_bytes());
                if written.is_err() || *length > FILE {
                    eprintln!("WINHTTP_TRACE: the trace ends after {length} bytes");
                    self.to = To::Nowhere;
                }
            }
            To::Diagram(_) | To::Nowhere => {}
        }
    }
}

fn complain(path: &Path, error: &io::Error) {
    eprintln!("WINHTTP_TRACE: {} cannot be written: {error}", path.display());
}

/// A new file that only its owner may read, in the place of one that is there. What is no plain file is written as it is.
fn create(path: &Path) -> io::Result<File> {
    match path.metadata() {
        Ok(known) if !known.is_file() => return OpenOptions::new().write(true).open(path),
        Ok(_) => std::fs::remove_file(path)?,
        Err(_) => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a file whole, or not at all: the program may end at any moment.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    if path.metadata().is_ok_and(|known| !known.is_file()) {
        return create(path)?.write_all(text.as_bytes());
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    create(Path::new(&part))?.write_all(text.as_bytes())?;
    std::fs::rename(&part, path)
}

impl Format {
    /// Whether it is one picture of everything.
    fn draws(self) -> bool {
        matches!(self, Format::Mermaid | Format::Svg)
    }

    fn show(self, trace: &Trace) -> String {
        match self {
            Format::Text => trace.to_table(),
            Format::JsonLines => lines(&trace.events),
            Format::Mermaid => trace.to_mermaid(),
            Format::Svg => trace.to_svg(),
        }
    }
}

fn parse(value: &str) -> Option<(Format, Option<PathBuf>)> {
    let (name, path) = match value.split_once(':') {
        Some((name, path)) => (name, Some(PathBuf::from(path))),
        None => (value, None),
    };
    let format = match name {
        "text" => Format::Text,
        "jsonl" => Format::JsonLines,
        "mermaid" => Format::Mermaid,
        "svg" => Format::Svg,
        _ => return None,
    };
    Some((format, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_variable() {
        let rows = [
            ("text", Some((Format::Text, None))),
            ("jsonl:/tmp/a:b", Some((Format::JsonLines, Some(PathBuf::from("/tmp/a:b"))))),
            ("mermaid:x", Some((Format::Mermaid, Some(PathBuf::from("x"))))),
            ("svg:t.svg", Some((Format::Svg, Some(PathBuf::from("t.svg"))))),
            ("html", None),
            ("", None),
        ];
        for (value, expected) in rows {
            assert_eq!(parse(value), expected, "{value:?}");
        }
    }
}
