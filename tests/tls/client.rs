//! An asynchronous GET, and what became of it.

use std::ffi::c_void;
use std::ptr::null;
use std::sync::Arc;

use windows_sys::Win32::Networking::WinHttp::*;

use crate::support::*;

/// A request that is open.
pub struct Get {
    pub client: Client,
    pub request: *mut c_void,
    pub record: Arc<Record>,
    context: usize,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The statuses, without those of handles.
    pub statuses: Vec<u32>,
    /// What SECURE_FAILURE said.
    pub failure: Option<u32>,
    /// dwResult and dwError of REQUEST_ERROR.
    pub error: Option<(u32, u32)>,
}

impl Get {
    /// Opens a request to this port of 127.0.0.1.
    pub fn new(port: u16) -> Get {
        Get::with(port, |_, _| {})
    }

    /// The callback also does `then`.
    pub fn with(port: u16, then: impl Fn(*mut c_void, Seen) + Send + Sync + 'static) -> Get {
        let client = Client::new(true, port);
        let record = Record::with(move |request, seen| {
            if seen.status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE {
                assert_eq!(receive(request), 1);
            }
            then(request, seen);
        });
        let context = context(&record);
        // SAFETY: NULL stands for what is not given.
        let request = unsafe {
            WinHttpOpenRequest(client.connection, null(), null(), null(), null(), null(), WINHTTP_FLAG_SECURE)
        };
        assert!(!request.is_null());
        Get { client, request, record, context }
    }

    /// Goes to this host, which is found at 127.0.0.1.
    pub fn to(self, host: &str, port: u16) -> Get {
        close(self.request);
        close(self.client.connection);
        let address = wide("127.0.0.1");
        // SAFETY: NUL-terminated strings; NULL stands for what is not given.
        unsafe {
            let connection = WinHttpConnect(self.client.session, wide(host).as_ptr(), port, 0);
            let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), WINHTTP_FLAG_SECURE);
            let set = WinHttpSetOption(request, WINHTTP_OPTION_RESOLUTION_HOSTNAME, address.as_ptr().cast(), 18);
            assert_eq!(set, 1, "{}", last_error());
            Get { request, client: Client { connection, ..self.client }, ..self }
        }
    }

    /// Sets a DWORD option of the request.
    pub fn option(self, option: u32, value: u32) -> Get {
        assert_eq!(set(self.request, option, value), 1, "{}", last_error());
        self
    }

    /// Sets a DWORD option of the session; only what is opened later has it.
    pub fn session(port: u16, option: u32, value: u32) -> Get {
        let get = Get::new(port);
        assert_eq!(set(get.client.session, option, value), 1, "{}", last_error());
        close(get.request);
        // SAFETY: NULL stands for what is not given.
        let request = unsafe {
            WinHttpOpenRequest(get.client.connection, null(), null(), null(), null(), null(), WINHTTP_FLAG_SECURE)
        };
        Get { request, ..get }
    }

    /// Sends it and waits for its end.
    pub fn send(&self) -> Outcome {
        let before = self.record.seen().len();
        // SAFETY: the context lives for ever.
        assert_eq!(unsafe { WinHttpSendRequest(self.request, null(), 0, null(), 0, 0, self.context) }, 1);
        let ended = [WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR];
        let seen = self.record.wait_for(
            |seen| seen[before..].iter().any(|seen| ended.contains(&seen.status)).then(|| seen[before..].to_vec()),
            "the end of a request",
        );
        let handles = WINHTTP_CALLBACK_STATUS_HANDLE_CREATED | WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;
        Outcome {
            statuses: seen.iter().map(|seen| seen.status).filter(|status| status & handles == 0).collect(),
            failure: seen
                .iter()
                .find(|seen| seen.status == WINHTTP_CALLBACK_STATUS_SECURE_FAILURE)
                .map(|seen| seen.value),
            error: seen
                .iter()
                .find(|seen| seen.status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR)
                .map(|seen| (seen.api as u32, seen.value)),
        }
    }

    /// Closes everything; says what became of it.
    pub fn run(self) -> Outcome {
        let outcome = self.send();
        self.close();
        outcome
    }

    pub fn close(self) {
        close(self.request);
        self.client.close();
    }
}

/// Sets a DWORD option.
pub fn set(handle: *mut c_void, option: u32, value: u32) -> i32 {
    // SAFETY: a DWORD.
    unsafe { WinHttpSetOption(handle, option, (&raw const value).cast(), 4) }
}

/// An option of a fixed size; the last error if it cannot be read.
pub fn query<T>(handle: *mut c_void, option: u32) -> Result<T, u32> {
    let mut value = std::mem::MaybeUninit::<T>::zeroed();
    let mut length = size_of::<T>() as u32;
    // SAFETY: the buffer has the size; any bytes that WinHTTP writes are a value, and zeros are one.
    unsafe {
        match WinHttpQueryOption(handle, option, value.as_mut_ptr().cast(), &mut length) {
            0 => Err(last_error()),
            _ => Ok(value.assume_init()),
        }
    }
}

impl Outcome {
    /// What SECURE_FAILURE said (0 if nothing), and the error (0 if none).
    pub fn verdict(&self) -> (u32, u32) {
        (self.failure.unwrap_or(0), self.error.map_or(0, |(_, error)| error))
    }
}
