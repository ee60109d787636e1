//! The boundary: no panic crosses it, every pointer is looked at here, every call sets the last error.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::handle::Handle;
use crate::observe::{self, CheckEvent, Returned};
use crate::win32::probe::readable;
use crate::win32::process;
use crate::win32::{
    BOOL, CallerBuf, ERROR_INVALID_PARAMETER, ERROR_SUCCESS, ERROR_WINHTTP_INTERNAL_ERROR, HINTERNET, PCSTR, PCWSTR,
    PWSTR, Win32Error, last_error, set_last_error,
};
use crate::world::{Requested, World, entered};

/// Runs a call of the engine: [`caught`], and in a child of fork always a failure, because the engine's threads are gone.
pub(crate) fn no_panic<R>(failure: R, call: impl FnOnce() -> R) -> R {
    process::begin();
    if process::forked() {
        set_last_error(ERROR_WINHTTP_INTERNAL_ERROR);
        return failure;
    }
    caught(failure, call)
}

/// The guard of every exported function: a panic becomes `failure` with ERROR_WINHTTP_INTERNAL_ERROR, and those who
/// observe the world that the thread has entered are told.
pub(crate) fn caught<R>(failure: R, call: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        if let Some((world, _)) = entered() {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            world
                .observers
                .stopped(text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words"));
        }
        set_last_error(ERROR_WINHTTP_INTERNAL_ERROR);
        failure
    })
}

/// [`caught`] for calls that do not return: after a panic the process aborts.
#[cfg(feature = "win32")]
pub(crate) fn no_return(call: impl FnOnce()) -> ! {
    caught((), call);
    std::process::abort()
}

/// The handle of functions that have none.
pub(crate) const NONE: *const c_void = std::ptr::null();

/// The world that is told of a call: that of its handle, else that of its thread, else the real one.
fn observer(handle: usize) -> Option<Arc<World>> {
    if !observe::anyone() {
        return None;
    }
    let of_handle = Handle::find(handle).ok().map(|handle| Arc::clone(handle.world()));
    of_handle.or_else(|| crate::real::current().map(|(world, _)| world))
}

/// Runs a call of `function`, sets the last error if there is one to set, and tells who observes. `failure` is what it
/// answers with this error, and whether it leaves it as the last error.
pub(super) fn observed<T, R: Copy>(
    function: &'static str,
    handle: *const T,
    failure: impl Fn(Win32Error) -> (R, Option<Win32Error>),
    returned: impl Fn(R) -> Returned,
    call: impl FnOnce() -> (R, Option<Win32Error>),
) -> R {
    debug_assert!(super::functions::find(function).is_some() || !function.starts_with("WinHttp"), "{function}");
    no_panic(failure(ERROR_WINHTTP_INTERNAL_ERROR).0, || {
        let handle = handle.addr();
        let Some(world) = observer(handle) else {
            let (answer, error) = call();
            if let Some(error) = error {
                set_last_error(error);
            }
            return answer;
        };
        let refused = world.choices.enters(function, handle);
        world.observers.called(function, handle);
        let (answer, error) = match refused {
            Some(error) => failure(error),
            None => call(),
        };
        let left = error.unwrap_or_else(last_error);
        let leaves = world.choices.leaves(function, returned(answer), left);
        world.observers.returned(function, handle, returned(answer), leaves);
        if let Some(error) = error.map(|_| leaves).or((leaves != left).then_some(leaves)) {
            set_last_error(error);
        }
        answer
    })
}

/// A function that answers TRUE or FALSE and the last error; after TRUE that is what the call says, mostly 0.
pub(crate) fn boolean<T>(
    function: &'static str,
    handle: *const T,
    call: impl FnOnce() -> Result<Win32Error, Win32Error>,
) -> BOOL {
    let returned = |answer| Returned::Boolean(answer != 0);
    observed(
        function,
        handle,
        |error| (0, Some(error)),
        returned,
        || match call() {
            Ok(last) => (1, Some(last)),
            Err(error) => (0, Some(error)),
        },
    )
}

/// [`boolean`] for calls that leave 0.
pub(crate) fn done<T>(function: &'static str, handle: *const T, call: impl FnOnce() -> Result<(), Win32Error>) -> BOOL {
    boolean(function, handle, || call().map(|()| ERROR_SUCCESS))
}

/// A function that answers a handle, or NULL and the last error.
pub(super) fn handle<T>(
    function: &'static str,
    parent: *const T,
    call: impl FnOnce() -> Result<Arc<Handle>, Win32Error>,
) -> HINTERNET {
    let returned = |answer: HINTERNET| Returned::Handle(answer.addr());
    let failure = |error| (std::ptr::null_mut(), Some(error));
    observed(function, parent, failure, returned, || match call() {
        Ok(handle) => (std::ptr::without_provenance_mut(handle.value()), Some(ERROR_SUCCESS)),
        Err(error) => failure(error),
    })
}

/// A function that answers its error.
pub(super) fn code<T>(function: &'static str, handle: *const T, call: impl FnOnce() -> Result<(), Win32Error>) -> u32 {
    observed(
        function,
        handle,
        |error| (error.0, None),
        Returned::Code,
        || (call().err().unwrap_or(ERROR_SUCCESS).0, None),
    )
}

/// The world of this handle lets the call go on with what it asks for.
pub(super) fn allowed(handle: &Handle, asked: Requested) -> Result<(), Win32Error> {
    handle.world().choices.refuse(handle.value(), asked).map_or(Ok(()), Err)
}

/// Tells a trace what else a call was given: text without secrets, made only if somebody observes.
pub(super) fn given(world: &Arc<World>, text: impl FnOnce() -> String) {
    world.observers.given(text);
}

/// The open handle that the caller named.
pub(super) fn find<T>(handle: *const T) -> Result<Arc<Handle>, Win32Error> {
    Handle::find(handle.addr())
}

/// NUL-terminated text; `None` for NULL.
///
/// # Safety
/// `text` is NULL or points to UTF-16 with a NUL.
pub(crate) unsafe fn text(text: PCWSTR) -> Option<Vec<u16>> {
    if text.is_null() {
        return None;
    }
    let mut length = 0;
    // SAFETY: everything up to the NUL is readable (contract).
    while unsafe { text.add(length).read_unaligned() } != 0 {
        length += 1;
    }
    // SAFETY: as above.
    Some(unsafe { units(text, length) })
}

/// So many units, wherever they lie: Windows does not ask for alignment.
///
/// # Safety
/// `text` points to so much UTF-16.
unsafe fn units(text: PCWSTR, length: usize) -> Vec<u16> {
    // SAFETY: the caller's promise.
    (0..length).map(|place| unsafe { text.add(place).read_unaligned() }).collect()
}

/// NUL-terminated 8-bit text, which is UTF-8; `None` for NULL.
///
/// # Safety
/// `text` is NULL or points to bytes with a NUL.
pub(super) unsafe fn narrow_text(text: PCSTR) -> Option<Vec<u16>> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { std::ffi::CStr::from_ptr(text.cast()) }.to_bytes();
    Some(crate::http::Encoding::Utf8.decode(bytes).encode_utf16().collect())
}

/// Text of `length` characters, or NUL-terminated if that is -1; `None` for NULL.
///
/// # Safety
/// `pointer` is NULL or points to so much UTF-16.
pub(super) unsafe fn counted_text(pointer: PCWSTR, length: u32) -> Option<Vec<u16>> {
    if length == u32::MAX || pointer.is_null() {
        // SAFETY: the caller's promise.
        return unsafe { text(pointer) };
    }
    // SAFETY: the caller's promise.
    Some(unsafe { units(pointer, length as usize) })
}

/// The caller's bytes; `None` if there should be some and the pointer is NULL.
///
/// # Safety
/// `pointer` is NULL or points to `length` bytes that nobody changes while the slice lives.
pub(super) unsafe fn bytes<'a, T>(pointer: *const T, length: u32) -> Option<&'a [u8]> {
    match (pointer.is_null(), length) {
        (_, 0) => Some(&[]),
        (true, _) => None,
        // SAFETY: the caller's promise.
        (false, length) => Some(unsafe { std::slice::from_raw_parts(pointer.cast(), length as usize) }),
    }
}

/// Writes to an out parameter that may be NULL.
///
/// # Safety
/// `out` is NULL or valid for a write.
pub(crate) unsafe fn put<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: the caller's promise.
        unsafe { out.write_unaligned(value) };
    }
}

/// Writes text and a NUL.
///
/// # Safety
/// `buffer` has room for both.
pub(super) unsafe fn put_text(buffer: PWSTR, text: &[u16]) {
    // SAFETY: the caller's promise.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr().cast::<u8>(), buffer.cast(), size_of_val(text));
        buffer.add(text.len()).write_unaligned(0);
    }
}

/// Reads an in parameter that may be NULL.
///
/// # Safety
/// `from` is NULL or valid for a read.
pub(super) unsafe fn get<T: Copy>(from: *const T) -> Option<T> {
    // SAFETY: the caller's promise.
    (!from.is_null()).then(|| unsafe { from.read_unaligned() })
}

/// Refuses a pointer that leads nowhere, where mistakes are looked for; elsewhere it is read as Windows reads it.
pub(super) fn check<T>(
    handle: &Handle,
    function: &'static str,
    parameter: &'static str,
    pointer: *const T,
    bytes: usize,
) -> Result<(), Win32Error> {
    if pointer.is_null() || !handle.watch().buffers || readable(pointer.expose_provenance(), bytes) {
        return Ok(());
    }
    handle.tell(&CheckEvent::Unreadable { function, parameter });
    Err(ERROR_INVALID_PARAMETER)
}

/// ERROR_INVALID_PARAMETER for a pointer that leads nowhere, be there nothing to read (source r5): the data
/// pointer of an empty Rust slice is one. Where the system cannot be asked, such a pointer is taken.
pub(super) fn check_empty<T>(pointer: *const T, length: u32) -> Result<(), Win32Error> {
    let unreadable = cfg!(unix) && length == 0 && !pointer.is_null() && !readable(pointer.expose_provenance(), 1);
    if unreadable { Err(ERROR_INVALID_PARAMETER) } else { Ok(()) }
}

/// An out parameter of an asynchronous call: a mistake. It is written in the call, or late if it is watched.
///
/// # Safety
/// `count` is NULL or writable until the operation ends.
pub(super) unsafe fn out_parameter(handle: &Handle, function: &'static str, count: *mut u32) -> Option<CallerBuf> {
    if count.is_null() || !handle.asynchronous() {
        return None;
    }
    handle.tell(&CheckEvent::OutParameter(function));
    // SAFETY: the caller's promise.
    Some(unsafe { CallerBuf::new(count.cast(), 4) }.watched(handle.watch().late))
}

/// Copies `value` into a caller's buffer with Windows' rules for lengths in bytes: too small is FALSE, 122 and `needed`;
/// success leaves `reported`.
///
/// # Safety
/// `length` points to the buffer's length in bytes, `buffer` is NULL or has it.
pub(super) unsafe fn copy_out<T>(
    value: &[u8],
    needed: usize,
    reported: usize,
    buffer: *mut T,
    length: *mut u32,
) -> Result<(), Win32Error> {
    // SAFETY: the caller's promise; nothing is written beyond the length that the caller gave.
    unsafe {
        if buffer.is_null() || (length.read_unaligned() as usize) < needed {
            length.write_unaligned(needed as u32);
            return Err(crate::win32::ERROR_INSUFFICIENT_BUFFER);
        }
        std::ptr::copy_nonoverlapping(value.as_ptr(), buffer.cast::<u8>(), value.len());
        length.write_unaligned(reported as u32);
    }
    Ok(())
}

/// UTF-16 as bytes in memory order.
pub(super) fn as_bytes(text: &[u16]) -> Vec<u8> {
    text.iter().flat_map(|unit| unit.to_ne_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_internal_error() {
        set_last_error(ERROR_SUCCESS);
        let answer = done("WinHttpCheckPlatform", NONE, || panic!("inside"));
        assert_eq!((answer, last_error()), (0, ERROR_WINHTTP_INTERNAL_ERROR));
        assert_eq!(code("WinHttpResetAutoProxy", NONE, || panic!("inside")), ERROR_WINHTTP_INTERNAL_ERROR.0);
        assert!(handle("WinHttpOpen", NONE, || panic!("inside")).is_null());
    }
}
