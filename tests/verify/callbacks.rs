//! Callbacks that wait.

use std::ptr::null;
use std::time::Duration;

use portable_winhttp::lab::{Reply, Sim};
use windows_sys::Win32::Networking::WinHttp::*;
use windows_sys::Win32::System::Threading::*;

use crate::client::*;
use crate::stops::SENT;
use crate::support::*;

pub fn wait_in_callback(sim: &Sim, waits: bool) {
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
pub fn wait_for_another(sim: &Sim, milliseconds: u32) {
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

pub fn sleep_in_callback(sim: &Sim, milliseconds: u32) {
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
