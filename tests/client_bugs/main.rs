//! Bugs that WinHTTP clients had, in the order of the public list of 65: each that is about order, lifetime or errors is
//! here in the shape of a small client, with the setting that brings it out and what exposes it; and the client without it.

#[path = "../support/one.rs"]
mod client;
#[path = "../support/socket.rs"]
mod socket;
#[path = "../support/mod.rs"]
mod support;

mod errors;
mod handles;
mod lifetime;
mod memory;
mod order;
mod web_socket;

use std::panic::{AssertUnwindSafe, catch_unwind};

use portable_winhttp::lab::{Sim, Stop};

/// A client, with its bug or without it; an error is what it, or who uses it, finds wrong by itself.
type Client = fn(&Sim, bool) -> Result<(), String>;

/// What exposes a bug.
enum Shown {
    /// A stop of the checker, which says this.
    By(Stop, &'static str),
    /// The report of a hang, which says this.
    Hang(&'static str),
    /// The program's own result.
    Result(&'static str),
}

use Shown::{By, Hang, Result as Wrong};

/// The number of the bug, where it was, the settings, what exposes it, the client.
type Row = (u32, &'static str, &'static [u32], Shown, Client);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (1, "cpprestsdk PR 1022", &[1],
        By(Stop::ContextFreedOnFailure, "HANDLE_CLOSING comes with a context that was freed"), lifetime::freed_on_failure),
    (2, "libHttpClient PR 726: the context", &[1],
        By(Stop::ContextFreedOnFailure, "HANDLE_CLOSING comes with a context that was freed"), lifetime::used_after_failure),
    (2, "libHttpClient PR 726: told of the end twice", &[9, 24],
        By(Stop::ContextFreed, "a context is freed that was freed before"), lifetime::freed_with_each_error),
    (3, "corefx PR 28367", &[1, 2],
        By(Stop::HandleLeaked, "a context was not freed; HANDLE_CLOSING came with context 0"), lifetime::freed_with_the_last),
    (4, "Azure issue 7352", &[2, 6],
        By(Stop::ContextNeverBound, "HANDLE_CLOSING came with context 0: none was ever bound"), lifetime::destructor_waits),
    (5, "Azure PR 7405", &[6, 7],
        By(Stop::ContextFreed, "SENDREQUEST_COMPLETE comes with a context that was freed"), lifetime::freed_before_a_completion),
    (6, "Azure issue 5244", &[4, 5, 22],
        By(Stop::ContextFreed, "a context is freed while the callback of SENDREQUEST_COMPLETE runs with it"), lifetime::freed_by_the_waiter),
    (7, "Azure 6637", &[5, 8], Wrong("REQUEST_ERROR 12017"), errors::cancelled_is_fatal),
    (8, "cpprestsdk 272fa31de", &[6, 7],
        By(Stop::ContextFreed, "HANDLE_CLOSING comes with a context that was freed"), lifetime::freed_after_close),
    (9, "cpprestsdk 1250", &[4, 17, 25],
        By(Stop::ClosedDuringCall, "closed while another thread is in WinHttpSendRequest"), handles::closed_during_send),
    (10, "cpprestsdk 601", &[3], Wrong("the lock is taken twice"), order::lock_over_receive),
    (11, "cpprestsdk 843", &[22], By(Stop::CallbackTakenAway, "an operation is pending"), order::callback_taken_away),
    (12, "cpprestsdk, latent", &[15, 17],
        By(Stop::HandleAfterClose, "WinHttpCloseHandle on a handle that was closed"), handles::closed_repeatedly),
    (13, "libHttpClient PR 788", &[4, 9, 21],
        By(Stop::ClosedDuringCall, "closed while another thread is in WinHttpWebSocketClose"), web_socket::goodbye_beside_close),
    (14, "libHttpClient 656, 668", &[6],
        By(Stop::ContextFreed, "REQUEST_ERROR comes with a context that was freed"), lifetime::cleaned_up_while_closing),
    (15, "libHttpClient PR 929", &[6],
        By(Stop::ContextFreed, "HANDLE_CLOSING comes with a context that was freed"), lifetime::freed_with_the_result),
    (16, "libHttpClient PR 1010", &[18],
        By(Stop::LastErrorOverwritten, "asked for after WinHttpQueryHeaders, which succeeded"), errors::stale_last_error),
    (17, "libHttpClient 909", &[16, 24],
        By(Stop::HandleLeaked, "made by WinHttpOpenRequest, was not closed"), web_socket::upgrade_fails),
    (18, "libHttpClient 696, 699", &[20, 21], Hang("what the test blocks for"), web_socket::no_answer_to_goodbye),
    (19, "libHttpClient 580", &[3, 25], Wrong("the lock is taken twice"), order::user_code_under_a_lock),
    (20, "libHttpClient 698", &[5],
        By(Stop::HandleAfterClose, "WinHttpReceiveResponse on a handle that was closed"), handles::used_by_a_late_completion),
    (21, "libHttpClient 906", &[23], Wrong("no Content-Length"), errors::content_length_is_missing),
    (22, "libHttpClient PR 1013", &[6], Hang("what the test blocks for"), lifetime::waits_without_end),
    (23, "libHttpClient 680, 411, 339", &[9],
        By(Stop::ContextFreed, "a context is freed that was freed before"), web_socket::disconnected_twice),
    (24, "HERE: never closed after an error", &[3, 8, 16, 24],
        By(Stop::HandleLeaked, "made by WinHttpOpenRequest, was not closed"), handles::open_after_an_error),
    (25, "HERE, PCSX2, DuckStation, latent", &[3, 4],
        By(Stop::HandleAfterClose, "WinHttpReceiveResponse on NULL"), order::handle_is_kept_too_late),
    (26, "PCSX2, DuckStation, latent", &[3, 4], Hang("what the test blocks for"), order::started_overwrites_complete),
    (27, "sentry-native PR 568, 570", &[17, 20],
        By(Stop::ClosedDuringCall, "closed while another thread is in WinHttpReceiveResponse"), handles::closed_during_a_synchronous_call),
    (28, "sentry-native 1620", &[16],
        Hang("WinHttpReceiveResponse answered FALSE (ERROR_NOT_ENOUGH_MEMORY"), errors::refusal_is_not_looked_at),
    (29, "corefx 26278", &[7, 17],
        By(Stop::HandleAfterClose, "WinHttpCloseHandle on a handle that was closed"), handles::closed_by_two_threads),
    (30, "corefx 10040", &[3, 6, 25], Wrong("the lock is taken twice"), order::lock_over_close),
    (31, "corefx 9228", &[8, 17], By(Stop::HandleAfterClose, "WinHttpReadData on a handle that was closed"), handles::read_after_cancel),
    (32, "corefx 11693, 6285", &[2, 24],
        By(Stop::HandleLeaked, "a context was not freed"), lifetime::closing_is_not_in_the_mask),
    (33, "corefx 25904, libgit2 5814", &[14], Wrong("12019 is no failure"), errors::option_at_the_wrong_time),
    (34, "dotnet 101725", &[5, 11],
        By(Stop::WriteBufferTouched, "the bytes given to WinHttpWriteData were touched"), memory::unpinned_too_early),
    (35, "dotnet 109799, 83486", &[5, 8], Wrong("a write is pending"), errors::no_write_may_be_pending),
    (36, "dotnet 93099", &[3, 5],
        By(Stop::HandleAfterClose, "WinHttpQueryOption on a handle that was closed"), handles::used_by_a_late_notification),
    (37, "dotnet 111750", &[4, 17],
        By(Stop::Overlapping, "WinHttpReadData while WinHttpReadData is pending"), order::concurrent_reads),
    (38, "dotnet 69238, 33509", &[13], By(Stop::NotInMask, "TLS failed, and SECURE_FAILURE"), errors::failure_is_not_explained),
    (40, "corefx PR 9624", &[16], By(Stop::HandleAfterClose, "WinHttpSetTimeouts on NULL"), handles::set_on_a_moved_handle),
    (43, "dotnet 51094, curl 657", &[23], Wrong("REQUEST_ERROR 12002"), errors::reply_is_not_read_before_the_end),
    (44, "corefx 5340", &[8, 21],
        By(Stop::HandleAfterClose, "WinHttpWebSocketSend on a handle that was closed"), web_socket::cancelled_and_used),
    (45, "libgit2 2147", &[20], Hang("what the test blocks for"), errors::no_timeout),
    (46, "libgit2 2529", &[11, 15], Wrong("the server got no body"), errors::body_is_not_sent_again),
    (47, "mORMot 412, 413, 468", &[13, 15],
        By(Stop::FailureIgnored, "WinHttpReceiveResponse after REQUEST_ERROR told that WinHttpSendRequest failed"), errors::certificate_is_asked_for),
    (48, "ktor KTOR-6394", &[10, 21], Wrong("0 of 2 messages"), web_socket::empty_message),
    (49, "ktor, latent", &[9, 22], Hang("it was closed, but HANDLE_CLOSING is not in its mask"), order::callback_is_really_taken_away),
    (50, "corefx 7812, dotnet PR 112698", &[16, 18],
        By(Stop::BufferNotGrown, "WinHttpQueryHeaders asked for a larger buffer"), errors::size_has_changed),
    (51, "wrest 0.5.6: a lock is held while the task is woken", &[6, 25], Wrong("the lock is taken twice"), order::woken_under_a_lock),
    (52, "winhttp 0.1.3, latent", &[10], Wrong("WinHttpWriteData answered FALSE"), errors::length_is_taken_for_the_value),
    (53, "winhttp 0.1.3, Azure", &[12],
        By(Stop::OutParameter, "the out parameter of WinHttpReadData was used for something else"), memory::count_on_the_stack),
    (54, "winhttp 0.1.3, frakt, alhc, latent", &[5, 11, 24],
        By(Stop::ReadBufferTouched, "the buffer was touched before the read had ended"), memory::future_is_dropped),
    (55, "nyquest, latent", &[1],
        By(Stop::ContextFreedOnFailure, "a context is freed that was freed before"), lifetime::freed_on_failure),
    (56, "alhc, latent", &[4, 17],
        By(Stop::HandleAfterClose, "WinHttpCloseHandle on a value that is no handle"), handles::bogus_handle),
    (57, "frakt, latent", &[10], By(Stop::EndIgnored, "the end"), errors::value_is_taken_from_the_length),
    (58, "winasio-rs, old", &[5, 16, 17],
        By(Stop::FailureIgnored, "after REQUEST_ERROR told that"), errors::error_is_taken_for_success),
    (59, "winasio-rs", &[11], By(Stop::PointerUnreadable, "lpszHeaders of WinHttpSendRequest cannot be read"), memory::empty_slice),
    (60, "winasio-rs, nyquest", &[11, 15],
        By(Stop::WriteBufferTouched, "were touched before the reply was there"), memory::optional_is_freed_too_early),
    (62, "corefx 20163", &[16], Wrong("REQUEST_ERROR 12007"), errors::ordinary_failure_is_fatal),
    (63, "Azure issue 4490", &[19, 23], Wrong("12009 is no failure"), errors::option_is_unknown),
    (64, "Chromium, latent", &[16], Wrong("HANDLE_CLOSING with context 0"), order::context_is_refused),
    (65, "winasio-rs, fetch_winhttp", &[2, 16], Wrong("HANDLE_CREATED with context 0"), order::callback_before_context),
];

/// The numbers that have no row, and why.
const LEFT_OUT: &[(&[u32], &str)] = &[
    (&[39], "an exception that leaves a callback: a Rust program ends there, with nothing left to report"),
    (&[41], "Windows ignores the connect timeout: no bug of a client"),
    (&[42], "tests that cannot be reliable without a clock of their own: virtual time is the answer"),
    (&[61], "about a sentence in the documentation"),
];

/// What became of a client: its mistakes in words, its own result, the report of its Sim.
#[derive(Debug)]
struct Played {
    mistakes: Vec<String>,
    result: Result<(), String>,
    report: Option<String>,
}

fn play(client: Client, wrong: bool) -> Played {
    let (mut mistakes, mut result) = (Vec::new(), Ok(()));
    let played = catch_unwind(AssertUnwindSafe(|| {
        let sim = Sim::new();
        result = client(&sim, wrong);
        mistakes = sim.mistakes().iter().map(|mistake| mistake.show("R1")).collect();
    }));
    let report = played.err().map(|panic| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => other.downcast_ref::<&str>().map_or_else(String::new, |text| (*text).to_owned()),
    });
    Played { mistakes, result, report }
}

/// What is not as the row says.
fn fault((number, source, settings, shown, client): &Row) -> Option<String> {
    assert!(!settings.is_empty() && settings.iter().all(|setting| (1..=25).contains(setting)), "{number}");
    let played = play(*client, true);
    let report = played.report.as_deref().unwrap_or_default();
    let exposed = match shown {
        By(stop, says) => {
            let told = |line: &str| line.contains(stop.id()) && line.contains(says);
            played.mistakes.iter().any(|line| told(line)) || report.lines().any(told)
        }
        Hang(says) => report.starts_with("HANG: ") && report.contains(says),
        Wrong(says) => played.result.as_ref().is_err_and(|error| error.contains(says)),
    };
    if !exposed {
        return Some(format!("{number}, {source}: not exposed: {:?} {:?}\n{report}", played.mistakes, played.result));
    }
    let twin = play(*client, false);
    let error = twin.mistakes.iter().find(|line| line.contains(" error: "));
    if twin.result.is_ok() && twin.report.is_none() && error.is_none() {
        return None;
    }
    let report = twin.report.unwrap_or_default();
    Some(format!("{number}, {source}: the twin: {error:?} {:?}\n{report}", twin.result))
}

#[test]
fn each_bug_is_exposed_and_its_twin_runs() {
    let faults: Vec<String> = ROWS.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn every_number_has_a_row_or_a_reason() {
    let rows = ROWS.iter().map(|row| row.0);
    let left_out = LEFT_OUT.iter().flat_map(|(numbers, _)| numbers.iter().copied());
    let mut numbers: Vec<u32> = rows.chain(left_out).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, Vec::from_iter(1..=65));
}
