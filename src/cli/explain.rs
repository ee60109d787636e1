//! `portable-winhttp explain`: the mistakes that the checker knows, and how to fix each.

use portable_winhttp::verify::Stop;

use super::End;
use super::output::print;

/// Explains one, or lists all.
pub fn run(stop: Option<Stop>) -> End {
    let text = match stop {
        Some(stop) => format!(
            "{stop} ({}): {}\n\nWhy: {}\n\nHow to fix it: {}\n",
            stop.level(),
            stop.title(),
            stop.why(),
            stop.fix()
        ),
        None => Stop::ALL.iter().map(|stop| format!("{stop}  {:5}  {}\n", stop.level(), stop.title())).collect(),
    };
    print(&text)
}
