//! What belongs to an operation until it ends.

use std::ptr::{null, null_mut};

use portable_winhttp::lab::{Reply, Sim};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::*;
use crate::support::*;

const SENT: u32 = WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE;
const HEADERS: u32 = WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE;
const READ: u32 = WINHTTP_CALLBACK_STATUS_READ_COMPLETE;
const WROTE: u32 = WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE;

/// The buffer of WriteData goes back to its pool when the call has returned.
pub fn unpinned_too_early(sim: &Sim, wrong: bool) -> Result<(), String> {
    let one = One::with(sim, "POST", Reply::ok(), |_, _| {});
    one.post(sim, b"", 4);
    let mut pooled = *b"body";
    assert_eq!(write_from(one.request, &pooled), 1);
    if wrong {
        pooled = *b"next";
    }
    one.until(sim, WROTE, 1);
    assert_eq!(pooled, if wrong { *b"next" } else { *b"body" });
    one.close(sim);
    Ok(())
}

/// The count is written with the completion; by then its place on the stack holds something else.
pub fn count_on_the_stack(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.write_out_parameters_late();
    let one = One::get(sim, late_body("x"));
    one.receive(sim);
    let (mut buffer, mut place) = ([0; 1], 0);
    let count = if wrong { &raw mut place } else { null_mut() };
    assert_eq!(read_to(one.request, &mut buffer, count), 1);
    place = 1000;
    one.until(sim, READ, 1);
    assert_eq!(place, 1000);
    one.close(sim);
    Ok(())
}

/// A future is dropped while its read is pending: the handle is closed, and the buffer goes with the future.
pub fn future_is_dropped(sim: &Sim, wrong: bool) -> Result<(), String> {
    use portable_winhttp::lab::Fault;
    sim.fault(Fault::in_call("WinHttpCloseHandle").later());
    let one = One::get(sim, late_body("0123456789"));
    one.receive(sim);
    let mut buffer = vec![0; 10];
    assert_eq!(read_to(one.request, &mut buffer, null_mut()), 1);
    close(one.request);
    if wrong {
        // Freed, and used for something else.
        buffer.fill(7);
    }
    one.closed(sim);
    Ok(())
}

/// Header text that is empty: the address of an empty slice is no address.
pub fn empty_slice(sim: &Sim, wrong: bool) -> Result<(), String> {
    let one = One::get(sim, Reply::ok());
    let text: &[u16] = &[];
    let headers = if wrong { text.as_ptr() } else { null() };
    // SAFETY: that the pointer leads nowhere is what is looked for.
    unsafe { WinHttpSendRequest(one.request, headers, 0, null(), 0, 0, 0) };
    sim.settle();
    one.close(sim);
    Ok(())
}

/// lpOptional is kept until SENDREQUEST_COMPLETE; a redirect that keeps the body would send it again.
pub fn optional_is_freed_too_early(sim: &Sim, wrong: bool) -> Result<(), String> {
    let one = One::with(sim, "POST", Reply::ok(), |_, _| {});
    let mut body = *b"body";
    // SAFETY: the body outlives the request.
    unsafe { WinHttpSendRequest(one.request, null(), 0, body.as_ptr().cast(), 4, 4, 0) };
    one.until(sim, SENT, 1);
    if wrong {
        body.fill(0);
    }
    assert_eq!(receive(one.request), 1);
    one.until(sim, HEADERS, 1);
    body.fill(0);
    assert_eq!(body, [0; 4]);
    one.close(sim);
    Ok(())
}
