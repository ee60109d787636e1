//! The caller's memory that an operation owns until it ends.
#![allow(unsafe_code)]

use std::ffi::c_void;

use super::probe::probe;

/// A buffer of the caller, lent to a pending operation.
///
/// The contract is taken where the pointer enters ([`CallerBuf::new`]); after that every access is checked
/// against the length and happens in a step of the handle that borrowed it.
///
/// One that is [watched](CallerBuf::watched) shows whether the caller keeps its part of the contract: while it is lent a
/// pattern stands in it, and what was read comes when it is given back.
#[derive(Debug)]
pub struct CallerBuf {
    pointer: *mut u8,
    length: usize,
    watched: bool,
    staged: Option<Box<Staged>>,
}

// SAFETY: the memory belongs to the operation until it ends, whichever thread runs the step that fills it
// (contract of `new`); `CallerBuf` is neither `Clone` nor `Sync`, so only one thread can touch it.
unsafe impl Send for CallerBuf {}

/// What is kept of a watched buffer while it is lent.
#[derive(Debug)]
struct Staged {
    /// What should stand there now.
    expected: Vec<u8>,
    /// What will stand there: what was read, and behind it what the caller had there.
    next: Vec<u8>,
    written: bool,
}

/// No run of it is likely in anybody's data.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place as u8).wrapping_mul(0x3D) ^ 0xA5).collect()
}

impl CallerBuf {
    /// Borrows `length` bytes at `pointer` until this value is dropped.
    ///
    /// # Safety
    /// `pointer` is valid for writes of `length` bytes, and nobody else touches them, until the value is dropped.
    /// A NULL pointer is allowed with length 0 only.
    pub unsafe fn new(pointer: *mut c_void, length: u32) -> CallerBuf {
        let length = if pointer.is_null() { 0 } else { length as usize };
        CallerBuf { pointer: pointer.cast(), length, watched: false, staged: None }
    }

    /// The same buffer, to be watched from [`CallerBuf::lend`] on.
    pub fn watched(self, watched: bool) -> CallerBuf {
        CallerBuf { watched, ..self }
    }

    /// Whether it is one to be watched.
    pub fn is_watched(&self) -> bool {
        self.watched
    }

    /// The operation begins: puts the pattern into a buffer that is to be watched.
    pub fn lend(&mut self) {
        if !self.watched {
            return;
        }
        if let Some(next) = self.look() {
            let expected = pattern(self.length);
            self.put(0, &expected);
            self.staged = Some(Box::new(Staged { expected, next, written: false }));
        }
    }

    /// Whether it must be given back with [`CallerBuf::settle`].
    pub fn is_lent(&self) -> bool {
        self.staged.is_some()
    }

    /// Whether nobody has touched it since it was lent, or settled.
    pub fn untouched(&self) -> bool {
        self.staged.as_ref().is_none_or(|staged| self.look().is_some_and(|bytes| bytes == staged.expected))
    }

    /// Puts in what was read, if something was. To be called in a step of an open handle, or of one that is being closed.
    pub fn settle(&mut self) {
        let Some(mut staged) = self.staged.take() else { return };
        if staged.written && self.look().is_some() {
            self.put(0, &staged.next);
            staged.expected.clone_from(&staged.next);
            staged.written = false;
        }
        self.staged = Some(staged);
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
        match &mut self.staged {
            Some(staged) => {
                staged.next[offset.min(self.length)..][..count].copy_from_slice(&bytes[..count]);
                staged.written = true;
            }
            None => self.put(offset, &bytes[..count]),
        }
        count
    }

    fn put(&mut self, offset: usize, bytes: &[u8]) {
        if !bytes.is_empty() {
            // SAFETY: whoever calls keeps within the length, the memory is ours by the contract of `new`, and `bytes`
            // cannot overlap it because a caller may not lend what it still reads.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.pointer.add(offset), bytes.len()) };
        }
    }

    fn look(&self) -> Option<Vec<u8>> {
        probe(self.pointer.expose_provenance(), self.length)
    }
}

/// Bytes of the caller that an operation reads until it ends, watched for changes.
#[derive(Debug)]
pub struct CallerBytes {
    address: usize,
    bytes: Vec<u8>,
}

impl CallerBytes {
    /// Watches `bytes` until this value is dropped.
    pub fn watch(bytes: &[u8]) -> CallerBytes {
        CallerBytes { address: bytes.as_ptr().expose_provenance(), bytes: bytes.to_vec() }
    }

    /// Whether they are as they were.
    pub fn untouched(&self) -> bool {
        probe(self.address, self.bytes.len()).is_some_and(|bytes| bytes == self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(memory: &mut [u8]) -> CallerBuf {
        // SAFETY: the memory outlives the buffer in every test below.
        let mut buffer = unsafe { CallerBuf::new(memory.as_mut_ptr().cast(), memory.len() as u32) }.watched(true);
        buffer.lend();
        buffer
    }

    #[test]
    fn what_was_read_comes_last_and_the_rest_comes_back() {
        let mut memory = *b"........";
        let mut buffer = watched(&mut memory);
        assert_eq!(buffer.write(0, b"ab"), 2);
        assert_eq!(buffer.write(2, b"cd"), 2);
        assert!(buffer.untouched());
        assert_ne!(memory, *b"........");
        buffer.settle();
        assert!(buffer.untouched());
        assert_eq!(memory, *b"abcd....");
    }

    #[test]
    fn a_change_shows() {
        let mut memory = [0; 4];
        let buffer = watched(&mut memory);
        memory[3] ^= 1;
        assert!(!buffer.untouched(), "{memory:?}");

        let mut bytes = *b"bytes";
        let watched = CallerBytes::watch(&bytes);
        assert!(watched.untouched());
        bytes[0] = b'B';
        assert!(!watched.untouched());
        assert_eq!(bytes, *b"Bytes");
    }

    #[test]
    fn one_that_is_not_watched_is_written_at_once() {
        let mut memory = [0; 2];
        // SAFETY: the memory outlives the buffer.
        let mut buffer = unsafe { CallerBuf::new(memory.as_mut_ptr().cast(), 2) };
        buffer.lend();
        assert!(!buffer.is_lent());
        assert_eq!(buffer.write(0, b"xyz"), 2);
        assert_eq!(memory, *b"xy");
    }
}
