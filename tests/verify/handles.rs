//! Handles, and who closes them.

use std::ptr::null_mut;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portable_winhttp::lab::{self, Reply, Sim};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::*;
use crate::stops::{CLOSING, SENT};
use crate::support::*;

pub fn use_closed(sim: &Sim, closed: bool) {
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

pub fn close_again(sim: &Sim, forgets: bool) {
    let mut one = One::get(sim, Reply::ok());
    for _ in 0..2 {
        close(one.request);
        if forgets {
            one.request = null_mut();
        }
    }
    one.closed(sim);
}

pub fn leak(sim: &Sim, leaks: bool) {
    let one = One::get(sim, Reply::ok());
    if !leaks {
        close(one.request);
        one.until(sim, CLOSING, 1);
    }
    one.client.close();
}

pub fn parent_first(sim: &Sim, first: bool) {
    let one = One::get(sim, Reply::ok());
    let mut order = [one.request, one.client.connection, one.client.session];
    if first {
        order.reverse();
    }
    order.into_iter().for_each(|handle| assert_eq!(close(handle), 1));
    one.until(sim, CLOSING, 1);
}

pub fn take_callback(sim: &Sim, pending: bool) {
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
pub fn close_beside(sim: &Sim, beside: bool) {
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
