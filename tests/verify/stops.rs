//! One row a stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{null, null_mut};
use std::sync::Mutex;

use portable_winhttp::lab::{Reply, Sim};
use portable_winhttp::verify::Level::{self, Error, Note, Warn};
use portable_winhttp::verify::Stop;
use portable_winhttp::win32::{WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS, WINHTTP_CALLBACK_FLAG_HANDLES};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::callbacks::*;
use crate::client::One;
use crate::contexts::*;
use crate::errors::*;
use crate::handles::*;
use crate::operations::*;
use crate::support::{close, receive};

pub const READ: u32 = WINHTTP_CALLBACK_STATUS_READ_COMPLETE;
pub const SENT: u32 = WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE;
pub const WROTE: u32 = WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE;
pub const ERROR: u32 = WINHTTP_CALLBACK_STATUS_REQUEST_ERROR;
pub const CLOSING: u32 = WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;

/// The stop, its level and what is said of the mistake; the client that makes it, and its twin.
struct Row {
    stop: Stop,
    level: Level,
    says: &'static str,
    wrong: fn(&Sim),
    right: fn(&Sim),
}

const fn row(stop: Stop, level: Level, says: &'static str, wrong: fn(&Sim), right: fn(&Sim)) -> Row {
    Row { stop, level, says, wrong, right }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row(Stop::ContextFreed, Error, "HANDLE_CLOSING comes with a context that was freed",
        |sim| free_context(sim, false), |sim| free_context(sim, true)),
    row(Stop::ContextFreed, Error, "a context is freed that was freed before",
        |sim| free_twice(sim, 2), |sim| free_twice(sim, 1)),
    row(Stop::ContextFreed, Error, "a context is freed while the callback of SENDREQUEST_COMPLETE runs with it",
        |sim| free_beside_callback(sim, true), |sim| free_beside_callback(sim, false)),
    row(Stop::ContextNeverBound, Error, "HANDLE_CLOSING came with context 0: none was ever bound to the handle",
        |sim| wait_for_closing(sim, false), |sim| wait_for_closing(sim, true)),
    row(Stop::NotInMask, Warn, "WinHttpReceiveResponse begins, but its end is not in the mask of a callback",
        |sim| mask(sim, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS & !WINHTTP_CALLBACK_FLAG_HEADERS_AVAILABLE),
        |sim| mask(sim, WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS | WINHTTP_CALLBACK_FLAG_HANDLES)),
    row(Stop::NotInMask, Error, "it was closed, but HANDLE_CLOSING is not in its mask",
        |sim| mask(sim, WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS),
        |sim| mask(sim, WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS | WINHTTP_CALLBACK_FLAG_HANDLES)),
    row(Stop::NotInMask, Note, "TLS failed, and SECURE_FAILURE, which says why, is not in the mask",
        |sim| tls_failure(sim, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS & !WINHTTP_CALLBACK_FLAG_SECURE_FAILURE),
        |sim| tls_failure(sim, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS)),
    row(Stop::Overlapping, Error, "WinHttpReadData while WinHttpReadData is pending",
        |sim| overlap(sim, true), |sim| overlap(sim, false)),
    row(Stop::Overlapping, Warn, "WinHttpReadData before the end of WinHttpReceiveResponse was told",
        |sim| overtake(sim, true), |sim| overtake(sim, false)),
    row(Stop::OutParameter, Warn, "WinHttpReadData got an out parameter in asynchronous mode",
        |sim| out_parameter(sim, true), |sim| out_parameter(sim, false)),
    row(Stop::OutParameter, Error,
        "the out parameter of WinHttpReadData was used for something else when its value came",
        |sim| out_parameter_gone(sim, true), |sim| out_parameter_gone(sim, false)),
    row(Stop::ReadBufferTouched, Error, "the buffer was touched before the read had ended",
        |sim| touch_read(sim, true), |sim| touch_read(sim, false)),
    row(Stop::ReadBufferTouched, Error, "the buffer was touched before the read had ended",
        |sim| touch_cancelled_read(sim, true), |sim| touch_cancelled_read(sim, false)),
    row(Stop::WriteBufferTouched, Error, "the bytes given to WinHttpWriteData were touched before the operation had ended",
        |sim| touch_write(sim, true), |sim| touch_write(sim, false)),
    row(Stop::WriteBufferTouched, Error,
        "the bytes given to WinHttpSendRequest were touched before the operation had ended",
        |sim| touch_optional(sim, 0), |sim| touch_optional(sim, 2)),
    row(Stop::WriteBufferTouched, Warn, "the bytes given to WinHttpSendRequest were touched before the reply was there",
        |sim| touch_optional(sim, 1), |sim| touch_optional(sim, 2)),
    row(Stop::HandleAfterClose, Error, "WinHttpReceiveResponse on a handle that was closed",
        |sim| use_closed(sim, true), |sim| use_closed(sim, false)),
    row(Stop::HandleAfterClose, Error, "WinHttpCloseHandle on a handle that was closed",
        |sim| close_again(sim, false), |sim| close_again(sim, true)),
    row(Stop::HandleAfterClose, Error, "WinHttpCloseHandle on a value that is no handle",
        |_| assert_eq!(close(0x1234 as _), 0), |_| assert_eq!(close(null_mut()), 0)),
    row(Stop::HandleAfterClose, Error, "WinHttpReceiveResponse on NULL",
        |_| assert_eq!(receive(null_mut()), 0), |sim| One::get(sim, Reply::ok()).all(sim)),
    row(Stop::LastErrorOverwritten, Warn, "the error of WinHttpQueryHeaders was overwritten by WinHttpCloseHandle, which succeeded",
        |sim| ask_late(sim, true), |sim| ask_late(sim, false)),
    row(Stop::LastErrorOverwritten, Warn, "the error of WinHttpQueryHeaders was overwritten by WinHttpCloseHandle, which succeeded",
        |sim| ask_late(sim, true), set_and_ask),
    row(Stop::LastErrorOverwritten, Note, "asked for after WinHttpSetTimeouts, which succeeded",
        |sim| ask_after_success(sim, true), |sim| ask_after_success(sim, false)),
    row(Stop::WaitInCallback, Warn, "the callback of SENDREQUEST_COMPLETE waits for an event",
        |sim| wait_in_callback(sim, true), |sim| wait_in_callback(sim, false)),
    row(Stop::WaitInCallback, Warn, "the callback of SENDREQUEST_COMPLETE took 5000 ms",
        |sim| sleep_in_callback(sim, 5000), |sim| sleep_in_callback(sim, 0)),
    row(Stop::WaitInCallback, Error, "the callback of SENDREQUEST_COMPLETE has not returned",
        |sim| wait_for_another(sim, u32::MAX), |sim| wait_for_another(sim, 0)),
    row(Stop::HandleLeaked, Error, "made by WinHttpOpenRequest, was not closed",
        |sim| leak(sim, true), |sim| leak(sim, false)),
    row(Stop::HandleLeaked, Error, "a context was not freed",
        |sim| free_twice(sim, 0), |sim| free_twice(sim, 1)),
    row(Stop::HandleLeaked, Note, "closed before the handle that was made from it",
        |sim| parent_first(sim, true), |sim| parent_first(sim, false)),
    row(Stop::BufferNotGrown, Warn, "WinHttpQueryHeaders asked for a larger buffer and was not called with one",
        |sim| grow(sim, 8), |sim| grow(sim, 1000)),
    row(Stop::ContextFreedOnFailure, Error, "HANDLE_CLOSING comes with a context that was freed",
        |sim| fail_at_once(sim, true), |sim| fail_at_once(sim, false)),
    row(Stop::FailureIgnored, Warn, "WinHttpReceiveResponse after REQUEST_ERROR told that WinHttpSendRequest failed",
        |sim| ignore_failure(sim, true), |sim| ignore_failure(sim, false)),
    row(Stop::FailureIgnored, Warn, "WinHttpReceiveResponse after WinHttpSendRequest answered FALSE",
        |sim| go_on_after_false(sim, true), |sim| go_on_after_false(sim, false)),
    row(Stop::FailureIgnored, Error, "WinHttpSendRequest answered FALSE (ERROR_INVALID_PARAMETER (87)",
        |sim| wait_after_false(sim, true), |sim| wait_after_false(sim, false)),
    row(Stop::EndIgnored, Note, "read 3 times after it was told of 0 bytes, the end",
        |sim| read_on(sim, 5), |sim| read_on(sim, 2)),
    row(Stop::ClosedDuringCall, Error, "closed while another thread is in WinHttpReceiveResponse",
        |sim| close_beside(sim, true), |sim| close_beside(sim, false)),
    row(Stop::PointerUnreadable, Error, "lpszHeaders of WinHttpSendRequest cannot be read",
        |sim| headers_at(sim, 2 as _), |sim| headers_at(sim, null())),
    row(Stop::CallbackTakenAway, Warn, "an operation is pending",
        |sim| take_callback(sim, true), |sim| take_callback(sim, false)),
    row(Stop::SecretCarriedAway, Warn, "Authorization of the application follows a redirect to another origin",
        |sim| follow(sim, "http://other.test/", "Authorization: Basic eA=="), |sim| follow(sim, "/2", "Authorization: Basic eA==")),
    row(Stop::SecretCarriedAway, Warn, "Cookie of the application follows a redirect to another origin",
        |sim| follow(sim, "http://other.test/", "Cookie: a=b"), |sim| follow(sim, "http://other.test/", "X-Other: a=b")),
];

/// Runs a client; what it did wrong, and the report of its Sim if that fails.
pub fn play(client: impl Fn(&Sim), allowed: Option<Stop>) -> (Vec<(Stop, Level, String)>, Option<String>) {
    let seen = Mutex::new(Vec::new());
    let played = catch_unwind(AssertUnwindSafe(|| {
        let sim = Sim::new();
        if let Some(stop) = allowed {
            sim.allow(stop);
        }
        client(&sim);
        *seen.lock().unwrap() = sim.mistakes();
    }));
    let report = played.err().map(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default());
    let seen = seen.into_inner().unwrap().into_iter();
    (seen.map(|mistake| (mistake.stop, mistake.level, mistake.what)).collect(), report)
}

#[test]
fn each_stop_has_a_client_that_runs_into_it_and_a_twin_that_does_not() {
    for Row { stop, level, says, wrong, right } in ROWS {
        let (seen, report) = play(*wrong, None);
        let report = report.unwrap_or_default();
        let told = seen.iter().any(|(of, at, what)| (of, at) == (stop, level) && what.contains(says));
        match level {
            Error => {
                let line = format!("{stop} error: ");
                assert!(report.contains(&line) && report.contains(says), "{stop} {says}: {seen:?}\n{report}");
                assert!(report.contains(stop.fix()), "{stop}: {report}");
            }
            _ => {
                assert!(told, "{stop} {says}: {seen:?}\n{report}");
                assert_eq!(report, "", "{stop} {says}: what Windows allows fails no test");
            }
        }

        let (seen, report) = play(*right, None);
        assert_eq!(report, None, "{stop} {says}: the twin");
        let same = seen.iter().find(|(of, _, what)| of == stop && what.contains(says));
        assert_eq!(same, None, "{stop} {says}: the twin");

        let (seen, report) = play(*wrong, Some(*stop));
        assert!(seen.iter().all(|(of, ..)| of != stop), "{stop} {says}: allowed");
        assert!(report.is_none_or(|report| !report.contains(&format!("{stop} "))), "{stop} {says}: allowed");
    }
}

#[test]
fn every_stop_is_in_the_table() {
    for stop in Stop::ALL {
        assert!(ROWS.iter().any(|row| row.stop == *stop), "{stop}");
        assert_eq!(Stop::from_id(stop.id()), Some(*stop));
        assert!([stop.title(), stop.why(), stop.fix()].iter().all(|text| !text.is_empty()));
    }
}

/// The report of an error has the trace up to it, and no more.
#[test]
fn the_trace_ends_with_the_mistake() {
    let (_, report) = play(|sim| close_again(sim, false), None);
    let report = report.unwrap();
    let (_, trace) = report.split_once("ms").expect("a table");
    assert!(trace.trim_end().ends_with("# W08 error: R1: WinHttpCloseHandle on a handle that was closed"), "{report}");
}
