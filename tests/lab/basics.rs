//! Replies, time, threads and reports of a Sim.

use std::ptr::null;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::fetch::{Fetch, complaint};
use crate::support::*;
use portable_winhttp::lab::{Fault, RawConnection, Reply, Sim, Stage, any, get, post};
use portable_winhttp::real::{Delivery, Policy};
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Networking::WinHttp::*;
use windows_sys::Win32::System::Threading::*;

/// What a fetch gives for a reply, and how much time passed in its world.
fn fetch(reply: Reply) -> (Result<String, (usize, u32)>, Duration) {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(get("/")).reply(reply);
    let fetch = Fetch::start("GET", "/", "");
    sim.block_until(|| fetch.done());
    (fetch.result(), sim.elapsed())
}

#[test]
fn replies_and_faults() {
    let (zero, second) = (Duration::ZERO, Duration::from_secs(1));
    let text = |text: &str| Ok(text.to_owned());
    let body = "0123456789abcdefghij";
    let rows = [
        ("a body", Reply::ok().body("hello"), text("hello"), zero),
        ("chunks", Reply::ok().body(body).chunks([3, 2, 10]), text(body), zero),
        ("slow chunks", Reply::ok().body(body).chunks([5, 5, 5]).between(second), text(body), 4 * second),
        ("a late head", Reply::ok().body("x").delay(5 * second), text("x"), 5 * second),
        ("no body", Reply::status(204), text(""), zero),
        ("an interim reply", Reply::ok().body("x").interim(103), text("x"), zero),
        ("a reset", Reply::ok().body(body).then(Fault::after_body(3).reset()), Err((3, 12030)), zero),
        ("never", Reply::never(), Err((1, 12002)), 30 * second),
        ("a stall", Reply::ok().body(body).then(Fault::after_body(3).stall()), Err((3, 12002)), 30 * second),
    ];
    for (what, reply, result, elapsed) in rows {
        let (got, passed) = fetch(reply);
        assert_eq!((got, passed), (result, elapsed), "{what}");
    }
}

#[test]
fn faults_of_connections() {
    let secure = Fault::at(Stage::Connect).secure(0x20);
    let rows = [(Fault::refuse(), 12029, None), (secure, 12175, Some(0x20))];
    for (fault, error, flags) in rows {
        let sim = Sim::new();
        sim.peer("http://127.0.0.1").fault(fault.clone());
        let fetch = Fetch::start("GET", "/", "");
        sim.block_until(|| fetch.done());
        assert_eq!(fetch.result(), Err((5, error)), "{fault:?}");
        let seen = fetch.record.seen();
        let secure = seen.iter().find(|seen| seen.status == WINHTTP_CALLBACK_STATUS_SECURE_FAILURE);
        assert_eq!(secure.map(|seen| seen.value), flags, "{fault:?}");
    }
}

#[test]
fn requests_are_matched_recorded_and_counted() {
    let sim = Sim::new();
    let api = sim.peer("http://127.0.0.1");
    api.on(any()).reply(Reply::status(500));
    api.on(post("/items").body("data")).reply(Reply::ok().body("one")).reply(Reply::ok().body("two")).expect(2);
    for expected in ["one", "two"] {
        let fetch = Fetch::start("POST", "/items", "data");
        sim.block_until(|| fetch.done());
        assert_eq!(fetch.result().as_deref(), Ok(expected));
    }
    let received = api.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].to_string(), "POST /items");
    assert_eq!(received[0].header("content-length").as_deref(), Some("4"));
    assert_eq!(&received[1].body[..], b"data");
}

#[test]
fn redirects_are_followed_to_another_peer() {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(get("/")).reply(Reply::redirect("http://other.test/x")).expect(1);
    sim.peer("http://other.test").on(get("/x")).reply(Reply::ok().body("there")).expect(1);
    let fetch = Fetch::start("GET", "/", "");
    sim.block_until(|| fetch.done());
    assert_eq!(fetch.result().as_deref(), Ok("there"));
}

#[test]
fn what_a_sim_complains_about() {
    let hang = complaint(|| {
        let sim = Sim::new();
        sim.block_until(|| false);
    });
    assert!(hang.starts_with("HANG: nothing can happen any more; `main` waits for what the test blocks for"), "{hang}");

    let unknown = complaint(|| {
        let sim = Sim::new();
        sim.peer("https://api.test");
        let fetch = Fetch::start("GET", "/", "");
        sim.block_until(|| fetch.done());
        assert_eq!(fetch.result(), Err((5, 12029)));
    });
    assert!(unknown.contains("there is no peer http://127.0.0.1:80; the peers are: https://api.test:443"), "{unknown}");

    let unmatched = complaint(|| {
        let sim = Sim::new();
        let api = sim.peer("http://127.0.0.1");
        api.on(get("/items")).reply(Reply::ok()).expect(1);
        let fetch = Fetch::start("GET", "/item", "");
        sim.block_until(|| fetch.done());
    });
    assert!(
        unmatched.contains("no rule for GET /item: closest is `GET /items`, but the path is not /items"),
        "{unmatched}"
    );
    assert!(
        unmatched.contains(
            "`GET /items` was expected once and never came; closest came GET /item, but the path is not /items"
        ),
        "{unmatched}"
    );
}

/// Waits of ours are exact, and cost nothing.
#[test]
fn time_is_the_worlds() {
    let began = Instant::now();
    let sim = Sim::new();
    // SAFETY: no pointers but the event's handle.
    unsafe {
        let event = CreateEventW(null(), 0, 0, null());
        assert_eq!(WaitForSingleObject(event, 3_600_000), 258);
        assert_eq!(sim.elapsed(), Duration::from_secs(3600));
        Sleep(1000);
        assert_eq!(sim.elapsed(), Duration::from_secs(3601));

        let signalled = event as usize;
        sim.spawn(move || {
            Sleep(500);
            SetEvent(signalled as HANDLE);
        });
        assert_eq!(WaitForSingleObject(event, INFINITE), 0);
        assert_eq!(sim.elapsed(), Duration::from_millis(3_601_500));
    }
    assert!(began.elapsed() < Duration::from_secs(60), "an hour has not passed");
}

#[test]
fn synchronous_calls_let_the_world_go_on() {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(get("/")).reply(Reply::ok().body("hello").delay(Duration::from_secs(7)));
    let client = Client::new(false, 80);
    let request = client.request("GET", "/", &Record::new());
    assert_eq!((send(request), receive(request)), (1, 1), "{}", last_error());
    let (mut buffer, mut count) = ([0u8; 16], 0u32);
    // SAFETY: the buffer has so many bytes.
    let read = unsafe { WinHttpReadData(request, buffer.as_mut_ptr().cast(), 16, &mut count) };
    assert_eq!((read, &buffer[..count as usize]), (1, &b"hello"[..]));
    close(request);
    client.close();
    assert_eq!(sim.elapsed(), Duration::from_secs(7));
}

/// Callbacks come on workers of the Sim, or inside a call, as on Windows: never on the thread that only waits.
#[test]
fn the_waiting_thread_delivers_nothing() {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok().body("hello"));
    let record = Record::new();
    let client = Client::new(true, 80);
    let request = client.request("GET", "/", &record);
    assert_eq!(send(request), 1);
    sim.settle();
    let me = std::thread::current().id();
    assert_ne!(record.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE).thread, me);
    assert_eq!(receive(request), 1);
    assert_eq!(record.wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE).thread, me);
    close(request);
    client.close();
}

/// A worker that waits for an event of another callback does not stop the world.
#[test]
fn callbacks_may_wait() {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok().body("hello"));
    // SAFETY: no pointers.
    let event = unsafe { CreateEventW(null(), 1, 0, null()) } as usize;
    let waiting = Record::with(move |_, seen| {
        if seen.status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE {
            // SAFETY: any value may be passed.
            assert_eq!(unsafe { WaitForSingleObject(event as HANDLE, INFINITE) }, 0);
        }
    });
    let signalling = Record::with(move |_, seen| {
        if seen.status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE {
            // SAFETY: any value may be passed.
            unsafe { SetEvent(event as HANDLE) };
        }
    });
    let client = Client::new(true, 80);
    let requests = [client.request("GET", "/", &waiting), client.request("GET", "/", &signalling)];
    for request in requests {
        assert_eq!(send(request), 1);
    }
    sim.settle();
    for request in requests {
        assert_eq!(receive(request), 1);
        close(request);
    }
    client.close();
}

#[test]
fn the_same_test_gives_the_same_trace() {
    let run = || {
        let sim = Sim::new();
        let api = sim.peer("http://127.0.0.1");
        api.on(any()).reply(Reply::ok().body("0123456789abcdefghij").chunks([7, 7]).between(Duration::from_millis(3)));
        let fetches = [Fetch::start("GET", "/a", ""), Fetch::start("GET", "/b", "")];
        sim.block_until(|| fetches.iter().all(Fetch::done));
        sim.trace().to_json_lines()
    };
    let first = run();
    assert!(first.contains("READ_COMPLETE"), "{first}");
    for _ in 0..1000 {
        assert_eq!(run(), first);
    }
}

#[test]
fn the_trace_has_calls_and_records() {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok().body("hello").delay(Duration::from_millis(250)));
    let fetch = Fetch::start("GET", "/", "");
    sim.block_until(|| fetch.done());
    let trace = sim.trace().to_table();
    for line in
        ["WinHttpSendRequest returns", "SENDREQUEST_COMPLETE", "250.000  worker 2  R1      WinHttpReceiveResponse"]
    {
        assert!(trace.contains(line), "{line} is not in\n{trace}");
    }
}

/// The one object that says who delivers: the settings, and what each changes.
#[test]
fn delivery_policies() {
    let five = Duration::from_secs(5);
    // Delivery, hold; when SENDREQUEST_COMPLETE comes, and whether completions of calls come inside them.
    let rows = [
        (Delivery::Windows, true, five, true),
        (Delivery::Windows, false, Duration::ZERO, true),
        (Delivery::Worker, true, five, false),
        (Delivery::Inside, true, five, true),
    ];
    for (delivery, hold_send, sent, inside) in rows {
        let what = format!("{delivery:?}, hold: {hold_send}");
        let sim = Sim::builder().policy(Policy { delivery, hold_send }).build();
        sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok().body("hello").delay(five));
        let record = Record::new();
        let client = Client::new(true, 80);
        let request = client.request("GET", "/", &record);
        let come = |status| record.statuses().contains(&status);
        assert_eq!(send(request), 1);
        sim.block_until(|| come(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE));
        assert_eq!(sim.elapsed(), sent, "{what}");
        sim.advance(five);

        let calls: [(u32, &dyn Fn() -> i32); 3] = [
            (WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, &|| receive(request)),
            (WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE, &|| query_data(request)),
            (WINHTTP_CALLBACK_STATUS_READ_COMPLETE, &|| read(request, 16)),
        ];
        for (status, call) in calls {
            assert_eq!(call(), 1, "{what}");
            // ReceiveResponse leaves 0 in any case (source E2).
            let later = !inside && status != WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE;
            assert_eq!((come(status), last_error()), (inside, if later { 997 } else { 0 }), "{what}: {status:#x}");
            sim.settle();
            let thread = record.wait(status).thread;
            assert_eq!(thread == std::thread::current().id(), inside, "{what}: {status:#x}");
        }
        assert_eq!(close(request), 1);
        assert_eq!(come(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING), inside, "{what}");
        sim.settle();
        assert!(come(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING), "{what}");
        client.close();
        sim.settle();
    }
}

/// The byte door: what a test writes is what comes, and reading waits in the Sim's time.
#[test]
fn peers_that_are_played_byte_by_byte() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
    type Row = (&'static str, fn(&RawConnection), Result<&'static str, (usize, u32)>);
    let rows: Vec<Row> = vec![
        (
            "pieces",
            |raw| {
                ["HTTP/1.1 200 OK\r\nContent-", "Length: 2\r\n\r\n", "o", "k"]
                    .into_iter()
                    .for_each(|piece| raw.write(piece))
            },
            Ok("ok"),
        ),
        ("an early end", |raw| raw.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), Ok("abc")),
        ("garbage", |raw| raw.write("hello\r\n\r\n"), Err((1, 12152))),
        ("nothing", |raw| raw.close(), Err((1, 12152))),
        ("a reset", |raw| raw.reset(), Err((1, 12030))),
        (
            "chunks",
            |raw| raw.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
            Ok("abc"),
        ),
    ];
    for (what, play, expected) in rows {
        let sim = Sim::new();
        sim.peer("http://127.0.0.1").raw(move |raw| {
            let head = raw.read_until(b"\r\n\r\n").unwrap();
            assert!(head.starts_with(b"GET /a HTTP/1.1\r\n"), "{head:?}");
            play(&raw);
        });
        let fetch = Fetch::start("GET", "/a", "");
        sim.block_until(|| fetch.done());
        assert_eq!(fetch.result(), expected.map(str::to_owned), "{what}");
    }
    // A connection carries several requests, and one that died while it was idle is replaced.
    let sim = Sim::new();
    let connections = Arc::new(Mutex::new(0));
    let count = Arc::clone(&connections);
    sim.peer("http://127.0.0.1").raw(move |raw| {
        *count.lock().unwrap() += 1;
        for _ in 0..2 {
            if raw.read_until(b"\r\n\r\n").is_some() {
                raw.write(head);
                raw.write("0123456789");
            }
        }
    });
    for _ in 0..4 {
        let fetch = Fetch::start("GET", "/", "");
        sim.block_until(|| fetch.done());
        assert_eq!(fetch.result().as_deref(), Ok("0123456789"));
        sim.settle();
    }
    assert_eq!(*connections.lock().unwrap(), 2);
}

/// A test may catch a panic round what it holds.
#[test]
fn what_a_test_holds_may_unwind() {
    fn may<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    may::<portable_winhttp::lab::Sim>();
    may::<portable_winhttp::lab::Peer>();
    may::<portable_winhttp::lab::Gate>();
    may::<portable_winhttp::lab::Rule<'static>>();
    may::<portable_winhttp::lab::RawConnection>();
    may::<portable_winhttp::record::Recorder>();
    #[cfg(feature = "live")]
    may::<portable_winhttp::lab::Live>();
}

/// A session that is closed ends its requests in the order in which they were opened, whatever values their handles have.
#[test]
fn a_session_ends_its_requests_the_oldest_first() {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(any()).reply(Reply::never());
    let client = Client::new(true, 80);
    let ended = Arc::new(Mutex::new(Vec::new()));
    let open = |number: usize| {
        let ended = Arc::clone(&ended);
        let record = Record::with(move |_, seen| {
            if seen.status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR {
                ended.lock().unwrap().push((number, seen.value));
            }
        });
        client.request("GET", "/", &record)
    };
    // The values of handles that are used again are the largest.
    let former: Vec<_> = (0..5).map(|_| open(0)).collect();
    former.into_iter().for_each(|request| assert_eq!(close(request), 1));
    let requests: Vec<_> = (0..10).map(open).collect();
    assert!(!requests.is_sorted(), "{requests:?}");
    // Neither has the order in which they are sent to do with it.
    requests.iter().rev().for_each(|request| assert_eq!(send(*request), 1));
    sim.settle();
    assert_eq!(close(client.session), 1);
    sim.settle();
    let expected: Vec<_> = (0..10).map(|number| (number, 12017)).collect();
    assert_eq!(*ended.lock().unwrap(), expected);
    requests.into_iter().chain([client.connection]).for_each(|handle| assert_eq!(close(handle), 1));
}
