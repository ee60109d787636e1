//! In which world a session is opened, and who opens one in the real world beside a Sim.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use crate::delivery::{Policy, Steps};
use crate::sync::Mutex;
use crate::world::{World, entered, stepped};

/// Sessions that were opened, or wanted, in the real world while there were others: the threads that did it.
static ORPHANS: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// Whether the process opens sessions in the real world on purpose.
static OPENLY: AtomicBool = AtomicBool::new(false);

/// Those sessions, by their threads, without so many that came before.
pub fn orphans(before: usize) -> Vec<String> {
    ORPHANS.lock().iter().skip(before).cloned().collect()
}

/// Whether this process also opens sessions in the real world on purpose: on a thread that may be a test's, which may run
/// beside a Sim.
pub fn opens_openly() -> bool {
    OPENLY.load(Ordering::Relaxed)
}

/// This process opens sessions in the real world on purpose, on whatever thread.
#[cfg(feature = "live")]
pub fn open_openly() {
    OPENLY.store(true, Ordering::Relaxed);
}

/// Tests run on the main thread, or on one with their path as its name.
fn may_be_a_test(name: &str) -> bool {
    name.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | ':'))
}

/// What WINHTTP_LIVE says.
fn is_denied() -> bool {
    static DENIED: LazyLock<bool> = LazyLock::new(|| match std::env::var("WINHTTP_LIVE").as_deref() {
        Ok("deny") => true,
        Ok("allow" | "") | Err(_) => false,
        Ok(other) => {
            eprintln!("WINHTTP_LIVE: expected allow or deny, found {other:?}");
            false
        }
    });
    *DENIED
}

/// The world and the policy of a session that is opened now. With WINHTTP_LIVE=deny there is no real world; nor is there beside a
/// Sim that lets nobody out, where no test of the process uses the real world on purpose.
pub(crate) fn opening() -> Option<(Arc<World>, Policy)> {
    if entered().is_none() {
        let thread = std::thread::current();
        if thread.name().is_some_and(may_be_a_test) {
            OPENLY.store(true, Ordering::Relaxed);
        }
        let beside = stepped();
        if !beside.is_empty() {
            let name = thread.name().unwrap_or("without a name").to_owned();
            ORPHANS.lock().push(name);
        }
        let lets_out = beside.iter().filter_map(|world| world.steps()).all(Steps::lets_out);
        if is_denied() || !(lets_out || opens_openly()) {
            return None;
        }
    }
    super::current()
}
