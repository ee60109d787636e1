//! Each line of the threat model names tests that are there.

use std::fs;
use std::path::Path;

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Whether the fixture, or the test of this file, exists.
fn exists(reference: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    match reference.split_once(": ") {
        None => reference.starts_with("fixtures/") && root.join(reference).exists(),
        Some((file, test)) => fs::read_to_string(root.join(file)).is_ok_and(|source| {
            let begin = format!("fn {test}(");
            source.match_indices(&begin).any(|(at, _)| {
                let before = source[..at].trim_end();
                // Other attributes may stand between.
                before.lines().rev().take(4).any(|line| line.trim() == "#[test]")
            })
        }),
    }
}

#[test]
fn each_line_of_the_threat_model_names_its_tests() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("SECURITY.md")).unwrap();
    let mut lines = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.ends_with(" by |")) {
        let cell = row.trim_end_matches('|').rsplit(" | ").next().unwrap();
        assert!(quoted(cell).count() > 0, "no test is named: {row}");
        for reference in quoted(cell) {
            assert!(exists(reference), "{reference}: {row}");
        }
        lines += 1;
    }
    assert!(lines > 40, "only {lines} lines were found");
}
