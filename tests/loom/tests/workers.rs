//! Jobs, the workers that run them, and the one of them that polls.

use std::sync::Arc;
use std::task::{Wake, Waker};

use async_task::Runnable;
use winhttp_models::delivery::Job;
use winhttp_models::delivery::workers::{Poller, Workers};
use winhttp_models::sync::{Condvar, Mutex, exit, thread};

/// How often a thread may be interrupted where it need not be.
fn model(interruptions: usize, run: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(interruptions);
    model.check(move || {
        run();
        exit();
    });
}

fn start(_name: &str, body: Box<dyn FnOnce() + Send>) -> bool {
    thread::Builder::new().spawn(body).is_ok()
}

/// The watcher, who would help, never comes.
fn start_unwatched(name: &str, body: Box<dyn FnOnce() + Send>) -> bool {
    name.ends_with("watcher") || start(name, body)
}

/// A number that threads wait for.
#[derive(Default)]
struct Count {
    count: Mutex<usize>,
    changed: Condvar,
}

impl Count {
    fn add(&self) {
        *self.count.lock() += 1;
        self.changed.notify_all();
    }

    fn wait_for(&self, least: usize) {
        let mut count = self.count.lock();
        while *count < least {
            self.changed.wait(&mut count);
        }
    }

    fn get(&self) -> usize {
        *self.count.lock()
    }
}

/// Waits for as many others as it is told to, and counts itself.
struct Counts {
    after: usize,
    done: Arc<Count>,
}

impl Job for Counts {
    fn run(self: Arc<Self>) {
        self.done.wait_for(self.after);
        self.done.add();
    }
}

/// Runs another job.
struct Runs {
    workers: Arc<Workers>,
    job: Arc<dyn Job>,
}

impl Job for Runs {
    fn run(self: Arc<Self>) {
        self.workers.run(Arc::clone(&self.job));
    }
}

fn counts(done: &Arc<Count>, after: usize) -> Arc<dyn Job> {
    Arc::new(Counts { after, done: Arc::clone(done) })
}

/// Sleeps until it is woken; counts how often it was entered.
#[derive(Default)]
struct Sleeper {
    entered: Count,
    bell: Arc<Bell>,
}

#[derive(Default)]
struct Bell {
    rings: Mutex<bool>,
    rung: Condvar,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.rings.lock() = true;
        self.rung.notify_all();
    }
}

impl Poller for Sleeper {
    fn poll(&self, over: &mut dyn FnMut(&Waker) -> bool) {
        self.entered.add();
        let waker = Waker::from(Arc::clone(&self.bell));
        while !over(&waker) {
            let mut rings = self.bell.rings.lock();
            while !*rings {
                self.bell.rung.wait(&mut rings);
            }
            *rings = false;
        }
    }

    fn step(&self, task: Runnable) {
        task.run();
    }
}

/// Jobs from two threads, and one that a job brings about: each is run, and once, though no watcher helps.
#[test]
fn each_job_is_run_once() {
    for polls in [false, true] {
        model(2, move || {
            let workers = Arc::new(Workers::starting(start_unwatched));
            let done = Arc::new(Count::default());
            if polls {
                workers.poll(Arc::new(Sleeper::default()));
            }
            let (others, job) = (Arc::clone(&workers), counts(&done, 0));
            let thread = thread::spawn(move || others.run(job));
            workers.run(Arc::new(Runs { workers: Arc::clone(&workers), job: counts(&done, 0) }));
            thread.join().unwrap();
            done.wait_for(2);
            assert_eq!(done.get(), 2);
        });
    }
}

/// Who polls while a job comes is woken for it, whenever it comes.
#[test]
fn who_polls_is_called_back() {
    model(3, || {
        let workers = Arc::new(Workers::starting(start_unwatched));
        let (poller, done) = (Arc::new(Sleeper::default()), Arc::new(Count::default()));
        assert!(workers.ready());
        workers.poll(Arc::clone(&poller) as Arc<dyn Poller>);
        for number in 1..=2 {
            workers.run(counts(&done, 0));
            done.wait_for(number);
        }
        // It polls again when nothing is left to do.
        poller.entered.wait_for(1);
    });
}

/// A job that waits for the one behind it: another worker comes for that.
#[test]
fn a_job_that_blocks_stops_no_other() {
    model(1, || {
        let workers = Arc::new(Workers::starting(start));
        let done = Arc::new(Count::default());
        workers.run(counts(&done, 1));
        workers.run(counts(&done, 0));
        done.wait_for(2);
    });
}

/// A job that waits for somebody to poll: another worker does.
#[test]
fn a_job_that_blocks_does_not_stop_the_polling() {
    struct Waits(Arc<Sleeper>, Arc<Count>);
    impl Job for Waits {
        fn run(self: Arc<Self>) {
            self.0.entered.wait_for(1);
            self.1.add();
        }
    }
    model(1, || {
        let workers = Arc::new(Workers::starting(start));
        let (poller, done) = (Arc::new(Sleeper::default()), Arc::new(Count::default()));
        workers.run(Arc::new(Waits(Arc::clone(&poller), Arc::clone(&done))));
        workers.poll(poller);
        done.wait_for(1);
    });
}

/// The models find what they are for.
#[test]
#[should_panic(expected = "deadlock")]
fn a_job_that_nobody_comes_for_is_found() {
    model(1, || {
        let workers = Arc::new(Workers::starting(start_unwatched));
        let done = Arc::new(Count::default());
        workers.run(counts(&done, 1));
        workers.run(counts(&done, 0));
        done.wait_for(2);
    });
}
