//! The labs of a program by what it calls them, which is given once only: one that was ended is known for that.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use super::json::{Begin, FaultText, Gates, PeerText};
use crate::lab::{Gate, Heard, Peer, Random, Sim, hear, heard};
use crate::sync::Mutex;
use crate::win32::{ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, set_last_error};

/// The Sim of a lab.
pub(super) enum Held {
    Own(Sim),
    /// The explorer's, which outlives the lab.
    Explored(NonNull<Sim>),
}

impl Deref for Held {
    type Target = Sim;

    fn deref(&self) -> &Sim {
        match self {
            Held::Own(sim) => sim,
            // SAFETY: `WinHttpLabExplore` takes the lab out before the explorer ends its Sim.
            Held::Explored(sim) => unsafe { sim.as_ref() },
        }
    }
}

/// What every thread may have of a lab.
#[derive(Default)]
pub(super) struct Shared {
    pub gates: Mutex<BTreeMap<String, Gate>>,
    /// What was refused, for the report.
    refused: Mutex<Vec<String>>,
}

impl Shared {
    /// Says on stderr, and keeps for the report, what was refused.
    pub fn refuse(&self, wrong: String) {
        say(&wrong);
        self.refused.lock().push(wrong);
    }
}

/// A Sim with its peers, and how it has failed.
pub(super) struct Lab {
    pub sim: Held,
    pub shared: Arc<Shared>,
    peers: RefCell<BTreeMap<String, Peer>>,
    failure: RefCell<Option<String>>,
}

thread_local! {
    /// The labs of this thread. One that the program forgets to end is not ended.
    static OF_THREAD: RefCell<HashMap<usize, ManuallyDrop<Rc<Lab>>>> = RefCell::default();
    /// Whether a body that the program gave to a lab runs on this thread, and why it fails.
    static BODY: RefCell<(bool, Option<String>)> = const { RefCell::new((false, None)) };
}

/// All that were not ended.
static ALL: LazyLock<Mutex<HashMap<usize, Arc<Shared>>>> = LazyLock::new(Mutex::default);
static LAST: AtomicUsize = AtomicUsize::new(0);

pub(super) fn say(wrong: &str) {
    eprintln!("winhttp_lab: {wrong}");
    set_last_error(ERROR_INVALID_PARAMETER);
}

/// Takes a lab in; answers what the program calls it.
pub(super) fn taken_in(lab: Lab) -> usize {
    // No address of anything: it is never read from.
    let id = (LAST.fetch_add(1, Ordering::Relaxed) + 1) << 4;
    ALL.lock().insert(id, Arc::clone(&lab.shared));
    OF_THREAD.with_borrow_mut(|labs| labs.insert(id, ManuallyDrop::new(Rc::new(lab))));
    id
}

/// The lab of this thread, or a refusal for `function`, which is in the report of the lab if that is another thread's.
pub(super) fn find(id: usize, function: &str) -> Option<Rc<Lab>> {
    let found = OF_THREAD.with_borrow(|labs| labs.get(&id).map(|lab| Rc::clone(lab)));
    if found.is_none() {
        match shared(id) {
            Some(shared) => shared.refuse(format!("{function} belongs on the thread that began the lab")),
            None => say(&format!("{function}: there is no such lab, or it was ended")),
        }
        set_last_error(ERROR_INVALID_HANDLE);
    }
    found
}

pub(super) fn shared(id: usize) -> Option<Arc<Shared>> {
    ALL.lock().get(&id).cloned()
}

/// Takes a lab out that nobody uses, of this thread.
pub(super) fn taken_out(id: usize) -> Option<Lab> {
    let lab = OF_THREAD.with_borrow_mut(|labs| labs.remove(&id))?;
    match Rc::try_unwrap(ManuallyDrop::into_inner(lab)) {
        Ok(lab) => {
            ALL.lock().remove(&id);
            Some(lab)
        }
        Err(used) => {
            OF_THREAD.with_borrow_mut(|labs| labs.insert(id, ManuallyDrop::new(used)));
            None
        }
    }
}

/// Runs a body; answers why it has failed, if it has.
pub(super) fn run_body(body: impl FnOnce()) -> Option<String> {
    BODY.set((true, None));
    body();
    BODY.take().1
}

/// The body that runs on this thread fails, when it returns; `false` if none runs.
pub(super) fn fail_body(why: &str) -> bool {
    BODY.with_borrow_mut(|(runs, fails)| {
        if *runs {
            fails.get_or_insert_with(|| why.to_owned());
        }
        *runs
    })
}

/// Whether a lab is this thread's.
pub(super) fn is_here(id: usize) -> bool {
    OF_THREAD.with_borrow(|labs| labs.contains_key(&id))
}

pub(super) fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// What the lab in Rust panics at is wrong.
fn checked<R>(made: impl FnOnce() -> Result<R, String>) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(made)).unwrap_or_else(|panic| Err(words(&*panic)))
}

/// The same of a lab that began. The panic is not printed: its place is none of the program's.
fn quietly<R>(made: impl FnOnce() -> Result<R, String>) -> Result<R, String> {
    let before = heard();
    let _kept = Heard::begin();
    let made = checked(made);
    hear(before);
    made
}

/// An origin as it is compared: with or without its usual port.
///
/// # Panics
/// For what is no origin.
fn compared(origin: &str) -> String {
    let (secure, host, port) = crate::lab::origin(origin);
    format!("{}://{host}:{port}", if secure { "https" } else { "http" })
}

impl Lab {
    pub fn begin(text: Option<&str>) -> Result<Lab, String> {
        checked(|| {
            let begin: Begin = serde_json::from_str(text.unwrap_or("{}")).map_err(|error| error.to_string())?;
            let builder = Sim::builder().policy(begin.policy()?).profile(begin.profile()?);
            let builder = match (begin.choices()?, begin.seed) {
                (Some(_), Some(_)) => return Err("choices and a seed: a run has one of them".to_owned()),
                (Some(choices), None) => builder.choices(choices),
                (None, Some(seed)) => builder.chooser(Random::new(seed)),
                (None, None) => builder,
            };
            let sim = builder.build();
            if begin.allow_unknown_hosts {
                sim.allow_unknown_hosts();
            }
            Ok(Lab::of(Held::Own(sim)))
        })
    }

    pub fn of(sim: Held) -> Lab {
        Lab { sim, shared: Arc::default(), peers: RefCell::default(), failure: RefCell::default() }
    }

    /// Keeps what was refused for the report.
    pub fn said(&self, result: Result<(), String>) -> bool {
        result.map_err(|wrong| self.shared.refuse(wrong)).is_ok()
    }

    pub fn peer(&self, text: &str) -> Result<(), String> {
        quietly(|| {
            let text: PeerText = serde_json::from_str(text).map_err(|error| error.to_string())?;
            let ready = text.ready(&mut self.gates())?;
            let mut peers = self.peers.borrow_mut();
            let peer = peers.entry(compared(ready.origin())).or_insert_with(|| self.sim.peer(ready.origin()));
            ready.add(peer);
            Ok(())
        })
    }

    pub fn fault(&self, text: &str) -> Result<(), String> {
        quietly(|| {
            let fault: FaultText = serde_json::from_str(text).map_err(|error| error.to_string())?;
            self.sim.fault(fault.fault(&mut self.gates())?);
            Ok(())
        })
    }

    /// The server that was described with this origin.
    pub fn peer_at(&self, origin: &str) -> Result<Peer, String> {
        quietly(|| {
            let peers = self.peers.borrow();
            peers.get(&compared(origin)).cloned().ok_or_else(|| {
                let known: Vec<&str> = peers.keys().map(String::as_str).collect();
                format!("no server was described at {origin:?}, but at: {}", known.join(", "))
            })
        })
    }

    pub fn gates(&self) -> Gates<'_> {
        Gates { sim: &self.sim, known: &self.shared.gates }
    }

    /// Runs something of the Sim: a hang, or another failure, is kept for the end.
    pub fn run<R>(&self, failed: R, run: impl FnOnce(&Sim) -> R) -> R {
        if self.failure.borrow().is_some() {
            return failed;
        }
        catch_unwind(AssertUnwindSafe(|| run(&self.sim))).unwrap_or_else(|panic| {
            self.fail(words(&*panic));
            failed
        })
    }

    /// It fails, unless it has before.
    pub fn fail(&self, why: String) {
        self.failure.borrow_mut().get_or_insert(why);
    }

    /// Ends its Sim; answers how it failed, and what was refused, a line each.
    pub fn end(self) -> (Option<String>, Vec<String>) {
        let Lab { sim, shared, peers, failure } = self;
        drop(peers);
        shared.gates.lock().clear();
        let ended = catch_unwind(AssertUnwindSafe(move || drop(sim))).err().map(|panic| words(&*panic));
        let failure = match (failure.into_inner(), ended) {
            (Some(failure), Some(ended)) => Some(format!("{failure}\n{ended}")),
            (failure, ended) => failure.or(ended),
        };
        let refused = std::mem::take(&mut *shared.refused.lock());
        (failure, refused.into_iter().map(|wrong| format!("the lab refused: {wrong}")).collect())
    }
}
