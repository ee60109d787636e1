//! CreateThread and what goes with it. The end of a thread signals its handles.
#![allow(unsafe_code)]

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use super::INVALID_HANDLE_VALUE;
use super::sync::waitable::Waitable;
use super::sync::{clock, event, threads};
use crate::api::edge::{NONE, caught, done, no_panic, no_return, put};
use crate::sync::{Mutex, MutexGuard};
use crate::win32::*;

/// CREATE_SUSPENDED
const CREATE_SUSPENDED: u32 = 4;
/// STILL_ACTIVE
const STILL_ACTIVE: u32 = 259;

/// LPTHREAD_START_ROUTINE without its NULL.
pub type RawThreadStart = unsafe extern "system" fn(lpthreadparameter: *mut c_void) -> u32;

/// What the program's function gets; it goes to another thread untouched.
struct Argument(usize);

struct Thread {
    exit: AtomicU32,
    /// The event that a suspended thread waits for; 0 once it was resumed.
    resumes: AtomicUsize,
    number: u32,
    /// A number of THREAD_PRIORITY_*.
    priority: Arc<AtomicI32>,
}

/// What a priority may be.
const PRIORITIES: [i32; 7] = [-15, -2, -1, 0, 1, 2, 15];
/// THREAD_PRIORITY_ERROR_RETURN
const NO_PRIORITY: i32 = i32::MAX;
/// What GetCurrentThread answers, on every thread.
const CURRENT: usize = usize::MAX - 1;

thread_local! {
    /// The priority of the calling thread.
    static OWN: RefCell<Arc<AtomicI32>> = RefCell::default();
    /// A handle of the calling thread, while a function of CreateThread runs on it.
    static STARTED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    /// A handle of the calling thread, which nobody here has started.
    static FOUND: OnceCell<Found> = const { OnceCell::new() };
}

/// Closes the handle of a thread when it ends.
struct Found(usize);

impl Found {
    fn new() -> Found {
        let handle = event::anonymous(Waitable::Other { signalled: false });
        let (number, priority) = (clock::thread_number(), OWN.with_borrow(Arc::clone));
        let exit = AtomicU32::new(STILL_ACTIVE);
        lock().insert(handle, Arc::new(Thread { exit, resumes: AtomicUsize::new(0), number, priority }));
        Found(handle)
    }
}

impl Drop for Found {
    fn drop(&mut self) {
        if let Some(thread) = lock().remove(&self.0) {
            thread.exit.store(0, Ordering::SeqCst);
        }
        event::signal(self.0);
        let _ = event::close(self.0);
    }
}

/// A handle of this process, which lets nobody go.
static PROCESS: LazyLock<usize> = LazyLock::new(|| event::anonymous(Waitable::Other { signalled: false }));

/// The handle that a pseudo handle stands for here and now; any other is itself.
pub(super) fn real(handle: usize) -> usize {
    match (handle, STARTED.get()) {
        (INVALID_HANDLE_VALUE, _) => *PROCESS,
        (CURRENT, 0) => FOUND.try_with(|found| found.get_or_init(Found::new).0).unwrap_or(CURRENT),
        (CURRENT, started) => started,
        _ => handle,
    }
}

/// Whether it stands for the process or the calling thread, and need not be closed.
pub(super) fn is_pseudo(handle: usize) -> bool {
    matches!(handle, INVALID_HANDLE_VALUE | CURRENT)
}

/// Whether it is a handle of this process.
pub(super) fn is_process(handle: usize) -> bool {
    handle == INVALID_HANDLE_VALUE || event::same(handle, *PROCESS)
}

static THREADS: LazyLock<Mutex<HashMap<usize, Arc<Thread>>>> = LazyLock::new(Mutex::default);

fn lock() -> MutexGuard<'static, HashMap<usize, Arc<Thread>>> {
    THREADS.lock()
}

fn find(handle: HANDLE) -> Result<Arc<Thread>, Win32Error> {
    let handle = real(handle.addr());
    lock().get(&handle).cloned().ok_or(ERROR_INVALID_HANDLE)
}

/// The priority of a thread.
fn priority(handle: HANDLE) -> Result<Arc<AtomicI32>, Win32Error> {
    match handle.addr() {
        CURRENT => Ok(OWN.with_borrow(Arc::clone)),
        _ => find(handle).map(|thread| Arc::clone(&thread.priority)),
    }
}

/// The handle is closed; the thread goes on.
pub(super) fn closed(handle: usize) {
    lock().remove(&handle);
}

/// A handle has a copy.
pub(super) fn duplicated(handle: usize, copy: usize) {
    let mut threads = lock();
    if let Some(thread) = threads.get(&handle).cloned() {
        threads.insert(copy, thread);
    }
}

/// Starts a thread, in the Sim of its maker if there is one (nf-processthreadsapi-createthread). Security attributes and
/// the size of the stack are not looked at. NULL with ERROR_INVALID_PARAMETER or ERROR_NOT_ENOUGH_MEMORY.
///
/// # Safety
/// The function may be called on another thread with `lpparameter`; `lpthreadid` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateThread(
    _lpthreadattributes: *const c_void,
    _dwstacksize: usize,
    lpstartaddress: Option<RawThreadStart>,
    lpparameter: *mut c_void,
    dwcreationflags: u32,
    lpthreadid: *mut u32,
) -> HANDLE {
    no_panic(std::ptr::null_mut(), || {
        let Some(function) = lpstartaddress else {
            set_last_error(ERROR_INVALID_PARAMETER);
            return std::ptr::null_mut();
        };
        let number = clock::new_thread_number();
        let resumes = (dwcreationflags & CREATE_SUSPENDED != 0).then(|| event::create(true, false));
        let handle = event::anonymous(Waitable::Other { signalled: false });
        // The thread has a handle of its own: the program may close its while it runs.
        let own = event::duplicate(handle).unwrap_or(handle);
        let waits = AtomicUsize::new(resumes.unwrap_or(0));
        let thread =
            Arc::new(Thread { exit: AtomicU32::new(STILL_ACTIVE), resumes: waits, number, priority: Arc::default() });
        lock().extend([handle, own].map(|handle| (handle, Arc::clone(&thread))));
        let argument = Argument(lpparameter.expose_provenance());
        let body = move || {
            clock::set_thread_number(number);
            OWN.set(Arc::clone(&thread.priority));
            STARTED.set(own);
            if let Some(resumes) = resumes {
                let _ = event::wait(&[resumes], false, None);
                let _ = event::close(resumes);
            }
            let argument = { argument }.0;
            // SAFETY: the caller's promise.
            let exit = unsafe { function(std::ptr::with_exposed_provenance_mut(argument)) };
            thread.exit.store(exit, Ordering::SeqCst);
            STARTED.set(0);
            event::thread_ended(number);
            event::signal(own);
            closed(own);
            let _ = event::close(own);
        };
        if !threads::start(Box::new(body)) {
            closed(handle);
            closed(own);
            let _ = (event::close(own), event::close(handle));
            set_last_error(ERROR_NOT_ENOUGH_MEMORY);
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { put(lpthreadid, number) };
        std::ptr::without_provenance_mut(handle)
    })
}

/// Lets a suspended thread begin: 1, or 0 if it has begun; -1 with ERROR_INVALID_HANDLE
/// (nf-processthreadsapi-resumethread).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn ResumeThread(hthread: HANDLE) -> u32 {
    no_panic(u32::MAX, || match find(hthread).map(|thread| thread.resumes.swap(0, Ordering::SeqCst)) {
        Ok(0) => 0,
        Ok(resumes) => {
            event::signal(resumes);
            1
        }
        Err(error) => {
            set_last_error(error);
            u32::MAX
        }
    })
}

/// What the thread's function answered, or STILL_ACTIVE (nf-processthreadsapi-getexitcodethread).
///
/// # Safety
/// `lpexitcode` is writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetExitCodeThread(hthread: HANDLE, lpexitcode: *mut u32) -> BOOL {
    done("GetExitCodeThread", NONE, || {
        let exit = find(hthread)?.exit.load(Ordering::SeqCst);
        // SAFETY: the caller's promise.
        unsafe { put(lpexitcode, exit) };
        Ok(())
    })
}

/// Takes note of a priority (nf-processthreadsapi-setthreadpriority). Which thread runs is left to the system, which asks for
/// privileges to prefer one; Windows does not promise more than that it is heard. ERROR_INVALID_PARAMETER for a number
/// that is none.
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SetThreadPriority(hthread: HANDLE, npriority: i32) -> BOOL {
    done("SetThreadPriority", NONE, || {
        let priority = priority(hthread)?;
        if !PRIORITIES.contains(&npriority) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        priority.store(npriority, Ordering::SeqCst);
        Ok(())
    })
}

/// The priority that was set, at first THREAD_PRIORITY_NORMAL; THREAD_PRIORITY_ERROR_RETURN with ERROR_INVALID_HANDLE
/// (nf-processthreadsapi-getthreadpriority).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetThreadPriority(hthread: HANDLE) -> i32 {
    no_panic(NO_PRIORITY, || {
        priority(hthread).map_or_else(
            |error| {
                set_last_error(error);
                NO_PRIORITY
            },
            |priority| priority.load(Ordering::SeqCst),
        )
    })
}

/// The number of a thread, as GetCurrentThreadId answers it there; 0 with ERROR_INVALID_HANDLE
/// (nf-processthreadsapi-getthreadid).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetThreadId(thread: HANDLE) -> u32 {
    no_panic(0, || {
        find(thread).map(|thread| thread.number).unwrap_or_else(|error| {
            set_last_error(error);
            0
        })
    })
}

/// The pseudo handle of the process, which need not be closed (nf-processthreadsapi-getcurrentprocess).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn GetCurrentProcess() -> HANDLE {
    caught(std::ptr::null_mut(), || std::ptr::without_provenance_mut(usize::MAX))
}

/// The pseudo handle of the thread that uses it, which need not be closed (nf-processthreadsapi-getcurrentthread).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn GetCurrentThread() -> HANDLE {
    caught(std::ptr::null_mut(), || std::ptr::without_provenance_mut(CURRENT))
}

/// The system's number of the process (nf-processthreadsapi-getcurrentprocessid).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn GetCurrentProcessId() -> u32 {
    caught(0, std::process::id)
}

/// Ends the process with this code (nf-processthreadsapi-exitprocess): as `exit` of the C library does, whose handlers run.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn ExitProcess(uexitcode: u32) -> ! {
    no_return(|| std::process::exit(uexitcode as i32))
}
