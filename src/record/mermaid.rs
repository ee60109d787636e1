//! A trace as a Mermaid sequence diagram.

use super::api::brief;
use super::labels::Labels;
use super::table::one_line;
use super::{EventKind, Record, ThreadRole, Trace, Traffic};
use crate::win32::ERROR_SUCCESS;

impl Trace {
    /// A `sequenceDiagram` of the threads and WinHTTP: calls and returns with full arrows, notifications with dashed ones. It is the text of the diagram alone, without a Markdown fence.
    pub fn to_mermaid(&self) -> String {
        let carries = self.events.iter().any(|event| matches!(event.what, EventKind::Traffic { .. }));
        let network = if carries { "    participant network\n" } else { "" };
        let mut labels = Labels::default();
        let mut seen: Vec<(u32, String)> = Vec::new();
        for thread in self.events.iter().map(|event| &event.thread).filter(|thread| thread.role != ThreadRole::Network)
        {
            if seen.iter().all(|(number, _)| *number != thread.number) {
                seen.push((thread.number, labels.of(thread).to_owned()));
            }
        }
        let mut head = "sequenceDiagram\n".to_owned();
        for (place, (number, label)) in seen.iter().enumerate() {
            head += &format!("    participant t{number} as {}\n", escape(label));
            // Between the first thread and those that it makes.
            head += if place == 0 { "    participant WinHTTP\n" } else { "" };
        }
        if seen.is_empty() {
            head += "    participant WinHTTP\n";
        }
        let lines = self.events.iter().map(|event| {
            let lane = format!("t{}", event.thread.number);
            match &event.what {
                EventKind::Call { function, handle, arguments } => {
                    let arguments = join(", ", &[handle.as_deref().unwrap_or_default(), arguments]);
                    message(&format!("{lane}->>WinHTTP"), &format!("{function}({arguments})"))
                }
                EventKind::Return { function, result, last_error } => {
                    let error = if *last_error == ERROR_SUCCESS { String::new() } else { brief(*last_error) };
                    let text = format!("{function} returns {}", join(", ", &[result, &error]));
                    message(&format!("WinHTTP->>{lane}"), &text)
                }
                EventKind::Notification { handle, notification: Record { status, value, result }, .. } => {
                    let value = value.as_deref().unwrap_or_default();
                    let result = result.map(|result| result.to_string()).unwrap_or_default();
                    let text = join(" ", &[handle, &status.to_string(), value, &result]);
                    message(&format!("WinHTTP-->>{lane}"), &text)
                }
                EventKind::Traffic { handle, traffic } => {
                    let out = matches!(traffic, Traffic::Request { .. } | Traffic::Write(_) | Traffic::Sent);
                    let arrow = if out { "WinHTTP-)network" } else { "network-)WinHTTP" };
                    message(arrow, &format!("{handle} {traffic}"))
                }
                EventKind::Note(text) => message("Note over WinHTTP", text),
            }
        });
        head + network + &lines.collect::<String>()
    }
}

fn join(separator: &str, parts: &[&str]) -> String {
    parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(separator)
}

fn message(arrow: &str, text: &str) -> String {
    format!("    {arrow}: {}\n", escape(text))
}

/// Mermaid ends a message at `;` and reads `#`, HTML and `%%` itself.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in one_line(text).chars() {
        match character {
            ';' | '#' | '<' | '>' | '&' => escaped.push_str(&format!("#{};", u32::from(character))),
            _ => escaped.push(character),
        }
    }
    escaped.replace("%%", "%#37;")
}
