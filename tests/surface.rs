//! Nothing is called implemented that no test names: a function or option whose row says so stands in a test or a fixture.

use std::fs;
use std::path::{Path, PathBuf};

use portable_winhttp::api::surface::{functions, options};

/// Tables of names, which exercise nothing.
const TABLES: [&str; 4] = ["win32_parity", "names.rs", "surface.rs", "options.tsv"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = entry.file_name();
        if TABLES.iter().any(|table| name == *table) || name == "target" {
            continue;
        }
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "fixture") {
            found.push(path);
        }
    }
}

/// Whether the text has this word, whole.
fn names(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

#[test]
fn what_is_implemented_is_exercised() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    files(&root.join("tests"), &mut paths);
    files(&root.join("fixtures"), &mut paths);
    let texts: Vec<(bool, String)> = paths
        .iter()
        .map(|path| (path.extension().is_some_and(|kind| kind == "fixture"), fs::read_to_string(path).unwrap()))
        .collect();
    let mut missing = Vec::new();
    for function in functions().iter().filter(|function| function.status == "implemented") {
        if !texts.iter().any(|(_, text)| names(text, function.name)) {
            missing.push(function.name);
        }
    }
    for option in options().iter().filter(|option| option.status == "implemented") {
        let short = option.name.trim_start_matches("WINHTTP_OPTION_");
        let named = |(fixture, text): &(bool, String)| names(text, option.name) || (*fixture && names(text, short));
        // In no header; its test calls it by its number.
        if option.name != "WINHTTP_OPTION_CONNECTION_IDLE_TIMEOUT" && !texts.iter().any(named) {
            missing.push(option.name);
        }
    }
    assert!(missing.is_empty(), "implemented, but no test names them: {missing:#?}");
}

#[test]
fn every_absence_has_a_reason() {
    for entry in options() {
        assert!(entry.status == "implemented" || !entry.note.is_empty(), "{}", entry.name);
        assert_ne!(entry.note, "Not here yet.", "{}", entry.name);
    }
}
