//! Sleep, GetTickCount64, GetCurrentThreadId.
#![allow(unsafe_code)]

use crate::dispatch::clock;

/// Sleeps so many milliseconds; 0 gives the processor away (nf-synchapi-sleep).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn Sleep(dwmilliseconds: u32) {
    clock::sleep(dwmilliseconds);
}

/// Milliseconds that only grow (nf-sysinfoapi-gettickcount64).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn GetTickCount64() -> u64 {
    clock::ticks()
}

/// A number of this thread that no other thread of the process has or had; never 0
/// (nf-processthreadsapi-getcurrentthreadid).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn GetCurrentThreadId() -> u32 {
    clock::thread_number()
}
