//! What the environment says about runs, and the command that makes a run again.

use super::choices::Choices;

/// A variable that says nothing useful stops the test: it would be thought to work.
fn parsed<T>(name: &str, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
    Some(parse(&value).unwrap_or_else(|| panic!("{name}: expected {expected}, found {value:?}")))
}

/// `WINHTTP_REPLAY`: the schedule that is to be played.
pub fn replay() -> Option<Choices> {
    parsed("WINHTTP_REPLAY", "a schedule like d1/2-n0/3x2", |text| text.parse().ok())
}

/// `WINHTTP_SEED`.
pub fn seed() -> Option<u64> {
    parsed("WINHTTP_SEED", "a number", |text| text.parse().ok())
}

/// `WINHTTP_SHARD`: which part of how many.
pub fn shard() -> Option<(usize, usize)> {
    parsed("WINHTTP_SHARD", "a part like 1/8, from 1", |text| {
        let (part, of) = text.split_once('/')?;
        let (part, of) = (part.parse().ok()?, of.parse().ok()?);
        (1 <= part && part <= of).then_some((part, of))
    })
}

/// The command that plays a schedule again, in this test of this program.
pub fn again(choices: &Choices) -> String {
    format!("again: WINHTTP_REPLAY={} {}", choices.trimmed(), command())
}

/// The command that runs this test.
fn command() -> String {
    let thread = std::thread::current();
    let test = thread.name().filter(|name| *name != "main");
    let program = std::env::current_exe().unwrap_or_default();
    let of_cargo = std::env::var_os("CARGO_MANIFEST_DIR").is_some()
        && program.parent().is_some_and(|folder| folder.ends_with("deps"));
    let file = program.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let target = file.rsplit_once('-').map_or(file, |(name, _)| name);
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    match (of_cargo, test) {
        (true, Some(test)) if target == package.replace('-', "_") => format!("cargo test --lib {test} -- --exact"),
        (true, Some(test)) => format!("cargo test --test {target} {test} -- --exact"),
        (true, None) => format!("cargo test --test {target}"),
        (false, _) => std::env::args().collect::<Vec<_>>().join(" "),
    }
}
