//! Faults: what each does, and when.

use std::ptr::{null, null_mut};
use std::time::Duration;

use portable_winhttp::lab::{Fault, Profile, Reply, Sim, Stage, any};
use portable_winhttp::record::{EventKind, Status};
use portable_winhttp::win32::{ERROR_NOT_ENOUGH_MEMORY, ERROR_WINHTTP_RESEND_REQUEST};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::fetch::Fetch;
use crate::support::*;

const BODY: &str = "0123456789abcdefghij";

/// *When* times *what*, for faults of the network: how the fetch of a body in chunks of 5 ends, and after how long.
#[test]
fn faults_of_the_network() {
    let at = Fault::at;
    let (send, receive, read) = (5, 1, 3);
    let all = Ok(BODY);
    type Row = (&'static str, Fault, Result<&'static str, (usize, u32)>, u64);
    let rows: Vec<Row> = vec![
        ("no name", at(Stage::Resolve).fail(12007u32), Err((send, 12007)), 0),
        ("a slow name", at(Stage::Resolve).delay(Duration::from_secs(9)), all, 9000),
        ("no connection in time", at(Stage::Connect).stall(), Err((send, 12002)), 60_000),
        ("a reset while sending", at(Stage::Send).reset(), Err((send, 12030)), 0),
        ("nobody reads", at(Stage::Send).stall(), Err((send, 12002)), 30_000),
        ("no head", at(Stage::Head).stall(), Err((receive, 12002)), 30_000),
        ("the server leaves", at(Stage::Head).close(), Err((receive, 12152)), 0),
        ("to be sent again", at(Stage::Head).fail(ERROR_WINHTTP_RESEND_REQUEST), Err((receive, 12032)), 0),
        ("a certificate is wanted", at(Stage::Head).fail(12044u32), Err((receive, 12044)), 0),
        ("another reply", at(Stage::Head).nth(1).answer(Reply::status(407).body("no")), Ok("no"), 0),
        ("a late head", at(Stage::Head).delay(Duration::from_secs(3)), all, 3000),
        ("one byte at a time", at(Stage::Read).short(1), all, 0),
        ("ten bytes a second", at(Stage::Read).slow(10), all, 2000),
        ("the third piece breaks", at(Stage::Read).nth(3).reset(), Err((read, 12030)), 0),
        ("after seven bytes", Fault::after_body(7).stall(), Err((read, 12002)), 30_000),
        ("no end", at(Stage::Close).stall(), Err((read, 12002)), 30_000),
        ("a fault that does not strike", at(Stage::Read).nth(99).reset(), all, 0),
    ];
    for (what, fault, result, milliseconds) in rows {
        for place in ["the Sim", "the peer", "the reply"] {
            let sim = Sim::new();
            let api = sim.peer("http://127.0.0.1");
            let mut reply = Reply::ok().body(BODY).chunks([5, 5, 5, 5]);
            let early = ["name", "connection", "sending", "reads"].iter().any(|word| what.contains(word));
            // What counts bytes belongs to a reply; a reply is not there before the head.
            let counts = what.contains("bytes") && !what.contains("second");
            match place {
                "the Sim" if !counts => sim.fault(fault.clone()),
                "the peer" if !counts => drop(api.fault(fault.clone())),
                "the reply" if !early && !what.contains("time") => reply = reply.then(fault.clone()),
                _ => continue,
            }
            api.on(any()).reply(reply);
            let fetch = Fetch::start("GET", "/", "");
            sim.block_until(|| fetch.done());
            let expected = (result.map(str::to_owned), Duration::from_millis(milliseconds));
            assert_eq!((fetch.result(), sim.elapsed()), expected, "{what}, {place}");
        }
    }
}

/// A framed body that ends too early: with a length it looks complete, in chunks it does not.
#[test]
fn early_ends() {
    let rows = [
        (Reply::ok().body(BODY), Ok("012")),
        (Reply::ok().body(BODY).until_close(), Ok("012")),
        (Reply::ok().body(BODY).chunks([5]), Err((3, 12030))),
    ];
    for (reply, result) in rows {
        let sim = Sim::new();
        sim.peer("http://127.0.0.1").on(any()).reply(reply.then(Fault::after_body(3).close()));
        let fetch = Fetch::start("GET", "/", "");
        sim.block_until(|| fetch.done());
        assert_eq!(fetch.result(), result.map(str::to_owned));
    }
}

/// What a trace has, in short: calls with their results, statuses with their contexts.
fn told(sim: &Sim, handle: &str) -> Vec<String> {
    let events = sim.trace().events;
    let told = events.into_iter().filter_map(|event| match event.what {
        EventKind::Return { function, result, last_error } => Some(format!("{function} {result} {}", last_error.0)),
        EventKind::Notification { handle: of, context, notification, .. } if of == handle => {
            let error =
                notification.result.map_or(String::new(), |result| format!(" {} {}", result.api, result.error.0));
            Some(format!("{}{error} {context}", notification.status))
        }
        _ => None,
    });
    told.collect()
}

fn place(told: &[String], what: &str) -> usize {
    told.iter().position(|line| line.starts_with(what)).unwrap_or_else(|| panic!("{what} is not in {told:#?}"))
}

/// A request without a context of its own, whose SendRequest brings one.
fn send_with_context(fault: Fault) -> Vec<String> {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok());
    sim.fault(fault);
    let client = Client::new(true, 80);
    let record = Record::new();
    // SAFETY: strings end in NUL; the context lives for ever.
    unsafe {
        let request = WinHttpOpenRequest(client.connection, null(), wide("/").as_ptr(), null(), null(), null(), 0);
        WinHttpSendRequest(request, null(), 0, null(), 0, 0, context(&record));
        sim.settle();
        close(request);
    }
    client.close();
    told(&sim, "R1")
}

/// K1, K2: SendRequest fails at once, and HANDLE_CLOSING brings the context, or does not.
#[test]
fn a_send_that_fails_with_and_without_its_context() {
    let bound = send_with_context(Fault::in_call("WinHttpSendRequest").fail_bound(12029u32));
    let unbound = send_with_context(Fault::in_call("WinHttpSendRequest").fail(12029u32));
    for (told, context) in [(bound, "HANDLE_CLOSING ctx1"), (unbound, "HANDLE_CLOSING 0")] {
        place(&told, "WinHttpSendRequest FALSE 12029");
        place(&told, context);
        assert!(!told.iter().any(|line| line.contains("ERROR API")), "{told:#?}");
    }
}

/// K3: where a completion is delivered, by function and call. K4: by a worker, while the call is still inside.
#[test]
fn completions_inside_later_and_beside_the_call() {
    let run = |faults: Vec<Fault>| {
        let sim = Sim::new();
        sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok().body("hello"));
        faults.into_iter().for_each(|fault| sim.fault(fault));
        let record = Record::new();
        let client = Client::new(true, 80);
        let request = client.request("GET", "/", &record);
        assert_eq!(send(request), 1);
        sim.settle();
        assert_eq!(receive(request), 1);
        sim.settle();
        for _ in 0..2 {
            assert_eq!(query_data(request), 1);
            sim.settle();
        }
        close(request);
        client.close();
        sim.settle();
        sim.trace()
    };
    // Whether the n-th DATA_AVAILABLE came inside its call.
    let inside = |faults: Vec<Fault>| -> Vec<bool> {
        let available = Status(WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE);
        let came = run(faults).events.into_iter().filter_map(move |event| match event.what {
            EventKind::Notification { notification, during, .. } if notification.status == available => {
                Some(during.is_some())
            }
            _ => None,
        });
        came.collect()
    };
    assert_eq!(inside(vec![]), [true, true]);
    assert_eq!(inside(vec![Fault::in_call("WinHttpQueryDataAvailable").nth(2).later()]), [true, false]);
    assert_eq!(inside(vec![Fault::in_call("WinHttpQueryDataAvailable").later()]), [false, false]);

    let beside = vec![Fault::in_call("WinHttpSendRequest").settle_before_return()];
    let events = run(beside).events;
    let at = |wanted: &dyn Fn(&EventKind) -> bool| events.iter().position(|event| wanted(&event.what)).unwrap();
    let completed = at(&|what| {
        matches!(what, EventKind::Notification { notification, during: None, .. }
            if notification.status.0 == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE)
    });
    let returned = at(&|what| matches!(what, EventKind::Return { function, .. } if function == "WinHttpSendRequest"));
    assert!(completed < returned);
}

/// K5, K6, K7: a completion is held while another thread closes the handle; HANDLE_CLOSING waits behind it, and can be held
/// itself.
#[test]
fn what_is_held_comes_when_the_gate_opens() {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok().body("hello"));
    let (sent, closing) = (sim.gate("sent"), sim.gate("closing"));
    sim.fault(Fault::on(Status(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE)).hold(&sent));
    sim.fault(Fault::on(Status(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING)).nth(1).hold(&closing));
    let record = Record::new();
    let client = Client::new(true, 80);
    let request = client.request("GET", "/", &record);
    assert_eq!(send(request), 1);
    sim.block_until(|| sent.reached() == 1);
    assert_eq!(close(request), 1);
    sim.settle();
    let came = |status| record.statuses().contains(&status);
    assert!(!came(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE));
    sent.open();
    sim.settle();
    assert!(came(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE) && !came(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING));
    assert_eq!(closing.reached(), 1);
    closing.open();
    sim.settle();
    assert_eq!(record.statuses().last(), Some(&WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING));
    client.close();
}

/// K7: the closing thread stands still inside CloseHandle, and a callback runs meanwhile.
#[test]
fn a_call_is_held_at_its_entry_and_at_its_return() {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok());
    let (entry, end) = (sim.gate("entry"), sim.gate("return"));
    sim.fault(Fault::in_call("WinHttpCloseHandle").nth(1).hold_entry(&entry));
    sim.fault(Fault::in_call("WinHttpCloseHandle").nth(1).hold_return(&end));
    let record = Record::new();
    let client = Client::new(true, 80);
    let request = client.request("GET", "/", &record);
    assert_eq!(send(request), 1);
    let value = request as usize;
    sim.actor("closer", move || assert_eq!(close(value as _), 1));
    sim.block_until(|| entry.reached() == 1);
    sim.block_until(|| record.statuses().contains(&WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE));
    entry.open();
    sim.block_until(|| end.reached() == 1);
    assert!(record.statuses().contains(&WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING));
    end.open();
    sim.settle();
    client.close();
}

/// K8: two operations are pending when the handle is closed, and the order in which they end.
#[test]
fn the_order_of_errors_at_close() {
    let run = |fault: Option<Fault>| {
        let sim = Sim::new();
        sim.peer("http://127.0.0.1").on(any()).reply(Reply::never());
        fault.into_iter().for_each(|fault| sim.fault(fault));
        sim.fault(Fault::at(Stage::Send).stall());
        let client = Client::new(true, 80);
        let request = client.request("GET", "/", &Record::new());
        assert_eq!((send(request), receive(request)), (1, 1));
        sim.settle();
        close(request);
        client.close();
        let told = told(&sim, "R1");
        let at = |api: &str| place(&told, &format!("REQUEST_ERROR {api} 12017"));
        at("API_RECEIVE_RESPONSE") < at("API_SEND_REQUEST")
    };
    assert!(run(None));
    assert!(!run(Some(Fault::in_call("WinHttpCloseHandle").write_side_first())));
}

/// K16, K18, K19, K22: functions that fail at their n-th call, last errors that mean nothing, versions that know less, a
/// callback that is taken away.
#[test]
fn functions_that_answer_otherwise() {
    let sim = Sim::builder().profile(Profile::windows_8_1().without_request_flags(WINHTTP_FLAG_REFRESH)).build();
    sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok());
    sim.fault(Fault::in_call("WinHttpSetTimeouts").fail(ERROR_NOT_ENOUGH_MEMORY).of("R2"));
    sim.fault(Fault::in_call("WinHttpSetTimeouts").nth(2).fail(ERROR_NOT_ENOUGH_MEMORY));
    sim.fault(Fault::in_call("WinHttpSetTimeouts").nth(3).last_error(997u32));
    sim.fault(Fault::in_call("WinHttpSetStatusCallback").nth(3).accept());
    let client = Client::new(true, 80);
    let request = client.request("GET", "/", &Record::new());
    // SAFETY: pointers to values that live, or NULL.
    unsafe {
        let timeouts = || (WinHttpSetTimeouts(request, 0, 0, 0, 0), last_error());
        assert_eq!([timeouts(), timeouts(), timeouts(), timeouts()], [(1, 0), (0, 8), (1, 997), (1, 0)]);

        let on = 1u32;
        let (option, value) = (WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, (&raw const on).cast());
        assert_eq!((WinHttpSetOption(client.session, option, value, 4), last_error()), (0, 12009));
        let length = &mut 4u32;
        assert_eq!(
            (WinHttpQueryOption(request, option, (&raw const on).cast_mut().cast(), length), last_error()),
            (0, 87)
        );
        for flags in [WINHTTP_FLAG_REFRESH, WINHTTP_FLAG_AUTOMATIC_CHUNKING] {
            let refused = WinHttpOpenRequest(client.connection, null(), null(), null(), null(), null(), flags);
            assert_eq!((refused, last_error()), (null_mut(), 87));
        }

        // The callback was set once, on the session; taken away from a pending request it stays, unless it is accepted.
        assert_eq!(send(request), 1);
        let taken = |()| WinHttpSetStatusCallback(request, None, 0, 0).map_or(0, |former| former as usize);
        assert_eq!(taken(()), usize::MAX);
        assert_ne!(taken(()), usize::MAX);
    }
    sim.allow(portable_winhttp::lab::Stop::CallbackTakenAway);
    close(request);
    client.close();
}
