//! Scripts on a thread of their own: nothing stops the engine inside one of its own functions, so a script that stays there
//! is left behind when its time is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::{Host, Limits, ScriptError, run};

/// How many scripts may be left behind at once; beyond that none is run.
const LEFT_AT_MOST: usize = 4;
/// What a script gets beyond its time to be stopped by the engine itself.
const GRACE: Duration = Duration::from_millis(100);
/// The stack of the thread, in bytes.
const STACK: usize = 4 << 20;

const RUNS: u8 = 0;
const ENDED: u8 = 1;
const LEFT_BEHIND: u8 = 2;

/// Scripts whose time was over and that still run.
static LEFT: AtomicUsize = AtomicUsize::new(0);

/// A script that runs; it ends by a panic, too.
struct Ends(Arc<AtomicU8>);

impl Drop for Ends {
    fn drop(&mut self) {
        if self.0.swap(ENDED, Ordering::SeqCst) == LEFT_BEHIND {
            LEFT.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// [`run`] on another thread: this one gets its answer, or at the end of its time [`ScriptError::Stopped`], whatever the
/// script does. A script that is left behind ends when the engine can look at its time again, within its memory.
pub fn run_apart(
    text: &str,
    url: &str,
    name: &str,
    host: Arc<dyn Host>,
    limits: &Limits,
) -> Result<String, ScriptError> {
    if LEFT.load(Ordering::SeqCst) >= LEFT_AT_MOST {
        return Err(ScriptError::Stopped);
    }
    let (tell, told) = channel();
    let (text, url, name) = (text.to_owned(), url.to_owned(), name.to_owned());
    let bounds = *limits;
    let fate = Arc::new(AtomicU8::new(RUNS));
    let ends = Arc::clone(&fate);
    let body = move || {
        let _ended = Ends(ends);
        let answer = run(&text, &url, &name, host, &bounds);
        let _ = tell.send(answer);
    };
    let started = thread::Builder::new().name("winhttp script".to_owned()).stack_size(STACK).spawn(body);
    started.map_err(|error| ScriptError::Failed(format!("no thread for it: {error}")))?;
    told.recv_timeout(limits.time.saturating_add(GRACE)).unwrap_or_else(|why| {
        if why == RecvTimeoutError::Disconnected {
            return Err(ScriptError::Failed("the engine panicked".to_owned()));
        }
        // Counted first: a script that ends at this moment takes itself off again.
        LEFT.fetch_add(1, Ordering::SeqCst);
        if fate.swap(LEFT_BEHIND, Ordering::SeqCst) == ENDED {
            LEFT.fetch_sub(1, Ordering::SeqCst);
        }
        Err(ScriptError::Stopped)
    })
}
