//! The caller's memory that an operation owns until it ends.
#![allow(unsafe_code)]

use std::ffi::c_void;

/// A buffer of the caller, lent to a pending operation.
///
/// The contract is taken where the pointer enters ([`CallerBuf::new`]); after that every access is checked
/// against the length and happens in a step of the handle that borrowed it.
#[derive(Debug)]
pub struct CallerBuf {
    pointer: *mut u8,
    length: usize,
}

// SAFETY: the memory belongs to the operation until it ends, whichever thread runs the step that fills it
// (contract of `new`); `CallerBuf` is neither `Clone` nor `Sync`, so only one thread can touch it.
unsafe impl Send for CallerBuf {}

impl CallerBuf {
    /// Borrows `length` bytes at `pointer` until this value is dropped.
    ///
    /// # Safety
    /// `pointer` is valid for writes of `length` bytes, and nobody else touches them, until the value is dropped.
    /// A NULL pointer is allowed with length 0 only.
    pub unsafe fn new(pointer: *mut c_void, length: u32) -> CallerBuf {
        CallerBuf { pointer: pointer.cast(), length: if pointer.is_null() { 0 } else { length as usize } }
    }

    /// The caller's pointer, as a number: the identity that READ_COMPLETE gives back.
    pub fn address(&self) -> usize {
        self.pointer.addr()
    }

    /// The caller's pointer, to be given back with the completion.
    pub fn pointer(&self) -> *mut c_void {
        self.pointer.cast()
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is no room at all.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Copies as much of `bytes` as fits behind `offset`; returns how many bytes that were.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) -> usize {
        let room = self.length.saturating_sub(offset);
        let count = room.min(bytes.len());
        if count > 0 {
            // SAFETY: `offset + count <= length`, the memory is ours by the contract of `new`, and `bytes` cannot
            // overlap it because a caller may not lend what it still reads.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.pointer.add(offset), count) };
        }
        count
    }
}
