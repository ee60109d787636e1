//! In which world a session is opened, and who opens one in the real world beside a Sim.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Once};

use crate::delivery::{Policy, Steps};
use crate::sync::Mutex;
use crate::variables;
use crate::world::{World, entered, stepped};

/// Sessions that were opened, or wanted, in the real world while there were others: the threads that did it.
static ORPHANS: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// Whether the process opens sessions in the real world on purpose.
static OPENLY: AtomicBool = AtomicBool::new(false);

/// Those sessions, by their threads, without so many that came before.
#[cfg(feature = "lab")]
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

/// What WINHTTP_LIVE says of sessions in the real world.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Live {
    /// Beside every Sim, too.
    Allow,
    Deny,
    Unsaid,
}

/// What is misspelled denies: who sets it wants a say in what goes out.
static LIVE: LazyLock<Live> = LazyLock::new(|| {
    let parse = |how: &str| match how {
        "allow" => Some(Live::Allow),
        "deny" => Some(Live::Deny),
        _ => None,
    };
    variables::read_or("WINHTTP_LIVE", "allow or deny", ("deny", Live::Deny), parse).unwrap_or(Live::Unsaid)
});

/// Whether sessions in the real world are allowed beside every Sim.
#[cfg(feature = "lab")]
pub fn allows() -> bool {
    *LIVE == Live::Allow
}

fn is_denied() -> bool {
    if *LIVE == Live::Deny {
        static TOLD: Once = Once::new();
        TOLD.call_once(|| eprintln!("WINHTTP_LIVE=deny: WinHttpOpen opens nothing outside a Sim"));
    }
    *LIVE == Live::Deny
}

/// Without the feature `net` there is nothing but Sims: said once, as WinHttpOpen can only answer ERROR_NOT_SUPPORTED.
#[cfg(not(feature = "net"))]
pub fn tell_nothing_is_there() {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        eprintln!(
            "WinHttpOpen opens nothing: this build of portable-winhttp has no network (its feature `net` is off), and the \
             thread is in no lab::Sim"
        );
    });
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
