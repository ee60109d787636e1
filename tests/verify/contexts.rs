//! Contexts that are freed too early, twice, or never; masks without what a program waits for.

use std::sync::{Arc, Mutex};

use portable_winhttp::lab::{self, Reply, Sim};
use windows_sys::Win32::Networking::WinHttp::*;
use windows_sys::Win32::System::Threading::*;

use crate::client::*;
use crate::stops::{CLOSING, ERROR, SENT};
use crate::support::*;

pub fn free_context(sim: &Sim, after_closing: bool) {
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
pub fn free_beside_callback(sim: &Sim, early: bool) {
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

pub fn free_twice(sim: &Sim, times: usize) {
    lab::allocated(0x5000);
    (0..times).for_each(|_| lab::freed(0x5000));
    let _ = sim;
}

/// Waits for HANDLE_CLOSING by its context; `bound` by option, and else never, because nothing was sent.
pub fn wait_for_closing(sim: &Sim, bound: bool) {
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

pub fn mask(sim: &Sim, mask: u32) {
    let one = One::get(sim, Reply::ok());
    listen(one.request, mask);
    assert_eq!(send(one.request), 1);
    one.until(sim, SENT, 1);
    assert_eq!(receive(one.request), 1);
    sim.settle();
    one.close(sim);
}

pub fn tls_failure(sim: &Sim, mask: u32) {
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
