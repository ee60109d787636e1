//! Threads that nobody joins: they end with the process, wherever they wait.

use std::cell::RefCell;
use std::panic::{catch_unwind, resume_unwind};
use std::sync::Arc;

use loom::sync::Condvar;

#[derive(Default)]
struct Process {
    /// Those that nobody joins.
    threads: usize,
    exits: bool,
    slept_on: Vec<Arc<Condvar>>,
}

// loom runs its threads on one of the system's, and no step of its own is in here.
std::thread_local!(static PROCESS: RefCell<Process> = RefCell::default());

/// What a thread unwinds with that the process ends.
struct Ended;

/// Ends this thread, which holds no lock, if the process ends.
fn end() {
    if PROCESS.with_borrow(|process| process.exits) {
        resume_unwind(Box::new(Ended));
    }
}

/// Waits for a condition, or for the end of the process.
pub fn sleep_on<G>(condition: &Arc<Condvar>, guard: &mut Option<G>, wait: impl FnOnce(G) -> G) {
    let exits = PROCESS.with_borrow_mut(|process| {
        if process.threads > 0 && !process.slept_on.iter().any(|known| Arc::ptr_eq(known, condition)) {
            process.slept_on.push(Arc::clone(condition));
        }
        process.exits
    });
    let held = guard.take().filter(|_| !exits);
    *guard = held.map(wait).filter(|_| !PROCESS.with_borrow(|process| process.exits));
    end();
}

/// The process ends: what has not happened by now does not matter.
pub fn exit() {
    loom::stop_exploring();
    PROCESS.with_borrow_mut(|process| process.exits = true);
    while PROCESS.with_borrow(|process| process.threads > 0) {
        let slept_on = PROCESS.with_borrow(|process| process.slept_on.clone());
        slept_on.iter().for_each(|condition| condition.notify_all());
        loom::thread::yield_now();
    }
    PROCESS.take();
}

pub mod thread {
    use std::io;
    use std::num::NonZero;
    use std::time::Duration;

    pub use loom::thread::{JoinHandle, Thread, ThreadId, current, spawn};

    use super::*;

    /// Time passes when nothing else can happen.
    pub fn sleep(_time: Duration) {
        end();
        loom::thread::yield_now();
        end();
    }

    pub fn available_parallelism() -> io::Result<NonZero<usize>> {
        Ok(NonZero::<usize>::MIN)
    }

    /// A thread that nobody joins.
    pub struct Builder;

    impl Builder {
        pub fn new() -> Builder {
            Builder
        }

        pub fn name(self, _name: String) -> Builder {
            self
        }

        pub fn spawn(self, run: impl FnOnce() + 'static) -> io::Result<()> {
            PROCESS.with_borrow_mut(|process| process.threads += 1);
            spawn(move || {
                let ended = catch_unwind(std::panic::AssertUnwindSafe(run));
                PROCESS.with_borrow_mut(|process| process.threads -= 1);
                if let Err(panic) = ended.or_else(|panic| panic.downcast::<Ended>().map(drop)) {
                    resume_unwind(panic);
                }
            });
            Ok(())
        }
    }
}
