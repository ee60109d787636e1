//! A connection whose request did not go out whole is never used again: the next request, perhaps another session's with
//! its credentials, would be the rest of that body (RFC 9112, 6.3 and 9.3).

mod support;

use std::io::{Read, Write};
use std::ptr::{null, null_mut};
use std::sync::mpsc::channel;

use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

/// A server that answers `reply` when a head and `body` are there, and tells what came on each connection up to its end,
/// or up to the head of a second request.
fn early(reply: String, body: String) -> (u16, std::sync::mpsc::Receiver<(bool, String)>) {
    let (told, heard) = channel();
    let port = serve(move |mut stream| {
        let mut rest = vec![0; body.len()];
        let came =
            read_head(&mut stream).is_some_and(|head| head.contains("/second") || stream.read_exact(&mut rest).is_ok());
        if !came || stream.write_all(reply.as_bytes()).is_err() {
            return;
        }
        let mut part = [0; 1024];
        let reused = loop {
            match stream.read(&mut part) {
                Ok(count @ 1..) => rest.extend_from_slice(&part[..count]),
                _ => break false,
            }
            if rest.ends_with(b"\r\n\r\n") && rest.windows(11).any(|bytes| bytes == b"GET /second") {
                break true;
            }
        };
        let _ = stream.write_all(reply.as_bytes());
        let _ = told.send((reused, String::from_utf8_lossy(&rest).into_owned()));
    });
    (port, heard)
}

/// Verb, headers, body given to SendRequest, total, pieces of WriteData; whether the connection may be used again.
type Row = (&'static str, &'static str, &'static str, u32, &'static [&'static str], bool);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("POST", "", "hello", 10, &[], false),
    ("POST", "", "", 10, &[], false),
    ("POST", "", "hello", 10, &["wor"], false),
    ("POST", "", "hello", 10, &["world"], true),
    ("POST", "", "hello", 5, &[], true),
    ("POST", "Content-Length: 10", "hello", 10, &[], false),
    ("GET", "Content-Length: 10", "", 10, &[], false),
    ("GET", "Content-Length: 10", "", 0, &[], false),
    ("POST", "Transfer-Encoding: chunked", "5\r\nhello\r\n", 0, &[], false),
    ("POST", "Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n", 0, &["x"], false),
    ("POST", "Transfer-Encoding: identity", "hello", 0, &[], false),
];

#[test]
fn a_request_that_is_not_whole_ends_its_connection() {
    for status in ["200 OK", "401 Unauthorized", "413 Content Too Large"] {
        for (verb, headers, body, total, pieces, kept) in ROWS {
            let what = format!("{status} {verb} {headers:?} {body:?} of {total} {pieces:?}");
            // Where the end of the body may come after that of the reply, nobody knows when the connection is free.
            let awaited = if *kept { format!("{body}{}", pieces.concat()) } else { String::new() };
            let (port, heard) = early(format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok"), awaited);
            let first = Client::new(false, port);
            let request = first.request(verb, "/first", &Record::new());
            // SAFETY: strings end in NUL, bodies have the lengths that are given.
            unsafe {
                let headers = wide(headers);
                let (bytes, length) = (body.as_ptr().cast(), body.len() as u32);
                assert_eq!(
                    WinHttpSendRequest(request, headers.as_ptr(), u32::MAX, bytes, length, *total, 0),
                    1,
                    "{what}"
                );
                for piece in *pieces {
                    let written = WinHttpWriteData(request, piece.as_ptr().cast(), piece.len() as u32, null_mut());
                    assert_eq!(written, 1, "{what}: {}", last_error());
                }
                assert_eq!(receive(request), 1, "{what}: {}", last_error());
                let (mut buffer, mut count) = ([0u8; 8], 0);
                assert_eq!(WinHttpReadData(request, buffer.as_mut_ptr().cast(), 8, &mut count), 1, "{what}");
            }
            close(request);
            first.close();

            let second = Client::new(false, port);
            let request = second.request("GET", "/second", &Record::new());
            let secret = wide("Authorization: Basic c2VjcmV0");
            // SAFETY: the string ends in NUL.
            let sent = unsafe { WinHttpSendRequest(request, secret.as_ptr(), u32::MAX, null(), 0, 0, 0) };
            assert_eq!((sent, receive(request)), (1, 1), "{what}: {}", last_error());
            let (reused, rest) =
                heard.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{what}: the first connection goes on"));
            assert_eq!(reused, *kept, "{what}");
            let expected = format!("{body}{}", pieces.concat());
            assert!(rest.starts_with(&expected), "{what}: {rest:?}");
            assert_eq!(rest.contains("second"), *kept, "{what}: {rest:?}");
            close(request);
            second.close();
        }
    }
}
