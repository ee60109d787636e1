//! A client that fetches, driven by its callbacks.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use windows_sys::Win32::Networking::WinHttp::*;

use crate::support::*;

/// A client as programs have it: driven by its callbacks to the end of the body, or to its error.
pub struct Fetch {
    pub record: Arc<Record>,
    client: Client,
    body: Arc<Mutex<Vec<u8>>>,
    done: Arc<AtomicBool>,
}

impl Fetch {
    pub fn start(verb: &str, path: &str, data: &str) -> Fetch {
        Fetch::at(80, verb, path, data)
    }

    /// From this port of this machine.
    pub fn at(port: u16, verb: &str, path: &str, data: &str) -> Fetch {
        let body = Arc::new(Mutex::new(Vec::new()));
        let done = Arc::new(AtomicBool::new(false));
        let buffer = Box::leak(Box::new([0u8; 16])).as_mut_ptr() as usize;
        let (collected, ended) = (Arc::clone(&body), Arc::clone(&done));
        let record = Record::with(move |request, seen| match seen.status {
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => assert_eq!(receive(request), 1),
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => read_into(request, buffer),
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE if seen.value > 0 => {
                // SAFETY: READ_COMPLETE says that so many bytes are there.
                let bytes = unsafe { std::slice::from_raw_parts(buffer as *const u8, seen.value as usize) };
                collected.lock().unwrap().extend_from_slice(bytes);
                read_into(request, buffer);
            }
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE | WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => {
                close(request);
            }
            WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => ended.store(true, Ordering::SeqCst),
            _ => {}
        });
        let client = Client::new(true, port);
        let request = client.request(verb, path, &record);
        let data = Box::leak(data.to_owned().into_boxed_str());
        // SAFETY: the data lives for ever.
        let sent = unsafe {
            WinHttpSendRequest(request, null(), 0, data.as_ptr().cast(), data.len() as u32, data.len() as u32, 0)
        };
        assert_eq!(sent, 1);
        Fetch { record, client, body, done }
    }

    pub fn done(&self) -> bool {
        self.done.load(Ordering::SeqCst)
    }

    /// The body, or the API and error of the REQUEST_ERROR.
    pub fn result(&self) -> Result<String, (usize, u32)> {
        let seen = self.record.seen();
        match seen.iter().find(|seen| seen.status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR) {
            Some(error) => Err((error.api, error.value)),
            None => Ok(String::from_utf8(self.body.lock().unwrap().clone()).unwrap()),
        }
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.client.close();
    }
}

fn read_into(request: *mut c_void, buffer: usize) {
    // SAFETY: the buffer has 16 bytes and lives for ever.
    assert_eq!(unsafe { WinHttpReadData(request, buffer as *mut c_void, 16, std::ptr::null_mut()) }, 1);
}

/// The message of a Sim that does not end well.
pub fn complaint(body: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(body)).expect_err("the Sim complains");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}
