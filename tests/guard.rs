//! Every exported function passes through the guard of `api/edge.rs`: no panic crosses the boundary.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The guard itself.
const GUARD: &str = "caught";
/// What passes through it and stands for it in the functions.
const STAND_FOR_IT: [&str; 9] =
    ["no_panic", "no_return", "observed", "boolean", "done", "handle", "code", "pointer", "truth"];

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

/// The code of the functions of a file, by their names, without comments. Functions behind a macro that has a body for them
/// have that body.
fn functions(text: &str) -> Vec<(String, String)> {
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join(" ");
    let (mut found, mut template) = (Vec::new(), None);
    for (at, _) in code.match_indices(" fn ") {
        let rest = &code[at + 4..];
        // The pattern of a macro.
        if rest.starts_with("$name:ident") {
            continue;
        }
        let name: String =
            rest.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect();
        let Some(open) = rest.find('{').filter(|open| !rest[..*open].contains(';')) else { continue };
        let mut depth = 0;
        let end = rest[open..].char_indices().find_map(|(at, character)| {
            depth += i32::from(character == '{') - i32::from(character == '}');
            (depth == 0).then_some(open + at)
        });
        let body = rest[open + 1..end.unwrap_or(rest.len())].trim();
        match (&template, rest.starts_with('$')) {
            (_, true) => template = Some(body),
            (template, false) => found.push((name, template.unwrap_or(body).to_owned())),
        }
    }
    found
}

/// Whether a body is one call of one of these functions, in an `unsafe` block or not.
fn is_call_of(body: &str, guards: &[&str]) -> bool {
    let body = body.strip_prefix("unsafe {").unwrap_or(body).trim_start();
    guards.iter().any(|guard| {
        let call = body
            .strip_prefix(guard)
            .map(|rest| rest.strip_prefix("::<").and_then(|rest| rest.split_once('>')).map_or(rest, |(_, rest)| rest));
        call.is_some_and(|rest| rest.starts_with('('))
    })
}

fn of_library() -> BTreeMap<String, Vec<String>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&source.join("api"), &mut files);
    sources(&source.join("lab_api"), &mut files);
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        for (name, body) in functions(&fs::read_to_string(file).unwrap()) {
            all.entry(name).or_default().push(body);
        }
    }
    all
}

#[test]
fn every_exported_function_is_guarded() {
    let map = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("include/winhttp.map")).unwrap();
    let exported: Vec<&str> = map
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.strip_suffix(';').filter(|name| *name != "*"))
        .collect();
    let known = of_library();
    let guards: Vec<&str> = [GUARD, "with"].into_iter().chain(STAND_FOR_IT).collect();
    let unguarded =
        |name: &&str| !known.get(*name).is_some_and(|bodies| bodies.iter().all(|body| is_call_of(body, &guards)));
    let open: Vec<&str> = exported.iter().copied().filter(unguarded).collect();
    assert!(exported.len() > 200, "{}", exported.len());
    assert!(open.is_empty(), "not a call of a guard, or not found in the sources: {}", open.join(", "));
}

/// What stands for the guard passes through it.
#[test]
fn guards_are_guarded() {
    let known = of_library();
    for name in STAND_FOR_IT.iter().chain(&["with"]) {
        let through = |body: &String| guards_inside(body);
        assert!(known[*name].iter().any(through), "{name} does not call a guard");
    }
    let inside = &known[GUARD];
    assert!(inside.iter().all(|body| body.starts_with("catch_unwind(")), "{inside:?}");
}

fn guards_inside(body: &str) -> bool {
    [GUARD].iter().chain(&STAND_FOR_IT).any(|guard| body.contains(&format!("{guard}(")))
}

#[test]
fn what_is_not_guarded_is_found() {
    let rows = [
        ("unsafe { caught(0, || 1) }", true),
        ("caught::<u32>(0, || 1)", true),
        ("done(\"A\", NONE, || Ok(()))", true),
        ("let a = caught(0, || 1); a", false),
        ("clock::sleep(1);", false),
        ("donee(1)", false),
        ("", false),
    ];
    for (body, guarded) in rows {
        assert_eq!(is_call_of(body, &["caught", "done"]), guarded, "{body}");
    }
}
