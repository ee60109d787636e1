//! The Win32 functions beside WinHTTP, called through `windows-sys`.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::thread;

use portable_winhttp as _;
use windows_sys::Win32::Foundation::*;
use windows_sys::Win32::System::Memory::*;
use windows_sys::Win32::System::SystemInformation::GetTickCount64;
use windows_sys::Win32::System::Threading::*;

const TRUE: i32 = 1;
const FALSE: i32 = 0;

fn event(manual: i32, signalled: i32) -> HANDLE {
    // SAFETY: no pointers.
    let event = unsafe { CreateEventW(null(), manual, signalled, null()) };
    assert!(!event.is_null());
    event
}

fn wait(event: HANDLE) -> u32 {
    // SAFETY: any value may be passed.
    unsafe { WaitForSingleObject(event, 0) }
}

#[test]
fn manual_events_stay_signalled_and_others_let_one_waiter_go() {
    let rows = [(TRUE, [WAIT_OBJECT_0, WAIT_OBJECT_0]), (FALSE, [WAIT_OBJECT_0, WAIT_TIMEOUT])];
    for (manual, twice) in rows {
        let event = event(manual, FALSE);
        assert_eq!(wait(event), WAIT_TIMEOUT);
        // SAFETY: any value may be passed.
        unsafe { assert_eq!(SetEvent(event), TRUE) };
        assert_eq!([wait(event), wait(event)], twice, "manual: {manual}");
        // SAFETY: as above.
        unsafe { assert_eq!((SetEvent(event), ResetEvent(event)), (TRUE, TRUE)) };
        assert_eq!(wait(event), WAIT_TIMEOUT);
        // SAFETY: as above.
        unsafe { assert_eq!(CloseHandle(event), TRUE) };
    }
}

#[test]
fn waiting_for_one_or_all() {
    let events = [event(FALSE, FALSE), event(FALSE, TRUE), event(FALSE, TRUE)];
    // SAFETY: three handles.
    let wait = |all| unsafe { WaitForMultipleObjects(3, events.as_ptr(), all, 1) };
    assert_eq!(wait(TRUE), WAIT_TIMEOUT);
    assert_eq!(wait(FALSE), WAIT_OBJECT_0 + 1, "the first that is signalled");
    assert_eq!(wait(FALSE), WAIT_OBJECT_0 + 2, "what was not waited for is still signalled");
    assert_eq!(wait(FALSE), WAIT_TIMEOUT);
    for event in events {
        // SAFETY: any value may be passed.
        unsafe { SetEvent(event) };
    }
    assert_eq!(wait(TRUE), WAIT_OBJECT_0);
    assert_eq!(wait(FALSE), WAIT_TIMEOUT, "all were taken");
}

#[test]
fn another_thread_signals() {
    let event = event(TRUE, FALSE) as usize;
    let waiter = thread::spawn(move || {
        // SAFETY: any value may be passed.
        unsafe { WaitForSingleObject(event as HANDLE, INFINITE) }
    });
    // SAFETY: as above.
    unsafe { assert_eq!(SetEvent(event as HANDLE), TRUE) };
    assert_eq!(waiter.join().unwrap(), WAIT_OBJECT_0);
}

#[test]
fn names_are_shared_in_the_process() {
    let name: Vec<u16> = "portable-winhttp test\0".encode_utf16().collect();
    // SAFETY: the name ends in NUL.
    unsafe {
        let first = CreateEventW(null(), TRUE, FALSE, name.as_ptr());
        assert_eq!(GetLastError(), 0);
        let second = CreateEventW(null(), TRUE, FALSE, name.as_ptr());
        assert_eq!(GetLastError(), ERROR_ALREADY_EXISTS);
        assert_ne!(first, second);
        assert_eq!((SetEvent(first), CloseHandle(first), wait(second)), (TRUE, TRUE, WAIT_OBJECT_0));
        assert_eq!(CloseHandle(second), TRUE);
    }
}

#[test]
fn handles_that_are_none() {
    let stale = event(TRUE, TRUE);
    // SAFETY: any value may be passed.
    unsafe {
        assert_eq!(CloseHandle(stale), TRUE);
        for handle in [null_mut(), stale, 12345 as HANDLE] {
            let bad = |answer: i32| (answer, GetLastError());
            assert_eq!(bad(SetEvent(handle)), (FALSE, ERROR_INVALID_HANDLE));
            assert_eq!(bad(ResetEvent(handle)), (FALSE, ERROR_INVALID_HANDLE));
            assert_eq!(bad(CloseHandle(handle)), (FALSE, ERROR_INVALID_HANDLE));
            assert_eq!((wait(handle), GetLastError()), (WAIT_FAILED, ERROR_INVALID_HANDLE));
        }
        assert_eq!(WaitForMultipleObjects(0, null(), FALSE, 0), WAIT_FAILED);
        assert_eq!(WaitForMultipleObjects(65, null(), FALSE, 0), WAIT_FAILED);
    }
}

#[test]
fn memory_goes_round() {
    // SAFETY: blocks are used within their size and freed once.
    unsafe {
        let heap = GetProcessHeap();
        for size in [0usize, 1, 15, 16, 4096] {
            let blocks: [*mut c_void; 3] =
                [GlobalAlloc(GPTR, size), LocalAlloc(LPTR, size), HeapAlloc(heap, HEAP_ZERO_MEMORY, size)];
            for block in blocks {
                assert!(!block.is_null() && block.addr() % 16 == 0);
                let bytes = std::slice::from_raw_parts_mut(block.cast::<u8>(), size);
                assert!(bytes.iter().all(|byte| *byte == 0));
                bytes.fill(0xA5);
            }
            assert_eq!((GlobalFree(blocks[0]), LocalFree(blocks[1])), (null_mut(), null_mut()));
            assert_eq!(HeapFree(heap, 0, blocks[2]), TRUE);
        }
        assert_eq!((GlobalFree(null_mut()), HeapFree(heap, 0, null())), (null_mut(), TRUE));
        assert!(GlobalAlloc(0, usize::MAX).is_null());
    }
}

#[test]
fn each_thread_has_its_last_error_and_number() {
    // SAFETY: no pointers.
    unsafe {
        SetLastError(7);
        let other = thread::spawn(|| (GetLastError(), GetCurrentThreadId())).join().unwrap();
        assert_eq!((GetLastError(), other.0), (7, 0));
        assert_ne!(GetCurrentThreadId(), other.1);
        assert_eq!(GetCurrentThreadId(), GetCurrentThreadId());
        let before = GetTickCount64();
        Sleep(0);
        assert!(before > 0 && GetTickCount64() >= before);
    }
}

/// UNLOAD_NOTIFY_EVENT: not while the session is open; once the last handle of the session is gone
/// (source handle.unload-event).
#[test]
fn the_unload_event_comes_after_the_last_handle() {
    use windows_sys::Win32::Networking::WinHttp::*;
    let unloaded = event(TRUE, FALSE);
    // SAFETY: strings end in NUL; the option takes the handle of an event.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
        let set = |handle: HANDLE, length: u32| match WinHttpSetOption(
            session,
            WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT,
            (&raw const handle).cast(),
            length,
        ) {
            TRUE => Ok(()),
            _ => Err(GetLastError()),
        };
        // What is no event, or has another size, is refused, and so is a second one (source handle.unload-refused).
        let (closed, mutex) = (event(TRUE, FALSE), CreateMutexW(null(), FALSE, null()));
        CloseHandle(closed);
        for handle in [null_mut(), closed, mutex] {
            assert_eq!(set(handle, 8), Err(ERROR_INVALID_PARAMETER));
        }
        assert_eq!(set(unloaded, 4), Err(ERROR_INVALID_PARAMETER));
        assert_eq!(set(unloaded, 8), Ok(()));
        assert_eq!(set(unloaded, 8), Err(ERROR_INVALID_PARAMETER));
        let host: Vec<u16> = "localhost\0".encode_utf16().collect();
        let connection = WinHttpConnect(session, host.as_ptr(), 80, 0);
        assert_eq!(WinHttpCloseHandle(session), TRUE);
        assert_eq!(wait(unloaded), WAIT_TIMEOUT, "a connection is open");
        assert_eq!(WinHttpCloseHandle(connection), TRUE);
        assert_eq!(wait(unloaded), WAIT_OBJECT_0);
    }
}
