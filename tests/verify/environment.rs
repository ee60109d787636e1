//! WINHTTP_VERIFY: this program starts itself, once for each value, and reads what is written to stderr.

use std::process::Command;
use std::ptr::null_mut;

use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::read_to;
use crate::support::*;

/// A program with some mistakes, in the real world.
#[test]
#[ignore = "the program of the test below"]
fn program() {
    let port = serve_always("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
    let record = Record::new();
    let client = Client::new(true, port);
    let request = client.request("GET", "/", &record);
    assert_eq!(send(request), 1);
    record.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
    assert_eq!(receive(request), 1);
    record.wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
    let (mut buffer, mut count) = (*b"....!", 0);
    assert_eq!(read_to(request, &mut buffer[..4], &raw mut count), 1);
    record.wait(WINHTTP_CALLBACK_STATUS_READ_COMPLETE);
    assert_eq!(&buffer, b"body!");
    close(request);
    record.wait(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
    assert_eq!(close(request), 0);
    assert_eq!(close(null_mut()), 0);
}

fn stderr(verify: Option<&str>) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "environment::program", "--nocapture"]).env_remove("WINHTTP_VERIFY");
    command.envs(verify.map(|value| ("WINHTTP_VERIFY", value)));
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    stderr
}

#[test]
fn a_program_is_watched_when_the_environment_says_so() {
    const W05: &str = "W05 warn: R1: WinHttpReadData got an out parameter in asynchronous mode";
    const W08: &str = "W08 error: R1: WinHttpCloseHandle on a handle that was closed";
    const W11: &str = "W11 error: S1: made by WinHttpOpen, was not closed";
    let rows: [(Option<&str>, &[&str]); 6] = [
        (None, &[]),
        (Some("off"), &[]),
        (Some("on"), &[W05, W08, W11]),
        (Some("W08"), &[W08]),
        (Some("W05,W11"), &[W05, W11]),
        (
            Some("nonsense"),
            &["WINHTTP_VERIFY: expected on, off or ids like W01,W06, found \"nonsense\"; off is assumed"],
        ),
    ];
    for (value, expected) in rows {
        let stderr = stderr(value);
        // The connection is left open, too: the session is enough.
        let told = |line: &&str| line.starts_with('W') && !line.contains("C1: ");
        let found: Vec<&str> = stderr.lines().filter(told).collect();
        assert_eq!(found, expected, "{value:?}: {stderr}");
        if expected.contains(&W08) {
            assert!(stderr.contains("how to fix it: Store the handle in one place"), "{stderr}");
            assert!(stderr.contains("HANDLE_CLOSING"), "the last that happened: {stderr}");
        }
    }
}

/// A name that nearly is that of a variable is told.
#[test]
fn a_misspelled_variable_is_told() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "environment::program", "--nocapture"]);
    let output = command.env("WINHTTP_VERFY", "on").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("WINHTTP_VERFY: there is no such variable; is WINHTTP_VERIFY meant?"), "{stderr}");
}
