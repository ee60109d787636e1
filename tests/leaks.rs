//! What a call allocates for its caller, and cannot hand out, is freed.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::{null, null_mut};

use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

/// Counts the bytes that each thread has in use.
struct Counting;

thread_local!(static USED: Cell<isize> = const { Cell::new(0) });

fn count(bytes: isize) {
    let _ = USED.try_with(|used| used.set(used.get() + bytes));
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Each option, on a handle of each type whose proxy has a name, with buffers that may be too small.
#[test]
fn a_value_that_does_not_fit_leaves_nothing() {
    let (proxy, bypass) = (wide("proxy.test:3128"), wide("*.test"));
    // SAFETY: text ends in NUL, the buffer is longer than any length that is said.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NAMED_PROXY, proxy.as_ptr(), bypass.as_ptr(), 0);
        let connection = WinHttpConnect(session, wide("host.test").as_ptr(), 80, 0);
        let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), 0);
        let mut refused = 0;
        for handle in [null_mut(), session, connection, request] {
            for option in 0..260 {
                for length in [0u32, 1, 4, 8, 16] {
                    let query = || {
                        let (mut buffer, mut room) = ([0u64; 2], length);
                        let got = WinHttpQueryOption(handle, option, buffer.as_mut_ptr().cast(), &mut room);
                        got == 0 && last_error() == 122
                    };
                    // Once before it is counted: some things are made once.
                    query();
                    let before = USED.get();
                    let too_small = query();
                    refused += usize::from(too_small);
                    assert!(!too_small || USED.get() == before, "option {option}, {length} bytes, {handle:?}");
                }
            }
        }
        assert!(refused > 100, "only {refused} were too small");
        assert_eq!(asked(session), WINHTTP_ACCESS_TYPE_NAMED_PROXY);
        [request, connection, session].into_iter().for_each(|handle| assert_eq!(close(handle), 1));
    }
}

/// The access type of a session; its strings are freed as the page says.
fn asked(session: *mut c_void) -> u32 {
    let mut info = WINHTTP_PROXY_INFO { dwAccessType: 0, lpszProxy: null_mut(), lpszProxyBypass: null_mut() };
    let mut size = size_of::<WINHTTP_PROXY_INFO>() as u32;
    let before = USED.get();
    // SAFETY: the structure has that size; what it brings is freed once.
    unsafe {
        assert_eq!(WinHttpQueryOption(session, WINHTTP_OPTION_PROXY, (&raw mut info).cast(), &mut size), 1);
        for text in [info.lpszProxy, info.lpszProxyBypass] {
            assert!(!text.is_null());
            assert!(portable_winhttp::api::GlobalFree(text.cast()).is_null());
        }
    }
    assert_eq!(USED.get(), before);
    info.dwAccessType
}
