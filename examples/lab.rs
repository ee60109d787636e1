//! A client of WinHTTP in a world of its own: a server that never answers, and thirty seconds that take no time.
//!
//! ```text
//! cargo run --example lab
//! ```

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::time::Instant;

use portable_winhttp::lab::{Reply, Sim, any};
use windows_sys::Win32::Networking::WinHttp::*;

/// How the request ended: the API and the error of its REQUEST_ERROR.
static ENDED: Mutex<Option<(usize, u32)>> = Mutex::new(None);

unsafe extern "system" fn notified(request: *mut c_void, _: usize, status: u32, information: *mut c_void, _: u32) {
    // SAFETY: the handle is open while it is notified, and REQUEST_ERROR brings a WINHTTP_ASYNC_RESULT.
    unsafe {
        match status {
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => {
                WinHttpReceiveResponse(request, null_mut());
            }
            WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => {
                let result = &*information.cast::<WINHTTP_ASYNC_RESULT>();
                *ENDED.lock().unwrap() = Some((result.dwResult, result.dwError));
            }
            _ => {}
        }
    }
}

fn main() {
    let began = Instant::now();
    let sim = Sim::new();
    sim.peer("https://api.test").on(any()).reply(Reply::never()).expect(1);

    let wide = |text: &str| text.encode_utf16().chain([0]).collect::<Vec<u16>>();
    // SAFETY: strings end in NUL; the callback needs no context.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
        WinHttpSetStatusCallback(session, Some(notified), WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
        let connection = WinHttpConnect(session, wide("api.test").as_ptr(), 443, 0);
        let items = wide("/items");
        let request =
            WinHttpOpenRequest(connection, null(), items.as_ptr(), null(), null(), null(), WINHTTP_FLAG_SECURE);
        WinHttpSendRequest(request, null(), 0, null(), 0, 0, 0);

        sim.block_until(|| ENDED.lock().unwrap().is_some());
        for handle in [request, connection, session] {
            WinHttpCloseHandle(handle);
        }
    }

    print!("{}", sim.trace().to_table());
    println!("{:?} in the world, {:?} on the wall", sim.elapsed(), began.elapsed());
    assert_eq!(*ENDED.lock().unwrap(), Some((API_RECEIVE_RESPONSE as usize, ERROR_WINHTTP_TIMEOUT)));
}
