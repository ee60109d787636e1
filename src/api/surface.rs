//! What of WinHTTP is here: read off the tables that drive the functions and options.
//!
//! ```
//! use portable_winhttp::api::surface;
//! let timeout = surface::options().into_iter().find(|option| option.name == "WINHTTP_OPTION_CONNECT_TIMEOUT").unwrap();
//! assert_eq!((timeout.status, &*timeout.default), ("implemented", "60000"));
//! ```

use super::functions::FUNCTIONS;
use super::options::row::*;
use super::options::table;

/// A function or an option of WinHTTP.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// Windows' name.
    pub name: &'static str,
    /// `implemented`, `ignored` (as Windows does), or `absent` (refused as on a Windows that lacks it).
    pub status: &'static str,
    /// The handles that it takes; of an option, those that can be asked for it.
    pub handles: Vec<&'static str>,
    /// Of an option, the handles on which it can be set.
    pub settable: Vec<&'static str>,
    /// Of an option, the type of its value.
    pub value: &'static str,
    /// Of an option, what it is before it is set.
    pub default: String,
    /// Of an option, whether requests copy it from their session.
    pub inherited: bool,
    /// What is said beside that.
    pub note: &'static str,
}

/// Every function, by its name.
pub fn functions() -> Vec<Entry> {
    let entry = |function: &super::functions::Function| Entry {
        name: function.name,
        status: status(function.status()),
        handles: names(function.handles),
        settable: Vec::new(),
        value: "",
        default: String::new(),
        inherited: false,
        note: function.note,
    };
    FUNCTIONS.iter().map(entry).collect()
}

/// Every option, by its number.
pub fn options() -> Vec<Entry> {
    let mut rows: Vec<&Row> = table::rows().collect();
    rows.sort_by_key(|row| row.number);
    let entry = |row: &Row| Entry {
        name: row.name,
        status: status(row.status),
        handles: names(row.query),
        settable: names(row.set),
        value: value(row.shape),
        default: row.default_text(),
        inherited: row.inherited,
        note: row.note,
    };
    rows.into_iter().map(entry).collect()
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Implemented => "implemented",
        Status::Ignored => "ignored",
        Status::Absent => "absent",
    }
}

fn value(shape: Shape) -> &'static str {
    match shape {
        Shape::Dword => "DWORD",
        Shape::Bool => "BOOL",
        Shape::Pointer(name) | Shape::Struct(name, _) | Shape::Bytes(name) => name,
        Shape::Text | Shape::WideBytes => "LPWSTR",
        Shape::Nothing => "none",
        Shape::Unknown => "not documented",
    }
}

fn names(handles: Handles) -> Vec<&'static str> {
    let all = [
        (PROCESS, "process"),
        (SESSION, "session"),
        (CONNECTION, "connection"),
        (REQUEST, "request"),
        (RESOLVER, "resolver"),
        (WEB_SOCKET, "web socket"),
    ];
    all.iter().filter(|(handle, _)| handles & handle != 0).map(|(_, name)| *name).collect()
}
