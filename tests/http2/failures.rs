//! What a server breaks, and what is tried again.

use std::sync::Arc;

use h2::Reason;
use http::Response;
use tokio::sync::Semaphore;
use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::*;
use crate::server::Server;
use crate::support::*;
use crate::{CONNECTION_ERROR, INVALID_RESPONSE};

/// How an asynchronous GET fails: API, error and STREAM_ERROR_CODE.
/// `head`: gets a permit when the head is there.
fn failure(server: &Server, path: &str, head: &Arc<Semaphore>) -> (u32, u32, u32) {
    let client = client(true, server.port);
    let head = Arc::clone(head);
    let record = Record::with(move |request, seen| {
        match seen.status {
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => receive(request),
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => {
                head.add_permits(1);
                read(request, 1000)
            }
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE if seen.value > 0 => read(request, 1000),
            _ => 1,
        };
    });
    let request = open(&client, "GET", path, 0, Some(&record));
    assert_eq!(send(request), 1);
    let failed = record.wait(WINHTTP_CALLBACK_STATUS_REQUEST_ERROR);
    let code = option(request, WINHTTP_OPTION_STREAM_ERROR_CODE);
    close(request);
    client.close();
    (failed.api as u32, failed.value, code)
}

#[test]
fn what_the_server_breaks() {
    let head = Arc::new(Semaphore::new(0));
    let heard = Arc::clone(&head);
    let server = Server::start(move |mut exchange| {
        let head = Arc::clone(&heard);
        async move {
            match exchange.path() {
                "/reset" => exchange.reset(Reason::INTERNAL_ERROR),
                "/calm" => exchange.reset(Reason::ENHANCE_YOUR_CALM),
                "/refused" => exchange.reset(Reason::REFUSED_STREAM),
                "/no-error" => exchange.reset(Reason::NO_ERROR),
                "/length" => {
                    exchange.answer_with(Response::builder().header("content-length", 9).body(()).unwrap(), "four")
                }
                "/fields" => {
                    let head = (0..300).fold(Response::builder(), |head, number| head.header(format!("x-{number}"), 1));
                    exchange.answer_with(head.body(()).unwrap(), "");
                }
                "/large" => {
                    let head = Response::builder().header("x-large", "x".repeat(70_000));
                    exchange.answer_with(head.body(()).unwrap(), "");
                }
                _ => {
                    let mut stream = exchange.reply.send_response(Response::new(()), false).unwrap();
                    stream.send_data("half".into(), false).unwrap();
                    // A reset overtakes what is not out yet.
                    head.acquire().await.unwrap().forget();
                    stream.send_reset(Reason::CANCEL);
                }
            }
        }
    });
    let rows = [
        ("/reset", (API_RECEIVE_RESPONSE, CONNECTION_ERROR, 2)),
        ("/calm", (API_RECEIVE_RESPONSE, CONNECTION_ERROR, 11)),
        ("/refused", (API_RECEIVE_RESPONSE, CONNECTION_ERROR, 7)),
        ("/no-error", (API_RECEIVE_RESPONSE, CONNECTION_ERROR, 0)),
        ("/fields", (API_RECEIVE_RESPONSE, 12181, 0)),
        ("/large", (API_RECEIVE_RESPONSE, 12182, 0)),
        ("/length", (API_READ_DATA, INVALID_RESPONSE, 0)),
        ("/half", (API_READ_DATA, CONNECTION_ERROR, 8)),
    ];
    for (path, expected) in rows {
        head.forget_permits(usize::MAX);
        assert_eq!(failure(&server, path, &head), expected, "{path}");
    }
    // A stream that was refused was asked for again; no other was.
    let count = |path: &str| server.requests().iter().filter(|asked| *asked == path).count();
    assert_eq!(["/refused", "/reset", "/calm", "/half"].map(count), [4, 1, 1, 1]);
    assert_eq!(server.connections(), 1, "a broken stream leaves its connection alone");
}

/// A request that timed out without a byte of its connection was perhaps on one that leads nowhere: the next goes on another. One
/// that has heard something was not.
#[test]
fn a_silent_connection_is_left() {
    let server = Server::start(|mut exchange| async move {
        match exchange.path() {
            "/silent" => std::future::pending().await,
            "/half" => {
                let mut stream = exchange.reply.send_response(Response::new(()), false).unwrap();
                stream.send_data("half".into(), false).unwrap();
                std::future::pending().await
            }
            _ => exchange.answer(exchange.connection.to_string()),
        }
    });
    assert_eq!(get(&server, "/first"), Ok(b"1".to_vec()));
    for (path, next) in [("/half", "1"), ("/silent", "2"), ("/half", "2")] {
        let client = client(false, server.port);
        let request = open(&client, "GET", path, 0, None);
        assert_eq!(set(request, WINHTTP_OPTION_RECEIVE_TIMEOUT, 200), 0);
        assert_eq!(fetch(request), Err(12002), "{path}");
        close(request);
        client.close();
        assert_eq!(get(&server, "/after"), Ok(next.into()), "{path}");
    }
}

#[test]
fn what_is_tried_again() {
    let refused = Arc::new(Semaphore::new(1));
    let server = Server::start(move |mut exchange| {
        let refused = Arc::clone(&refused);
        async move {
            match exchange.path() {
                "/refused-once" if refused.try_acquire().map(|permit| permit.forget()).is_ok() => {
                    exchange.reset(Reason::REFUSED_STREAM);
                }
                _ => exchange.answer(exchange.connection.to_string()),
            }
        }
    });
    assert_eq!(get(&server, "/refused-once"), Ok(b"1".to_vec()));
    assert_eq!(server.requests(), ["/refused-once"; 2]);
    // The server answers and says GOAWAY: the next request gets a new connection.
    assert_eq!(get(&server, "/leave"), Ok(b"1".to_vec()));
    assert_eq!(get(&server, "/after"), Ok(b"2".to_vec()));
    assert_eq!(get(&server, "/again"), Ok(b"2".to_vec()));
    assert_eq!(server.connections(), 2);
}
