//! Threads that each are in a callback of one synchronous handle and call on that of another.

use std::sync::Arc;

use loom::thread;
use winhttp_models::delivery::queue::Item;
use winhttp_models::handle::Handle;
use winhttp_models::handle::waiting::NestedCalls;
use winhttp_models::record::{Api, Notification, Operation};
use winhttp_models::sync::{Condvar, Mutex};
use winhttp_models::win32::ERROR_WINHTTP_INCORRECT_HANDLE_STATE;

const SEND: Operation = Operation::Api(Api::SEND_REQUEST);
const RECEIVE: Operation = Operation::Api(Api::RECEIVE_RESPONSE);

/// `interruptions`: how often a thread may be interrupted where it need not be.
fn model(interruptions: usize, run: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(interruptions);
    model.check(run);
}

/// Enters a callback of a handle.
fn call_back(handle: &Handle) {
    let ticket = handle.queue.await_end(SEND);
    handle.queue.push(Item::Notify(Notification(0)));
    assert!(handle.queue.wait(SEND, ticket, None).is_ok());
}

/// A call on a handle whose operation ends at once.
fn call_on(handle: &Handle) {
    let ticket = handle.queue.await_end(RECEIVE);
    handle.queue.complete(RECEIVE, Ok(Notification(1)));
    handle.queue.wake();
    assert_eq!(handle.queue.wait(RECEIVE, ticket, None).unwrap_err(), Ok(Notification(1)));
}

/// Each thread is in a callback of its own handle, and then calls on another one's; if it is `asked`, who would close a circle
/// is refused. Answers how many were.
fn circle(count: usize, calls: &[(usize, usize)], asked: bool) -> usize {
    let handles: Arc<Vec<_>> = Arc::new((1..=count).map(|value| Arc::new(Handle::new(value))).collect());
    let nested = Arc::new(NestedCalls(Mutex::new(Vec::new())));
    let (entered, all) = (Arc::new((Mutex::new(0), Condvar::new())), calls.len());
    let threads = calls.iter().map(|&(own, other)| {
        let (handles, nested, entered) = (Arc::clone(&handles), Arc::clone(&nested), Arc::clone(&entered));
        thread::spawn(move || {
            call_back(&handles[own]);
            meet(&entered, all);
            let allowed = if asked { nested.begin(&handles[other]) } else { Ok(None) };
            match &allowed {
                Ok(_) => call_on(&handles[other]),
                Err(error) => assert_eq!(*error, ERROR_WINHTTP_INCORRECT_HANDLE_STATE),
            }
            handles[own].queue.finish_waited();
            usize::from(allowed.is_err())
        })
    });
    let threads: Vec<_> = threads.collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).sum()
}

/// Waits until all threads are here.
fn meet((here, changed): &(Mutex<usize>, Condvar), all: usize) {
    let mut here = here.lock();
    *here += 1;
    changed.notify_all();
    while *here < all {
        changed.wait(&mut here);
    }
}

/// Nobody waits for ever: of those that would close a circle together one is refused, and no other.
#[test]
fn a_circle_is_not_closed() {
    model(3, || assert_eq!(circle(2, &[(0, 1), (1, 0)], true), 1));
    model(1, || assert_eq!(circle(3, &[(0, 1), (1, 2), (2, 0)], true), 1));
}

/// Whoever waits for a callback that will return is not refused.
#[test]
fn a_chain_is_no_circle() {
    model(2, || assert_eq!(circle(3, &[(0, 1), (1, 2)], true), 0));
}

/// The models find what they are for.
#[test]
#[should_panic(expected = "deadlock")]
fn a_circle_that_is_closed_is_found() {
    model(3, || assert_eq!(circle(2, &[(0, 1), (1, 0)], false), 0));
}
