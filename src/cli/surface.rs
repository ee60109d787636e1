//! `portable-winhttp surface`.

use portable_winhttp::api::surface::{Entry, functions, options};

use super::End;
use super::output::print;

/// How the table is printed.
#[derive(Clone, Copy)]
pub enum Form {
    Table,
    Json,
    Markdown,
}

/// Prints every function and option: whether it is here, on which handles, and what is to be said of it.
pub fn run(form: Form) -> End {
    let (functions, options) = (functions(), options());
    print(&match form {
        Form::Table => [table("Functions", &functions), table("Options", &options)].join("\n"),
        Form::Json => lines("function", &functions) + &lines("option", &options),
        Form::Markdown => [markdown("Functions", &functions), markdown("Options", &options)].join("\n"),
    })
}

/// The cells of a row: name, status, handles, note.
fn cells(entry: &Entry) -> [String; 4] {
    let handles = match (entry.handles.join(", "), entry.settable.join(", ")) {
        (handles, settable) if entry.value.is_empty() || settable.is_empty() => handles,
        (handles, settable) if handles == settable => handles,
        (handles, settable) => format!("{handles}; set: {settable}").trim_start_matches("; ").to_owned(),
    };
    let mut note = Vec::new();
    if !entry.value.is_empty() {
        note.push(format!("{}.", entry.value));
    }
    if !entry.default.is_empty() {
        note.push(format!("Default: {}.", entry.default));
    }
    if entry.inherited {
        note.push("Inherited.".to_owned());
    }
    note.extend((!entry.note.is_empty()).then(|| entry.note.to_owned()));
    [entry.name.to_owned(), entry.status.to_owned(), handles, note.join(" ")]
}

/// How many of each status.
fn count(entries: &[Entry]) -> String {
    let of = |status| entries.iter().filter(|entry| entry.status == status).count();
    format!("{} implemented, {} ignored, {} absent", of("implemented"), of("ignored"), of("absent"))
}

fn table(title: &str, entries: &[Entry]) -> String {
    let rows: Vec<[String; 4]> = entries.iter().map(cells).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let line = |[name, status, handles, note]: &[String; 4]| {
        let [a, b, c] = widths;
        format!("{name:a$}  {status:b$}  {handles:c$}  {note}").trim_end().to_owned() + "\n"
    };
    format!("{title}: {}\n\n{}", count(entries), rows.iter().map(line).collect::<String>())
}

fn markdown(title: &str, entries: &[Entry]) -> String {
    let line = |entry: &Entry| {
        let [name, status, handles, note] = cells(entry).map(|cell| cell.replace('|', "\\|"));
        format!("| `{name}` | {status} | {handles} | {note} |\n")
    };
    let rows: String = entries.iter().map(line).collect();
    format!("## {title}: {}\n\n| name | status | handles | notes |\n|---|---|---|---|\n{rows}", count(entries))
}

fn lines(kind: &str, entries: &[Entry]) -> String {
    let line = |entry: &Entry| {
        let mut object = serde_json::json!(entry);
        object["kind"] = kind.into();
        format!("{object}\n")
    };
    entries.iter().map(line).collect()
}
