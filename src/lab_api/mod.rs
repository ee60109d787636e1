//! The lab for programs in C: `winhttp_lab.h`. Texts are UTF-8; those that are handed out are freed with
//! [`WinHttpLabFree`].
#![allow(unsafe_code, non_snake_case)]

mod json;
mod labs;

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::time::Duration;

use self::labs::{Held, Lab, say, words};
use crate::api::edge::caught;
use crate::lab::{Explore, Peer, Sim};

/// What a program calls a lab.
pub enum WinHttpLab {}

/// Asks the program whether it is done: 0 is no.
pub type Done = unsafe extern "C" fn(context: *mut c_void) -> c_int;
/// Runs the program's code.
pub type Body = unsafe extern "C" fn(context: *mut c_void);
/// One run of an exploration: 0 is a failure.
pub type Run = unsafe extern "C" fn(lab: *mut WinHttpLab, context: *mut c_void) -> c_int;

/// A text of the program; `None` for NULL.
///
/// # Safety
/// `text` is NULL or NUL-terminated.
unsafe fn read<'a>(text: *const c_char) -> Result<Option<&'a str>, String> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_str().map(Some).map_err(|_| "a text that is not UTF-8".to_owned())
}

/// [`read`], where NULL is refused.
///
/// # Safety
/// As there.
unsafe fn needed<'a>(text: *const c_char) -> Result<&'a str, String> {
    // SAFETY: the caller's promise.
    unsafe { read(text) }?.ok_or_else(|| "no text".to_owned())
}

fn handed_out(text: String) -> *mut c_char {
    CString::new(text.replace('\0', " ")).unwrap_or_default().into_raw()
}

/// Runs on the lab that the program names; `failed` where there is none, and for a panic.
fn with<R: Copy>(lab: *mut WinHttpLab, function: &str, failed: R, act: impl FnOnce(&Lab) -> R) -> R {
    caught(failed, || labs::find(lab.addr(), function).map_or(failed, |lab| act(&lab)))
}

/// A name for a program.
fn named(lab: Lab) -> *mut WinHttpLab {
    std::ptr::without_provenance_mut(labs::taken_in(lab))
}

/// A Sim for the calling thread until it is ended; NULL with ERROR_INVALID_PARAMETER for a wrong text. `json` is NULL or
/// `{"seed": 1, "choices": "d1/2-n0/3", "profile": "windows-10-1607", "delivery": "windows", "allow_unknown_hosts": true}`;
/// the names of profiles are those of [`Profile::named`](crate::lab::Profile::named).
///
/// # Safety
/// `json` is NULL or NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabBegin(json: *const c_char) -> *mut WinHttpLab {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        match unsafe { read(json) }.and_then(Lab::begin) {
            Ok(lab) => named(lab),
            Err(wrong) => {
                say(&wrong);
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
    with(lab, "WinHttpLabPeer", 0, |lab| lab.said(unsafe { needed(json) }.and_then(|text| lab.peer(text))).into())
}

/// Something goes wrong, or otherwise than usual; 0 with ERROR_INVALID_PARAMETER for a wrong text.
///
/// # Safety
/// As the others; `json` is NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabFault(lab: *mut WinHttpLab, json: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    with(lab, "WinHttpLabFault", 0, |lab| lab.said(unsafe { needed(json) }.and_then(|text| lab.fault(text))).into())
}

/// Opens the gate of this name: what waits there goes on.
///
/// # Safety
/// As the others; `name` is NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabOpenGate(lab: *mut WinHttpLab, name: *const c_char) {
    caught((), || {
        let Some(shared) = labs::shared(lab.addr()) else {
            // On its thread or not: it is no lab.
            labs::find(lab.addr(), "WinHttpLabOpenGate");
            return;
        };
        // SAFETY: the caller's promise.
        let name = match unsafe { needed(name) } {
            Ok(name) => name,
            Err(wrong) => return shared.refuse(wrong),
        };
        let known = shared.gates.lock().get(name).cloned();
        match known {
            Some(gate) => gate.open(),
            None => with(lab, "WinHttpLabOpenGate for a gate that nothing waits at yet", (), |lab| {
                lab.gates().of(name).open()
            }),
        }
    });
}

/// Lets one thing happen without the time moving; 0 if there is none.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabStep(lab: *mut WinHttpLab) -> c_int {
    with(lab, "WinHttpLabStep", 0, |lab| lab.run(0, |sim| c_int::from(sim.step())))
}

/// Lets everything happen that happens without the time moving; 0 if it failed.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabSettle(lab: *mut WinHttpLab) -> c_int {
    with(lab, "WinHttpLabSettle", 0, |lab| lab.run(0, |sim| (sim.settle(), 1).1))
}

/// Lets everything happen that happens in the next milliseconds; 0 if it failed.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabAdvance(lab: *mut WinHttpLab, milliseconds: u64) -> c_int {
    with(lab, "WinHttpLabAdvance", 0, |lab| lab.run(0, |sim| (sim.advance(Duration::from_millis(milliseconds)), 1).1))
}

/// Lets the world go on until `done` says so; 0 where nothing can happen any more, a hang, which is in the report.
///
/// # Safety
/// As the others; `done` may be called with `context` on this thread.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabBlockUntil(lab: *mut WinHttpLab, done: Option<Done>, context: *mut c_void) -> c_int {
    with(lab, "WinHttpLabBlockUntil", 0, |lab| {
        let Some(done) = done else { return lab.said(Err("no function to ask".to_owned())).into() };
        // SAFETY: the caller's promise.
        lab.run(0, |sim| (sim.block_until(|| unsafe { done(context) } != 0), 1).1)
    })
}

/// The milliseconds that have passed in this world.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabElapsed(lab: *mut WinHttpLab) -> u64 {
    with(lab, "WinHttpLabElapsed", 0, |lab| lab.sim.elapsed().as_millis() as u64)
}

/// Runs code on another thread of this world, under this name; 0 with ERROR_INVALID_PARAMETER where it will not run, and
/// `context` remains the caller's.
///
/// # Safety
/// As the others; `body` may be called with `context` on another thread, `name` is NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabSpawn(
    lab: *mut WinHttpLab,
    name: *const c_char,
    body: Option<Body>,
    context: *mut c_void,
) -> c_int {
    with(lab, "WinHttpLabSpawn", 0, |lab| {
        // SAFETY: the caller's promise.
        let (name, body) = match (unsafe { read(name) }, body) {
            (Ok(name), Some(body)) => (name.unwrap_or("a thread"), body),
            (name, _) => return lab.said(Err(name.err().unwrap_or_else(|| "no function to run".to_owned()))).into(),
        };
        let context = context.expose_provenance();
        lab.sim.actor(name, move || {
            // SAFETY: the caller's promise.
            let run = || unsafe { body(std::ptr::with_exposed_provenance_mut(context)) };
            if let Some(why) = labs::run_body(run) {
                // The program has said it.
                resume_unwind(Box::new(why));
            }
        });
        1
    })
}

/// It fails, for this reason: the run of a lab, said on its thread, or a body of [`WinHttpLabSpawn`], said on that thread,
/// when it returns. On other threads it is in the report.
///
/// # Safety
/// As the others; `why` is NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabFail(lab: *mut WinHttpLab, why: *const c_char) {
    caught((), || {
        // SAFETY: the caller's promise.
        let why = unsafe { needed(why) }.map_or_else(|wrong| wrong, str::to_owned);
        match labs::shared(lab.addr()) {
            Some(_) if labs::fail_body(&why) => {}
            Some(_) if labs::is_here(lab.addr()) => with(lab, "WinHttpLabFail", (), |lab| lab.fail(why)),
            Some(shared) => shared.refuse(why),
            None => say(&format!("{why}; and WinHttpLabFail: there is no such lab, or it was ended")),
        }
    });
}

/// The requests that the server at this origin got, one a line.
///
/// # Safety
/// As the others; `origin` is NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabReceived(lab: *mut WinHttpLab, origin: *const c_char) -> *mut c_char {
    with(lab, "WinHttpLabReceived", std::ptr::null_mut(), |lab| {
        // SAFETY: the caller's promise.
        let peer = unsafe { needed(origin) }.and_then(|origin| lab.peer_at(origin));
        let received = peer.as_ref().map(Peer::received);
        match received {
            Ok(requests) => handed_out(requests.iter().map(|request| format!("{request}\n")).collect()),
            Err(wrong) => {
                lab.said(Err(wrong.clone()));
                std::ptr::null_mut()
            }
        }
    })
}

/// The calls and records so far, as JSON lines.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabTrace(lab: *mut WinHttpLab) -> *mut c_char {
    with(lab, "WinHttpLabTrace", std::ptr::null_mut(), |lab| handed_out(lab.sim.trace().to_json_lines()))
}

/// The calls and records so far, as a table to be read.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabTraceTable(lab: *mut WinHttpLab) -> *mut c_char {
    with(lab, "WinHttpLabTraceTable", std::ptr::null_mut(), |lab| handed_out(lab.sim.trace().to_table()))
}

/// The mistakes so far, one a line, with their stops.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabViolations(lab: *mut WinHttpLab) -> *mut c_char {
    with(lab, "WinHttpLabViolations", std::ptr::null_mut(), |lab| {
        handed_out(lab.sim.mistakes().iter().map(|mistake| format!("{}\n", mistake.show("a handle"))).collect())
    })
}

/// The choices so far: given to [`WinHttpLabBegin`], they make the same program do the same.
///
/// # Safety
/// As the others.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabChoices(lab: *mut WinHttpLab) -> *mut c_char {
    with(lab, "WinHttpLabChoices", std::ptr::null_mut(), |lab| handed_out(lab.sim.choices().to_string()))
}

/// Ends a lab: what it complains of, or why it was not ended.
fn end(lab: *mut WinHttpLab) -> Result<Vec<String>, String> {
    let found = labs::find(lab.addr(), "WinHttpLabEnd").ok_or("WinHttpLabEnd: there is no such lab on this thread")?;
    let refused = match found.sim {
        Held::Own(_) => "WinHttpLabEnd: something of this lab still runs on this thread",
        Held::Explored(_) => "WinHttpLabEnd: it is the explorer that ends this lab",
    };
    let shared = std::sync::Arc::clone(&found.shared);
    let explored = matches!(found.sim, Held::Explored(_));
    drop(found);
    match (!explored).then(|| labs::taken_out(lab.addr())).flatten() {
        Some(lab) => {
            let (failure, refused) = lab.end();
            Ok(refused.into_iter().chain(failure).collect())
        }
        None => {
            shared.refuse(refused.to_owned());
            Err(refused.to_owned())
        }
    }
}

/// Ends it: 1 if all went as expected; else 0, and a report if there is a place for it.
///
/// # Safety
/// As the others; `report` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "C" fn WinHttpLabEnd(lab: *mut WinHttpLab, report: *mut *mut c_char) -> c_int {
    caught(0, || {
        let complaint = match end(lab) {
            Ok(complaints) => (!complaints.is_empty()).then(|| complaints.join("\n")),
            Err(refused) => Some(refused),
        };
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
/// `WINHTTP_REPLAY`, `WINHTTP_SEED` and `WINHTTP_SHARD` mean what they do in Rust. Without a failure the report is NULL.
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
        if !report.is_null() {
            // SAFETY: the caller's promise.
            unsafe { report.write(std::ptr::null_mut()) };
        }
        let Some(run) = run else {
            say("WinHttpLabExplore: there is no function to run");
            return 0;
        };
        let body = |sim: &Sim| {
            let lab = named(Lab::of(Held::Explored(NonNull::from(sim))));
            // SAFETY: the caller's promise.
            let went = unsafe { run(lab, context) };
            let (failure, refused) = labs::taken_out(lab.addr()).map(Lab::end).unwrap_or_default();
            if let Some(failure) = failure {
                // It was heard when it was raised.
                resume_unwind(Box::new(failure));
            }
            assert!(refused.is_empty(), "{}", refused.join("\n"));
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
