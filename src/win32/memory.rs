//! Windows' heaps: blocks that are freed without being told their size.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::ffi::c_void;
use std::ptr::null_mut;

/// Blocks are aligned like this, and the size of a block stands so far before it.
const HEADER: usize = 16;

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEADER)?, HEADER).ok()
}

/// A block of `size` bytes, aligned to 16; NULL if there is no memory. A block of 0 bytes has an address, too.
pub fn allocate(size: usize, zeroed: bool) -> *mut c_void {
    let Some(layout) = layout(size) else { return null_mut() };
    // SAFETY: the layout is not empty. The header fits before the block, which is so aligned.
    unsafe {
        let start = if zeroed { alloc_zeroed(layout) } else { alloc(layout) };
        if start.is_null() {
            return null_mut();
        }
        start.cast::<usize>().write(size);
        start.add(HEADER).cast()
    }
}

/// The size that a block was asked for with.
///
/// # Safety
/// `block` came from [`allocate`] and was not freed.
pub unsafe fn size(block: *const c_void) -> usize {
    // SAFETY: the caller's promise: the header stands before the block.
    unsafe { block.cast::<u8>().sub(HEADER).cast::<usize>().read() }
}

/// Gives a block back; NULL is none.
///
/// # Safety
/// `block` is NULL or came from [`allocate`] and was not freed.
pub unsafe fn free(block: *mut c_void) {
    if block.is_null() {
        return;
    }
    // SAFETY: the caller's promise: the header stands before the block, and says the size it was allocated with.
    unsafe {
        let start = block.cast::<u8>().sub(HEADER);
        if let Some(layout) = layout(start.cast::<usize>().read()) {
            dealloc(start, layout);
        }
    }
}
