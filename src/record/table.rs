//! A trace as a table for people.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

use super::api::brief;
use super::labels::Labels;
use super::{Event, EventKind, Trace};
use crate::win32::ERROR_SUCCESS;

const HEAD: [&str; 6] = ["ms", "thread", "handle", "what", "payload", "result"];

/// As [`Trace::to_table`].
impl std::fmt::Display for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_table())
    }
}

impl Trace {
    /// Aligned columns: time in milliseconds, thread, handle, what, payload, API and error.
    ///
    /// What happens inside a call is indented under it, and so is what its callbacks call. The texts of a trace
    /// come from elsewhere: their control characters are escaped, so that a row stays a row.
    pub fn to_table(&self) -> String {
        let mut rows = vec![HEAD.map(str::to_owned)];
        rows.extend(Rows::default().of(&self.events));
        // A cell with nothing behind it may be as long as it likes.
        let pushes = |row: &[String; 6], column| row[column + 1..].iter().any(|cell| !cell.is_empty());
        let widths: [usize; 6] = std::array::from_fn(|column| {
            rows.iter().filter(|row| pushes(row, column)).map(|row| row[column].chars().count()).max().unwrap_or(0)
        });
        rows.iter().map(|row| line(row, widths)).collect()
    }
}

/// A table whose events come little by little: [`Trace::to_table`] with columns of a fixed width.
///
/// ```
/// use portable_winhttp::record::Table;
/// let mut table = Table::default();
/// assert!(table.rows(&[]).starts_with("        ms  thread"));
/// assert_eq!(table.rows(&[]), ""); // the heading comes once
/// ```
#[derive(Debug, Default)]
pub struct Table {
    begun: bool,
    rows: Rows,
}

impl Table {
    /// The widths of its columns; what is longer moves what is behind it.
    const WIDTHS: [usize; 6] = [10, 9, 6, 40, 24, 0];

    /// The lines of the events that follow; before the first, the heading.
    pub fn rows(&mut self, events: &[Event]) -> String {
        let head = (!std::mem::replace(&mut self.begun, true)).then(|| HEAD.map(str::to_owned));
        head.into_iter().chain(self.rows.of(events)).map(|row| line(&row, Table::WIDTHS)).collect()
    }
}

fn line(row: &[String; 6], widths: [usize; 6]) -> String {
    let mut line = format!("{:>width$}", row[0], width = widths[0]);
    for (cell, width) in row.iter().zip(widths).skip(1) {
        let _ = write!(line, "  {cell:width$}");
    }
    line.truncate(line.trim_end().len());
    line + "\n"
}

/// What earlier events say of later rows.
#[derive(Debug, Default)]
struct Rows {
    labels: Labels,
    nesting: Nesting,
}

impl Rows {
    fn of(&mut self, events: &[Event]) -> Vec<[String; 6]> {
        let rows = events.iter().map(|event| row(event, self.labels.of(&event.thread), self.nesting.level(event)));
        rows.collect()
    }
}

fn row(event: &Event, thread: &str, level: usize) -> [String; 6] {
    let (handle, what, payload, result) = match &event.what {
        EventKind::Call { function, handle, arguments } => {
            (handle.clone().unwrap_or_default(), function.clone(), arguments.clone(), String::new())
        }
        EventKind::Return { function, result, last_error } => {
            let error = if *last_error == ERROR_SUCCESS { String::new() } else { brief(*last_error) };
            (String::new(), format!("{function} returns"), result.clone(), error)
        }
        EventKind::Notification { handle, notification, .. } => (
            handle.clone(),
            notification.status.to_string(),
            notification.value.clone().unwrap_or_default(),
            notification.result.map(|result| result.to_string()).unwrap_or_default(),
        ),
        EventKind::Traffic { handle, traffic } => {
            (handle.clone(), format!("~ {traffic}"), String::new(), String::new())
        }
        EventKind::Note(text) => (String::new(), format!("# {text}"), String::new(), String::new()),
    };
    let what = "  ".repeat(level) + &what;
    [milliseconds(event.at), thread.to_owned(), handle, what, payload, result].map(|cell| one_line(&cell))
}

fn milliseconds(at: Duration) -> String {
    format!("{}.{:03}", at.as_millis(), at.as_micros() % 1000)
}

/// The text without anything that moves the cursor.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() { line.extend(character.escape_default()) } else { line.push(character) }
    }
    line
}

/// The calls in progress on each thread, from which the indentation follows: a call inside a call can only come
/// from a callback, so it stands one step below the notifications of the outer one.
#[derive(Debug, Default)]
struct Nesting {
    open: HashMap<u32, Vec<String>>,
}

impl Nesting {
    fn level(&mut self, event: &Event) -> usize {
        let open = self.open.entry(event.thread.number).or_default();
        match &event.what {
            EventKind::Call { function, .. } => {
                open.push(function.clone());
                2 * (open.len() - 1)
            }
            EventKind::Return { function, .. } => {
                if let Some(position) = open.iter().rposition(|name| name == function) {
                    open.truncate(position);
                }
                2 * open.len()
            }
            EventKind::Notification { during: Some(_), .. } => (2 * open.len()).saturating_sub(1).max(1),
            EventKind::Notification { during: None, .. } | EventKind::Traffic { .. } => 0,
            EventKind::Note(_) => (2 * open.len()).saturating_sub(1),
        }
    }
}
