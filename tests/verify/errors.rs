//! Errors that are asked for too late, or not looked at.

use std::ptr::{null, null_mut};

use portable_winhttp::lab::{self, Reply, Sim};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::*;
use crate::stops::{ERROR, READ, SENT};
use crate::support::*;

pub fn ask_late(sim: &Sim, late: bool) {
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

/// What is asked for is what the program has set itself.
pub fn set_and_ask(sim: &Sim) {
    let one = One::get(sim, Reply::ok());
    one.receive(sim);
    headers_into(one.request, 0);
    headers_into(one.request, 1000);
    // SAFETY: no pointers.
    unsafe { windows_sys::Win32::Foundation::SetLastError(12150) };
    assert_eq!(last_error(), ERROR_WINHTTP_HEADER_NOT_FOUND);
    one.close(sim);
}

pub fn ask_after_success(sim: &Sim, asks: bool) {
    let one = One::get(sim, Reply::ok());
    // SAFETY: no pointers.
    assert_eq!(unsafe { WinHttpSetTimeouts(one.request, 0, 0, 0, 0) }, 1);
    if asks {
        last_error();
    }
    one.close(sim);
}

pub fn grow(sim: &Sim, room: u32) {
    let one = One::get(sim, Reply::ok());
    one.receive(sim);
    headers_into(one.request, 0);
    headers_into(one.request, room);
    one.close(sim);
}

/// SendRequest refuses its arguments after it has bound the context.
pub fn fail_at_once(sim: &Sim, frees: bool) {
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

pub fn ignore_failure(sim: &Sim, ignores: bool) {
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
pub fn go_on_after_false(sim: &Sim, goes_on: bool) {
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

pub fn wait_after_false(sim: &Sim, ignores: bool) {
    let one = One::get(sim, Reply::ok());
    let headers = wide("Content-Length: 5\r\n");
    // SAFETY: NUL-terminated headers.
    let sent = unsafe { WinHttpSendRequest(one.request, headers.as_ptr(), u32::MAX, null(), 0, 7, 0) };
    if sent != 0 || ignores {
        one.until(sim, SENT, 1);
    }
    one.close(sim);
}

pub fn read_on(sim: &Sim, reads: usize) {
    let one = One::get(sim, Reply::ok().body("x"));
    one.receive(sim);
    for number in 1..=reads {
        read(one.request, 8);
        one.until(sim, READ, number);
    }
    one.close(sim);
}
