//! Callbacks that block, take the caller's lock, or run an executor neither stall other requests nor deadlock.

mod support;

use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// A door that callbacks wait at.
#[derive(Default)]
struct Door {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Door {
    fn wait(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |state| !state.1).unwrap());
    }

    fn wait_until_waiting(&self, count: usize) {
        let state = self.state.lock().unwrap();
        let (state, _) = self.changed.wait_timeout_while(state, PATIENCE, |state| state.0 < count).unwrap();
        assert_eq!(state.0, count);
    }

    fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.changed.notify_all();
    }
}

/// Drives a request to the end of its body from its callbacks.
fn driving(done: Sender<()>) -> Arc<Record> {
    let done = Mutex::new(done);
    Record::with(move |request, seen| match seen.status {
        WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => assert_eq!(receive(request), 1),
        WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => assert_eq!(read(request, 5), 1),
        WINHTTP_CALLBACK_STATUS_READ_COMPLETE => done.lock().unwrap().send(()).unwrap(),
        _ => {}
    })
}

#[test]
fn sixty_four_blocked_callbacks_do_not_stall_another_request() {
    let port = serve_always(HELLO);
    let client = Client::new(true, port);
    let door = Arc::new(Door::default());
    let blocked: Vec<_> = (0..64)
        .map(|_| {
            let door = Arc::clone(&door);
            let record = Record::with(move |_, seen| {
                if seen.status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE {
                    door.wait();
                }
            });
            let request = client.request("GET", "/", &record);
            assert_eq!(send(request), 1);
            (request, record)
        })
        .collect();
    door.wait_until_waiting(64);

    let (done, finished) = channel();
    let free = client.request("GET", "/", &driving(done));
    assert_eq!(send(free), 1);
    finished.recv_timeout(PATIENCE).unwrap();

    door.open();
    close(free);
    for (request, record) in blocked {
        assert_eq!(close(request), 1);
        record.wait(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
    }
    client.close();
}

/// A critical section as Windows programs use it: the owner may enter again.
#[derive(Default)]
struct Critical {
    owner: Mutex<Option<(thread::ThreadId, usize)>>,
    left: Condvar,
}

impl Critical {
    fn within<R>(&self, body: impl FnOnce() -> R) -> R {
        let me = thread::current().id();
        let mut owner = self.owner.lock().unwrap();
        loop {
            match &mut *owner {
                None => *owner = Some((me, 1)),
                Some((thread, depth)) if *thread == me => *depth += 1,
                Some(_) => {
                    owner = self.left.wait(owner).unwrap();
                    continue;
                }
            }
            break;
        }
        drop(owner);
        let result = body();
        let mut owner = self.owner.lock().unwrap();
        *owner = owner.map(|(thread, depth)| (thread, depth - 1)).filter(|(_, depth)| *depth > 0);
        self.left.notify_all();
        result
    }
}

#[test]
fn a_lock_around_every_call_that_callbacks_take_too() {
    let client = Client::new(true, serve_always(HELLO));
    for _ in 0..50 {
        let critical = Arc::new(Critical::default());
        let callbacks = Arc::clone(&critical);
        let record = Record::with(move |_, _| callbacks.within(|| {}));
        let request = client.request("GET", "/", &record);
        critical.within(|| assert_eq!(send(request), 1));
        // Called while the callback of SENDREQUEST_COMPLETE may be waiting for us.
        record.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
        critical.within(|| assert_eq!(receive(request), 1));
        record.wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
        critical.within(|| assert_eq!(read(request, 5), 1));
        record.wait(WINHTTP_CALLBACK_STATUS_READ_COMPLETE);
        critical.within(|| assert_eq!(close(request), 1));
        record.wait(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
    }
    client.close();
}

/// A request whose callback of SENDREQUEST_COMPLETE waits at a door.
fn parked() -> (Client, *mut c_void, Arc<Record>, Arc<Door>) {
    let client = Client::new(true, serve_always(HELLO));
    let door = Arc::new(Door::default());
    let parked = Arc::clone(&door);
    let record = Record::with(move |_, seen| {
        if seen.status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE {
            parked.wait();
        }
    });
    let request = client.request("GET", "/", &record);
    assert_eq!(send(request), 1);
    door.wait_until_waiting(1);
    (client, request, record, door)
}

/// The holder of a turn that is parked does not hold up calls on its own handle either: they answer 997.
#[test]
fn a_call_while_a_callback_of_the_same_request_is_parked() {
    let (client, request, record, door) = parked();
    assert_eq!((receive(request), last_error()), (1, 0));
    assert_eq!((query_data(request), last_error()), (1, 997));
    door.open();
    let holder = record.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE).thread;
    assert_eq!(record.wait(WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE).thread, holder);
    let order = record.statuses();
    let place = |status| order.iter().position(|seen| *seen == status);
    assert!(place(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE) < place(WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE));
    close(request);
    client.close();
}

#[test]
fn closing_while_a_callback_is_parked_does_not_wait_and_ends_on_its_thread() {
    let (client, request, record, door) = parked();
    assert_eq!(close(request), 1);
    assert!(!record.statuses().contains(&WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING), "a callback is running");
    door.open();
    let closing = record.wait(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
    assert_eq!(closing.thread, record.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE).thread);
    client.close();
}

#[test]
fn a_callback_may_run_an_executor() {
    let client = Client::new(true, serve_always(HELLO));
    let (done, finished) = channel();
    let done = Mutex::new(done);
    let record = Record::with(move |request, seen| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { tokio::task::yield_now().await });
        match seen.status {
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => assert_eq!(receive(request), 1),
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => done.lock().unwrap().send(()).unwrap(),
            _ => {}
        }
    });
    let request = client.request("GET", "/", &record);
    assert_eq!(send(request), 1);
    finished.recv_timeout(PATIENCE).unwrap();
    close(request);
    client.close();
}

#[test]
fn synchronous_calls_inside_an_executor() {
    let port = serve_always(HELLO);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let client = Client::new(false, port);
        let request = client.request("GET", "/", &Record::new());
        assert_eq!(send(request), 1, "{}", last_error());
        assert_eq!(receive(request), 1, "{}", last_error());
        let (mut buffer, mut count) = ([0u8; 16], 0u32);
        // SAFETY: the buffer has so many bytes.
        let read = unsafe { WinHttpReadData(request, buffer.as_mut_ptr().cast(), 16, &mut count) };
        assert_eq!((read, &buffer[..count as usize]), (1, &b"hello"[..]));
        close(request);
        client.close();
    });
}

/// The number of an asynchronous read that ends inside its call is there before any callback (source A10), which may free the
/// place: it is not written again.
#[test]
fn a_number_is_written_before_the_callback_or_not_at_all() {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    const FREED: u32 = 77;
    let client = Client::new(true, serve_always(HELLO));
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let record = Record::with(move |request, seen| match seen.status {
        WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => assert_eq!(receive(request), 1),
        WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => assert_eq!(query_data(request), 1),
        WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE | WINHTTP_CALLBACK_STATUS_READ_COMPLETE => {
            tell.lock().unwrap().send(NUMBER.swap(FREED, Ordering::SeqCst)).unwrap();
        }
        _ => {}
    });
    let request = client.request("GET", "/", &record);
    assert_eq!(send(request), 1);
    assert_eq!(told.recv_timeout(PATIENCE), Ok(0));
    let mut buffer = [0u8; 16];
    // SAFETY: the buffer has so many bytes, and lives until the callback.
    assert_eq!(unsafe { WinHttpReadData(request, buffer.as_mut_ptr().cast(), 16, NUMBER.as_ptr()) }, 1);
    assert_eq!(told.recv_timeout(PATIENCE), Ok(5));
    assert_eq!(NUMBER.load(Ordering::SeqCst), FREED);
    close(request);
    client.close();
}

/// Synchronous handles tell progress only, all of it on the caller's thread (source notify.synchronous).
#[test]
fn synchronous_notifications_come_on_the_callers_thread() {
    let client = Client::new(false, serve_always(HELLO));
    let record = Record::new();
    let request = client.request("GET", "/", &record);
    assert_eq!((send(request), receive(request), close(request)), (1, 1, 1));
    let seen = record.seen();
    assert!(seen.iter().all(|seen| seen.thread == thread::current().id()));
    let completions = portable_winhttp::win32::WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS;
    assert!(seen.iter().all(|seen| seen.status & completions == 0), "{seen:#x?}");
    client.close();
}
