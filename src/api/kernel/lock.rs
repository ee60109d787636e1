//! Critical sections, slim reader/writer locks and condition variables, in the program's memory as on Windows: nothing
//! is allocated, and in a Sim whoever waits for one lets the world go on.
#![allow(unsafe_code, non_camel_case_types)]

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::INFINITE;
use super::sync::{clock, lock};
use crate::api::edge::{caught, no_panic};
use crate::win32::{BOOL, ERROR_TIMEOUT, set_last_error};

/// The word of a lock that nobody holds; one that is held for writing; else twice the number of readers.
const FREE: usize = 0;
const WRITTEN: usize = 1;
const READER: usize = 2;
/// CONDITION_VARIABLE_LOCKMODE_SHARED
const LOCKMODE_SHARED: u32 = 1;

/// `CRITICAL_SECTION`, of Windows' size.
#[repr(C)]
pub struct CRITICAL_SECTION {
    debug_info: *mut c_void,
    lock_count: i32,
    recursion_count: i32,
    /// The number of the thread that is inside.
    owner: AtomicUsize,
    word: AtomicUsize,
    spin_count: usize,
}

/// The word of an SRWLOCK or CONDITION_VARIABLE, which is one pointer and begins as NULL.
///
/// # Safety
/// It points to one that lives.
unsafe fn word<'a>(pointer: *mut *mut c_void) -> &'a AtomicUsize {
    // SAFETY: the caller's promise; a pointer has the size and alignment of its number.
    unsafe { AtomicUsize::from_ptr(pointer.cast()) }
}

fn try_write(word: &AtomicUsize) -> bool {
    word.compare_exchange(FREE, WRITTEN, Ordering::Acquire, Ordering::Relaxed).is_ok()
}

fn try_read(word: &AtomicUsize) -> bool {
    let add = |held: usize| (held != WRITTEN).then_some(held + READER);
    word.fetch_update(Ordering::Acquire, Ordering::Relaxed, add).is_ok()
}

fn write(word: &AtomicUsize, what: &str) {
    lock::wait(word.as_ptr().addr(), what, None, &mut || try_write(word));
}

fn read(word: &AtomicUsize, what: &str) {
    lock::wait(word.as_ptr().addr(), what, None, &mut || try_read(word));
}

fn release_write(word: &AtomicUsize) {
    word.store(FREE, Ordering::Release);
    lock::changed(word.as_ptr().addr());
}

fn release_read(word: &AtomicUsize) {
    word.fetch_sub(READER, Ordering::Release);
    lock::changed(word.as_ptr().addr());
}

/// Makes a critical section (nf-synchapi-initializecriticalsection).
///
/// # Safety
/// `lpcriticalsection` is writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn InitializeCriticalSection(lpcriticalsection: *mut CRITICAL_SECTION) {
    caught((), || {
        // SAFETY: the caller's promise; all its fields may be 0.
        unsafe { lpcriticalsection.write_bytes(0, 1) };
    })
}

/// [`InitializeCriticalSection`]; nobody spins here. TRUE (nf-synchapi-initializecriticalsectionandspincount).
///
/// # Safety
/// `lpcriticalsection` is writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn InitializeCriticalSectionAndSpinCount(
    lpcriticalsection: *mut CRITICAL_SECTION,
    _dwspincount: u32,
) -> BOOL {
    caught(0, || {
        // SAFETY: the caller's promise.
        unsafe { InitializeCriticalSection(lpcriticalsection) };
        1
    })
}

/// [`InitializeCriticalSectionAndSpinCount`] (nf-synchapi-initializecriticalsectionex).
///
/// # Safety
/// `lpcriticalsection` is writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn InitializeCriticalSectionEx(
    lpcriticalsection: *mut CRITICAL_SECTION,
    dwspincount: u32,
    _flags: u32,
) -> BOOL {
    caught(0, || {
        // SAFETY: the caller's promise.
        unsafe { InitializeCriticalSectionAndSpinCount(lpcriticalsection, dwspincount) }
    })
}

/// Enters, as often as the thread likes (nf-synchapi-entercriticalsection).
///
/// # Safety
/// It was initialized, and is not deleted meanwhile.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn EnterCriticalSection(lpcriticalsection: *mut CRITICAL_SECTION) {
    no_panic((), || {
        // SAFETY: the caller's promise.
        let section = unsafe { &*lpcriticalsection };
        let me = clock::thread_number() as usize;
        if section.owner.load(Ordering::Relaxed) != me {
            write(&section.word, "a critical section");
            section.owner.store(me, Ordering::Relaxed);
        }
        // SAFETY: only the thread that is inside touches the count.
        unsafe { (*lpcriticalsection).recursion_count += 1 };
    });
}

/// Enters if that needs no waiting (nf-synchapi-tryentercriticalsection).
///
/// # Safety
/// As [`EnterCriticalSection`].
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn TryEnterCriticalSection(lpcriticalsection: *mut CRITICAL_SECTION) -> BOOL {
    caught(0, || {
        // SAFETY: the caller's promise.
        let section = unsafe { &*lpcriticalsection };
        let me = clock::thread_number() as usize;
        if section.owner.load(Ordering::Relaxed) != me {
            if !try_write(&section.word) {
                return 0;
            }
            section.owner.store(me, Ordering::Relaxed);
        }
        // SAFETY: only the thread that is inside touches the count.
        unsafe { (*lpcriticalsection).recursion_count += 1 };
        1
    })
}

/// Leaves (nf-synchapi-leavecriticalsection).
///
/// # Safety
/// The thread has entered it.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn LeaveCriticalSection(lpcriticalsection: *mut CRITICAL_SECTION) {
    no_panic((), || {
        // SAFETY: only the thread that is inside touches the count.
        let depth = unsafe {
            (*lpcriticalsection).recursion_count -= 1;
            (*lpcriticalsection).recursion_count
        };
        if depth == 0 {
            // SAFETY: the caller's promise.
            let section = unsafe { &*lpcriticalsection };
            section.owner.store(0, Ordering::Relaxed);
            release_write(&section.word);
        }
    });
}

/// Nothing is to be given back (nf-synchapi-deletecriticalsection).
///
/// # Safety
/// Nobody is inside.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn DeleteCriticalSection(_lpcriticalsection: *mut CRITICAL_SECTION) {
    caught((), || ());
}

/// Makes a lock (nf-synchapi-initializesrwlock).
///
/// # Safety
/// `srwlock` is writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn InitializeSRWLock(srwlock: *mut *mut c_void) {
    caught((), || {
        // SAFETY: the caller's promise.
        unsafe { srwlock.write(std::ptr::null_mut()) };
    })
}

/// Locks for writing; not recursive (nf-synchapi-acquiresrwlockexclusive).
///
/// # Safety
/// `srwlock` points to a lock that lives.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn AcquireSRWLockExclusive(srwlock: *mut *mut c_void) {
    // SAFETY: the caller's promise.
    no_panic((), || write(unsafe { word(srwlock) }, "an SRW lock"));
}

/// Locks for reading (nf-synchapi-acquiresrwlockshared).
///
/// # Safety
/// `srwlock` points to a lock that lives.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn AcquireSRWLockShared(srwlock: *mut *mut c_void) {
    // SAFETY: the caller's promise.
    no_panic((), || read(unsafe { word(srwlock) }, "an SRW lock"));
}

/// Locks for writing if that needs no waiting (nf-synchapi-tryacquiresrwlockexclusive).
///
/// # Safety
/// `srwlock` points to a lock that lives.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn TryAcquireSRWLockExclusive(srwlock: *mut *mut c_void) -> u8 {
    caught(0, || {
        // SAFETY: the caller's promise.
        u8::from(try_write(unsafe { word(srwlock) }))
    })
}

/// Locks for reading if that needs no waiting (nf-synchapi-tryacquiresrwlockshared).
///
/// # Safety
/// `srwlock` points to a lock that lives.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn TryAcquireSRWLockShared(srwlock: *mut *mut c_void) -> u8 {
    caught(0, || {
        // SAFETY: the caller's promise.
        u8::from(try_read(unsafe { word(srwlock) }))
    })
}

/// Unlocks (nf-synchapi-releasesrwlockexclusive).
///
/// # Safety
/// The thread holds it for writing.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn ReleaseSRWLockExclusive(srwlock: *mut *mut c_void) {
    // SAFETY: the caller's promise.
    no_panic((), || release_write(unsafe { word(srwlock) }));
}

/// Unlocks (nf-synchapi-releasesrwlockshared).
///
/// # Safety
/// The thread holds it for reading.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn ReleaseSRWLockShared(srwlock: *mut *mut c_void) {
    // SAFETY: the caller's promise.
    no_panic((), || release_read(unsafe { word(srwlock) }));
}

/// Makes a condition variable (nf-synchapi-initializeconditionvariable).
///
/// # Safety
/// `conditionvariable` is writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn InitializeConditionVariable(conditionvariable: *mut *mut c_void) {
    caught((), || {
        // SAFETY: the caller's promise.
        unsafe { conditionvariable.write(std::ptr::null_mut()) };
    })
}

/// Waits for a wake with the lock released, and takes it again. `release` and `take` do that.
fn sleep(condition: &AtomicUsize, milliseconds: u32, release: impl FnOnce(), take: impl FnOnce()) -> BOOL {
    no_panic(0, || {
        let before = condition.load(Ordering::SeqCst);
        release();
        let timeout = (milliseconds != INFINITE).then(|| Duration::from_millis(milliseconds.into()));
        let mut woken = || condition.load(Ordering::SeqCst) != before;
        let woken = lock::wait(condition.as_ptr().addr(), "a condition variable", timeout, &mut woken);
        take();
        if !woken {
            set_last_error(ERROR_TIMEOUT);
        }
        BOOL::from(woken)
    })
}

/// Waits for a wake, the lock released meanwhile; FALSE with ERROR_TIMEOUT (nf-synchapi-sleepconditionvariablesrw).
///
/// # Safety
/// Both live, and the thread holds the lock as `flags` say.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SleepConditionVariableSRW(
    conditionvariable: *mut *mut c_void,
    srwlock: *mut *mut c_void,
    dwmilliseconds: u32,
    flags: u32,
) -> BOOL {
    caught(0, || {
        // SAFETY: the caller's promise.
        let (condition, lock) = unsafe { (word(conditionvariable), word(srwlock)) };
        match flags & LOCKMODE_SHARED {
            0 => sleep(condition, dwmilliseconds, || release_write(lock), || write(lock, "an SRW lock")),
            _ => sleep(condition, dwmilliseconds, || release_read(lock), || read(lock, "an SRW lock")),
        }
    })
}

/// Waits for a wake, the section left meanwhile; FALSE with ERROR_TIMEOUT (nf-synchapi-sleepconditionvariablecs).
///
/// # Safety
/// Both live, and the thread has entered the section once.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SleepConditionVariableCS(
    conditionvariable: *mut *mut c_void,
    criticalsection: *mut CRITICAL_SECTION,
    dwmilliseconds: u32,
) -> BOOL {
    caught(0, || {
        // SAFETY: the caller's promise.
        let condition = unsafe { word(conditionvariable) };
        // SAFETY: the caller's promise.
        let (leave, enter) = (
            || unsafe { LeaveCriticalSection(criticalsection) },
            || unsafe {
                EnterCriticalSection(criticalsection);
            },
        );
        sleep(condition, dwmilliseconds, leave, enter)
    })
}

/// Wakes whoever waits: more than one may come, as on Windows (nf-synchapi-wakeconditionvariable).
///
/// # Safety
/// `conditionvariable` lives.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WakeConditionVariable(conditionvariable: *mut *mut c_void) {
    caught((), || {
        // SAFETY: the caller's promise.
        unsafe { WakeAllConditionVariable(conditionvariable) };
    })
}

/// Wakes all that wait (nf-synchapi-wakeallconditionvariable).
///
/// # Safety
/// `conditionvariable` lives.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WakeAllConditionVariable(conditionvariable: *mut *mut c_void) {
    no_panic((), || {
        // SAFETY: the caller's promise.
        let condition = unsafe { word(conditionvariable) };
        condition.fetch_add(1, Ordering::SeqCst);
        lock::changed(condition.as_ptr().addr());
    });
}
