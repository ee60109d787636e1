//! What panics say while schedules are run: it is kept for the report instead of being printed, and a panic that ends the
//! process names its schedule.

use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::{Arc, Once, Weak};

use crate::lab::raw::words;
use crate::lab::scheduler::Scheduler;
use crate::sync::Mutex;

/// What was said in a run, on any of its threads.
#[derive(Default)]
pub struct Heard {
    said: Mutex<Vec<String>>,
    scheduler: Mutex<Weak<Scheduler>>,
}

thread_local! {
    static HEARD: RefCell<Option<Arc<Heard>>> = const { RefCell::new(None) };
}

impl Heard {
    /// Keeps what this thread says from now on until [`hear`] is told otherwise.
    pub fn begin() -> Arc<Heard> {
        static HOOKED: Once = Once::new();
        HOOKED.call_once(|| {
            let former = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                if !kept(info) {
                    former(info);
                }
            }));
        });
        let heard = Arc::<Heard>::default();
        hear(Some(Arc::clone(&heard)));
        heard
    }

    /// The run is this scheduler's.
    pub fn watch(&self, scheduler: &Arc<Scheduler>) {
        *self.scheduler.lock() = Arc::downgrade(scheduler);
    }

    /// What was said, each with its place.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().clone()
    }

    /// The command that runs this schedule again, as far as it came.
    fn again(&self) -> Option<String> {
        self.scheduler.lock().upgrade()?.again()
    }
}

/// Who keeps what this thread says.
pub fn heard() -> Option<Arc<Heard>> {
    HEARD.with_borrow(Option::clone)
}

/// What this thread says is kept there, or printed.
pub fn hear(heard: Option<Arc<Heard>>) {
    HEARD.set(heard);
}

/// Keeps what a panic says; `false` if it is to be printed.
fn kept(info: &PanicHookInfo<'_>) -> bool {
    let Some(heard) = HEARD.try_with(|heard| heard.borrow().clone()).ok().flatten() else { return false };
    let text = words(info.payload());
    let ends = text.contains("cannot unwind") || text.contains("panic in a destructor");
    let place = info.location().map_or_else(String::new, |place| format!(" at {place}"));
    if ends {
        let said = heard.said();
        eprintln!("a panic ends the process while schedules are explored:\n  {}", said.join("\n  "));
        eprintln!("{}", heard.again().unwrap_or_default());
        return false;
    }
    heard.said.lock().push(format!("{text}{place}"));
    true
}
