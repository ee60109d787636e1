//! Mistakes of clients with their memory, which Miri reports at the client's own line: `.ci/sanitize miri` runs each alone
//! and looks for that. Elsewhere they are what they are, and are not compiled.
#![cfg(miri)]

mod support;

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::null;

use portable_winhttp::lab::{Reply, Sim, any};
use support::{close, send, wide};
use windows_sys::Win32::Networking::WinHttp::*;

/// What a client keeps of a request.
struct Context {
    told: Cell<u32>,
}

unsafe extern "system" fn count(_: *mut c_void, context: usize, _: u32, _: *mut c_void, _: u32) {
    // SAFETY: a promise that both mistakes break.
    let context = unsafe { &*std::ptr::with_exposed_provenance::<Context>(context) };
    context.told.set(context.told.get() + 1);
}

unsafe extern "system" fn free(_: *mut c_void, context: usize, status: u32, _: *mut c_void, _: u32) {
    if status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING {
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(std::ptr::with_exposed_provenance_mut::<Context>(context)) });
    }
}

/// A request is under way when its context is freed and then its handle closed.
fn freed_before_it_is_closed(callback: unsafe extern "system" fn(*mut c_void, usize, u32, *mut c_void, u32)) {
    let sim = Sim::new();
    sim.peer("http://api.test").on(any()).reply(Reply::never());
    let context = Box::into_raw(Box::new(Context { told: Cell::new(0) }));
    let value = context.expose_provenance();
    // SAFETY: strings end in NUL, the value has its length.
    let handles = unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
        let connection = WinHttpConnect(session, wide("api.test").as_ptr(), 80, 0);
        let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), 0);
        WinHttpSetOption(request, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const value).cast(), 8);
        WinHttpSetStatusCallback(request, Some(callback), WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
        [request, connection, session]
    };
    assert_eq!(send(handles[0]), 1);
    sim.settle();
    // SAFETY: it came from a box.
    drop(unsafe { Box::from_raw(context) });
    handles.into_iter().for_each(|handle| assert_eq!(close(handle), 1));
    sim.settle();
}

#[test]
#[ignore = "undefined behaviour, which Miri has to find"]
fn a_context_is_used_after_it_was_freed() {
    freed_before_it_is_closed(count);
}

#[test]
#[ignore = "undefined behaviour, which Miri has to find"]
fn a_context_is_freed_twice() {
    freed_before_it_is_closed(free);
}
