//! One row a stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portable_winhttp::lab::{self, Fault, Reply, Sim};
use portable_winhttp::record::Status;
use portable_winhttp::verify::{Level, Stop};
use portable_winhttp::win32::{WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS, WINHTTP_CALLBACK_FLAG_HANDLES};
use windows_sys::Win32::Networking::WinHttp::*;
use windows_sys::Win32::System::Threading::*;

use crate::client::*;
use crate::support::*;

const READ: u32 = WINHTTP_CALLBACK_STATUS_READ_COMPLETE;
const SENT: u32 = WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE;
const WROTE: u32 = WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE;
const ERROR: u32 = WINHTTP_CALLBACK_STATUS_REQUEST_ERROR;
const CLOSING: u32 = WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;

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

use Level::{Error, Note, Warn};

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
    row(Stop::HandleLeaked, Error, "1 contexts were not freed",
        |sim| free_twice(sim, 0), |sim| free_twice(sim, 1)),
    row(Stop::HandleLeaked, Warn, "closed before the handle that was made from it",
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

// ---- contexts ----

fn free_context(sim: &Sim, after_closing: bool) {
    let one = One::get(sim, Reply::ok());
    one.receive(sim);
    let context = Arc::as_ptr(&one.record) as usize;
    if !after_closing {
        lab::freed(context);
    }
    one.close(sim);
    if after_closing {
        lab::freed(context);
    }
}

/// Another thread is woken by the callback, and frees what the callback still uses.
fn free_beside_callback(sim: &Sim, early: bool) {
    let woken = Arc::new(Mutex::new(false));
    let wakes = Arc::clone(&woken);
    let one = One::with(sim, "GET", Reply::ok(), move |_, seen| {
        if seen.status == SENT {
            *wakes.lock().unwrap() = true;
            // SAFETY: no pointers.
            unsafe { Sleep(1) };
        }
    });
    let context = Arc::as_ptr(&one.record) as usize;
    assert_eq!(send(one.request), 1);
    sim.block_until(|| *woken.lock().unwrap());
    if early {
        lab::freed(context);
    }
    one.close(sim);
    if !early {
        lab::freed(context);
    }
}

fn free_twice(sim: &Sim, times: usize) {
    lab::allocated(0x5000);
    (0..times).for_each(|_| lab::freed(0x5000));
    let _ = sim;
}

/// Waits for HANDLE_CLOSING by its context; `bound` by option, and else never, because nothing was sent.
fn wait_for_closing(sim: &Sim, bound: bool) {
    let record = Record::new();
    let client = Client::new(true, 80);
    let request = client.request("GET", "/", &record);
    if !bound {
        let none = 0usize;
        // SAFETY: the option is a pointer's value.
        unsafe { WinHttpSetOption(request, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const none).cast(), 8) };
    }
    close(request);
    sim.block_until(|| record.statuses().contains(&CLOSING));
    client.close();
}

// ---- masks ----

fn mask(sim: &Sim, mask: u32) {
    let one = One::get(sim, Reply::ok());
    listen(one.request, mask);
    assert_eq!(send(one.request), 1);
    one.until(sim, SENT, 1);
    assert_eq!(receive(one.request), 1);
    sim.settle();
    one.close(sim);
}

fn tls_failure(sim: &Sim, mask: u32) {
    use portable_winhttp::lab::{Fault, Stage};
    let one = One::get(sim, Reply::ok());
    sim.peer("http://127.0.0.1:81").fault(Fault::at(Stage::Connect).secure(WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA));
    let other = Client::new(true, 81);
    let request = other.request("GET", "/", &one.record);
    listen(request, mask);
    assert_eq!(send(request), 1);
    one.until(sim, ERROR, 1);
    close(request);
    one.until(sim, CLOSING, 1);
    other.close();
    close(one.request);
    one.client.close();
}

// ---- operations ----

fn overlap(sim: &Sim, beside: bool) {
    let one = One::get(sim, late_body("0123456789"));
    one.receive(sim);
    let (mut first, mut second) = ([0; 4], [0; 4]);
    assert_eq!(read_to(one.request, &mut first, null_mut()), 1);
    if !beside {
        one.until(sim, READ, 1);
    }
    assert_eq!(read_to(one.request, &mut second, null_mut()), i32::from(!beside));
    one.until(sim, READ, if beside { 1 } else { 2 });
    one.close(sim);
}

/// The head is there, but HEADERS_AVAILABLE waits for a callback that has not returned.
fn overtake(sim: &Sim, overtakes: bool) {
    let gate = sim.gate("callback");
    sim.fault(Fault::on(Status(SENT)).hold(&gate));
    let one = One::get(sim, Reply::ok().body("x"));
    assert_eq!(send(one.request), 1);
    sim.block_until(|| gate.reached() == 1);
    assert_eq!(receive(one.request), 1);
    if !overtakes {
        gate.open();
        one.until(sim, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1);
    }
    read(one.request, 8);
    gate.open();
    one.until(sim, READ, 1);
    one.close(sim);
}

fn out_parameter(sim: &Sim, given: bool) {
    let one = One::get(sim, Reply::ok().body("x"));
    one.receive(sim);
    let (mut buffer, mut count) = ([0; 4], 0);
    assert_eq!(read_to(one.request, &mut buffer, if given { &raw mut count } else { null_mut() }), 1);
    one.until(sim, READ, 1);
    assert_eq!(count, u32::from(given));
    one.close(sim);
}

/// The count is written with the completion, when the variable may have become another.
fn out_parameter_gone(sim: &Sim, gone: bool) {
    sim.write_out_parameters_late();
    let one = One::get(sim, late_body("x"));
    one.receive(sim);
    let (mut buffer, mut count) = ([0; 1], 0);
    assert_eq!(read_to(one.request, &mut buffer, &raw mut count), 1);
    if gone {
        count = 77;
    }
    one.until(sim, READ, 1);
    assert_eq!(count, if gone { 77 } else { 1 });
    one.close(sim);
}

fn touch_read(sim: &Sim, early: bool) {
    let one = One::get(sim, late_body("0123"));
    one.receive(sim);
    let mut buffer = *b"....!";
    assert_eq!(read_to(one.request, &mut buffer, null_mut()), 1);
    if early {
        buffer[3] = b'?';
    }
    one.until(sim, READ, 1);
    assert_eq!(buffer, *b"0123!");
    one.close(sim);
}

/// The handle is closed while the read is pending: its buffer is not free before REQUEST_ERROR.
fn touch_cancelled_read(sim: &Sim, early: bool) {
    let record = Record::new();
    sim.peer("http://127.0.0.1").on(lab::any()).reply(late_body("0123"));
    let client = Client::new(true, 80);
    let request = client.request("GET", "/", &record);
    let one = One { client, request, record };
    one.receive(sim);
    let mut buffer = vec![0; 100];
    assert_eq!(read_to(one.request, &mut buffer, null_mut()), 1);
    if early {
        buffer.fill(0);
    }
    close(one.request);
    one.until(sim, ERROR, 1);
    buffer.fill(1);
    one.closed(sim);
}

fn touch_write(sim: &Sim, early: bool) {
    let one = One::with(sim, "POST", Reply::ok(), |_, _| {});
    one.post(sim, b"", 4);
    let mut bytes = *b"data";
    assert_eq!(write_from(one.request, &bytes), 1);
    if early {
        bytes[0] = b'D';
    }
    one.until(sim, WROTE, 1);
    bytes.fill(0);
    assert_eq!(bytes, [0; 4]);
    one.close(sim);
}

/// lpOptional is changed before SENDREQUEST_COMPLETE (0), before HEADERS_AVAILABLE (1), or after it (2).
fn touch_optional(sim: &Sim, when: usize) {
    let one = One::with(sim, "POST", Reply::ok(), |_, _| {});
    let mut bytes = *b"data";
    // SAFETY: the bytes outlive the operation.
    unsafe { WinHttpSendRequest(one.request, null(), 0, bytes.as_ptr().cast(), 4, 4, 0) };
    let touch = |bytes: &mut [u8; 4], at| {
        if at == when {
            bytes[0] = b'D';
        }
    };
    touch(&mut bytes, 0);
    one.until(sim, SENT, 1);
    touch(&mut bytes, 1);
    assert_eq!(receive(one.request), 1);
    one.until(sim, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1);
    touch(&mut bytes, 2);
    assert_eq!(&bytes, b"Data");
    one.close(sim);
}

fn headers_at(sim: &Sim, headers: *const u16) {
    let one = One::get(sim, Reply::ok());
    // SAFETY: NULL is allowed; what leads nowhere is what is tested.
    let sent = unsafe { WinHttpSendRequest(one.request, headers, 0, null(), 0, 0, 0) };
    assert_eq!(sent, i32::from(headers.is_null()));
    one.close(sim);
}

// ---- handles ----

fn use_closed(sim: &Sim, closed: bool) {
    let one = One::get(sim, Reply::ok());
    assert_eq!(send(one.request), 1);
    one.until(sim, SENT, 1);
    if closed {
        close(one.request);
    }
    assert_eq!(receive(one.request), i32::from(!closed));
    if !closed {
        close(one.request);
    }
    one.closed(sim);
}

fn close_again(sim: &Sim, forgets: bool) {
    let mut one = One::get(sim, Reply::ok());
    for _ in 0..2 {
        close(one.request);
        if forgets {
            one.request = null_mut();
        }
    }
    one.closed(sim);
}

fn leak(sim: &Sim, leaks: bool) {
    let one = One::get(sim, Reply::ok());
    if !leaks {
        close(one.request);
        one.until(sim, CLOSING, 1);
    }
    one.client.close();
}

fn parent_first(sim: &Sim, first: bool) {
    let one = One::get(sim, Reply::ok());
    let mut order = [one.request, one.client.connection, one.client.session];
    if first {
        order.reverse();
    }
    order.into_iter().for_each(|handle| assert_eq!(close(handle), 1));
    one.until(sim, CLOSING, 1);
}

fn take_callback(sim: &Sim, pending: bool) {
    let one = One::get(sim, Reply::ok());
    assert_eq!(send(one.request), 1);
    if !pending {
        one.until(sim, SENT, 1);
    }
    // SAFETY: NULL takes the callback away.
    unsafe { WinHttpSetStatusCallback(one.request, None, 0, 0) };
    listen(one.request, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS);
    one.close(sim);
}

/// A synchronous call on one thread, and the close on another: at once, or behind it.
fn close_beside(sim: &Sim, beside: bool) {
    sim.peer("http://127.0.0.1").on(lab::any()).reply(Reply::ok().delay(Duration::from_secs(5)));
    let record = Record::new();
    let client = Client::new(false, 80);
    let request = client.request("GET", "/", &record);
    let value = request as usize;
    assert_eq!(send(request), 1);
    let done = Arc::new(Mutex::new(false));
    let ended = Arc::clone(&done);
    sim.spawn(move || {
        receive(value as _);
        *ended.lock().unwrap() = true;
    });
    sim.settle();
    if !beside {
        sim.block_until(|| *done.lock().unwrap());
    }
    close(request);
    sim.block_until(|| *done.lock().unwrap());
    client.close();
}

// ---- errors ----

fn ask_late(sim: &Sim, late: bool) {
    let one = One::get(sim, Reply::ok());
    one.receive(sim);
    // SAFETY: a name, and no buffer.
    let found = unsafe {
        let name = wide("Absent");
        let mut length = 0;
        WinHttpQueryHeaders(one.request, WINHTTP_QUERY_CUSTOM, name.as_ptr(), null_mut(), &raw mut length, null_mut())
    };
    assert_eq!(found, 0);
    if !late {
        assert_eq!(last_error(), ERROR_WINHTTP_HEADER_NOT_FOUND);
    }
    close(one.request);
    if late {
        last_error();
    }
    one.closed(sim);
}

fn ask_after_success(sim: &Sim, asks: bool) {
    let one = One::get(sim, Reply::ok());
    // SAFETY: no pointers.
    assert_eq!(unsafe { WinHttpSetTimeouts(one.request, 0, 0, 0, 0) }, 1);
    if asks {
        last_error();
    }
    one.close(sim);
}

fn grow(sim: &Sim, room: u32) {
    let one = One::get(sim, Reply::ok());
    one.receive(sim);
    headers_into(one.request, 0);
    headers_into(one.request, room);
    one.close(sim);
}

/// SendRequest refuses its arguments after it has bound the context.
fn fail_at_once(sim: &Sim, frees: bool) {
    let one = One::get(sim, Reply::ok());
    let context = context(&one.record);
    let headers = wide("Content-Length: 5\r\n");
    // SAFETY: NUL-terminated headers.
    let sent = unsafe { WinHttpSendRequest(one.request, headers.as_ptr(), u32::MAX, null(), 0, 7, context) };
    assert_eq!(sent, 0);
    if frees {
        lab::freed(context);
    }
    one.close(sim);
    if !frees {
        lab::freed(context);
    }
}

fn ignore_failure(sim: &Sim, ignores: bool) {
    sim.allow_unknown_hosts();
    let record = Record::new();
    let client = Client::new(true, 4711);
    let request = client.request("GET", "/", &record);
    let one = One { client, request, record };
    assert_eq!(send(one.request), 1);
    one.until(sim, ERROR, 1);
    if ignores {
        assert_eq!(receive(one.request), 1);
        one.until(sim, ERROR, 2);
    }
    one.close(sim);
}

/// Synchronous: a call has failed, and the next is made all the same.
fn go_on_after_false(sim: &Sim, goes_on: bool) {
    sim.allow_unknown_hosts();
    let record = Record::new();
    let client = Client::new(false, 4712);
    let request = client.request("GET", "/", &record);
    if send(request) == 1 || goes_on {
        assert_eq!(receive(request), 0);
    }
    close(request);
    client.close();
}

fn wait_after_false(sim: &Sim, ignores: bool) {
    let one = One::get(sim, Reply::ok());
    let headers = wide("Content-Length: 5\r\n");
    // SAFETY: NUL-terminated headers.
    let sent = unsafe { WinHttpSendRequest(one.request, headers.as_ptr(), u32::MAX, null(), 0, 7, 0) };
    if sent != 0 || ignores {
        one.until(sim, SENT, 1);
    }
    one.close(sim);
}

fn read_on(sim: &Sim, reads: usize) {
    let one = One::get(sim, Reply::ok().body("x"));
    one.receive(sim);
    for number in 1..=reads {
        read(one.request, 8);
        one.until(sim, READ, number);
    }
    one.close(sim);
}

// ---- callbacks ----

fn wait_in_callback(sim: &Sim, waits: bool) {
    // SAFETY: no pointers; the handle of an event.
    let event = unsafe { CreateEventW(null(), 1, i32::from(!waits), null()) } as usize;
    let one = One::with(sim, "GET", Reply::ok(), move |_, seen| {
        if seen.status == SENT {
            // SAFETY: as above.
            unsafe { WaitForSingleObject(event as _, 100) };
        }
    });
    assert_eq!(send(one.request), 1);
    one.until(sim, SENT, 1);
    one.close(sim);
}

/// A callback waits for a notification that can only come when it has returned.
fn wait_for_another(sim: &Sim, milliseconds: u32) {
    // SAFETY: no pointers; the handle of an event.
    let event = unsafe { CreateEventW(null(), 1, 0, null()) } as usize;
    let one = One::with(sim, "GET", Reply::ok(), move |request, seen| {
        // SAFETY: as above.
        match seen.status {
            SENT => unsafe {
                WaitForSingleObject(event as _, milliseconds);
                receive(request);
            },
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => unsafe {
                SetEvent(event as _);
            },
            _ => {}
        }
    });
    assert_eq!(send(one.request), 1);
    one.until(sim, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1);
    one.close(sim);
}

fn sleep_in_callback(sim: &Sim, milliseconds: u32) {
    let one = One::with(sim, "GET", Reply::ok(), move |_, seen| {
        if seen.status == SENT {
            // SAFETY: no pointers.
            unsafe { Sleep(milliseconds) };
        }
    });
    assert_eq!(send(one.request), 1);
    sim.advance(Duration::from_secs(10));
    one.close(sim);
}
