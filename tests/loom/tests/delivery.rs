//! Threads that step one handle and deliver what comes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::cell::UnsafeCell;
use loom::sync::Mutex;
use loom::thread;
use winhttp_models::delivery::queue::{DeliveryQueue, DrainBudget, Item, Next, Outcome};
use winhttp_models::record::{Api, Notification, Operation, REDIRECT};

const SEND: Operation = Operation::Api(Api::SEND_REQUEST);
const RECEIVE: Operation = Operation::Api(Api::RECEIVE_RESPONSE);

/// How often a thread may be interrupted where it need not be: what is missed beyond that is rare, and costs minutes.
const INTERRUPTIONS: usize = 3;

fn model(run: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(INTERRUPTIONS);
    model.check(run);
}

/// A handle: its steps, its queue, its workers, and what the application was told.
#[derive(Default)]
struct Handle {
    /// Counts the steps: its lock is that of the machine.
    steps: Mutex<usize>,
    queue: DeliveryQueue,
    /// Workers that were sent and have not come.
    sent: AtomicUsize,
    /// Touched by one thread after the other, or loom complains: nothing but the queue keeps them apart.
    told: UnsafeCell<Vec<usize>>,
}

// SAFETY: loom looks at every access to the cell.
unsafe impl Sync for Handle {}
// SAFETY: as above.
unsafe impl Send for Handle {}

/// The end of a handle, among what is told.
const CLOSING: usize = usize::MAX;

impl Handle {
    /// The callback: never on two threads at once.
    fn notify(&self, number: usize) {
        // SAFETY: loom complains if another thread is here.
        self.told.with_mut(|told| unsafe { &mut *told }.push(number));
    }

    /// Delivers what waits, as the library does.
    fn deliver(&self, mut next: Next, mut budget: DrainBudget) {
        loop {
            match next {
                Next::Do(item) => {
                    let calls_back = item.calls_back();
                    match item {
                        Item::Notify(Notification(number)) => self.notify(number),
                        Item::Closing => self.notify(CLOSING),
                        Item::Proceed(_) | Item::FollowRedirect => {}
                    }
                    next = self.queue.next(&mut budget, calls_back);
                }
                Next::Done => return,
                Next::Send => return self.send(),
            }
        }
    }

    fn send(&self) {
        self.sent.fetch_add(1, Ordering::SeqCst);
    }

    fn send_worker(&self) {
        if self.queue.wants_worker() {
            self.send();
        }
    }

    /// The workers that were sent come.
    fn work(&self) {
        while self.sent.swap(0, Ordering::SeqCst) > 0 {
            self.deliver(self.queue.worker_arrived(), DrainBudget::All);
        }
    }

    /// A step pushes what it brings about while its lock is held; answers its number.
    fn step(&self, push: impl FnOnce(usize) -> Item) -> usize {
        let mut steps = self.steps.lock().unwrap();
        *steps += 1;
        self.queue.push(push(*steps));
        *steps
    }

    /// A call that may deliver what it brings about before it returns.
    fn call_inside(&self) {
        self.queue.reserve();
        self.step(|number| Item::Notify(Notification(number)));
        match self.queue.acquire(1, None) {
            Some((next, budget)) => self.deliver(next, budget),
            None => self.send_worker(),
        }
    }

    /// Something happened without a call: a worker delivers it.
    fn happen(&self) {
        self.step(|number| Item::Notify(Notification(number)));
        self.deliver(self.queue.next_internal(), DrainBudget::InternalOnly);
    }

    /// WinHttpCloseHandle
    fn close(&self) {
        self.queue.reserve();
        self.step(|_| Item::Closing);
        if let Some(next) = self.queue.acquire_to_close(None) {
            return self.deliver(next, DrainBudget::All);
        }
        self.send_worker();
    }

    fn told(&self) -> Vec<usize> {
        // SAFETY: all threads have ended.
        self.told.with(|told| unsafe { &*told }.clone())
    }
}

fn spawn(handle: &Arc<Handle>, run: fn(&Handle)) -> thread::JoinHandle<()> {
    let handle = Arc::clone(handle);
    thread::spawn(move || {
        run(&handle);
        handle.work();
    })
}

fn join(handle: &Handle, threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    handle.work();
}

/// Whatever steps meet, each is told once, in the order of the steps, and never two at a time.
#[test]
fn what_steps_bring_about_is_told_in_their_order() {
    let rows: [[fn(&Handle); 2]; 3] = [
        [Handle::call_inside, Handle::call_inside],
        [Handle::call_inside, Handle::happen],
        [Handle::happen, Handle::happen],
    ];
    for row in rows {
        model(move || {
            let handle = Arc::new(Handle::default());
            let threads = row.map(|run| spawn(&handle, run));
            join(&handle, threads);
            assert_eq!(handle.told(), [1, 2]);
        });
    }
}

/// HANDLE_CLOSING is told once and last; what comes behind it is not told.
#[test]
fn nothing_comes_after_the_end() {
    let rows: [fn(&Handle); 2] = [Handle::call_inside, Handle::happen];
    for run in rows {
        model(move || {
            let handle = Arc::new(Handle::default());
            let threads = [spawn(&handle, Handle::close), spawn(&handle, run)];
            join(&handle, threads);
            let told = handle.told();
            assert!(told == [CLOSING] || told == [1, CLOSING], "{told:?}");
        });
    }
}

/// Two threads call on one synchronous handle, a third ends the operations: each call gets the end of its own.
#[test]
fn each_call_waits_for_its_own_end() {
    let rows = [[SEND, SEND], [SEND, RECEIVE]];
    for operations in rows {
        model(move || {
            let queue = Arc::new(DeliveryQueue::default());
            let begun = Arc::new(Mutex::new(0));
            let calls = operations.map(|operation| {
                let (queue, begun) = (Arc::clone(&queue), Arc::clone(&begun));
                thread::spawn(move || {
                    let (ticket, number) = {
                        let mut begun = begun.lock().unwrap();
                        *begun += 1;
                        let ticket = queue.await_end(operation);
                        // They end in the order in which they begin.
                        queue.complete(operation, Ok(Notification(*begun)));
                        (ticket, *begun)
                    };
                    queue.wake();
                    (number, ended(queue.wait(operation, ticket, None)))
                })
            });
            for call in calls {
                let (number, ended) = call.join().unwrap();
                assert_eq!(number, ended);
            }
        });
    }
}

fn ended(waited: Result<Item, Outcome>) -> usize {
    match waited {
        Err(Ok(Notification(number))) => number,
        other => panic!("{other:?}"),
    }
}

/// The end of an operation wakes the call that waits for it, whoever brings it about.
#[test]
fn an_end_is_not_missed() {
    model(|| {
        let queue = Arc::new(DeliveryQueue::default());
        let ticket = queue.await_end(RECEIVE);
        let ends = Arc::clone(&queue);
        let thread = thread::spawn(move || {
            ends.complete(RECEIVE, Ok(Notification(7)));
            ends.wake();
        });
        assert_eq!(ended(queue.wait(RECEIVE, ticket, None)), 7);
        thread.join().unwrap();
    });
}

/// A call inside a callback brings on a redirect: it follows that itself, though the callback has not returned.
#[test]
fn a_redirect_of_a_nested_call_is_followed() {
    model(|| {
        let queue = Arc::new(DeliveryQueue::default());
        let outer = queue.await_end(SEND);
        queue.push(Item::Notify(Notification(0)));
        assert!(queue.wait(SEND, outer, None).is_ok());
        let inner = queue.await_end(RECEIVE);
        let pushes = Arc::clone(&queue);
        let thread = thread::spawn(move || {
            pushes.push(Item::Notify(Notification(REDIRECT)));
            pushes.push(Item::FollowRedirect);
            pushes.wake();
        });
        let mut done = 0;
        while let Ok(item) = queue.wait(RECEIVE, inner, None) {
            if matches!(item, Item::FollowRedirect) {
                queue.complete(RECEIVE, Ok(Notification(7)));
            }
            done += 1;
            queue.finish_waited();
        }
        assert_eq!(done, 2);
        thread.join().unwrap();
    });
}

/// The models find what they are for: a push behind the lock of the step loses the order.
#[test]
#[should_panic(expected = "assertion")]
fn a_push_behind_the_lock_is_found() {
    fn late(handle: &Handle) {
        let number = {
            let mut steps = handle.steps.lock().unwrap();
            *steps += 1;
            *steps
        };
        handle.queue.push(Item::Notify(Notification(number)));
        handle.send_worker();
    }
    model(|| {
        let handle = Arc::new(Handle::default());
        let threads = [late, late].map(|run| spawn(&handle, run));
        join(&handle, threads);
        assert_eq!(handle.told(), [1, 2]);
    });
}

/// Two deliveries at once are found.
#[test]
#[should_panic]
fn two_callbacks_at_once_are_found() {
    model(|| {
        let handle = Arc::new(Handle::default());
        let threads = [1, 2].map(|number| {
            let handle = Arc::clone(&handle);
            thread::spawn(move || handle.notify(number))
        });
        join(&handle, threads);
    });
}
