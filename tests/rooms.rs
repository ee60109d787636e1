//! The modules: the table of ARCHITECTURE.md says which may use which, and where `unsafe` may be; here the paths in the
//! sources are checked against it. A room is a module of that table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A row of the table: the lowest layer comes first, and each may use some of those above it.
#[derive(Debug)]
struct Room {
    name: String,
    may_use: BTreeSet<String>,
    may_be_unsafe: bool,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of the table whose first column is called `module`.
fn rooms(text: &str) -> Vec<Room> {
    let rows = text.lines().skip_while(|line| !line.starts_with("| module |")).skip(2);
    let row = |line: &str| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, _, uses, unsafe_] = cells[..] else { panic!("not four columns: {line}") };
        let names = uses.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Room {
            name: name.trim_matches('`').trim_end_matches('/').to_owned(),
            may_use: names.collect(),
            may_be_unsafe: unsafe_ == "yes",
        }
    };
    rows.take_while(|line| line.starts_with('|')).map(row).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

/// The room of a file below `src`; `None` for the root of the library.
fn room_of(path: &Path) -> Option<String> {
    let first = path.iter().next()?.to_str()?;
    match first.strip_suffix(".rs").unwrap_or(first) {
        "lib" => None,
        // The program is the command line's.
        "main" => Some("cli".to_owned()),
        name => Some(name.to_owned()),
    }
}

/// The code of a file: no comments, no text, no unit tests, which stand at the end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The names behind `prefix` in a code: of `crate::{a::b, c}` those are `a` and `c`.
fn names_behind(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|character| character.is_alphanumeric() || character == '_' || character == '$') {
            continue;
        }
        let behind = code[at + prefix.len()..].trim_start();
        let Some(group) = behind.strip_prefix('{') else {
            names.insert(identifier(behind));
            continue;
        };
        let (mut depth, mut starts) = (0, true);
        for (at, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => starts = true,
                character if starts && !character.is_whitespace() => {
                    names.insert(identifier(&group[at..]));
                    starts = false;
                }
                _ => {}
            }
        }
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

/// How many modules a file lies below the root of the crate.
fn depth(path: &Path) -> usize {
    let below = path.iter().count();
    if path.ends_with("mod.rs") { below - 1 } else { below }
}

/// How many modules a code has inside: so much deeper its code may lie.
fn inline_modules(code: &str) -> usize {
    let opens = |line: &&str| line.trim_start().trim_start_matches("pub ").starts_with("mod ") && line.ends_with('{');
    code.lines().filter(opens).count()
}

/// The longest chain of `super::` in a code.
fn supers(code: &str) -> usize {
    (1..).take_while(|count| code.contains(&"super::".repeat(*count))).last().unwrap_or(0)
}

#[derive(Default)]
struct Seen {
    /// The rooms that a room uses, and a file that does.
    uses: BTreeMap<(String, String), PathBuf>,
    complaints: Vec<String>,
}

/// Looks at a file of a room.
fn look(seen: &mut Seen, rooms: &[Room], path: &Path, text: &str) {
    let Some(here) = room_of(path) else { return };
    let Some(room) = rooms.iter().find(|room| room.name == here) else {
        seen.complaints.push(format!("{}: the table has no room {here}", path.display()));
        return;
    };
    let code = code(text);
    let prefix = if here == "cli" { "portable_winhttp::" } else { "crate::" };
    for used in names_behind(&code, prefix).into_iter().filter(|used| *used != here) {
        // Types and macros at the root belong to no room.
        if used.starts_with(|first: char| first.is_lowercase()) && !used.starts_with("__") {
            seen.uses.entry((here.clone(), used)).or_insert_with(|| path.to_owned());
        }
    }
    if supers(&code) >= depth(path) + inline_modules(&code) {
        seen.complaints.push(format!("{}: `super::` leads out of the room", path.display()));
    }
    let of_std = names_behind(&code, "std::sync::");
    let of_others = ["Mutex", "RwLock", "Condvar"].iter().any(|lock| of_std.contains(*lock));
    if here != "sync" && (of_others || (here != "cli" && code.contains("parking_lot"))) {
        seen.complaints.push(format!("{}: locks come from `crate::sync`", path.display()));
    }
    if !room.may_be_unsafe && code.contains("allow(unsafe_code") {
        seen.complaints.push(format!("{}: {here} allows unsafe code", path.display()));
    }
}

/// Holds what was seen against the table.
fn judge(seen: &Seen, rooms: &[Room]) -> Vec<String> {
    let mut complaints = seen.complaints.clone();
    for ((here, used), path) in &seen.uses {
        let may = rooms.iter().any(|room| room.name == *here && room.may_use.contains(used));
        if !may {
            complaints.push(format!("{}: {here} may not use {used}", path.display()));
        }
    }
    for (place, room) in rooms.iter().enumerate() {
        for used in &room.may_use {
            if !rooms[..place].iter().any(|earlier| earlier.name == *used) {
                complaints.push(format!("the table: {} may use {used}, which does not stand above it", room.name));
            }
            if !seen.uses.contains_key(&(room.name.clone(), used.clone())) {
                complaints.push(format!("the table: {} may use {used} and does not", room.name));
            }
        }
    }
    complaints
}

fn table() -> Vec<Room> {
    rooms(&fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap())
}

#[test]
fn each_room_uses_what_the_table_allows() {
    let (rooms, source) = (table(), root().join("src"));
    let (mut files, mut seen) = (Vec::new(), Seen::default());
    sources(&source, &mut files);
    for file in &files {
        look(&mut seen, &rooms, file.strip_prefix(&source).unwrap(), &fs::read_to_string(file).unwrap());
    }
    let complaints = judge(&seen, &rooms);
    assert!(files.len() > 100 && rooms.len() > 10, "{} files, {} rooms", files.len(), rooms.len());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn rooms_without_unsafe_forbid_it() {
    for room in table().iter().filter(|room| !room.may_be_unsafe) {
        let source = root().join("src");
        let file = [format!("{}/mod.rs", room.name), format!("{}.rs", room.name)].map(|path| source.join(path));
        let text = file.iter().find_map(|path| fs::read_to_string(path).ok()).expect(&room.name);
        assert!(text.contains("#![forbid(unsafe_code)]"), "{} does not forbid unsafe code", room.name);
    }
}

/// The libraries whose versions begin with 0, by the names that code has for them.
fn young_libraries(manifest: &str) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let young = lines.take_while(|line| !line.starts_with('[')).filter_map(|line| {
        let (name, version) = line.split_once(" = ")?;
        let version = version.strip_prefix('"').or_else(|| Some(version.split_once("version = \"")?.1))?;
        version.starts_with("0.").then(|| name.replace('-', "_").replace("rustls_webpki", "webpki"))
    });
    young.collect()
}

/// Public items and fields that have a type of these libraries in them, or a lock.
fn young_types(code: &str, libraries: &[String]) -> Vec<String> {
    let imports = |library: &str| {
        let mut names = BTreeSet::new();
        for (at, _) in code.match_indices(&format!("use {library}::")) {
            let import = code[at..].split(';').next().unwrap_or_default();
            let words = import.split(|character: char| !character.is_alphanumeric() && character != '_');
            names.extend(words.filter(|word| word.starts_with(char::is_uppercase)).map(str::to_owned));
        }
        names
    };
    let mut types: BTreeSet<String> = libraries.iter().flat_map(|library| imports(library)).collect();
    types.extend(imports("crate::sync"));
    let mut found = Vec::new();
    for (at, line) in code.lines().scan(0, |at, line| Some((std::mem::replace(at, *at + line.len() + 1), line))) {
        let Some(item) = line.trim_start().strip_prefix("pub ") else { continue };
        let item = match item.split_once(": ") {
            Some((name, _)) if name.chars().all(|character| character.is_alphanumeric() || character == '_') => item,
            _ if item.starts_with("use ") => continue,
            // As far as its body; of a tuple what is in it is private unless it says otherwise.
            _ => code[at..].split(['{', ';']).next().unwrap_or_default(),
        };
        let tuple = item.contains("struct ") && !item.contains("(pub ");
        let words = item.split(|character: char| !character.is_alphanumeric() && character != '_');
        let paths = libraries.iter().any(|library| item.contains(&format!("{library}::")));
        if !tuple && (paths || words.into_iter().any(|word| types.contains(word))) {
            found.push(item.trim().to_owned());
        }
    }
    found
}

/// Whether others can name what is in a file: its module is public, or something of it is handed on, all the way up.
fn is_public(source: &Path, file: &Path) -> bool {
    let below = file.strip_prefix(source).unwrap().with_extension("");
    let modules: Vec<_> = below.iter().map(|name| name.to_str().unwrap()).filter(|name| *name != "mod").collect();
    (0..modules.len()).all(|depth| {
        let above: PathBuf = modules[..depth].iter().collect();
        let parent = match depth {
            0 => source.join("lib.rs"),
            _ => source.join(above).join("mod.rs"),
        };
        let Ok(text) = fs::read_to_string(parent) else { return false };
        let (text, name) = (code(&text), modules[depth]);
        let hidden = format!("#[doc(hidden)]\npub mod {name};");
        let public = text.contains(&format!("pub mod {name};")) && !text.contains(&hidden);
        public || (depth > 0 && text.contains(&format!("pub use {name}::")))
    })
}

/// A library that may change its types any day has none in what this one promises.
#[test]
fn no_type_of_a_young_library_is_public() {
    let source = root().join("src");
    let libraries = young_libraries(&fs::read_to_string(root().join("Cargo.toml")).unwrap());
    assert!(libraries.contains(&"rustls".to_owned()) && !libraries.contains(&"bytes".to_owned()), "{libraries:?}");
    let (mut files, mut complaints, mut looked) = (Vec::new(), Vec::new(), 0);
    sources(&source, &mut files);
    for file in files.iter().filter(|file| is_public(&source, file)) {
        looked += 1;
        let young = young_types(&code(&fs::read_to_string(file).unwrap()), &libraries);
        complaints.extend(young.into_iter().map(|item| format!("{}: {item}", file.display())));
    }
    assert!(looked > 50, "{looked} files");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn young_types_are_found() {
    let libraries = ["rustls".to_owned(), "h2".to_owned()];
    let rows = [
        ("use rustls::{ServerConfig, sign::Key};\npub fn f(config: &ServerConfig) {}", 1),
        ("pub fn f(\n    reason: h2::Reason,\n) {}", 1),
        ("use h2::Reason;\nfn f(reason: Reason) {}\npub(crate) fn g(reason: Reason) {}", 0),
        ("use h2::Reason;\npub struct A {\n    pub reason: Reason,\n}", 1),
        ("use h2::Reason;\npub struct A(Reason);", 0),
        ("use h2::Reason;\npub struct A(pub Reason);", 1),
        ("use crate::sync::Mutex;\npub fn f() -> Mutex<u8> { todo }", 1),
        ("use bytes::Bytes;\npub fn f() -> Bytes { todo }", 0),
    ];
    for (code, expected) in rows {
        assert_eq!(young_types(code, &libraries).len(), expected, "{code}");
    }
}

/// What the rules are for is found.
#[test]
fn broken_rules_are_found() {
    const TABLE: &str = "| module | what | may use | unsafe |\n|---|---|---|---|\n| `win32/` | | | yes |\n| `http/` | | win32 | |\n| `net/` | | http | |\n";
    let rows = [
        ("http/a.rs", "use crate::win32::{A, B};", ""),
        ("http/a.rs", "use crate::{win32::{A, b}, net::C};", "http may not use net"),
        ("http/a.rs", "use crate::net::C;", "http may not use net"),
        ("http/a.rs", "// use crate::net::C;\n#[cfg(test)]\nmod tests { use crate::net::C; }", ""),
        ("http/a.rs", "fn f() { super::super::net::c() }", "leads out of the room"),
        ("http/b/c.rs", "fn f() { super::super::d() }", ""),
        ("http/mod.rs", "#![allow(unsafe_code)]", "allows unsafe code"),
        ("win32/mod.rs", "#![allow(unsafe_code)]", ""),
        ("http/a.rs", "use std::sync::{Arc, Mutex};", "locks come from"),
        ("http/a.rs", "fn f(lock: &parking_lot::RwLock<u8>) {}", "locks come from"),
        ("http/a.rs", "use std::sync::{Arc, LazyLock};", ""),
        ("lab/mod.rs", "", "no room lab"),
    ];
    let rooms = rooms(TABLE);
    for (path, text, expected) in rows {
        let mut seen = Seen::default();
        look(&mut seen, &rooms, Path::new("net/a.rs"), "use crate::http::A;");
        look(&mut seen, &rooms, Path::new("http/z.rs"), "use crate::win32::A;");
        look(&mut seen, &rooms, Path::new(path), text);
        let complaints = judge(&seen, &rooms).join("\n");
        let found = if expected.is_empty() { complaints.is_empty() } else { complaints.contains(expected) };
        assert!(found, "{path} {text}: {complaints:?}");
    }
}
