//! What the environment says about runs, and the command that makes a run again.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::choices::Choices;
use crate::variables::read;

/// A variable that says nothing useful stops the test: it would be thought to work.
#[track_caller]
fn must<T>(read: Result<Option<T>, String>) -> Option<T> {
    read.unwrap_or_else(|error| panic!("{error}"))
}

fn read_replay() -> Result<Option<Choices>, String> {
    read("WINHTTP_REPLAY", "a schedule like d1/2-n0/3x2", |text| text.parse().ok())
}

fn read_seed() -> Result<Option<u64>, String> {
    read("WINHTTP_SEED", "a number", |text| text.parse().ok())
}

fn read_shard() -> Result<Option<(usize, usize)>, String> {
    read("WINHTTP_SHARD", "a part like 1/8, from 1", |text| {
        let (part, of) = text.split_once('/')?;
        let (part, of) = (part.parse().ok()?, of.parse().ok()?);
        (1 <= part && part <= of).then_some((part, of))
    })
}

fn read_patience() -> Result<Option<Duration>, String> {
    read("WINHTTP_PATIENCE", "a number of seconds", |text| text.parse().ok().map(Duration::from_secs))
}

/// What is wrong with the variables that say which schedules are run and how.
pub fn check() -> Result<(), String> {
    read_replay()?;
    read_seed()?;
    read_shard()?;
    read_patience()?;
    Ok(())
}

/// `WINHTTP_REPLAY`: the schedule that is to be played.
pub fn replay() -> Option<Choices> {
    must(read_replay())
}

/// `WINHTTP_SEED`.
pub fn seed() -> Option<u64> {
    must(read_seed())
}

/// `WINHTTP_SHARD`: which part of how many.
pub fn shard() -> Option<(usize, usize)> {
    must(read_shard())
}

/// `WINHTTP_PATIENCE`.
pub fn patience() -> Option<Duration> {
    must(read_patience())
}

/// The test that runs on this thread, if it is one.
pub fn test() -> Option<String> {
    thread::current().name().filter(|name| *name != "main").map(str::to_owned)
}

/// The command that plays a schedule again, in this test of this program.
pub fn again(choices: &Choices) -> String {
    again_in(choices, test().as_deref())
}

/// The same, in a test of this program.
pub fn again_in(choices: &Choices, test: Option<&str>) -> String {
    let program = std::env::current_exe().unwrap_or_default();
    let built = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let built = built.filter(|_| program.parent().is_some_and(|folder| folder.ends_with("deps")));
    let command = match built {
        Some(folder) => {
            let file = program.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            let target = file.rsplit_once('-').map_or(file, |(name, _)| name);
            let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
            cargo_test(&folder, &package, target, test)
        }
        None => std::env::args().collect::<Vec<_>>().join(" "),
    };
    match choices.unusual() {
        true => format!("again: WINHTTP_REPLAY={} {command}", choices.trimmed()),
        false => format!("again: {command}"),
    }
}

/// The command of cargo that runs a test of a target, whose name cargo writes with `_` for `-`. Where the files do not tell
/// which target it is, all of them are asked for the test.
fn cargo_test(folder: &Path, package: &str, target: &str, test: Option<&str>) -> String {
    let mut words = vec!["cargo test".to_owned()];
    if in_workspace(folder) {
        words.push(format!("-p {package}"));
    }
    let spelled = |name: &str| name.replace('-', "_") == target;
    let binaries = sources(&folder.join("src/bin"));
    let main = folder.join("src/main.rs").exists();
    if let Some(name) = sources(&folder.join("tests")).into_iter().find(|name| spelled(name)) {
        words.push(format!("--test {name}"));
    } else if let Some(name) = binaries.iter().find(|name| spelled(name)) {
        words.push(format!("--bin {name}"));
    } else if folder.join("src/lib.rs").exists() && !main && binaries.is_empty() {
        words.push("--lib".to_owned());
    } else if main && !folder.join("src/lib.rs").exists() {
        words.push("--bins".to_owned());
    }
    if !cfg!(debug_assertions) {
        words.push("--release".to_owned());
    }
    words.extend(test.map(|test| format!("{test} -- --exact")));
    // Which of its features this run has, a program cannot tell.
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    if manifest.lines().any(|line| line.trim() == "[features]") {
        words.push("# and the --features of this run".to_owned());
    }
    words.join(" ")
}

/// The names of the targets in a folder: `NAME.rs`, or `NAME/main.rs`.
fn sources(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let target = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "rs") || path.join("main.rs").exists();
    let name = |path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
    entries.filter(target).filter_map(name).collect()
}

/// Whether a package may be one of several.
fn in_workspace(folder: &Path) -> bool {
    let has_members = |folder: &Path| {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        manifest.lines().any(|line| line.trim_start().starts_with("[workspace"))
    };
    folder.ancestors().any(has_members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_the_target() {
        let rows: [(&[&str], &str, &str); 8] = [
            (&["src/lib.rs", "tests/a.rs"], "a", "cargo test --test a t::x -- --exact"),
            (&["src/lib.rs", "tests/a-b/main.rs"], "a_b", "cargo test --test a-b t::x -- --exact"),
            (&["src/lib.rs"], "renamed", "cargo test --lib t::x -- --exact"),
            (&["src/main.rs"], "the_crate", "cargo test --bins t::x -- --exact"),
            (&["src/lib.rs", "src/bin/tool.rs"], "tool", "cargo test --bin tool t::x -- --exact"),
            (&["src/lib.rs", "src/main.rs"], "the_crate", "cargo test t::x -- --exact"),
            (&["src/lib.rs", "[workspace]"], "the_crate", "cargo test -p the-crate --lib t::x -- --exact"),
            (&["elsewhere/lib.rs"], "the_crate", "cargo test t::x -- --exact"),
        ];
        for (number, (files, target, expected)) in rows.into_iter().enumerate() {
            let whole = std::env::temp_dir().join(format!("again-{}-{number}", std::process::id()));
            let folder = whole.join("the-crate");
            for file in files {
                let (path, text) = match *file {
                    "[workspace]" => (whole.join("Cargo.toml"), "[workspace]\n"),
                    file => (folder.join(file), ""),
                };
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            let release = if cfg!(debug_assertions) { "" } else { " --release" };
            let command = cargo_test(&folder, "the-crate", target, Some("t::x"));
            fs::remove_dir_all(&whole).unwrap();
            assert_eq!(command.replacen(release, "", 1), expected);
        }
    }
}
