//! Each option x handle x (query, set) x size. What an option takes is said in `options.tsv`, from the reference; what
//! every option has in common, here (sources option.set, O1).

use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::{null, null_mut};

use portable_winhttp::api::surface;
use windows_sys::Win32::Networking::WinHttp::*;

use super::{Handles, failed};

struct Row {
    name: &'static str,
    number: u32,
    shape: &'static str,
    query: &'static str,
    set: &'static str,
    source: &'static str,
}

fn rows() -> Vec<Row> {
    let lines = include_str!("options.tsv").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [name, number, shape, query, set, source] = fields[..] else { panic!("{line}") };
            let plain = |field: &'static str| if field == "-" { "" } else { field };
            Row { name, number: number.parse().unwrap(), shape, query: plain(query), set: plain(set), source }
        })
        .collect()
}

/// Bytes of a value, where that is fixed.
fn size(shape: &str) -> Option<usize> {
    match shape {
        "DWORD" => Some(4),
        "POINTER" => Some(size_of::<usize>()),
        _ => shape.strip_prefix("STRUCT:").and_then(|size| size.parse().ok()),
    }
}

/// Options whose wrong size is ERROR_INVALID_PARAMETER, not ERROR_INSUFFICIENT_BUFFER
/// (source option.set; the third by inference; handle.unload-refused).
const STRICT: [&str; 4] =
    ["ENABLE_FEATURE", "WEB_SOCKET_KEEPALIVE_INTERVAL", "ENABLE_HTTP_PROTOCOL", "UNLOAD_NOTIFY_EVENT"];
/// What a query answers that comes too early: the state is wrong, or there is no such thing.
const NOTHING_YET: [u32; 3] = [12019, 4317, 12150];

/// NULL, and every handle.
fn handles(handles: &Handles) -> Vec<(char, *mut c_void)> {
    [('N', null_mut())].into_iter().chain(handles.all.iter().copied()).collect()
}

/// A request that was answered is a request.
fn letter(kind: char) -> char {
    if kind == 'D' { 'R' } else { kind }
}

fn status_of() -> HashMap<&'static str, &'static str> {
    surface::options()
        .into_iter()
        .map(|option| (option.name.trim_start_matches("WINHTTP_OPTION_"), option.status))
        .collect()
}

#[test]
fn the_tables_have_the_same_options() {
    let status = status_of();
    let rows = rows();
    assert_eq!(rows.len(), status.len());
    for row in rows {
        assert!(status.contains_key(row.name), "{}", row.name);
    }
}

/// The error of a query with a buffer of exactly `length` bytes, or none, and the length afterwards.
fn query(handle: *mut c_void, option: u32, length: Option<usize>) -> (u32, u32, Vec<u8>) {
    let mut buffer = vec![0xEEu8; length.unwrap_or(0)];
    let mut reported = buffer.len() as u32;
    let pointer = if length.is_some() { buffer.as_mut_ptr().cast() } else { null_mut() };
    // SAFETY: the buffer has so many bytes.
    let answer = unsafe { WinHttpQueryOption(handle, option, pointer, &mut reported) };
    (failed(answer != 0), reported, buffer)
}

/// What was answered otherwise than the rows say: all of it, not the first.
#[derive(Default)]
struct Deviations(Vec<String>);

impl Deviations {
    fn expect<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, how: &str, answer: T, expected: T) {
        if answer != expected {
            self.0.push(format!("{what}, {how}: {answer:?}, not {expected:?}"));
        }
    }

    /// None of these errors.
    fn expect_not(&mut self, what: &str, how: &str, answer: u32, errors: &[u32]) {
        if errors.contains(&answer) {
            self.0.push(format!("{what}, {how}: {answer}"));
        }
    }

    fn none(self) {
        assert!(self.0.is_empty(), "{} deviations: {:#?}", self.0.len(), self.0);
    }
}

fn untouched(buffer: &[u8]) -> bool {
    buffer.iter().all(|byte| *byte == 0xEE)
}

#[test]
fn queries() {
    let open = Handles::open();
    let status = status_of();
    let mut deviations = Deviations::default();
    for row in rows() {
        for (kind, handle) in handles(&open) {
            let what = format!("query {} ({}) on {kind} [{}]", row.name, row.number, row.source);
            let belongs = row.query.contains(letter(kind));
            let refused = match status[row.name] {
                _ if kind == 'N' && !belongs => Some(6),
                "absent" => Some(87),
                _ if row.query.is_empty() => Some(87),
                _ if !belongs => Some(12018),
                _ => None,
            };
            // SAFETY: NULL is what is tested.
            let no_length = failed(unsafe { WinHttpQueryOption(handle, row.number, null_mut(), null_mut()) } != 0);
            let expected = if kind == 'N' && !belongs { 6 } else { 87 };
            deviations.expect(&what, "length NULL", no_length, expected);
            let (error, needed, _) = query(handle, row.number, None);
            if let Some(expected) = refused {
                deviations.expect(&what, "no buffer", error, expected);
                for length in [0, 4, 1024] {
                    let (error, reported, buffer) = query(handle, row.number, Some(length));
                    let answer = (error, reported as usize, untouched(&buffer));
                    deviations.expect(&what, "a buffer", answer, (expected, length, true));
                }
                continue;
            }
            // Some have nothing to tell yet, whatever the buffer.
            if NOTHING_YET.contains(&error) {
                continue;
            }
            let needed = needed as usize;
            deviations.expect(&what, "no buffer", (error, needed), (122, size(row.shape).unwrap_or(needed)));
            if error != 122 || needed == 0 {
                deviations.expect(&what, "no buffer, needs bytes", needed == 0, false);
                continue;
            }
            let (error, reported, buffer) = query(handle, row.number, Some(needed - 1));
            let answer = (error, reported as usize, untouched(&buffer));
            deviations.expect(&what, "too short", answer, (122, needed, true));
            let exact = if matches!(row.shape, "TEXT" | "WIDE") { needed - 2 } else { needed };
            for length in [needed, needed + 9] {
                let (error, reported, buffer) = query(handle, row.number, Some(length));
                let answer = (error, reported as usize, untouched(&buffer[needed..]));
                deviations.expect(&what, "long enough", answer, (0, exact, true));
            }
        }
    }
    open.close();
    deviations.none();
}

#[test]
fn sets() {
    let status = status_of();
    let mut deviations = Deviations::default();
    for row in rows() {
        // What an option does to a handle must not reach the next one.
        let open = Handles::open();
        let set = |handle: *mut c_void, pointer: *const c_void, length: usize| {
            // SAFETY: the buffer has so many bytes, or characters.
            failed(unsafe { WinHttpSetOption(handle, row.number, pointer, length as u32) } != 0)
        };
        for (kind, handle) in handles(&open) {
            let what = format!("set {} ({}) on {kind} [{}]", row.name, row.number, row.source);
            let belongs = row.set.contains(letter(kind));
            let refused = match status[row.name] {
                _ if kind == 'N' && !belongs => Some(6),
                "absent" => Some(12009),
                _ if row.set.is_empty() => Some(12011),
                _ if !belongs => Some(12018),
                _ => None,
            };
            if refused != Some(6) {
                deviations.expect(&what, "NULL with a length", set(handle, null(), 8), 87);
            }
            let wrong_size = if STRICT.contains(&row.name) { 87 } else { 122 };
            match (refused, size(row.shape)) {
                (Some(expected), _) => {
                    let value = [0u8; 8];
                    deviations.expect(&what, "4 bytes", set(handle, value.as_ptr().cast(), 4), expected);
                    deviations.expect(&what, "nothing", set(handle, null(), 0), expected);
                }
                (None, Some(size)) => {
                    for length in [0, size - 1, size + 1, 2 * size] {
                        let value = vec![0u8; length];
                        let pointer = if length == 0 { null() } else { value.as_ptr().cast() };
                        deviations.expect(&what, &format!("{length} bytes"), set(handle, pointer, length), wrong_size);
                    }
                    let value = vec![0u8; size];
                    let error = set(handle, value.as_ptr().cast(), size);
                    deviations.expect_not(&what, "zeros", error, &[6, 122, 12009, 12011, 12018]);
                }
                (None, None) => {
                    deviations.expect_not(&what, "nothing", set(handle, null(), 0), &[6, 12009, 12011, 12018]);
                }
            }
        }
        open.close();
    }
    deviations.none();
}

/// What is set is read again, and a request has what its session had when it was opened.
#[test]
fn values_are_kept_and_inherited() {
    let rows = rows();
    for option in surface::options() {
        let name = option.name.trim_start_matches("WINHTTP_OPTION_");
        let row = rows.iter().find(|row| row.name == name).unwrap();
        let both = |kind| row.query.contains(kind) && row.set.contains(kind);
        if option.status != "implemented" || row.shape != "DWORD" || !both('S') {
            continue;
        }
        let open = Handles::open();
        let read = |handle| query(handle, row.number, Some(4));
        if let Ok(default) = option.default.parse::<u32>() {
            assert_eq!(read(open.of('S')).2, default.to_ne_bytes(), "{name}: the default");
        }
        // A value that is right for all of them.
        let value = 20_000u32.to_ne_bytes();
        // SAFETY: four bytes.
        let set = unsafe { WinHttpSetOption(open.of('S'), row.number, value.as_ptr().cast(), 4) };
        if set == 0 {
            open.close();
            continue;
        }
        let inherits = row.query.contains('R') && option.inherited;
        let request = open.client.request("GET", "/", &super::support::Record::new());
        let expected = if name == "RECEIVE_RESPONSE_TIMEOUT" { 30_000u32.to_ne_bytes() } else { value };
        assert_eq!(read(open.of('S')).2, expected, "{name}");
        if inherits {
            assert_eq!(read(request).2, expected, "{name}: of a request that was opened later");
            assert_ne!(read(open.of('R')).2, expected, "{name}: of a request that was there before");
        }
        super::support::close(request);
        open.close();
    }
}
