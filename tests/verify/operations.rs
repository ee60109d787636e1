//! Operations, and the memory that they own.

use std::ptr::{null, null_mut};

use portable_winhttp::lab::{self, Fault, Reply, Sim};
use portable_winhttp::record::Status;
use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::*;
use crate::stops::{ERROR, READ, SENT, WROTE};
use crate::support::*;

pub fn overlap(sim: &Sim, beside: bool) {
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
pub fn overtake(sim: &Sim, overtakes: bool) {
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

pub fn out_parameter(sim: &Sim, given: bool) {
    let one = One::get(sim, Reply::ok().body("x"));
    one.receive(sim);
    let (mut buffer, mut count) = ([0; 4], 0);
    assert_eq!(read_to(one.request, &mut buffer, if given { &raw mut count } else { null_mut() }), 1);
    one.until(sim, READ, 1);
    assert_eq!(count, u32::from(given));
    one.close(sim);
}

/// The count is written with the completion, when the variable may have become another.
pub fn out_parameter_gone(sim: &Sim, gone: bool) {
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

pub fn touch_read(sim: &Sim, early: bool) {
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
pub fn touch_cancelled_read(sim: &Sim, early: bool) {
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

pub fn touch_write(sim: &Sim, early: bool) {
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
pub fn touch_optional(sim: &Sim, when: usize) {
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

pub fn headers_at(sim: &Sim, headers: *const u16) {
    let one = One::get(sim, Reply::ok());
    // SAFETY: NULL is allowed; what leads nowhere is what is tested.
    let sent = unsafe { WinHttpSendRequest(one.request, headers, 0, null(), 0, 0, 0) };
    assert_eq!(sent, i32::from(headers.is_null()));
    one.close(sim);
}

/// A request with a header of the application that is redirected.
pub fn follow(sim: &Sim, to: &str, header: &str) {
    let peer = sim.peer("http://127.0.0.1");
    peer.on(lab::get("/")).reply(Reply::redirect(to));
    peer.on(lab::get("/2")).reply(Reply::ok());
    sim.peer("http://other.test").on(lab::any()).reply(Reply::ok());
    let one = One::to("GET", |_, _| {});
    // SAFETY: NUL-terminated text.
    let added =
        unsafe { WinHttpAddRequestHeaders(one.request, wide(header).as_ptr(), u32::MAX, WINHTTP_ADDREQ_FLAG_ADD) };
    assert_eq!(added, 1);
    one.receive(sim);
    one.close(sim);
}
