//! A synchronous client as programs for Windows have it, for tests that look at the server rather than at callbacks.

use std::ffi::c_void;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Networking::WinHttp::*;

/// UTF-16 with a NUL.
pub fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// The last error of this thread.
pub fn last_error() -> u32 {
    // SAFETY: reads a number of this thread.
    unsafe { GetLastError() }
}

/// A session, and a connection to 127.0.0.1.
pub struct Client {
    /// The session's handle.
    pub session: *mut c_void,
    connection: *mut c_void,
}

/// What is asked for.
#[derive(Default)]
pub struct Ask<'a> {
    /// GET if it is empty.
    pub method: &'a str,
    /// Additional headers.
    pub headers: &'a str,
    /// lpOptional.
    pub body: &'a [u8],
    /// The pieces of WinHttpWriteData; an empty one is NULL and 0.
    pub pieces: &'a [&'a [u8]],
    /// dwTotalLength, where it is not the length of all of these.
    pub total: Option<u32>,
    /// WINHTTP_FLAG_*
    pub flags: u32,
    /// Does something with the handle before it is sent.
    pub before: Option<&'a dyn Fn(*mut c_void)>,
}

/// What came.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u32,
    /// RAW_HEADERS_CRLF.
    pub headers: String,
    /// How long the body was.
    pub length: u64,
    /// The body, as far as the first MiB.
    pub body: Vec<u8>,
    /// WINHTTP_OPTION_URL
    pub url: String,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.headers.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl Client {
    /// A client of the server at this port.
    pub fn new(port: u16) -> Client {
        // SAFETY: strings end in NUL or are NULL.
        unsafe {
            let agent = wide("foreign/1.0");
            let session = WinHttpOpen(agent.as_ptr(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
            let connection = WinHttpConnect(session, wide("127.0.0.1").as_ptr(), port, 0);
            assert!(!connection.is_null(), "{}", last_error());
            Client { session, connection }
        }
    }

    /// GET.
    pub fn get(&self, path: &str) -> Answer {
        self.ask(path, &Ask::default()).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Sends, receives and reads to the end; the last error of the call that failed.
    pub fn ask(&self, path: &str, ask: &Ask<'_>) -> Result<Answer, u32> {
        let method = if ask.method.is_empty() { "GET" } else { ask.method };
        // SAFETY: strings end in NUL or are NULL.
        let request = unsafe {
            let (method, path) = (wide(method), wide(path));
            WinHttpOpenRequest(self.connection, method.as_ptr(), path.as_ptr(), null(), null(), null(), ask.flags)
        };
        assert!(!request.is_null(), "{}", last_error());
        if let Some(before) = ask.before {
            before(request);
        }
        let answer = exchange(request, ask);
        // SAFETY: nothing uses the handle any more.
        assert_eq!(unsafe { WinHttpCloseHandle(request) }, 1);
        answer
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: nothing uses the handles any more.
        unsafe {
            WinHttpCloseHandle(self.connection);
            WinHttpCloseHandle(self.session);
        }
    }
}

/// Sends a request that was opened, and reads the reply to its end.
pub fn exchange(request: *mut c_void, ask: &Ask<'_>) -> Result<Answer, u32> {
    let failed = |answer: i32| if answer == 0 { Err(last_error()) } else { Ok(()) };
    let headers = wide(ask.headers);
    let pieces: usize = ask.pieces.iter().map(|piece| piece.len()).sum();
    let total = ask.total.unwrap_or((ask.body.len() + pieces) as u32);
    // SAFETY: the headers end in NUL, the body has so many bytes and lives until the end.
    failed(unsafe {
        let headers = if ask.headers.is_empty() { null() } else { headers.as_ptr() };
        let body = if ask.body.is_empty() { null() } else { ask.body.as_ptr().cast() };
        WinHttpSendRequest(request, headers, u32::MAX, body, ask.body.len() as u32, total, 0)
    })?;
    for piece in ask.pieces {
        let mut written = 0;
        // SAFETY: the piece has so many bytes.
        failed(unsafe {
            let start = if piece.is_empty() { null() } else { piece.as_ptr().cast() };
            WinHttpWriteData(request, start, piece.len() as u32, &mut written)
        })?;
        assert_eq!(written as usize, piece.len());
    }
    // SAFETY: the handle is open.
    failed(unsafe { WinHttpReceiveResponse(request, null_mut()) })?;
    let status = text_of(request, WINHTTP_QUERY_STATUS_CODE).parse().expect("a status is a number");
    let (mut body, mut length, mut buffer) = (Vec::new(), 0, vec![0u8; 1 << 20]);
    loop {
        let mut count = 0;
        // SAFETY: the buffer has so many bytes.
        failed(unsafe { WinHttpReadData(request, buffer.as_mut_ptr().cast(), buffer.len() as u32, &mut count) })?;
        if count == 0 {
            break;
        }
        if length == 0 {
            body = buffer[..count as usize].to_vec();
        }
        length += u64::from(count);
    }
    let headers = text_of(request, WINHTTP_QUERY_RAW_HEADERS_CRLF);
    Ok(Answer { status, headers, length, body, url: url_of(request) })
}

fn text_of(request: *mut c_void, level: u32) -> String {
    let (mut text, mut length) = (vec![0u16; 32 * 1024], 64 * 1024);
    // SAFETY: the buffer has so many bytes.
    let answer =
        unsafe { WinHttpQueryHeaders(request, level, null(), text.as_mut_ptr().cast(), &mut length, null_mut()) };
    assert_eq!(answer, 1, "{}", last_error());
    String::from_utf16_lossy(&text[..length as usize / 2])
}

fn url_of(request: *mut c_void) -> String {
    let (mut text, mut length) = (vec![0u16; 4096], 8192);
    // SAFETY: the buffer has so many bytes.
    let answer = unsafe { WinHttpQueryOption(request, WINHTTP_OPTION_URL, text.as_mut_ptr().cast(), &mut length) };
    assert_eq!(answer, 1, "{}", last_error());
    String::from_utf16_lossy(&text[..length as usize / 2])
}

/// Sets an option that is a DWORD.
pub fn set(handle: *mut c_void, option: u32, value: u32) {
    // SAFETY: the value has four bytes.
    let answer = unsafe { WinHttpSetOption(handle, option, (&raw const value).cast(), 4) };
    assert_eq!(answer, 1, "{}", last_error());
}

/// WinHttpSetCredentials for the server.
pub fn credentials(request: *mut c_void, scheme: u32, user: &str, password: &str) {
    let (user, password) = (wide(user), wide(password));
    // SAFETY: the strings end in NUL.
    let answer = unsafe {
        WinHttpSetCredentials(request, WINHTTP_AUTH_TARGET_SERVER, scheme, user.as_ptr(), password.as_ptr(), null_mut())
    };
    assert_eq!(answer, 1, "{}", last_error());
}

/// The options USERNAME and PASSWORD.
pub fn user(request: *mut c_void, user: &str, password: &str) {
    for (option, text) in [(WINHTTP_OPTION_USERNAME, user), (WINHTTP_OPTION_PASSWORD, password)] {
        let units = wide(text);
        // SAFETY: the text has so many characters.
        let answer =
            unsafe { WinHttpSetOption(request, option, units.as_ptr().cast(), text.encode_utf16().count() as u32) };
        assert_eq!(answer, 1, "{}", last_error());
    }
}
