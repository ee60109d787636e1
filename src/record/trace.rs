//! The ordered events of a run, and their form as JSON lines.

use serde::{Deserialize, Serialize};

use super::Event;

/// Everything that happened, in order.
///
/// ```
/// use portable_winhttp::record::Trace;
/// let trace = Trace::default();
/// assert_eq!(trace.to_json_lines(), "{\"trace\":1,\"secrets\":\"redacted\"}\n");
/// assert_eq!(Trace::from_json_lines("{\"trace\":1}\n"), Ok(trace));
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trace {
    /// The events; their order is the order in which the recorder saw them.
    pub events: Vec<Event>,
}

/// Why a text is not a trace.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The first line is not a header.
    #[error("line 1: expected the header {{\"trace\":{VERSION}}}")]
    Header,
    /// The trace was written in another format.
    #[error("line 1: expected trace version {VERSION}, found version {found}")]
    Version {
        /// The version in the header.
        found: u64,
    },
    /// The file cannot be read.
    #[error("{path}: {problem}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        problem: String,
    },
    /// A line is not an event.
    #[error("line {line}, column {column}: expected an event: {problem}")]
    Event {
        /// Line number, from 1.
        line: usize,
        /// Column in bytes, from 1; 0 when the line as a whole is wrong.
        column: usize,
        /// What was expected there and what was found.
        problem: String,
    },
}

/// The version of the format, in the first line.
const VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    trace: u64,
    /// What became of secrets; for who reads it.
    #[serde(default)]
    secrets: String,
}

impl Trace {
    /// One line for the version, then one line for each event; each ends with `\n`. The same trace gives the same
    /// bytes.
    pub fn to_json_lines(&self) -> String {
        header() + &lines(&self.events)
    }

    /// Reads a file that holds what [`to_json_lines`](Trace::to_json_lines) wrote.
    ///
    /// # Errors
    /// The file cannot be read, or its first line that is not what it should be.
    pub fn read(path: impl AsRef<std::path::Path>) -> Result<Trace, TraceError> {
        let shown = path.as_ref().display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| TraceError::File { path: shown, problem: error.to_string() })?;
        Trace::from_json_lines(&text)
    }

    /// Writes the trace to a file, as JSON lines.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: impl AsRef<std::path::Path>) -> std::io::Result<()> {
        std::fs::write(path, self.to_json_lines())
    }

    /// Reads what [`to_json_lines`](Trace::to_json_lines) wrote. Blank lines are skipped.
    ///
    /// # Errors
    /// The first line that is not what it should be.
    pub fn from_json_lines(text: &str) -> Result<Trace, TraceError> {
        let mut lines = text.lines().enumerate();
        let (_, header) = lines.next().ok_or(TraceError::Header)?;
        let Header { trace: found, .. } = serde_json::from_str(header).map_err(|_| TraceError::Header)?;
        if found != VERSION {
            return Err(TraceError::Version { found });
        }
        let events = lines
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(index, line)| serde_json::from_str(line).map_err(|error| TraceError::event(index + 1, &error)))
            .collect::<Result<_, _>>()?;
        Ok(Trace { events })
    }
}

impl TraceError {
    fn event(line: usize, error: &serde_json::Error) -> TraceError {
        let text = error.to_string();
        // serde_json counts lines from the start of this one, which is always line 1.
        let problem = text.split_once(" at line 1 column ").map_or(text.as_str(), |(problem, _)| problem);
        TraceError::Event { line, column: error.column(), problem: problem.to_owned() }
    }
}

/// The first line of the JSON lines.
pub(crate) fn header() -> String {
    line(&Header { trace: VERSION, secrets: "redacted".to_owned() })
}

/// The lines of these events.
pub(crate) fn lines(events: &[Event]) -> String {
    events.iter().map(line).collect()
}

fn line(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).expect("every key of an event is a string");
    json + "\n"
}
