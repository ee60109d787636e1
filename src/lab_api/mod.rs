//! The lab for programs in C: `winhttp_lab.h`. Texts are UTF-8; those that are handed out are freed with
//! [`WinHttpLabFree`].
#![allow(unsafe_code, non_snake_case)]

mod json;

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::time::Duration;

use self::json::{Begin, FaultText, Gates, PeerText};
use crate::api::edge::caught;
use crate::lab::{Explore, Gate, Peer, Random, Sim};
use crate::win32::{ERROR_INVALID_PARAMETER, set_last_error};

/// A Sim, its peers and gates by their names, and how it has failed.
pub struct WinHttpLab {
    sim: Held,
    peers: BTreeMap<String, Peer>,
    gates: BTreeMap<String, Gate>,
    failure: Option<String>,
}

/// The Sim of a lab.
enum Held {
    Own(Sim),
    /// The explorer's, which outlives the lab.
    Explored(NonNull<Sim>),
}

impl Deref for Held {
    type Target = Sim;

    fn deref(&self) -> &Sim {
        match self {
            Held::Own(sim) => sim,
            // SAFETY: `WinHttpLabExplore` ends the lab before the explorer ends its Sim.
            Held::Explored(sim) => unsafe { sim.as_ref() },
        }
    }
}

/// Asks the program whether it is done: 0 is no.
pub type Done = unsafe extern "C" fn(context: *mut c_void) -> c_int;
/// Runs the program's code.
pub type Body = unsafe extern "C" fn(context: *mut c_void);
/// One run of an exploration: 0 is a failure.
pub type Run = unsafe extern "C" fn(lab: *mut WinHttpLab, context: *mut c_void) -> c_int;

impl WinHttpLab {
    fn begin(text: Option<&str>) -> Result<WinHttpLab, String> {
        let begin: Begin = serde_json::from_str(text.unwrap_or("{}")).map_err(|error| error.to_string())?;
        let builder = Sim::builder().policy(begin.policy()?).profile(begin.profile()?);
        let builder = match (begin.choices()?, begin.seed) {
            (Some(choices), _) => builder.choices(choices),
            (None, Some(seed)) => builder.chooser(Random::new(seed)),
            (None, None) => builder,
        };
        let sim = builder.build();
        if begin.allow_unknown_hosts {
            sim.allow_unknown_hosts();
        }
        Ok(WinHttpLab::of(Held::Own(sim)))
    }

    fn of(sim: Held) -> WinHttpLab {
        WinHttpLab { sim, peers: BTreeMap::new(), gates: BTreeMap::new(), failure: None }
    }

    fn peer(&mut self, text: &str) -> Result<(), String> {
        let peer: PeerText = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let known = self.peers.entry(peer.origin.clone()).or_insert_with(|| self.sim.peer(&peer.origin));
        peer.add(known, &mut Gates { sim: &self.sim, known: &mut self.gates })
    }

    fn fault(&mut self, text: &str) -> Result<(), String> {
        let fault: FaultText = serde_json::from_str(text).map_err(|error| error.to_string())?;
        self.sim.fault(fault.fault(&mut Gates { sim: &self.sim, known: &mut self.gates })?);
        Ok(())
    }

    /// Runs something of the Sim: a hang, or another failure, is kept for the end.
    fn run<R>(&mut self, failed: R, run: impl FnOnce(&Sim) -> R) -> R {
        if self.failure.is_some() {
            return failed;
        }
        catch_unwind(AssertUnwindSafe(|| run(&self.sim))).unwrap_or_else(|panic| {
            self.failure = Some(words(&*panic));
            failed
        })
    }

    /// The report, if it does not end well.
    fn end(self) -> Option<String> {
        let WinHttpLab { sim, peers, gates, failure } = self;
        drop((peers, gates));
        let ended = catch_unwind(AssertUnwindSafe(move || drop(sim))).err().map(|panic| words(&*panic));
        match (failure, ended) {
            (Some(failure), Some(ended)) => Some(format!("{failure}\n{ended}")),
            (failure, ended) => failure.or(ended),
        }
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// A text of the program; `None` for NULL and for what is no UTF-8.
///
/// # Safety
/// `text` is NULL or NUL-terminated.
unsafe fn read<'a>(text: *const c_char) -> Option<&'a str> {
    // SAFETY: the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }).and_then(|text| text.to_str().ok())
}

fn handed_out(text: String) -> *mut c_char {
    CString::new(text.replace('\0', " ")).unwrap_or_default().into_raw()
}

fn said(result: Result<(), String>) -> c_int {
    match result {
        Ok(()) => 1,
        Err(wrong) => {
            eprintln!("winhttp_lab: {wrong}");
            set_last_error(ERROR_INVALID_PARAMETER);
            0
        }
    }
}

/// Runs on the lab that the program names; `failed` where there is none, and for a panic.
///
/// # Safety
/// `lab` is NULL or came from [`WinHttpLabBegin`], on this thread, and was not ended.
unsafe fn with<R: Copy>(lab: *mut WinHttpLab, failed: R, act: impl FnOnce(&mut WinHttpLab) -> R) -> R {
    // SAFETY: the caller's promise.
    caught(failed, || unsafe { lab.as_mut() }.map_or(failed, act))
}

/// A Sim for the calling thread until it is ended; NULL with ERROR_INVALID_PARAMETER for a wrong text. `json` is NULL or
/// `{"seed": 1, "choices": "1/2", "profile": "windows-10-1607", "delivery": "worker", "allow_unknown_hosts": true}`;
/// the names of profiles are those of [`Profile::named`](crate::lab::Profile::named).
///
/// # Safety
/// `json` is NULL or NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabBegin(json: *const c_char) -> *mut WinHttpLab {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let text = unsafe { read(json) };
        match catch_unwind(|| WinHttpLab::begin(text)).unwrap_or_else(|panic| Err(words(&*panic))) {
            Ok(lab) => Box::into_raw(Box::new(lab)),
            Err(wrong) => {
                said(Err(wrong));
                std::ptr::null_mut()
            }
        }
    })
}

/// Adds a server, or rules to one that is there; 0 with ERROR_INVALID_PARAMETER for a wrong text.
///
/// # Safety
/// As the others; `json` is NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabPeer(lab: *mut WinHttpLab, json: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with(lab, 0, |lab| said(read(json).ok_or("no text".to_owned()).and_then(|text| lab.peer(text)))) }
}

/// Something goes wrong, or otherwise than usual; 0 with ERROR_INVALID_PARAMETER for a wrong text.
///
/// # Safety
/// As the others; `json` is NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabFault(lab: *mut WinHttpLab, json: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with(lab, 0, |lab| said(read(json).ok_or("no text".to_owned()).and_then(|text| lab.fault(text)))) }
}

/// Opens the gate of this name: what waits there goes on.
///
/// # Safety
/// As the others; `name` is NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabOpenGate(lab: *mut WinHttpLab, name: *const c_char) {
    // SAFETY: the caller's promise.
    unsafe {
        with(lab, (), |lab| {
            let name = read(name).unwrap_or_default();
            Gates { sim: &lab.sim, known: &mut lab.gates }.of(name).open();
        });
    }
}

/// Lets one thing happen without the time moving; 0 if there is none.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabStep(lab: *mut WinHttpLab) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with(lab, 0, |lab| lab.run(0, |sim| c_int::from(sim.step()))) }
}

/// Lets everything happen that happens without the time moving; 0 if it failed.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabSettle(lab: *mut WinHttpLab) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with(lab, 0, |lab| lab.run(0, |sim| (sim.settle(), 1).1)) }
}

/// Lets everything happen that happens in the next milliseconds; 0 if it failed.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabAdvance(lab: *mut WinHttpLab, milliseconds: u64) -> c_int {
    caught(0, || {
        let time = Duration::from_millis(milliseconds);
        // SAFETY: the caller's promise.
        unsafe { with(lab, 0, |lab| lab.run(0, |sim| (sim.advance(time), 1).1)) }
    })
}

/// Lets the world go on until `done` says so; 0 where nothing can happen any more, a hang, which is in the report.
///
/// # Safety
/// As the others; `done` may be called with `context` on this thread.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabBlockUntil(lab: *mut WinHttpLab, done: Option<Done>, context: *mut c_void) -> c_int {
    caught(0, || {
        let Some(done) = done else { return 0 };
        // SAFETY: the caller's promise.
        unsafe { with(lab, 0, |lab| lab.run(0, |sim| (sim.block_until(|| done(context) != 0), 1).1)) }
    })
}

/// The milliseconds that have passed in this world.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabElapsed(lab: *mut WinHttpLab) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { with(lab, 0, |lab| lab.sim.elapsed().as_millis() as u64) }
}

/// Runs code on another thread of this world, under this name.
///
/// # Safety
/// As the others; `body` may be called with `context` on another thread, `name` is NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabSpawn(
    lab: *mut WinHttpLab,
    name: *const c_char,
    body: Option<Body>,
    context: *mut c_void,
) {
    caught((), || {
        let Some(body) = body else { return };
        let context = context.expose_provenance();
        // SAFETY: the caller's promise.
        unsafe {
            let name = read(name).unwrap_or("a thread");
            with(lab, (), |lab| lab.sim.actor(name, move || body(std::ptr::with_exposed_provenance_mut(context))));
        }
    })
}

/// The requests that the server at this origin got, one a line.
///
/// # Safety
/// As the others; `origin` is NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabReceived(lab: *mut WinHttpLab, origin: *const c_char) -> *mut c_char {
    caught(std::ptr::null_mut(), || {
        let lines = |lab: &mut WinHttpLab| {
            // SAFETY: the caller's promise.
            let peer = unsafe { read(origin) }.and_then(|origin| lab.peers.get(origin));
            let requests = peer.map(Peer::received).unwrap_or_default();
            handed_out(requests.iter().map(|request| format!("{request}\n")).collect())
        };
        // SAFETY: the caller's promise.
        unsafe { with(lab, std::ptr::null_mut(), lines) }
    })
}

/// The calls and records so far, as JSON lines.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabTrace(lab: *mut WinHttpLab) -> *mut c_char {
    // SAFETY: the caller's promise.
    unsafe { with(lab, std::ptr::null_mut(), |lab| handed_out(lab.sim.trace().to_json_lines())) }
}

/// The calls and records so far, as a table to be read.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabTraceTable(lab: *mut WinHttpLab) -> *mut c_char {
    // SAFETY: the caller's promise.
    unsafe { with(lab, std::ptr::null_mut(), |lab| handed_out(lab.sim.trace().to_table())) }
}

/// The mistakes so far, one a line, with their stops.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabViolations(lab: *mut WinHttpLab) -> *mut c_char {
    caught(std::ptr::null_mut(), || {
        let lines = |lab: &mut WinHttpLab| {
            let lines = lab.sim.mistakes().iter().map(|mistake| format!("{}\n", mistake.show("a handle"))).collect();
            handed_out(lines)
        };
        // SAFETY: the caller's promise.
        unsafe { with(lab, std::ptr::null_mut(), lines) }
    })
}

/// The choices so far: given to [`WinHttpLabBegin`], they make the same program do the same.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabChoices(lab: *mut WinHttpLab) -> *mut c_char {
    // SAFETY: the caller's promise.
    unsafe { with(lab, std::ptr::null_mut(), |lab| handed_out(lab.sim.choices().to_string())) }
}

/// Ends it: 1 if all went as expected; else 0, and a report if there is a place for it.
///
/// # Safety
/// As the others; `report` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabEnd(lab: *mut WinHttpLab, report: *mut *mut c_char) -> c_int {
    caught(0, || {
        if lab.is_null() {
            return 0;
        }
        // SAFETY: the caller's promise: it came from a box.
        let complaint = unsafe { Box::from_raw(lab) }.end();
        let well = complaint.is_none();
        let text = complaint.map_or(std::ptr::null_mut(), handed_out);
        if report.is_null() {
            // SAFETY: it was just made.
            unsafe { WinHttpLabFree(text) };
        } else {
            // SAFETY: the caller's promise.
            unsafe { report.write(text) };
        }
        c_int::from(well)
    })
}

/// Explores `run`: calls it in a new Sim for each of at most so many schedules, or for as many as fit into two seconds if
/// that is 0, as [`crate::lab::explore()`] does. 1 if none fails (by answering 0, or by a Sim that does not end well); else 0,
/// and a report of the schedule with the fewest deviations, with the choices that make it happen again.
/// `WINHTTP_REPLAY`, `WINHTTP_SEED` and `WINHTTP_SHARD` mean what they do in Rust.
///
/// # Safety
/// `run` may be called with `context` on this thread, and does not end the lab; `report` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabExplore(
    schedules: u64,
    run: Option<Run>,
    context: *mut c_void,
    report: *mut *mut c_char,
) -> c_int {
    caught(0, || {
        let Some(run) = run else { return 0 };
        let body = |sim: &Sim| {
            let lab = Box::into_raw(Box::new(WinHttpLab::of(Held::Explored(NonNull::from(sim)))));
            // SAFETY: the caller's promise; the lab lives until the box is made again.
            let (went, lab) = unsafe { (run(lab, context), Box::from_raw(lab)) };
            if let Some(failure) = lab.failure {
                // It was heard when it was raised.
                resume_unwind(Box::new(failure));
            }
            assert!(went != 0, "the run said that it failed");
        };
        let explore = match usize::try_from(schedules).unwrap_or(usize::MAX) {
            0 => Explore::new(),
            schedules => Explore::new().budget(schedules),
        };
        // What goes wrong in the explorer itself, a variable that says nothing useful, is told as a failure.
        let explored = catch_unwind(AssertUnwindSafe(|| explore.check(body).map(drop)));
        let Err(failed) = explored.unwrap_or_else(|panic| Err(words(&*panic))) else { return 1 };
        if !report.is_null() {
            // SAFETY: the caller's promise.
            unsafe { report.write(handed_out(failed)) };
        }
        0
    })
}

/// Frees a text; NULL is none.
///
/// # Safety
/// `text` is NULL or was handed out here, and was not freed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabFree(text: *mut c_char) {
    caught((), || {
        if !text.is_null() {
            // SAFETY: the caller's promise.
            drop(unsafe { CString::from_raw(text) });
        }
    })
}
