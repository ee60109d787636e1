//! Requests that share a connection.

use std::ffi::c_void;
use std::ptr::null;
use std::sync::Arc;

use bytes::Bytes;
use h2::server::Builder;
use http::Response;
use tokio::sync::Semaphore;
use windows_sys::Win32::Networking::WinHttp::*;

use crate::TIMEOUT;
use crate::client::*;
use crate::server::{Exchange, Server};
use crate::support::*;

#[test]
fn a_hundred_at_once_and_some_are_cancelled() {
    const COUNT: usize = 100;
    let gate = Arc::new(Semaphore::new(0));
    let waiting = Arc::clone(&gate);
    let server = Server::start(move |mut exchange| {
        let gate = Arc::clone(&waiting);
        async move {
            if exchange.path() != "/first" {
                gate.acquire().await.unwrap().forget();
            }
            let body = exchange.path().repeat(20_000);
            let head = Response::new(());
            let Ok(mut stream) = exchange.reply.send_response(head, false) else { return };
            let _ = stream.send_data(body.into(), true);
        }
    });
    assert!(get(&server, "/first").is_ok());
    let client = client(true, server.port);
    let records: Vec<_> = (0..COUNT)
        .map(|_| {
            Record::with(|request, seen| {
                match seen.status {
                    WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => receive(request),
                    WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => query_data(request),
                    WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE if seen.value > 0 => read(request, seen.value),
                    WINHTTP_CALLBACK_STATUS_READ_COMPLETE => query_data(request),
                    _ => 1,
                };
            })
        })
        .collect();
    let requests: Vec<_> =
        (0..COUNT).map(|number| open(&client, "GET", &format!("/{number:03}"), 0, Some(&records[number]))).collect();
    for request in &requests {
        assert_eq!(send(*request), 1);
    }
    // All have been taken, the first of all among them; a third is cancelled before its reply, a third while it is read.
    server.wait_for_requests(1 + COUNT);
    // Which is which looks random and is the same in each run.
    let fate = |number: usize| (number * 7919 + 104_729) % 3;
    for number in (0..COUNT).filter(|number| fate(*number) == 0) {
        assert_eq!(close(requests[number]), 1);
    }
    gate.add_permits(COUNT);
    for number in (0..COUNT).filter(|number| fate(*number) == 1) {
        records[number].wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
        assert_eq!(close(requests[number]), 1);
    }
    for number in 0..COUNT {
        let record = &records[number];
        if fate(number) != 2 {
            record.wait(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
            continue;
        }
        let end = |seen: &[Seen]| {
            let is_end = |seen: &&Seen| seen.status == WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE && seen.value == 0;
            seen.iter().find(is_end).copied()
        };
        record.wait_for(end, "the end of a body");
        let seen = record.seen();
        let total = |status: u32| seen.iter().filter(|seen| seen.status == status).map(|seen| seen.value).sum::<u32>();
        assert_eq!(total(WINHTTP_CALLBACK_STATUS_READ_COMPLETE), 4 * 20_000, "{number}");
        assert!(!record.statuses().contains(&WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER));
        // Each counts its own bytes: 9, the pseudo fields, user-agent.
        let path = format!("/{number:03}");
        let sent = 9 + ":methodGET:schemehttps:path:authority".len() + path.len() + "user-agenttest".len();
        let sent = sent + format!("127.0.0.1:{}", server.port).len();
        assert_eq!(total(WINHTTP_CALLBACK_STATUS_REQUEST_SENT), sent as u32);
        assert_eq!(total(WINHTTP_CALLBACK_STATUS_RESPONSE_RECEIVED), (9 + ":status200".len()) as u32);
        assert_eq!(close(requests[number]), 1);
    }
    assert_eq!(server.connections(), 1);
    client.close();
}

#[test]
fn a_slow_reader_stops_nobody() {
    let server = Server::start(|mut exchange| async move {
        let size = if exchange.path() == "/slow" { 8 << 20 } else { 1 << 20 };
        exchange.answer(Bytes::from(vec![b'x'; size]));
    });
    let client = client(false, server.port);
    let slow: Vec<_> = (0..10).map(|_| open(&client, "GET", "/slow", 0, None)).collect();
    for request in &slow {
        assert_eq!((send(*request), receive(*request)), (1, 1));
    }
    // None of them is read, and yet others get through.
    for _ in 0..3 {
        let quick = open(&client, "GET", "/quick", 0, None);
        assert_eq!(fetch(quick).map(|body| body.len()), Ok(1 << 20));
        close(quick);
    }
    assert_eq!(read_all(slow[0]).map(|body| body.len()), Ok(8 << 20));
    slow.into_iter().for_each(|request| assert_eq!(close(request), 1));
    assert_eq!(server.connections(), 1);
    client.close();
}

#[test]
fn more_requests_than_streams() {
    for (alone, expected) in [(0, 1), (1, 3)] {
        let gate = Arc::new(Semaphore::new(0));
        let waiting = Arc::clone(&gate);
        let mut builder = Builder::new();
        builder.max_concurrent_streams(1);
        let server = Server::with(builder, move |mut exchange: Exchange| {
            let gate = Arc::clone(&waiting);
            async move {
                if exchange.path() != "/first" {
                    gate.acquire().await.unwrap().forget();
                }
                exchange.answer("hello");
            }
        });
        assert_eq!(get(&server, "/first"), Ok(b"hello".to_vec()));
        let client = client(true, server.port);
        assert_eq!(set(client.session, WINHTTP_OPTION_DISABLE_STREAM_QUEUE, alone), 0);
        let records: Vec<_> = (0..3).map(|_| Record::new()).collect();
        let requests: Vec<_> = records.iter().map(|record| open(&client, "GET", "/", 0, Some(record))).collect();
        for request in &requests {
            assert_eq!(send(*request), 1);
        }
        if alone == 1 {
            // Each has a stream of its own: one that was refused has been sent, too.
            server.wait_for_requests(4);
        }
        gate.add_permits(3);
        for (request, record) in requests.into_iter().zip(records) {
            record.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
            assert_eq!(receive(request), 1);
            record.wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
            close(request);
        }
        assert_eq!(server.connections(), expected);
        client.close();
    }
}

#[test]
fn requests_at_once_share_the_first_connection() {
    let server = Server::start(|mut exchange| async move { exchange.answer("hello") });
    let client = client(true, server.port);
    let records: Vec<_> = (0..20).map(|_| Record::new()).collect();
    let requests: Vec<_> = records.iter().map(|record| open(&client, "GET", "/", 0, Some(record))).collect();
    for request in &requests {
        assert_eq!(send(*request), 1);
    }
    for (request, record) in requests.into_iter().zip(records) {
        record.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
        close(request);
    }
    assert_eq!(server.connections(), 1);
    client.close();
}

/// The handle of a request may be used again, over the same connection.
#[test]
fn a_request_handle_is_used_again() {
    let server = Server::start(|mut exchange| async move { exchange.answer("hello") });
    let client = client(false, server.port);
    let request: *mut c_void = open(&client, "GET", "/", 0, None);
    for _ in 0..3 {
        assert_eq!(fetch(request), Ok(b"hello".to_vec()));
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 3));
    close(request);
    client.close();
}

/// MAX_CONNS_PER_SERVER: a connection that carries nothing, or is dead, yields its place to a request that cannot use it;
/// while it carries something the request waits, as long as its own timeouts say.
#[test]
fn a_connection_without_streams_yields_its_place() {
    let server = Server::start(|mut exchange| async move {
        let _ = exchange.body().await;
        exchange.answer("hello");
    });
    let client = client(false, server.port);
    assert_eq!(set(client.session, WINHTTP_OPTION_MAX_CONNS_PER_SERVER, 1), 0);
    // What is ignored of certificates is a matter of the connection.
    let other = || {
        let request = open(&client, "GET", "/other", 0, None);
        let ignored = SECURITY_FLAG_IGNORE_UNKNOWN_CA | SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE;
        assert_eq!(set(request, WINHTTP_OPTION_SECURITY_FLAGS, ignored | SECURITY_FLAG_IGNORE_CERT_CN_INVALID), 0);
        request
    };
    for before in ["/idle", "/leave", "/abrupt"] {
        let request = open(&client, "GET", before, 0, None);
        // A server that leaves at once may answer no more.
        let _ = fetch(request);
        close(request);
        let request = other();
        assert_eq!(fetch(request), Ok(b"hello".to_vec()), "behind {before}");
        close(request);
    }
    // A stream whose body is not complete.
    let held = open(&client, "POST", "/held", 0, None);
    // SAFETY: no pointers.
    assert_eq!(unsafe { WinHttpSendRequest(held, null(), 0, null(), 0, 4, 0) }, 1, "{}", last_error());
    let request = other();
    let patience = |milliseconds| {
        // SAFETY: no pointers.
        let set = unsafe { WinHttpSetTimeouts(request, milliseconds, milliseconds, milliseconds, milliseconds) };
        assert_eq!(set, 1);
    };
    patience(300);
    assert_eq!(fetch(request), Err(TIMEOUT));
    close(held);
    patience(60_000);
    assert_eq!(fetch(request), Ok(b"hello".to_vec()), "the stream is over");
    close(request);
    client.close();
}
