//! Bodies that go through the exported functions: bytes of a server over sockets, and buffers of options.

use std::ffi::c_void;
use std::io::{Error, Read, Write};
use std::ptr::{null, null_mut};
use std::sync::{LazyLock, Mutex, PoisonError};

use portable_winhttp::api::*;
use portable_winhttp::real::census;
use portable_winhttp::win32::*;

use super::{hostile, hostile_http2};

/// What servers say next.
static SAID: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn said() -> Vec<u8> {
    SAID.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A session, which lives for ever, and a connection to a server that says [`SAID`].
struct Client {
    connection: usize,
    flags: u32,
}

impl Client {
    fn new(port: u16, flags: u32) -> Client {
        let host: Vec<u16> = "127.0.0.1\0".encode_utf16().collect();
        // SAFETY: text ends in NUL, values have their lengths.
        unsafe {
            let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
            WinHttpSetTimeouts(session, 2000, 2000, 2000, 2000);
            let http2 = WINHTTP_PROTOCOL_FLAG_HTTP2;
            if flags == WINHTTP_FLAG_SECURE {
                WinHttpSetOption(session, WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, (&raw const http2).cast(), 4);
            }
            Client { connection: WinHttpConnect(session, host.as_ptr(), port, 0) as usize, flags }
        }
    }

    /// A request comes to an end, whatever is said.
    fn get(&self, said: &[u8]) {
        *SAID.lock().unwrap_or_else(PoisonError::into_inner) = said.to_vec();
        let before = census().handles;
        // SAFETY: values and buffers have their lengths.
        unsafe {
            let request =
                WinHttpOpenRequest(self.connection as *mut c_void, null(), null(), null(), null(), null(), self.flags);
            let ignored = SECURITY_FLAG_IGNORE_ALL_CERT_ERRORS;
            WinHttpSetOption(request, WINHTTP_OPTION_SECURITY_FLAGS, (&raw const ignored).cast(), 4);
            let decoded = WINHTTP_DECOMPRESSION_FLAG_ALL;
            WinHttpSetOption(request, WINHTTP_OPTION_DECOMPRESSION, (&raw const decoded).cast(), 4);
            let received = WinHttpSendRequest(request, null(), 0, null(), 0, 0, 0) != 0
                && WinHttpReceiveResponse(request, null_mut()) != 0;
            let (mut buffer, mut count) = ([0u8; 1000], 1);
            while received && count > 0 {
                if WinHttpReadData(request, buffer.as_mut_ptr().cast(), 1000, &mut count) == 0 {
                    break;
                }
                assert!(count <= 1000);
            }
            WinHttpCloseHandle(request);
        }
        assert_eq!(census().handles, before);
    }
}

/// A reply of HTTP/1.1, and the end of the connection.
pub fn replies(data: &[u8]) {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        let served = hostile::serve_with(0, |mut stream, _| {
            hostile::limit(&stream)?;
            hostile::head(&mut stream, &mut Vec::new())?;
            stream.write_all(&said())?;
            stream.shutdown(std::net::Shutdown::Write)?;
            stream.read_to_end(&mut Vec::new()).map(drop)
        });
        Client::new(served.expect("a socket"), 0)
    });
    CLIENT.get(data);
}

/// Frames of HTTP/2 behind the SETTINGS of the server, and the end of the connection.
pub fn http2(data: &[u8]) {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        let served = hostile_http2::serve_answers(0, |tls, _, _| {
            tls.write_all(&said())?;
            Err(Error::other("all is said"))
        });
        Client::new(served.expect("a socket"), WINHTTP_FLAG_SECURE)
    });
    CLIENT.get(data);
}

/// The first byte is an option, the second a length; the rest is the value. Options that hold pointers are asked for with too
/// little room, and set with a length that is not theirs.
pub fn options(data: &[u8]) {
    let [option, length, value @ ..] = data else { return };
    let option = u32::from(*option);
    let pointers = [
        WINHTTP_OPTION_PROXY,
        WINHTTP_OPTION_CONTEXT_VALUE,
        WINHTTP_OPTION_CLIENT_CERT_CONTEXT,
        WINHTTP_OPTION_SERVER_CERT_CONTEXT,
        WINHTTP_OPTION_SERVER_CERT_CHAIN_CONTEXT,
        WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT,
    ];
    let most = if pointers.contains(&option) { 3 } else { 48 };
    let length = u32::from(*length).min(most);
    // Text is counted in characters of two bytes; behind its end stands what must not change.
    let mut room = [0xEEu8; 128];
    let given = value.len().min(96);
    room[..given].copy_from_slice(&value[..given]);
    // SAFETY: the room is longer than any length that is said.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
        let host: Vec<u16> = "h\0".encode_utf16().collect();
        let connection = WinHttpConnect(session, host.as_ptr(), 80, 0);
        let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), 0);
        for handle in [session, connection, request] {
            WinHttpSetOption(handle, option, room.as_ptr().cast(), length);
            let (mut answer, mut size) = ([0xEEu8; 128], length);
            WinHttpQueryOption(handle, option, answer.as_mut_ptr().cast(), &mut size);
            assert!(
                answer[length as usize..].iter().all(|byte| *byte == 0xEE),
                "option {option} wrote beyond {length}"
            );
        }
        for handle in [request, connection, session] {
            assert_eq!(WinHttpCloseHandle(handle), 1);
        }
    }
}
