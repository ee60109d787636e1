//! The connections of a Sim: the engine decides as for the network.

use std::time::Duration;

use crate::arms::{BYTES, sim};
use crate::support::*;
use portable_winhttp::lab::{Reply, Sim, any};
use windows_sys::Win32::Networking::WinHttp::*;

fn read_all() -> std::sync::Arc<Record> {
    Record::with(|handle, seen| match seen.status {
        WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => assert_eq!(receive(handle), 1),
        WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => assert_eq!(read(handle, 64), 1),
        WINHTTP_CALLBACK_STATUS_READ_COMPLETE if seen.value > 0 => assert_eq!(read(handle, 64), 1),
        _ => {}
    })
}

/// MAX_CONNS_PER_SERVER=1: three replies of 5 s take 15 s, and only the first raises connect notifications.
#[test]
fn requests_wait_for_the_one_connection() {
    let rows = [(1u32, 15, [1, 0, 0]), (u32::MAX, 5, [1, 1, 1])];
    for (bytes, (limit, seconds, connects)) in BYTES.iter().flat_map(|bytes| rows.map(|row| (*bytes, row))) {
        let sim = sim(bytes);
        sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok().body("ok").delay(Duration::from_secs(5)));
        let client = Client::new(true, 80);
        let option = WINHTTP_OPTION_MAX_CONNS_PER_SERVER;
        // SAFETY: the value has so many bytes.
        assert_eq!(unsafe { WinHttpSetOption(client.session, option, (&raw const limit).cast(), 4) }, 1);
        let records = [(); 3].map(|()| read_all());
        let requests = records.each_ref().map(|record| client.request("GET", "/", record));
        requests.iter().for_each(|request| assert_eq!(send(*request), 1));
        let ended = |record: &std::sync::Arc<Record>| {
            record.seen().iter().any(|seen| seen.status == WINHTTP_CALLBACK_STATUS_READ_COMPLETE && seen.value == 0)
        };
        sim.block_until(|| records.iter().all(ended));
        assert_eq!(sim.elapsed(), Duration::from_secs(seconds), "over bytes: {bytes}");
        for status in [
            WINHTTP_CALLBACK_STATUS_RESOLVING_NAME,
            WINHTTP_CALLBACK_STATUS_NAME_RESOLVED,
            WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER,
            WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER,
        ] {
            let count =
                |record: &std::sync::Arc<Record>| record.statuses().iter().filter(|known| **known == status).count();
            assert_eq!(records.each_ref().map(count), connects, "{status:#x}, over bytes: {bytes}");
        }
        for request in requests {
            close(request);
        }
        client.close();
    }
}

/// How often a request connected.
fn connects(record: &std::sync::Arc<Record>) -> usize {
    record.statuses().iter().filter(|status| **status == WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER).count()
}

/// Idle connections live 60 s (source m18), as over the network.
#[test]
fn idle_connections_end() {
    for (idle, connected) in [(59, 0), (61, 1)] {
        let sim = Sim::new();
        sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok().body("ok"));
        let client = Client::new(true, 80);
        let mut records = Vec::new();
        for _ in 0..2 {
            let record = read_all();
            let request = client.request("GET", "/", &record);
            assert_eq!(send(request), 1);
            sim.settle();
            close(request);
            records.push(record);
            sim.advance(Duration::from_secs(idle));
        }
        assert_eq!(connects(&records[1]), connected, "after {idle} s");
        client.close();
    }
}

/// Whether a request may have the connection of a reply that was not read yet is a choice.
#[test]
fn an_unread_reply_may_keep_its_connection() {
    struct Always(usize);
    impl portable_winhttp::lab::Chooser for Always {
        fn choose(&mut self, point: portable_winhttp::lab::Point<'_>, _options: usize) -> usize {
            if point == portable_winhttp::lab::Point::Connection { self.0 } else { 0 }
        }
    }
    for (choice, reads, connected) in [(0, false, 0), (1, false, 1), (1, true, 0)] {
        let sim = Sim::builder().chooser(Always(choice)).build();
        sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok().body("ok"));
        let client = Client::new(true, 80);
        let first = if reads {
            read_all()
        } else {
            Record::with(|handle, seen| {
                if seen.status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE {
                    assert_eq!(receive(handle), 1);
                }
            })
        };
        let records = [first, read_all()];
        let requests = records.each_ref().map(|record| {
            let request = client.request("GET", "/", record);
            assert_eq!(send(request), 1);
            sim.settle();
            request
        });
        assert_eq!(connects(&records[1]), connected, "choice {choice}, read: {reads}");
        requests.into_iter().for_each(|request| assert_eq!(close(request), 1));
        client.close();
    }
}
