//! The texts of `winhttp_lab.h`: its examples are taken, what is wrong is refused and told.

use std::ffi::{CStr, CString};
use std::ptr::{null, null_mut};

use portable_winhttp::lab_api::*;
use serde_json::Value;

fn text(text: &str) -> CString {
    CString::new(text).unwrap()
}

/// A lab; NULL if it is refused.
fn begin(json: &str) -> *mut WinHttpLab {
    // SAFETY: a text with a NUL.
    unsafe { WinHttpLabBegin(text(json).as_ptr()) }
}

/// The report of the end; empty if it is good.
fn end(lab: *mut WinHttpLab) -> String {
    let mut report = null_mut();
    // SAFETY: the place lives; the report was handed out.
    unsafe {
        let well = WinHttpLabEnd(lab, &raw mut report);
        let said = if report.is_null() { String::new() } else { CStr::from_ptr(report).to_str().unwrap().to_owned() };
        WinHttpLabFree(report);
        assert_eq!(well == 1, said.is_empty(), "{said}");
        said
    }
}

/// The examples of the header, with their kinds.
fn examples() -> Vec<(String, Value)> {
    let header = include_str!("../../include/winhttp_lab.h");
    let mut blocks: Vec<(String, String)> = Vec::new();
    for line in header.lines().take_while(|line| !line.starts_with("#ifndef")) {
        let line = line.strip_prefix(" *").unwrap_or_default();
        let (front, rest) = line.split_at_checked(11).unwrap_or((line, ""));
        let is_json = rest.trim_start().starts_with(['{', '"']);
        match front.trim() {
            "" if is_json => blocks.last_mut().unwrap().1 += rest,
            kind if is_json && front.starts_with("   ") => blocks.push((kind.to_owned(), rest.to_owned())),
            _ => {}
        }
    }
    let values = |(kind, text): (String, String)| {
        let text = ["RULE", "REPLY", "ACT", "FAULT"]
            .iter()
            .fold(text, |text, kind| text.replace(&format!("[{kind}...]"), "[]"));
        let values: Vec<Value> =
            serde_json::Deserializer::from_str(&text).into_iter().map(|value| value.unwrap()).collect();
        values.into_iter().map(move |value| (kind.clone(), value))
    };
    blocks.into_iter().flat_map(values).collect()
}

/// A peer with this description of a rule, a reply, or what a reply does.
fn peer(kind: &str, value: &Value) -> String {
    let rule = match kind {
        "RULE" => value.clone(),
        "REPLY" => serde_json::json!({"replies": [value]}),
        _ => serde_json::json!({"replies": [{"web_socket": [value]}]}),
    };
    serde_json::json!({"origin": "https://api.test", "rules": [rule]}).to_string()
}

#[test]
fn the_examples_of_the_header_are_taken() {
    let examples = examples();
    for kind in ["begin", "peer", "RULE", "REPLY", "ACT", "FAULT"] {
        assert!(examples.iter().any(|(known, _)| known == kind), "{kind}");
    }
    assert!(examples.len() > 35, "{}", examples.len());
    for (kind, value) in examples {
        let lab = begin(&if kind == "begin" { value.to_string() } else { "{}".to_owned() });
        assert!(!lab.is_null(), "{value}");
        // SAFETY: texts with a NUL.
        let taken = unsafe {
            match kind.as_str() {
                "begin" => 1,
                "peer" => WinHttpLabPeer(lab, text(&value.to_string()).as_ptr()),
                "FAULT" => WinHttpLabFault(lab, text(&value.to_string()).as_ptr()),
                _ => WinHttpLabPeer(lab, text(&peer(&kind, &value)).as_ptr()),
            }
        };
        assert_eq!(taken, 1, "{value}");
        let report = end(lab);
        assert!(!report.contains("refused"), "{report}");
    }
}

#[test]
fn what_is_wrong_is_refused_and_told() {
    let rows = [
        ("REPLY", r#"{"status": 42}"#, "42"),
        ("REPLY", r#"{"status": 100}"#, "100"),
        ("REPLY", r#"{"status": 1000}"#, "1000"),
        ("REPLY", r#"{"interim": [200]}"#, "102 to 199: 200"),
        ("REPLY", r#"{"interim": [101]}"#, "102 to 199: 101"),
        ("REPLY", r#"{"headers": {"a": "b\r\nc: d"}}"#, "character"),
        ("REPLY", r#"{"headers": {"a\n": "b"}}"#, "no field"),
        ("REPLY", r#"{"headers": {"": "b"}}"#, "no field"),
        ("REPLY", r#"{"body": "x", "trailers": {"a": "\u0000"}}"#, "character"),
        ("REPLY", r#"{"redirect": "/\r\nx: y"}"#, "character"),
        ("REPLY", r#"{"redirect": "/", "status": 200}"#, "redirect"),
        ("REPLY", r#"{"body": "hello", "chunks": [3, 3]}"#, "6 bytes"),
        ("REPLY", r#"{"body": "hello", "chunks": [5, 0]}"#, "0 bytes"),
        ("REPLY", r#"{"body": "hello", "chunks": [5], "until_close": true}"#, "end with the connection"),
        ("REPLY", r#"{"status": 204, "body": "x"}"#, "204"),
        ("REPLY", r#"{"never": true, "status": 200}"#, "status"),
        ("REPLY", r#"{"never": true, "delay_ms": 1}"#, "no reply comes"),
        ("REPLY", r#"{"then": [{"at": "connect", "reset": true}]}"#, "no reply is there"),
        ("RULE", r#"{"expect": [3, 1]}"#, "expect"),
        ("RULE", r#"{"path": "items"}"#, "/items"),
        ("RULE", r#"{"headers": {"a b": "c"}}"#, "no field"),
        ("FAULT", r#"{"at": "connect"}"#, "happens"),
        ("FAULT", r#"{"at": "connect", "fail": 1, "reset": true}"#, "one thing"),
        ("FAULT", r#"{"at": "connect", "settle": true}"#, "happens"),
        ("FAULT", r#"{"at": "connect", "fail": 1, "nth": 0}"#, "0th"),
        ("FAULT", r#"{"at": "connect", "fail": 1, "nth": 1, "first": 1}"#, "nth and first"),
        ("FAULT", r#"{"at": "connect", "slow": 5}"#, "Read"),
        ("FAULT", r#"{"at": "connect", "fail": 1, "of": "request 1"}"#, "request 1"),
        ("FAULT", r#"{"in_call": "WinHttpNothing", "fail": 1}"#, "WinHttpNothing"),
        ("FAULT", r#"{"on": "NOTHING", "settle": true}"#, "NOTHING"),
        ("peer", r#"{"origin": "ftp://api.test"}"#, "ftp://"),
        ("peer", "{", "EOF"),
    ];
    for (kind, json, says) in rows {
        let lab = begin("{}");
        let whole = match kind {
            "peer" | "FAULT" => json.to_owned(),
            _ => peer(kind, &serde_json::from_str(json).unwrap()),
        };
        // SAFETY: a text with a NUL.
        let taken = unsafe {
            let whole = text(&whole);
            if kind == "FAULT" { WinHttpLabFault(lab, whole.as_ptr()) } else { WinHttpLabPeer(lab, whole.as_ptr()) }
        };
        assert_eq!((taken, portable_winhttp::win32::last_error().0), (0, 87), "{json}");
        let report = end(lab);
        assert!(report.contains("the lab refused: ") && report.contains(says), "{json}: {report}");
    }
    for json in
        [r#"{"choices": "1/2"}"#, r#"{"choices": "d1/2", "seed": 1}"#, r#"{"delivery": "late"}"#, r#"{"seeds": 1}"#]
    {
        assert!(begin(json).is_null(), "{json}");
    }
    // SAFETY: a text with a NUL.
    unsafe { assert!(WinHttpLabBegin(c"{\"profile\": \"\xff\"}".as_ptr()).is_null()) };
}

#[test]
fn what_is_no_lab_is_refused() {
    let lab = begin("{}");
    // SAFETY: texts with a NUL, or NULL.
    unsafe {
        assert!(WinHttpLabReceived(lab, c"https://nobody.test".as_ptr()).is_null());
        assert_eq!(WinHttpLabPeer(lab, c"{\"origin\": \"https://api.test\"}".as_ptr()), 1);
        let received = WinHttpLabReceived(lab, c"https://api.test:443".as_ptr());
        assert!(!received.is_null());
        WinHttpLabFree(received);
        assert_eq!(WinHttpLabFault(lab, null()), 0);
        assert_eq!(WinHttpLabBlockUntil(lab, None, null_mut()), 0);
    }
    let elsewhere = lab.expose_provenance();
    let other = std::thread::spawn(move || end(std::ptr::with_exposed_provenance_mut(elsewhere))).join().unwrap();
    assert!(other.contains("no such lab on this thread"), "{other}");
    let report = end(lab);
    for says in ["https://nobody.test", "no text", "no function", "belongs on the thread"] {
        assert!(report.contains(says), "{report}");
    }
    for gone in [lab, null_mut(), std::ptr::without_provenance_mut(0x1234)] {
        assert!(end(gone).contains("no such lab"));
        // SAFETY: any value is looked at only.
        unsafe {
            assert_eq!((WinHttpLabStep(gone), portable_winhttp::win32::last_error().0), (0, 6));
            WinHttpLabOpenGate(gone, c"a".as_ptr());
            assert!(WinHttpLabTrace(gone).is_null());
        }
    }
}
