//! Sleep, GetTickCount64, QueryPerformanceCounter, GetCurrentThreadId.
#![allow(unsafe_code)]

use std::time::SystemTime;

use super::sync::clock;
use crate::api::edge::{caught, put};
use crate::win32::{BOOL, FILETIME, SYSTEMTIME};

/// Sleeps so many milliseconds; 0 gives the processor away (nf-synchapi-sleep).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn Sleep(dwmilliseconds: u32) {
    caught((), || {
        clock::sleep(dwmilliseconds);
    })
}

/// [`Sleep`]; there are no asynchronous procedure calls. 0 (nf-synchapi-sleepex).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn SleepEx(dwmilliseconds: u32, _balertable: BOOL) -> u32 {
    caught(0, || {
        clock::sleep(dwmilliseconds);
        0
    })
}

/// Milliseconds that only grow (nf-sysinfoapi-gettickcount64).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn GetTickCount64() -> u64 {
    caught(0, clock::ticks)
}

/// [`GetTickCount64`], of which the upper half is lost (nf-sysinfoapi-gettickcount).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn GetTickCount() -> u32 {
    caught(0, || clock::ticks() as u32)
}

/// The calendar's time, UTC, in 100 nanoseconds since 1601 (nf-sysinfoapi-getsystemtimeasfiletime).
///
/// # Safety
/// `lpsystemtimeasfiletime` is writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetSystemTimeAsFileTime(lpsystemtimeasfiletime: *mut FILETIME) {
    caught((), || {
        const BEFORE_1970: u64 = 116_444_736_000_000_000;
        let since = crate::world::date().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let units = BEFORE_1970 + (since.as_nanos() / 100) as u64;
        let time = FILETIME { dwLowDateTime: units as u32, dwHighDateTime: (units >> 32) as u32 };
        // SAFETY: the caller's promise.
        unsafe { put(lpsystemtimeasfiletime, time) };
    })
}

/// The calendar's time, UTC (nf-sysinfoapi-getsystemtime).
///
/// # Safety
/// `lpsystemtime` is writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetSystemTime(lpsystemtime: *mut SYSTEMTIME) {
    caught((), || {
        // SAFETY: the caller's promise.
        unsafe { put(lpsystemtime, crate::http::time::parse_or_now("", crate::world::date())) };
    })
}

/// A number of this thread that no other thread of the process has or had; never 0
/// (nf-processthreadsapi-getcurrentthreadid).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn GetCurrentThreadId() -> u32 {
    caught(0, clock::thread_number)
}

/// A counter that only grows, in ticks of [`QueryPerformanceFrequency`]: the scale of WINHTTP_OPTION_REQUEST_TIMES
/// (nf-profileapi-queryperformancecounter).
///
/// # Safety
/// `lpperformancecount` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn QueryPerformanceCounter(lpperformancecount: *mut i64) -> BOOL {
    caught(0, || {
        // SAFETY: the caller's promise.
        unsafe { put(lpperformancecount, crate::machine::counter(crate::world::now()) as i64) };
        BOOL::from(!lpperformancecount.is_null())
    })
}

/// Ticks a second: ten million (nf-profileapi-queryperformancefrequency).
///
/// # Safety
/// `lpfrequency` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn QueryPerformanceFrequency(lpfrequency: *mut i64) -> BOOL {
    caught(0, || {
        // SAFETY: the caller's promise.
        unsafe { put(lpfrequency, 10_000_000) };
        BOOL::from(!lpfrequency.is_null())
    })
}
