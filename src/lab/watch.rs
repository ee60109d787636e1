//! Watches the threads of Sims: one that blocks in something that is not ours is found by its sleep.
//!
//! On Linux the system says what a thread does: one that was asleep in three looks in a row, without having been awake
//! in between, blocks. Elsewhere a second without a sign of life counts.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::sync::Mutex;

use super::environment;
use super::scheduler::{Scheduler, Watched};

/// How often is looked.
const INTERVAL: Duration = Duration::from_millis(10);
/// How many looks find the same sleep before the thread is passed over.
const LOOKS: u32 = if cfg!(target_os = "linux") { 3 } else { 100 };
/// How long a world that cannot move waits, in real time, for a thread that blocks in something else, unless
/// `WINHTTP_PATIENCE` says another number of seconds.
const PATIENCE: Duration = Duration::from_secs(10);

static WATCHED: Mutex<Vec<Weak<Scheduler>>> = Mutex::new(Vec::new());

thread_local! {
    static THIS: Option<u64> = {
        let link = std::fs::read_link("/proc/thread-self").ok();
        link.and_then(|link| link.file_name()?.to_str()?.parse().ok())
    };
}

/// The number by which the system knows this thread.
pub fn this_thread() -> Option<u64> {
    // All threads are one under Miri.
    if cfg!(miri) { None } else { THIS.with(|number| *number) }
}

/// Watches this one while it lives.
pub fn watch(scheduler: &Arc<Scheduler>) {
    let patience = environment::patience().unwrap_or(PATIENCE);
    let mut watched = WATCHED.lock();
    watched.push(Arc::downgrade(scheduler));
    if watched.len() == 1 {
        thread::spawn(move || patrol(patience));
    }
}

/// What was seen of a Sim, how often in a row, and since when.
struct ThreadSample {
    watched: Watched,
    sleep: Option<u64>,
    looks: u32,
    since: Instant,
}

/// Looks at every Sim until there is none.
fn patrol(patience: Duration) {
    let mut seen: HashMap<usize, ThreadSample> = HashMap::new();
    loop {
        thread::sleep(INTERVAL);
        let mut watched = WATCHED.lock();
        watched.retain(|scheduler| scheduler.strong_count() > 0);
        if watched.is_empty() {
            return;
        }
        let schedulers: Vec<_> = watched.iter().filter_map(Weak::upgrade).collect();
        drop(watched);
        seen.retain(|id, _| schedulers.iter().any(|scheduler| Arc::as_ptr(scheduler).addr() == *id));
        for scheduler in &schedulers {
            look(scheduler, &mut seen, patience);
        }
    }
}

fn look(scheduler: &Arc<Scheduler>, seen: &mut HashMap<usize, ThreadSample>, patience: Duration) {
    let id = Arc::as_ptr(scheduler).addr();
    let watched = scheduler.watched();
    if watched.over {
        return;
    }
    let sleep = watched.system.and_then(asleep);
    // Where the system does not say, silence is taken for sleep.
    let asleep = sleep.is_some() || (watched.owner.is_some() && !cfg!(target_os = "linux"));
    match seen.get_mut(&id).filter(|seen| seen.watched == watched && seen.sleep == sleep) {
        Some(seen) if watched.owner.is_none() => {
            if watched.waits && seen.since.elapsed() > patience {
                give_up(scheduler);
                seen.since = Instant::now();
            }
        }
        Some(seen) if asleep => {
            seen.looks += 1;
            if seen.looks >= LOOKS {
                scheduler.pass_over(&watched);
            }
        }
        Some(_) => {}
        None => {
            seen.insert(id, ThreadSample { watched, sleep, looks: 1, since: Instant::now() });
        }
    }
}

/// How often the thread has gone to sleep, if it is asleep now.
pub fn asleep(thread: u64) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/self/task/{thread}/status")).ok()?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let sleeps = field("State:")?.starts_with('S');
    let times = field("voluntary_ctxt_switches:")?.parse().ok()?;
    sleeps.then_some(times)
}

/// The thread that made the Sim cannot be made to fail: the process ends, with the report, instead of hanging.
fn give_up(scheduler: &Arc<Scheduler>) {
    if let Some(report) = scheduler.abandoned() {
        // Not by `eprintln!`: a test harness would keep it, and end with this process.
        let again = scheduler.again().unwrap_or_default();
        let made = scheduler.made_at();
        let end = "The test cannot be ended in another way: the process ends. WINHTTP_PATIENCE=60 waits for a minute.";
        let _ = writeln!(io::stderr(), "{report}\n  the Sim was made at {made}\n{again}\n{end}");
        std::process::exit(101);
    }
}
