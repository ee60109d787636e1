//! Bodies of requests.

use std::ptr::{null, null_mut};

use http::Response;
use windows_sys::Win32::Foundation::ERROR_INVALID_PARAMETER;
use windows_sys::Win32::Networking::WinHttp::*;

use crate::CONNECTION_ERROR;
use crate::client::*;
use crate::server::Server;
use crate::support::*;

/// Sends a body in pieces: the first with SendRequest.
fn upload(server: &Server, flags: u32, first: &[u8], total: u32, pieces: &[Vec<u8>]) -> Result<Vec<u8>, u32> {
    let client = client(false, server.port);
    let request = open(&client, "POST", "/echo", flags, None);
    // SAFETY: bytes and their length.
    let sent = unsafe { WinHttpSendRequest(request, null(), 0, first.as_ptr().cast(), first.len() as u32, total, 0) };
    assert_eq!(sent, 1, "{}", last_error());
    for piece in pieces {
        let mut written = 0;
        // The pointer of an empty vector leads nowhere.
        let bytes = if piece.is_empty() { null() } else { piece.as_ptr().cast() };
        // SAFETY: bytes and their length.
        let wrote = unsafe { WinHttpWriteData(request, bytes, piece.len() as u32, &mut written) };
        assert_eq!((wrote, written), (1, piece.len() as u32), "{}", last_error());
    }
    let got = if receive(request) == 1 { read_all(request) } else { Err(last_error()) };
    close(request);
    client.close();
    got
}

#[test]
fn uploads() {
    let server = Server::start(|mut exchange| async move {
        let length = exchange.request.headers().get("content-length").cloned();
        let chunked = exchange.request.headers().contains_key("transfer-encoding");
        let body = exchange.body().await;
        let length = length.map_or("none".to_owned(), |length| length.to_str().unwrap().to_owned());
        let sum: u64 = body.iter().map(|byte| u64::from(*byte)).sum();
        exchange.answer(format!("{length} {chunked} {} {sum}", body.len()));
    });
    let large: Vec<u8> = (0..300_000).map(|number| number as u8).collect();
    let told = |length: &str, bytes: &[u8]| {
        let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
        Ok(format!("{length} false {} {sum}", bytes.len()).into_bytes())
    };
    let automatic = WINHTTP_FLAG_AUTOMATIC_CHUNKING;
    assert_eq!(upload(&server, 0, b"", 0, &[]), told("0", b""));
    assert_eq!(upload(&server, 0, b"abc", 3, &[]), told("3", b"abc"));
    assert_eq!(upload(&server, 0, &large, large.len() as u32, &[]), told("300000", &large));
    assert_eq!(upload(&server, 0, b"abc", 5, &[b"d".to_vec(), b"e".to_vec()]), told("5", b"abcde"));
    assert_eq!(upload(&server, 0, b"", 300_000, std::slice::from_ref(&large)), told("300000", &large));
    assert_eq!(upload(&server, automatic, b"ab", 0, &[b"cd".to_vec(), vec![]]), told("none", b"abcd"));
    assert_eq!(upload(&server, automatic, b"", 0, &[large.clone(), large.clone(), vec![]]), {
        told("none", &[large.clone(), large.clone()].concat())
    });
}

/// Sends back each piece of a body when it comes, and at its end `end`. The head comes before anything.
fn echo() -> Server {
    Server::start(|mut exchange| async move {
        let mut stream = exchange.reply.send_response(Response::new(()), false).unwrap();
        while let Some(Ok(bytes)) = exchange.request.body_mut().data().await {
            let _ = exchange.request.body_mut().flow_control().release_capacity(bytes.len());
            stream.send_data(bytes, false).unwrap();
        }
        stream.send_data("end".into(), true).unwrap();
    })
}

/// source write.http2: ReceiveResponse does not end a body whose length was announced.
#[test]
fn a_reply_is_read_while_a_known_length_goes_on() {
    let server = echo();
    let client = client(false, server.port);
    for first in [&b""[..], b"one"] {
        let request = open(&client, "POST", "/", 0, None);
        // SAFETY: bytes and their length.
        let sent = unsafe { WinHttpSendRequest(request, null(), 0, first.as_ptr().cast(), first.len() as u32, 6, 0) };
        assert_eq!(sent, 1, "{}", last_error());
        if first.is_empty() {
            assert_eq!(write(request, b"one"), Ok(()));
        }
        assert_eq!(receive(request), 1, "{}", last_error());
        let mut got = [0; 3];
        let mut count = 0;
        // SAFETY: the buffer has that length.
        let read = unsafe { WinHttpReadData(request, got.as_mut_ptr().cast(), 3, &mut count) };
        assert_eq!((read, count, &got), (1, 3, b"one"), "{}", last_error());
        assert_eq!(write(request, b"four"), Err(ERROR_INVALID_PARAMETER), "more than was announced");
        assert_eq!(write(request, b"two"), Ok(()));
        assert_eq!(write(request, b"x"), Err(ERROR_INVALID_PARAMETER), "the body is over");
        assert_eq!(read_all(request), Ok(b"twoend".to_vec()));
        close(request);
    }
    client.close();
}

/// The same where ReceiveResponse is asked for before the head is out, and while a reply is waited for.
#[test]
fn a_known_length_is_written_while_the_reply_is_waited_for() {
    let server = Server::start(|mut exchange| async move {
        let body = exchange.body().await;
        exchange.answer(body);
    });
    let client = client(true, server.port);
    let record = Record::new();
    let request = open(&client, "POST", "/", 0, Some(&record));
    // SAFETY: a body whose bytes follow.
    assert_eq!(unsafe { WinHttpSendRequest(request, null(), 0, null(), 0, 6, 0) }, 1);
    assert_eq!(receive(request), 1, "{}", last_error());
    record.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
    for (number, piece) in [b"one", b"two"].into_iter().enumerate() {
        // SAFETY: the bytes live for ever.
        assert_eq!(unsafe { WinHttpWriteData(request, piece.as_ptr().cast(), 3, null_mut()) }, 1, "{}", last_error());
        let written = |seen: &[Seen]| {
            let mut writes = seen.iter().filter(|seen| seen.status == WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE);
            writes.nth(number).map(|seen| seen.value)
        };
        assert_eq!(record.wait_for(written, "WRITE_COMPLETE"), 3);
    }
    record.wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
    assert_eq!(query_data(request), 1);
    assert_eq!(record.wait(WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE).value, 6);
    close(request);
    client.close();
}

#[test]
fn a_reply_is_read_while_the_body_goes_on() {
    let server = echo();
    let client = client(true, server.port);
    let record = Record::new();
    let request = open(&client, "POST", "/", WINHTTP_FLAG_AUTOMATIC_CHUNKING, Some(&record));
    assert_eq!(send(request), 1);
    record.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
    assert_eq!(receive(request), 1);
    record.wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
    let told = |status: u32, number: usize| {
        let nth = |seen: &[Seen]| seen.iter().filter(|seen| seen.status == status).nth(number).map(|seen| seen.value);
        record.wait_for(nth, "a completion")
    };
    for (number, piece, echo) in [(0, &b"one"[..], 3), (1, b"three", 5), (2, b"", 3)] {
        assert_eq!(query_data(request), 1);
        // Nothing, which ends the body, has no address.
        let bytes = if piece.is_empty() { null() } else { piece.as_ptr().cast() };
        // SAFETY: the bytes live for ever.
        assert_eq!(unsafe { WinHttpWriteData(request, bytes, piece.len() as u32, null_mut()) }, 1);
        assert_eq!(told(WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, number), piece.len() as u32);
        assert_eq!(told(WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE, number), echo);
        assert_eq!(read(request, echo), 1);
        assert_eq!(told(WINHTTP_CALLBACK_STATUS_READ_COMPLETE, number), echo);
    }
    close(request);
    client.close();
}

/// A body that waits for room hears that its connection is gone, and so does what follows.
#[test]
fn a_write_that_waits_hears_of_the_end() {
    let server = Server::start(|_| async {});
    let client = client(false, server.port);
    let request = open(&client, "POST", "/vanish", WINHTTP_FLAG_AUTOMATIC_CHUNKING, None);
    assert_eq!(send(request), 1, "{}", last_error());
    assert_eq!(write(request, &vec![b'x'; 1 << 20]), Err(CONNECTION_ERROR));
    assert_eq!((receive(request), last_error()), (0, CONNECTION_ERROR));
    close(request);
    client.close();
}
