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

/// WINHTTP_OPTION_FEATURE_SUPPORTED agrees with the table of functions and options (source m15).
#[test]
fn what_is_called_supported_is_implemented() {
    use windows_sys::Win32::Networking::WinHttp::*;
    let asked = |feature: u32| {
        let (mut answer, mut length) = (feature, 4);
        // SAFETY: four bytes, which are written over.
        unsafe {
            let session = WinHttpOpen(std::ptr::null(), 1, std::ptr::null(), std::ptr::null(), 0);
            let place = (&raw mut answer).cast();
            assert_eq!(WinHttpQueryOption(session, WINHTTP_OPTION_FEATURE_SUPPORTED, place, &mut length), 1);
            assert_eq!(WinHttpCloseHandle(session), 1);
        }
        answer != 0
    };
    let function = |name: &str| functions().iter().any(|row| row.name == name && row.status == "implemented");
    let option = |name: &str| options().iter().any(|row| row.name == name && row.status == "implemented");
    let rows = [
        (WINHTTP_FEATURE_QUERY_CONNECTION_GROUP, function("WinHttpQueryConnectionGroup")),
        (WINHTTP_FEATURE_FREE_QUERY_CONNECTION_GROUP_RESULT, function("WinHttpFreeQueryConnectionGroupResult")),
        (WINHTTP_FEATURE_QUERY_HEADERS_EX, function("WinHttpQueryHeadersEx")),
        (WINHTTP_FEATURE_READ_DATA_EX, function("WinHttpReadDataEx")),
        (WINHTTP_FEATURE_ADD_REQUEST_HEADERS_EX, function("WinHttpAddRequestHeadersEx")),
        (WINHTTP_FEATURE_SET_PROXY_SETINGS_PER_USER, function("WinHttpSetProxySettingsPerUser")),
        (WINHTTP_FEATURE_CONNECTION_GUID, option("WINHTTP_OPTION_CONNECTION_GUID")),
        (WINHTTP_FEATURE_MATCH_CONNECTION_GUID, option("WINHTTP_OPTION_MATCH_CONNECTION_GUID")),
        (
            WINHTTP_FEATURE_MATCH_CONNECTION_GUID_FLAG_REQUIRE_MARKED_CONNECTION,
            option("WINHTTP_OPTION_MATCH_CONNECTION_GUID"),
        ),
        (WINHTTP_FEATURE_HTTP2_KEEPALIVE, option("WINHTTP_OPTION_HTTP2_KEEPALIVE")),
        (WINHTTP_FEATURE_QUIC_STATS, option("WINHTTP_OPTION_QUIC_STATS")),
        (WINHTTP_FEATURE_SET_TOKEN_BINDING, option("WINHTTP_OPTION_SET_TOKEN_BINDING")),
        (0xffff, false),
    ];
    for (feature, implemented) in rows {
        assert_eq!(asked(feature), implemented, "feature {feature}");
    }
}
