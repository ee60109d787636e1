//! What a failure means, and what is none.

use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portable_winhttp::lab::{Fault, Reply, Sim, Stage, post};
use portable_winhttp::win32::*;
use windows_sys::Win32::Networking::WinHttp::{
    WinHttpQueryHeaders, WinHttpSendRequest, WinHttpSetOption, WinHttpSetTimeouts,
};

use crate::client::*;
use crate::support::last_error;
use crate::support::*;

const SENT: u32 = WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE;
const HEADERS: u32 = WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE;
const AVAILABLE: u32 = WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE;
const READ: u32 = WINHTTP_CALLBACK_STATUS_READ_COMPLETE;
const WROTE: u32 = WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE;
const ERROR: u32 = WINHTTP_CALLBACK_STATUS_REQUEST_ERROR;

/// Every REQUEST_ERROR is a failure of the program, also that which its own close brings.
pub fn cancelled_is_fatal(sim: &Sim, wrong: bool) -> Result<(), String> {
    let one = One::get(sim, Reply::never());
    assert_eq!(send(one.request), 1);
    sim.advance(Duration::from_secs(1));
    assert_eq!(receive(one.request), 1);
    one.close(sim);
    fatal(&one, |error| wrong || error != 12017)
}

/// An ordinary failure of the network fails an assertion.
pub fn ordinary_failure_is_fatal(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::at(Stage::Resolve).fail(ERROR_WINHTTP_NAME_NOT_RESOLVED));
    let one = One::get(sim, Reply::ok());
    assert_eq!(send(one.request), 1);
    one.until(sim, ERROR, 1);
    one.close(sim);
    fatal(&one, |_| wrong)
}

fn fatal(one: &One, is_fatal: impl Fn(u32) -> bool) -> Result<(), String> {
    let seen = one.record.seen();
    let error = seen.iter().find(|seen| seen.status == ERROR && is_fatal(seen.value));
    error.map_or(Ok(()), |error| Err(format!("REQUEST_ERROR {} ", error.value)))
}

/// When the stream is disposed of no write may be pending, it is thought.
pub fn no_write_may_be_pending(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::at(Stage::Write).stall());
    let one = One::with(sim, "POST", Reply::ok(), |_, _| {});
    one.post(sim, b"", 4);
    assert_eq!(write_from(one.request, b"body"), 1);
    one.close(sim);
    let write = one.record.seen().into_iter().find(|seen| seen.status == ERROR && seen.api == API_WRITE_DATA as usize);
    if write.is_some() && wrong { Err("a write is pending".to_owned()) } else { Ok(()) }
}

/// The last error is asked for although the call succeeded.
pub fn stale_last_error(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::in_call("WinHttpQueryHeaders").last_error(ERROR_WINHTTP_HEADER_NOT_FOUND));
    let one = One::get(sim, Reply::ok());
    one.receive(sim);
    let succeeded = headers_into(one.request, 1000) == 1;
    let failed = if wrong { last_error() != 0 } else { !succeeded };
    one.close(sim);
    if failed { Err("12150 after a success".to_owned()) } else { Ok(()) }
}

/// The length is asked for, and a reply in chunks has none.
pub fn content_length_is_missing(sim: &Sim, wrong: bool) -> Result<(), String> {
    let one = One::get(sim, Reply::ok().body("0123").chunks([4]));
    one.receive(sim);
    let (mut length, mut room) = (0u32, 4u32);
    let level = WINHTTP_QUERY_CONTENT_LENGTH | WINHTTP_QUERY_FLAG_NUMBER;
    // SAFETY: a DWORD and its length.
    let found =
        unsafe { WinHttpQueryHeaders(one.request, level, null(), (&raw mut length).cast(), &raw mut room, null_mut()) };
    one.close(sim);
    if found == 0 && wrong { Err("no Content-Length".to_owned()) } else { Ok(()) }
}

/// A call that failed is taken for one that began: nothing comes.
pub fn refusal_is_not_looked_at(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::in_call("WinHttpReceiveResponse").fail(ERROR_NOT_ENOUGH_MEMORY));
    let one = One::get(sim, Reply::ok());
    assert_eq!(send(one.request), 1);
    one.until(sim, SENT, 1);
    if receive(one.request) == 1 || wrong {
        one.until(sim, HEADERS, 1);
    }
    one.close(sim);
    Ok(())
}

/// The connection is asked for before there is one.
pub fn option_at_the_wrong_time(sim: &Sim, wrong: bool) -> Result<(), String> {
    let one = One::get(sim, Reply::ok());
    let (answer, error) = option_of(one.request, WINHTTP_OPTION_CONNECTION_INFO);
    one.close(sim);
    let tolerated = !wrong && error == ERROR_WINHTTP_INCORRECT_HANDLE_STATE.0;
    if answer == 0 && !tolerated { Err(format!("{error} is no failure")) } else { Ok(()) }
}

/// An older Windows does not know the option.
pub fn option_is_unknown(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::in_call("WinHttpSetOption").nth(2).fail(ERROR_WINHTTP_INVALID_OPTION));
    let one = One::get(sim, Reply::ok());
    let on = 1u32;
    // SAFETY: a DWORD.
    let set = unsafe { WinHttpSetOption(one.client.session, WINHTTP_OPTION_TCP_FAST_OPEN, (&raw const on).cast(), 4) };
    let error = if set == 0 { last_error() } else { 0 };
    one.close(sim);
    let tolerated = !wrong && error == ERROR_WINHTTP_INVALID_OPTION.0;
    if error != 0 && !tolerated { Err(format!("{error} is no failure")) } else { Ok(()) }
}

/// 12175 alone does not say why.
pub fn failure_is_not_explained(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::at(Stage::Connect).secure(WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA));
    let one = One::get(sim, Reply::ok());
    let without = WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS & !WINHTTP_CALLBACK_FLAG_SECURE_FAILURE;
    listen(one.request, if wrong { without } else { WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS });
    assert_eq!(send(one.request), 1);
    one.until(sim, ERROR, 1);
    one.close(sim);
    Ok(())
}

/// The server asks for a certificate (12044); the request is not sent again, but its reply is waited for.
pub fn certificate_is_asked_for(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::at(Stage::Connect).nth(1).fail(ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED));
    let one = One::get(sim, Reply::ok());
    assert_eq!(send(one.request), 1);
    one.until(sim, ERROR, 1);
    if !wrong {
        assert_eq!(send(one.request), 1);
        one.until(sim, SENT, 1);
    }
    assert_eq!(receive(one.request), 1);
    one.until(sim, if wrong { ERROR } else { HEADERS }, if wrong { 2 } else { 1 });
    one.close(sim);
    Ok(())
}

/// REQUEST_ERROR resolves the operation, and so does its error.
pub fn error_is_taken_for_success(sim: &Sim, wrong: bool) -> Result<(), String> {
    let one = One::get(sim, Reply::ok().body("0123456789").then(Fault::after_body(3).reset()));
    one.receive(sim);
    read(one.request, 3);
    one.until(sim, READ, 1);
    read(one.request, 7);
    one.until(sim, ERROR, 1);
    if wrong {
        read(one.request, 7);
        sim.settle();
    }
    one.close(sim);
    Ok(())
}

/// The server never answers, and there is no limit.
pub fn no_timeout(sim: &Sim, wrong: bool) -> Result<(), String> {
    let one = One::get(sim, Reply::never());
    let limit = if wrong { 0 } else { 5000 };
    // SAFETY: no pointers.
    unsafe { WinHttpSetTimeouts(one.request, limit, limit, limit, limit) };
    assert_eq!(send(one.request), 1);
    one.until(sim, SENT, 1);
    assert_eq!(receive(one.request), 1);
    one.until(sim, ERROR, 1);
    one.close(sim);
    Ok(())
}

/// The server answers before it has the body, and takes no more of it: who wants to write to the end gets a timeout.
pub fn reply_is_not_read_before_the_end(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::at(Stage::Write).nth(2).stall());
    let one = One::with(sim, "POST", Reply::status(413).early(), |_, _| {});
    one.post(sim, b"", 8);
    assert_eq!(write_from(one.request, b"0123"), 1);
    one.until(sim, WROTE, 1);
    assert_eq!(write_from(one.request, b"4567"), 1);
    if wrong {
        one.until(sim, ERROR, 1);
    } else {
        assert_eq!(receive(one.request), 1);
        one.until(sim, HEADERS, 1);
    }
    one.close(sim);
    fatal(&one, |error| error != ERROR_WINHTTP_OPERATION_CANCELLED.0)
}

/// 12032: the request is to be sent again; what was written is gone.
pub fn body_is_not_sent_again(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::at(Stage::Head).nth(1).fail(ERROR_WINHTTP_RESEND_REQUEST));
    let api = sim.peer("http://127.0.0.1");
    api.on(post("/")).reply(Reply::ok());
    let one = One::to("POST", |_, _| {});
    for attempt in 1..=2 {
        let body = attempt == 1 || !wrong;
        // SAFETY: no pointers.
        assert_eq!(unsafe { WinHttpSendRequest(one.request, null(), 0, null(), 0, if body { 4 } else { 0 }, 0) }, 1);
        one.until(sim, SENT, attempt);
        if body {
            assert_eq!(write_from(one.request, b"body"), 1);
            one.until(sim, WROTE, attempt);
        }
        assert_eq!(receive(one.request), 1);
        one.until(sim, if attempt == 1 { ERROR } else { HEADERS }, 1);
    }
    one.close(sim);
    let last = api.received().pop().expect("a request");
    if last.body.is_empty() { Err("the server got no body".to_owned()) } else { Ok(()) }
}

/// The headers have grown between the call that asks for the size and the one that reads them.
pub fn size_has_changed(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::in_call("WinHttpQueryHeaders").nth(2).fail(ERROR_INSUFFICIENT_BUFFER));
    let one = One::get(sim, Reply::ok());
    one.receive(sim);
    headers_into(one.request, 0);
    let mut read = headers_into(one.request, 1000);
    while read == 0 && !wrong {
        read = headers_into(one.request, 2000);
    }
    one.close(sim);
    Ok(())
}

/// WRITE_COMPLETE has a length of 4, whatever was written.
pub fn length_is_taken_for_the_value(sim: &Sim, wrong: bool) -> Result<(), String> {
    let written = Arc::new(AtomicU32::new(0));
    let counts = Arc::clone(&written);
    let one = One::with(sim, "POST", Reply::ok(), move |_, seen| {
        if seen.status == WROTE {
            counts.fetch_add(if wrong { 4 } else { seen.value }, Ordering::SeqCst);
        }
    });
    let body = b"0123456789";
    one.post(sim, b"", body.len());
    let mut result = Ok(());
    for attempt in 1.. {
        let at = written.load(Ordering::SeqCst) as usize;
        if at >= body.len() {
            break;
        }
        if write_from(one.request, &body[at..]) == 0 {
            result = Err("WinHttpWriteData answered FALSE".to_owned());
            break;
        }
        one.until(sim, WROTE, attempt);
    }
    one.close(sim);
    result
}

/// DATA_AVAILABLE has a length of 4, also when nothing is available.
pub fn value_is_taken_from_the_length(sim: &Sim, wrong: bool) -> Result<(), String> {
    let (ended, sizes) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let (ends, sizes_of) = (Arc::clone(&ended), Arc::clone(&sizes));
    let one = One::with(sim, "GET", Reply::ok().body("01234567"), move |request, seen| match seen.status {
        HEADERS => {
            query_data(request);
        }
        AVAILABLE => {
            let mut sizes = sizes_of.lock().unwrap();
            sizes.push(seen.value);
            let size = if wrong { 4 } else { seen.value };
            if size == 0 || sizes.len() > 10 {
                ends.store(true, Ordering::SeqCst);
            } else {
                drop(sizes);
                read(request, size);
            }
        }
        READ => {
            query_data(request);
        }
        _ => {}
    });
    assert_eq!(send(one.request), 1);
    one.until(sim, SENT, 1);
    assert_eq!(receive(one.request), 1);
    sim.block_until(|| ended.load(Ordering::SeqCst));
    one.close(sim);
    Ok(())
}
