//! The environment variables of this library: what they are called, and that nothing in them is overlooked.
#![forbid(unsafe_code)]

use std::env;
use std::ffi::{OsStr, OsString};
use std::sync::Once;

/// All of them.
const NAMES: [&str; 13] = [
    "PORTABLE_WINHTTP_CA_FILE",
    "WINHTTP_AUTOCONFIG_URL",
    "WINHTTP_ISOLATED",
    "WINHTTP_LIVE",
    "WINHTTP_NEWER_DIGEST",
    "WINHTTP_PATIENCE",
    "WINHTTP_REPLAY",
    "WINHTTP_SEED",
    "WINHTTP_SHARD",
    "WINHTTP_TRACE",
    "WINHTTP_TRACE_CONTENT",
    "WINHTTP_VERIFY",
    "WINHTTP_WPAD",
];
/// So many letters may be wrong in a name that is taken for one of these.
const NEAR: usize = 2;

/// The value of a variable, unless it is unset or empty. The first time, names that nearly are one of these are told.
pub fn value(name: &str) -> Option<OsString> {
    static LOOKED: Once = Once::new();
    debug_assert!(NAMES.contains(&name), "{name} is none of this library's variables");
    LOOKED.call_once(|| misspelled(env::vars_os().map(|(name, _)| name)).iter().for_each(|line| eprintln!("{line}")));
    env::var_os(name).filter(|value| !value.is_empty())
}

/// What a variable says, if it is set: `Err` if that is not what is expected.
pub fn read<T>(name: &str, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, String> {
    let Some(value) = value(name) else { return Ok(None) };
    value.to_str().and_then(parse).map(Some).ok_or_else(|| unexpected(name, expected, &value))
}

/// What a variable says; where that is not what is expected, this is told, and `assumed` instead.
pub fn read_or<T>(
    name: &str,
    expected: &str,
    (assumed, otherwise): (&str, T),
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    read(name, expected, parse).unwrap_or_else(|wrong| {
        eprintln!("{wrong}; {assumed} is assumed");
        Some(otherwise)
    })
}

/// Whether a variable is switched on.
pub fn is_on(name: &str) -> bool {
    let parse = |value: &str| match value {
        "1" | "on" | "true" => Some(true),
        "0" | "off" | "false" => Some(false),
        _ => None,
    };
    read_or(name, "on or off", ("off", false), parse).unwrap_or(false)
}

fn unexpected(name: &str, expected: &str, value: &OsStr) -> String {
    format!("{name}: expected {expected}, found {value:?}")
}

/// Of these names, those that nearly are one of ours.
fn misspelled(names: impl Iterator<Item = OsString>) -> Vec<String> {
    let told = |name: OsString| {
        let name = name.to_str()?;
        let near = nearest(name, NAMES.iter().copied(), NEAR)?;
        (near != name).then(|| format!("{name}: there is no such variable; is {near} meant?"))
    };
    names.filter_map(told).collect()
}

/// The one of these names that is like this one, if not more than so many letters are wrong. Small and large ones are alike.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>, wrong: usize) -> Option<&'a str> {
    let letters = |name: &str| name.to_ascii_lowercase().chars().collect::<Vec<_>>();
    let wanted = letters(name);
    let nearest = known.map(|known| (distance(&letters(known), &wanted), known)).min()?;
    Some(nearest.1).filter(|_| nearest.0 <= wrong)
}

/// How many letters must be put in, left out or changed.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.iter().enumerate() {
        let mut before = std::mem::replace(&mut row[0], i + 1);
        for (j, wanted) in other.iter().enumerate() {
            let changed = before + usize::from(letter != wanted);
            before = row[j + 1];
            row[j + 1] = changed.min(before + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nearly_are_one() {
        let rows = [
            ("WINHTTP_VERFY", Some("WINHTTP_VERIFY")),
            ("WINHTTP_RELPAY", Some("WINHTTP_REPLAY")),
            ("winhttp_seed", Some("WINHTTP_SEED")),
            ("WINHTTP_TRACE", None),
            ("WINHTTP_TEST_SERVER", None),
            ("PATH", None),
        ];
        for (name, meant) in rows {
            let told = misspelled([OsString::from(name)].into_iter());
            let expected = meant.map(|meant| format!("{name}: there is no such variable; is {meant} meant?"));
            assert_eq!(told, Vec::from_iter(expected), "{name}");
        }
    }
}
