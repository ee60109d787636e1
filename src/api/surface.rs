//! What of WinHTTP is here: read off the tables that drive the functions and options.

use super::options::row::{Row, Status};
use super::options::table;

/// One option or function of WinHTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Windows' name.
    pub name: &'static str,
    /// `implemented`, `ignored` (as Windows does), or `absent` (refused as on a Windows that lacks it).
    pub status: &'static str,
    /// What is said beside that.
    pub note: &'static str,
}

/// Every option that Windows has, by its number.
pub fn options() -> Vec<Entry> {
    let mut rows: Vec<&Row> = table::rows().collect();
    rows.sort_by_key(|row| row.number);
    rows.into_iter().map(|row| Entry { name: row.name, status: status(row.status), note: row.note }).collect()
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Implemented => "implemented",
        Status::Ignored => "ignored",
        Status::Absent => "absent",
    }
}
