//! WINHTTP_TRACE: what a program asks of WinHTTP and is told, without a line of code.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use super::{Carried, Observing, Returned, observe};
use crate::record::{Notification, Recorder, Trace};
use crate::win32::Win32Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Text,
    JsonLines,
    Mermaid,
    Svg,
}

/// Records everything, and writes it whenever the last handle was closed: to a file, or to stderr.
pub struct Tracing {
    recorder: Recorder,
    format: Format,
    path: Option<PathBuf>,
    /// Events that were written to stderr.
    written: Mutex<usize>,
    _observing: Observing,
}

impl Tracing {
    /// What the environment asks for: `text`, `jsonl`, `mermaid` or `svg`, and a path behind a colon.
    pub fn from_environment(began: Instant) -> Option<Tracing> {
        let value = std::env::var("WINHTTP_TRACE").ok().filter(|value| !value.is_empty())?;
        let Some((format, path)) = parse(&value) else {
            eprintln!(
                "WINHTTP_TRACE: expected text, jsonl, mermaid or svg, with :path behind it or not, found {value:?}"
            );
            return None;
        };
        let recorder = Recorder::new(Box::new(move || began.elapsed()));
        Some(Tracing { recorder, format, path, written: Mutex::default(), _observing: observe() })
    }

    pub fn called(&self, function: &str, handle: usize) {
        self.recorder.call(function, (handle != 0).then_some(handle), "");
    }

    pub fn returned(&self, function: &str, returned: Returned, last_error: Win32Error) {
        returned.record(&self.recorder, function, last_error);
        if function == "WinHttpCloseHandle" && crate::handle::census().handles == 0 {
            self.write();
        }
    }

    pub fn notified(&self, handle: usize, context: usize, notification: &Notification) {
        self.recorder.notified(handle, context, notification);
        // The last HANDLE_CLOSING may come after the last close.
        if matches!(notification, Notification::HandleClosing { .. }) && crate::handle::census().handles == 0 {
            self.write();
        }
    }

    pub fn given(&self, arguments: &str) {
        self.recorder.given(arguments);
    }

    pub fn carried(&self, handle: usize, what: &Carried<'_>) {
        what.traffic().into_iter().for_each(|traffic| self.recorder.carried(handle, traffic));
    }

    fn write(&self) {
        // One thread at a time: what is newer is written last.
        let mut written = self.written.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut trace = self.recorder.finish();
        let Some(path) = &self.path else {
            let all = trace.events.len();
            trace.events.drain(..(*written).min(all));
            *written = all;
            eprint!("{}", self.format.show(&trace));
            return;
        };
        if let Err(error) = replace(path, &self.format.show(&trace)) {
            eprintln!("WINHTTP_TRACE: {} cannot be written: {error}", path.display());
        }
    }
}

/// Writes a file whole, or not at all: the program may end at any moment. What is no plain file is written as it is.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    if path.metadata().is_ok_and(|known| !known.is_file()) {
        return std::fs::write(path, text);
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    std::fs::write(&part, text)?;
    std::fs::rename(&part, path)
}

impl Format {
    fn show(self, trace: &Trace) -> String {
        match self {
            Format::Text => trace.to_table(),
            Format::JsonLines => trace.to_json_lines(),
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
