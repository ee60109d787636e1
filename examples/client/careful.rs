// A client that looks at every answer: however a request ends, it closes its handles once and knows the outcome. The
// examples of the documentation use it, too.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Mutex;

use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Networking::WinHttp::*;

/// How a request ended: its body, or the error.
pub type Outcome = Result<Vec<u8>, u32>;

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

#[derive(Default)]
struct Inner {
    /// The request, until it is closed.
    request: Option<usize>,
    /// Calls in progress on it, and whether it is to be closed behind them: a handle must not be closed under a call.
    calls: usize,
    closes: bool,
    body: Vec<u8>,
    outcome: Option<Outcome>,
    closed: bool,
    /// The connection and the session, which must outlive the request.
    parents: Vec<usize>,
}

/// The client. It lives for ever, as its callbacks may.
#[derive(Default)]
pub struct Careful {
    inner: Mutex<Inner>,
    buffer: Mutex<Box<[u8; 8]>>,
}

impl Careful {
    /// Fetches a URL of port 80, or of 443 if it is secure.
    pub fn start(host: &str, path: &str, secure: bool) -> &'static Careful {
        Careful::told(host, path, secure, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS)
    }

    /// The same, with these notifications.
    pub fn told(host: &str, path: &str, secure: bool, mask: u32) -> &'static Careful {
        let client: &'static Careful = Box::leak(Box::default());
        // SAFETY: strings end in NUL; the context lives for ever.
        unsafe { client.open(host, path, secure, mask) };
        client
    }

    unsafe fn open(&'static self, host: &str, path: &str, secure: bool, mask: u32) {
        // SAFETY: as above.
        unsafe {
            let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
            if session.is_null() {
                return self.ended(Err(GetLastError()), true);
            }
            self.inner.lock().unwrap().parents = vec![session as usize];
            let former = WinHttpSetStatusCallback(session, Some(notified), mask, 0);
            let connection = match former {
                Some(_) => null_mut(),
                None => WinHttpConnect(session, wide(host).as_ptr(), if secure { 443 } else { 80 }, 0),
            };
            if connection.is_null() {
                self.ended(Err(GetLastError()), false);
                return self.close_parents();
            }
            self.inner.lock().unwrap().parents.push(connection as usize);
            let secure = if secure { WINHTTP_FLAG_SECURE } else { 0 };
            let request = WinHttpOpenRequest(connection, null(), wide(path).as_ptr(), null(), null(), null(), secure);
            if request.is_null() {
                self.ended(Err(GetLastError()), false);
                return self.close_parents();
            }
            self.inner.lock().unwrap().request = Some(request as usize);
            // Bound before anything can fail: HANDLE_CLOSING will bring it in any case.
            let context = std::ptr::from_ref(self) as usize;
            let bound = WinHttpSetOption(request, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const context).cast(), 8);
            if bound == 0 {
                self.ended(Err(GetLastError()), false);
                self.close();
                return self.close_parents();
            }
            self.call(|request| WinHttpSendRequest(request, null(), 0, null(), 0, 0, context));
        }
    }

    /// Closes the request, if nobody has: from any thread, at any time.
    pub fn cancel(&self) {
        self.ended(Err(ERROR_WINHTTP_OPERATION_CANCELLED), false);
        self.close();
    }

    fn close(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.closes = true;
        let request = if inner.calls == 0 { inner.request.take() } else { None };
        drop(inner);
        if let Some(request) = request {
            // SAFETY: nobody else closes it.
            unsafe { WinHttpCloseHandle(request as *mut c_void) };
        }
    }

    /// Makes a call on the request, unless it is closed or about to be. One that fails at once ends the request.
    fn call(&self, call: impl FnOnce(*mut c_void) -> i32) {
        let mut inner = self.inner.lock().unwrap();
        let Some(request) = inner.request.filter(|_| !inner.closes) else { return };
        inner.calls += 1;
        drop(inner);
        let answer = call(request as *mut c_void);
        if answer == 0 {
            // SAFETY: no pointers.
            self.ended(Err(unsafe { GetLastError() }), false);
        }
        let mut inner = self.inner.lock().unwrap();
        inner.calls -= 1;
        let closes = inner.closes || answer == 0;
        drop(inner);
        if closes {
            self.close();
        }
    }

    /// The last that is to be done.
    fn close_parents(&self) {
        let parents = std::mem::take(&mut self.inner.lock().unwrap().parents);
        for handle in parents.into_iter().rev() {
            // SAFETY: an open handle.
            unsafe { WinHttpCloseHandle(handle as *mut c_void) };
        }
        self.inner.lock().unwrap().closed = true;
    }

    fn ended(&self, outcome: Outcome, closed: bool) {
        let mut inner = self.inner.lock().unwrap();
        inner.outcome.get_or_insert(outcome);
        inner.closed |= closed;
    }

    fn read(&self) {
        let buffer = self.buffer.lock().unwrap().as_mut_ptr();
        // SAFETY: the buffer lives for ever.
        self.call(|request| unsafe { WinHttpReadData(request, buffer.cast(), 8, null_mut()) });
    }

    /// Whether HANDLE_CLOSING came, or there never was a handle to wait for.
    pub fn closed(&self) -> bool {
        self.inner.lock().unwrap().closed
    }

    pub fn outcome(&self) -> Option<Outcome> {
        self.inner.lock().unwrap().outcome.clone()
    }
}

unsafe extern "system" fn notified(_: *mut c_void, context: usize, status: u32, info: *mut c_void, length: u32) {
    // SAFETY: contexts are leaked clients; payloads are those of their status.
    unsafe {
        let Some(client) = (context as *const Careful).as_ref() else { return };
        match status {
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => {
                client.call(|request| WinHttpReceiveResponse(request, null_mut()));
            }
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => client.read(),
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE if length > 0 => {
                let bytes = std::slice::from_raw_parts(info.cast::<u8>(), length as usize);
                client.inner.lock().unwrap().body.extend_from_slice(bytes);
                client.read();
            }
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE => {
                let body = client.inner.lock().unwrap().body.clone();
                client.ended(Ok(body), false);
                client.close();
            }
            WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => {
                let result = &*info.cast::<WINHTTP_ASYNC_RESULT>();
                client.ended(Err(result.dwError), false);
                client.close();
            }
            WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => client.close_parents(),
            _ => {}
        }
    }
}
