//! Sessions that leave the Sim: alone in a process, as tests that use the real world on purpose may run beside others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null;

use portable_winhttp::lab::Sim;
use windows_sys::Win32::Foundation::{ERROR_NOT_SUPPORTED, GetLastError};
use windows_sys::Win32::Networking::WinHttp::*;

/// A session of a thread that the Sim did not make would be none of the Sim: it is refused, and the test fails.
#[test]
fn sessions_outside_fail_the_test() {
    for allowed in [false, true] {
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let sim = Sim::new();
            if allowed {
                sim.allow_real_world();
            }
            // SAFETY: no pointers.
            let open = || unsafe {
                let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
                let error = GetLastError();
                (WinHttpCloseHandle(session) != 0, error)
            };
            let opened = std::thread::spawn(open).join().unwrap();
            assert_eq!(opened, if allowed { (true, 0) } else { (false, ERROR_NOT_SUPPORTED) });
        }));
        assert_eq!(ended.is_ok(), allowed);
        let text = ended.err().map(|panic| *panic.downcast::<String>().unwrap()).unwrap_or_default();
        assert!(allowed || text.contains("on threads of no Sim: without a name"), "{text}");
    }
}
