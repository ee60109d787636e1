//! `portable-winhttp explain`: the mistakes that the checker knows, and how to fix each.

use portable_winhttp::verify::Stop;

use super::End;
use super::output::print;

/// Code of each, wrong and right, and what brings it out: the chapter of the guide.
const CHAPTER: &str = include_str!("../guide/14_mistakes.md");

/// Explains one, or lists all.
pub fn run(stop: Option<Stop>) -> End {
    match stop {
        Some(stop) => print(&explained(stop)),
        None => print(
            &Stop::ALL.iter().map(|stop| format!("{stop}  {:5}  {}\n", stop.level(), stop.title())).collect::<String>(),
        ),
    }
}

fn explained(stop: Stop) -> String {
    format!(
        "{stop} ({}): {}\n\nWhy: {}\n\nHow to fix it: {}\n\n{}\n\nIn the documentation (cargo doc --open): portable_winhttp::verify::Stop::{stop:?}\n",
        stop.level(),
        stop.title(),
        stop.why(),
        stop.fix(),
        section(stop)
    )
}

/// What the chapter says about it, without the marks of code.
fn section(stop: Stop) -> String {
    let heading = format!("# {stop}");
    let lines = CHAPTER.lines().skip_while(|line| *line != heading).skip(1).take_while(|line| !line.starts_with("# "));
    let text: Vec<&str> = lines.filter(|line| !line.starts_with("```")).collect();
    text.join("\n").trim().replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_has_code_and_what_brings_it_out() {
        for stop in Stop::ALL {
            let text = explained(*stop);
            for part in ["wrong  ", "right\n", "In a test: ", "Why: ", "How to fix it: "] {
                assert!(text.contains(part), "{stop}: {part:?} is not in {text}");
            }
            assert!(!text.contains("# W"), "{text}");
        }
    }
}
