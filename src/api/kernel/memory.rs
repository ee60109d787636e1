//! GlobalAlloc, LocalAlloc, HeapAlloc and what frees their blocks. All are one heap.
#![allow(unsafe_code)]

use std::ffi::c_void;

use crate::api::edge::caught;
use crate::win32::memory::{allocate, free, size};
use crate::win32::{BOOL, ERROR_NOT_ENOUGH_MEMORY, HANDLE, set_last_error};

/// GMEM_ZEROINIT and LMEM_ZEROINIT
const ZEROINIT: u32 = 0x40;
/// HEAP_ZERO_MEMORY
const HEAP_ZERO_MEMORY: u32 = 0x8;
/// HEAP_REALLOC_IN_PLACE_ONLY
const IN_PLACE_ONLY: u32 = 0x10;

fn allocated(size: usize, zeroed: bool) -> *mut c_void {
    let block = allocate(size, zeroed);
    if block.is_null() {
        set_last_error(ERROR_NOT_ENOUGH_MEMORY);
    }
    block
}

/// A fixed block; GMEM_ZEROINIT is honoured (nf-winbase-globalalloc). NULL with ERROR_NOT_ENOUGH_MEMORY.
///
/// # Safety
/// Any values may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GlobalAlloc(uflags: u32, dwbytes: usize) -> *mut c_void {
    caught(std::ptr::null_mut(), || allocated(dwbytes, uflags & ZEROINIT != 0))
}

/// Frees a block; NULL is none. Answers NULL (nf-winbase-globalfree).
///
/// # Safety
/// `hmem` is NULL or a block that was not freed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GlobalFree(hmem: *mut c_void) -> *mut c_void {
    caught(hmem, || {
        // SAFETY: the caller's promise.
        unsafe { free(hmem) };
        std::ptr::null_mut()
    })
}

/// A fixed block; LMEM_ZEROINIT is honoured (nf-winbase-localalloc). NULL with ERROR_NOT_ENOUGH_MEMORY.
///
/// # Safety
/// Any values may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn LocalAlloc(uflags: u32, ubytes: usize) -> *mut c_void {
    caught(std::ptr::null_mut(), || allocated(ubytes, uflags & ZEROINIT != 0))
}

/// Frees a block; NULL is none. Answers NULL (nf-winbase-localfree).
///
/// # Safety
/// `hmem` is NULL or a block that was not freed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn LocalFree(hmem: *mut c_void) -> *mut c_void {
    caught(hmem, || {
        // SAFETY: the caller's promise.
        unsafe { free(hmem) };
        std::ptr::null_mut()
    })
}

/// The process's heap: a value to be passed on (nf-heapapi-getprocessheap).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn GetProcessHeap() -> HANDLE {
    caught(std::ptr::null_mut(), || std::ptr::without_provenance_mut(0x10000))
}

/// A block; HEAP_ZERO_MEMORY is honoured (nf-heapapi-heapalloc). NULL if there is no memory.
///
/// # Safety
/// Any values may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn HeapAlloc(_hheap: HANDLE, dwflags: u32, dwbytes: usize) -> *mut c_void {
    caught(std::ptr::null_mut(), || allocated(dwbytes, dwflags & HEAP_ZERO_MEMORY != 0))
}

/// Frees a block; NULL is none. Answers TRUE (nf-heapapi-heapfree).
///
/// # Safety
/// `lpmem` is NULL or a block that was not freed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn HeapFree(_hheap: HANDLE, _dwflags: u32, lpmem: *const c_void) -> BOOL {
    caught(0, || {
        // SAFETY: the caller's promise.
        unsafe { free(lpmem.cast_mut()) };
        1
    })
}

/// A block of another size with what was in the old one; HEAP_ZERO_MEMORY is honoured for what is added
/// (nf-heapapi-heaprealloc). NULL, and the old block stays, if there is no memory, for NULL, or if it may not move and is to
/// have another size.
///
/// # Safety
/// `lpmem` is NULL or a block that was not freed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn HeapReAlloc(
    _hheap: HANDLE,
    dwflags: u32,
    lpmem: *const c_void,
    dwbytes: usize,
) -> *mut c_void {
    caught(std::ptr::null_mut(), || {
        if lpmem.is_null() {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promise; both blocks have what is copied.
        unsafe {
            let before = size(lpmem);
            if dwflags & IN_PLACE_ONLY != 0 {
                return if dwbytes == before { lpmem.cast_mut() } else { std::ptr::null_mut() };
            }
            let block = allocated(dwbytes, dwflags & HEAP_ZERO_MEMORY != 0);
            if !block.is_null() {
                std::ptr::copy_nonoverlapping(lpmem.cast::<u8>(), block.cast::<u8>(), before.min(dwbytes));
                free(lpmem.cast_mut());
            }
            block
        }
    })
}

/// The size of a block (nf-heapapi-heapsize); (SIZE_T)-1 for NULL.
///
/// # Safety
/// `lpmem` is NULL or a block that was not freed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn HeapSize(_hheap: HANDLE, _dwflags: u32, lpmem: *const c_void) -> usize {
    caught(usize::MAX, || {
        // SAFETY: the caller's promise.
        if lpmem.is_null() { usize::MAX } else { unsafe { size(lpmem) } }
    })
}
