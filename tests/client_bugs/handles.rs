//! Who closes a handle, when, and who still uses it.

use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portable_winhttp::lab::{Fault, Reply, Sim, Stage, any};
use portable_winhttp::record::Status;
use portable_winhttp::win32::ERROR_WINHTTP_CANNOT_CONNECT;
use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::*;
use crate::support::*;

const SENT: u32 = WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE;
const CLOSING: u32 = WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;
const ERROR: u32 = WINHTTP_CALLBACK_STATUS_REQUEST_ERROR;

/// A thread is in WinHttpSendRequest while another one cancels.
pub fn closed_during_send(sim: &Sim, wrong: bool) -> Result<(), String> {
    let gate = sim.gate("the end of the call");
    sim.fault(Fault::in_call("WinHttpSendRequest").hold_return(&gate));
    let one = One::get(sim, Reply::ok());
    let request = one.request as usize;
    sim.spawn(move || {
        send(request as _);
    });
    sim.block_until(|| gate.reached() == 1);
    if !wrong {
        gate.open();
        sim.settle();
    }
    close(one.request);
    gate.open();
    one.closed(sim);
    Ok(())
}

pub fn closed_during_a_synchronous_call(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.peer("http://127.0.0.1").on(any()).reply(Reply::never());
    let record = Record::new();
    let client = Client::new(false, 80);
    let request = client.request("GET", "/", &record);
    let (value, ended) = (request as usize, Arc::new(AtomicBool::new(false)));
    let ends = Arc::clone(&ended);
    sim.spawn(move || {
        if send(value as _) == 1 {
            receive(value as _);
        }
        ends.store(true, Ordering::SeqCst);
    });
    sim.advance(Duration::from_secs(10));
    if wrong {
        close(request);
    }
    sim.block_until(|| ended.load(Ordering::SeqCst));
    if !wrong {
        close(request);
    }
    client.close();
    Ok(())
}

/// Cleaning up does not forget the handle, and is done twice.
pub fn closed_repeatedly(sim: &Sim, wrong: bool) -> Result<(), String> {
    let mut one = One::get(sim, Reply::redirect("http://127.0.0.1/"));
    for _ in 0..2 {
        close(one.request);
        if !wrong {
            one.request = null_mut();
        }
    }
    one.closed(sim);
    Ok(())
}

/// Disposing and cancelling close, each on its thread.
pub fn closed_by_two_threads(sim: &Sim, wrong: bool) -> Result<(), String> {
    let one = One::get(sim, Reply::never());
    assert_eq!(send(one.request), 1);
    let (request, open) = (one.request as usize, Arc::new(AtomicBool::new(true)));
    for _ in 0..2 {
        let open = Arc::clone(&open);
        sim.spawn(move || {
            if open.swap(false, Ordering::SeqCst) || wrong {
                close(request as _);
            }
        });
    }
    sim.settle();
    one.closed(sim);
    Ok(())
}

/// The wrapper was closed when the completion, which was on its way, wants to go on.
pub fn used_by_a_late_completion(sim: &Sim, wrong: bool) -> Result<(), String> {
    late(sim, wrong, SENT, |request| {
        receive(request);
    })
}

/// SENDING_REQUEST comes when the handle was given up; the callback looks at the connection.
pub fn used_by_a_late_notification(sim: &Sim, wrong: bool) -> Result<(), String> {
    late(sim, wrong, WINHTTP_CALLBACK_STATUS_SENDING_REQUEST, |request| {
        option_of(request, WINHTTP_OPTION_CONNECTION_INFO);
    })
}

fn late(sim: &Sim, wrong: bool, status: u32, uses: fn(*mut std::ffi::c_void)) -> Result<(), String> {
    let gate = sim.gate("callback");
    sim.fault(Fault::on(Status(status)).hold(&gate));
    let closed = Arc::new(AtomicBool::new(false));
    let known = Arc::clone(&closed);
    let one = One::with(sim, "GET", Reply::ok(), move |request, seen| {
        if seen.status == status && (wrong || !known.load(Ordering::SeqCst)) {
            uses(request);
        }
    });
    assert_eq!(send(one.request), 1);
    sim.block_until(|| gate.reached() == 1);
    closed.store(true, Ordering::SeqCst);
    close(one.request);
    gate.open();
    one.closed(sim);
    Ok(())
}

pub fn open_after_an_error(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::at(Stage::Connect).fail(ERROR_WINHTTP_CANNOT_CONNECT));
    let one = One::with(sim, "GET", Reply::ok(), move |request, seen| {
        if seen.status == SENT || (seen.status == ERROR && !wrong) {
            close(request);
        }
    });
    assert_eq!(send(one.request), 1);
    one.until(sim, ERROR, 1);
    sim.settle();
    one.client.close();
    Ok(())
}

/// Cancelled, and read on: the error should be "cancelled", and is "invalid handle".
pub fn read_after_cancel(sim: &Sim, wrong: bool) -> Result<(), String> {
    let one = One::get(sim, Reply::ok().body("0123456789"));
    one.receive(sim);
    read(one.request, 4);
    close(one.request);
    if wrong {
        read(one.request, 4);
    }
    one.closed(sim);
    Ok(())
}

/// The handle was moved away: the field is NULL.
pub fn set_on_a_moved_handle(sim: &Sim, wrong: bool) -> Result<(), String> {
    let mut one = One::get(sim, Reply::ok());
    let moved = std::mem::replace(&mut one.request, null_mut());
    let handle = if wrong { one.request } else { moved };
    // SAFETY: no pointers.
    unsafe { WinHttpSetTimeouts(handle, 0, 0, 1000, 1000) };
    close(moved);
    one.closed(sim);
    Ok(())
}

/// What is closed at the end is not the handle but where it was kept.
pub fn bogus_handle(sim: &Sim, wrong: bool) -> Result<(), String> {
    let one = One::get(sim, Reply::ok());
    if wrong {
        close((&raw const one.request).cast_mut().cast());
    }
    close(one.request);
    one.until(sim, CLOSING, 1);
    one.client.close();
    Ok(())
}
