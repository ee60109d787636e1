//! What our own explorations reach: which operation ended how, and where that was told. A change of the engine that loses one
//! of them, or that reaches another, shows here.

use std::collections::{BTreeMap, BTreeSet};

use portable_winhttp::lab::{Exploration, Explore, Reply, Sim, any};

use crate::careful::Careful;

/// A request, which somebody cancels at any moment, perhaps; and what it is sometimes.
fn request(sim: &Sim, secure: bool, cancelled: bool) {
    let origin = if secure { "https://a.test" } else { "http://a.test" };
    sim.peer(origin).on(any()).reply(Reply::ok().body("0123456789"));
    let client = Careful::start("a.test", "/", secure);
    if cancelled {
        sim.actor("cancel", move || client.cancel());
    }
    sim.block_until(|| client.closed());
    let outcome = client.outcome().expect("whoever closes knows how it ended");
    sim.sometimes("the reply comes", outcome.is_ok());
    sim.sometimes("something fails", outcome.as_ref().is_err_and(|error| *error != 12017));
    if cancelled {
        sim.sometimes("the cancel comes first", outcome == Err(12017));
    }
}

/// The systematic strategies: no chance, no clock.
fn explored(secure: bool, cancelled: bool) -> Exploration {
    let options = Explore::new().each_deviation().each_late_thread().each_fault();
    options.run(|sim| request(sim, secure, cancelled))
}

/// Each outcome with the places where it was told, and whether it was never told inside a call, or never on a worker.
fn table(coverage: &BTreeSet<String>) -> String {
    const WORKER: &str = "on a worker";
    let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in coverage {
        let at = line.find(" inside ").or_else(|| line.find(" on a worker")).expect("a place");
        let (outcome, place) = line.split_at(at);
        places.entry(outcome).or_default().insert(place.trim_start());
    }
    let row = |(outcome, places): (&&str, &BTreeSet<&str>)| {
        let mut told: Vec<&str> = places.iter().copied().collect();
        if !places.contains(WORKER) {
            told.push("never on a worker");
        }
        if places.iter().all(|place| *place == WORKER) {
            told.push("never inside a call");
        }
        format!("{outcome}: {}\n", told.join(", "))
    };
    places.iter().map(row).collect()
}

#[test]
fn what_our_explorations_reach() {
    let each = [(false, false), (false, true), (true, false)].map(|(secure, cancelled)| explored(secure, cancelled));
    let whole = each.into_iter().reduce(Exploration::merge).expect("three");
    assert!(whole.sometimes.values().all(|held| *held), "{:?}", whole.sometimes);
    insta::assert_snapshot!(table(&whole.coverage), @r"
    HANDLE_CLOSING: inside a call, on a worker
    HEADERS_AVAILABLE: inside WinHttpReceiveResponse, on a worker
    READ_COMPLETE: inside WinHttpReadData, on a worker
    REQUEST_ERROR {API_READ_DATA, ERROR_WINHTTP_CONNECTION_ERROR (12030)}: inside WinHttpReadData, never on a worker
    REQUEST_ERROR {API_RECEIVE_RESPONSE, ERROR_WINHTTP_CONNECTION_ERROR (12030)}: inside WinHttpReceiveResponse, never on a worker
    REQUEST_ERROR {API_RECEIVE_RESPONSE, ERROR_WINHTTP_RESEND_REQUEST (12032)}: inside WinHttpReceiveResponse, never on a worker
    REQUEST_ERROR {API_SEND_REQUEST, ERROR_WINHTTP_CANNOT_CONNECT (12029)}: on a worker, never inside a call
    REQUEST_ERROR {API_SEND_REQUEST, ERROR_WINHTTP_CONNECTION_ERROR (12030)}: on a worker, never inside a call
    REQUEST_ERROR {API_SEND_REQUEST, ERROR_WINHTTP_NAME_NOT_RESOLVED (12007)}: on a worker, never inside a call
    REQUEST_ERROR {API_SEND_REQUEST, ERROR_WINHTTP_OPERATION_CANCELLED (12017)}: inside WinHttpCloseHandle, on a worker
    REQUEST_ERROR {API_SEND_REQUEST, ERROR_WINHTTP_SECURE_FAILURE (12175)}: on a worker, never inside a call
    SENDREQUEST_COMPLETE: inside WinHttpCloseHandle, on a worker
    ");
}
