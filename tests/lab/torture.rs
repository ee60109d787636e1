//! Every fault point, one by one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null;

use portable_winhttp::lab::{Reply, any, torture};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::careful::Careful;
use crate::support::*;

#[test]
fn a_careful_client_survives_every_fault() {
    let points = torture(|sim| {
        sim.peer("https://api.test").on(any()).reply(Reply::ok().body("0123456789").chunks([4])).expect(1);
        let client = Careful::start("api.test", "/", true);
        sim.block_until(|| client.closed());
        assert!(client.outcome().is_some());
    });
    // SetStatusCallback and SetOption among them: all that may fail, and each stage and read.
    for point in [
        "WinHttpOpen#1 -> 8",
        "WinHttpSendRequest#1 -> 8",
        "WinHttpSendRequest with its context bound#1 -> 8",
        "Resolve#1 -> 12007",
        "Connect#1 -> 12029",
        "Tls#1 -> 12175",
        "Head#1 -> 12030",
        "Head#2 -> 12032",
        "Read#2 -> 12030",
        "WinHttpReadData#2 -> 8",
        "Close#1 -> 12030",
    ] {
        assert!(points.iter().any(|passed| passed == point), "{point} is not among {points:#?}");
    }
    assert_eq!(points.len(), 20, "{points:#?}");
}

/// A client that looks at no answer waits for ever when a call fails.
#[test]
fn a_careless_client_is_found() {
    let found = catch_unwind(AssertUnwindSafe(|| {
        torture(|sim| {
            sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok().body("hello"));
            let record = Record::new();
            // SAFETY: strings end in NUL; the context lives for ever.
            unsafe {
                let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
                WinHttpSetStatusCallback(session, Some(crate::support::record), u32::MAX, 0);
                let connection = WinHttpConnect(session, wide("127.0.0.1").as_ptr(), 80, 0);
                let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), 0);
                WinHttpSendRequest(request, null(), 0, null(), 0, 0, context(&record));
                sim.block_until(|| record.statuses().contains(&WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE));
                for handle in [request, connection, session] {
                    WinHttpCloseHandle(handle);
                }
            }
        })
    }));
    let found = found.expect_err("a run fails");
    let text = found.downcast_ref::<String>().map_or_else(String::new, String::clone);
    assert!(text.contains("HANG: nothing can happen any more"), "{text}");
}
