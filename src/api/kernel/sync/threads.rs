//! Threads that programs ask for: those of the world that the calling thread has entered.

use std::sync::Arc;

use crate::delivery::Job;
use crate::real::current;
use crate::sync::Mutex;
use crate::world::entered;

type Body = Box<dyn FnOnce() + Send>;

/// A body that is run once.
struct Once(Mutex<Option<Body>>);

impl Job for Once {
    fn run(self: Arc<Self>) {
        let body = self.0.lock().take();
        if let Some(body) = body {
            body();
        }
    }
}

fn job(body: Body) -> Arc<dyn Job> {
    Arc::new(Once(Mutex::new(Some(body))))
}

/// Runs it on a thread of its own; `false` if the system has none.
pub fn start(body: Body) -> bool {
    match entered() {
        Some((world, _)) => {
            world.spawner.run(job(body));
            true
        }
        None => std::thread::Builder::new().spawn(body).is_ok(),
    }
}

/// Runs it on a worker, in the order in which such bodies come.
pub fn on_worker(body: Body) -> bool {
    match current() {
        Some((world, _)) => {
            world.spawner.run(job(body));
            true
        }
        None => start(body),
    }
}
