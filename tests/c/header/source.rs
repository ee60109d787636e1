//! What the crate's own source says: constants, structures, functions. The source is regular enough to be read by lines.

use std::fs;
use std::path::{Path, PathBuf};

/// A constant: its name, its type in Rust, its value as text.
#[derive(Clone)]
pub struct Constant {
    pub name: String,
    pub kind: String,
    pub value: String,
}

/// A structure or union and its fields: names and types in Rust.
pub struct Structure {
    pub name: String,
    pub union: bool,
    pub fields: Vec<(String, String)>,
}

/// An exported function: parameters as names and types in Rust, and what it answers.
pub struct Function {
    pub name: String,
    pub parameters: Vec<(String, String)>,
    pub answer: Option<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The constants of a file: rows of a table (`NAME: type = value, "text";` or `NAME = value, "text";`), or items.
pub fn constants(path: &str) -> Vec<Constant> {
    read(path).lines().filter_map(constant).collect()
}

fn constant(line: &str) -> Option<Constant> {
    let (head, rest) = line.split_once(" = ")?;
    let (head, item) = match head.strip_prefix("pub const ") {
        Some(head) => (head, true),
        None => (head.strip_prefix("    ")?, false),
    };
    let value = if item { rest.strip_suffix(';')? } else { rest.split_once(", \"")?.0 };
    let (name, kind) = head.split_once(": ").unwrap_or((head, "Win32Error"));
    let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let value = value.strip_prefix("Win32Error(").map_or(value, |value| value.trim_end_matches(')'));
    named.then(|| Constant { name: name.into(), kind: kind.into(), value: value.replace('_', "") })
}

/// The structures of a file, in its order.
pub fn structures(path: &str) -> Vec<Structure> {
    let text = read(path);
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let union = line.starts_with("pub union ");
        let Some(name) = line.strip_prefix("pub struct ").or(line.strip_prefix("pub union ")) else { continue };
        let Some(name) = name.strip_suffix(" {") else { continue };
        let fields = lines.by_ref().take_while(|line| *line != "}").filter_map(|line| {
            let (name, kind) = line.trim().strip_prefix("pub ").unwrap_or(line.trim()).split_once(": ")?;
            Some((name.to_owned(), kind.trim_end_matches(',').to_owned()))
        });
        found.push(Structure { name: name.to_owned(), union, fields: fields.collect() });
    }
    found
}

/// The exported functions of a folder, by file and place.
pub fn functions(folder: &str) -> Vec<Function> {
    let mut paths = Vec::new();
    files(&root().join(folder), &mut paths);
    paths.sort();
    paths.iter().flat_map(|path| of_text(&fs::read_to_string(path).unwrap())).collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

fn of_text(text: &str) -> Vec<Function> {
    // The functions of a table are exported by its macro.
    let (marker, text) = match text.split_once("\nabsent! {") {
        Some((_, table)) => ("\n    fn ", table),
        None if text.contains("extern \"C\" fn ") => ("extern \"C\" fn ", text),
        None => ("extern \"system\" fn ", text),
    };
    let table = text.contains("\nfunctions! {");
    let marker = if table { "\n    fn " } else { marker };
    let mut found = Vec::new();
    for rest in text.split(marker).skip(1) {
        let Some((name, rest)) = rest.split_once('(') else { continue };
        let Some((parameters, rest)) = rest.split_once('{').map(|(head, _)| head).and_then(close) else { continue };
        if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
            continue;
        }
        let parameters = split(parameters).filter_map(|parameter| {
            let (name, kind) = parameter.trim().split_once(": ")?;
            Some((name.trim_start_matches('_').to_owned(), kind.trim().to_owned()))
        });
        let answer = rest.trim().strip_prefix("-> ").map(|answer| answer.trim().to_owned());
        found.push(Function { name: name.to_owned(), parameters: parameters.collect(), answer });
    }
    found
}

/// The text before the parenthesis that closes the list, and what follows it.
fn close(head: &str) -> Option<(&str, &str)> {
    let mut depth = 0;
    let at = head.find(|c| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth < 0
    })?;
    Some((&head[..at], &head[at + 1..]))
}

/// Parts between the commas that are not inside parentheses.
fn split(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    list.split(move |c| {
        depth += match c {
            '(' | '<' => 1,
            ')' | '>' => -1,
            _ => 0,
        };
        c == ',' && depth <= 0
    })
}
