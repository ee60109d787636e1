//! Looking at memory that may be gone.
#![allow(unsafe_code)]

/// The bytes at `address`; `None` if they cannot be read. The kernel looks, so that nothing happens if it cannot.
#[cfg(all(unix, not(miri)))]
pub fn probe(address: usize, length: usize) -> Option<Vec<u8>> {
    use std::ffi::{c_int, c_void};
    use std::io::Read;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    unsafe extern "C" {
        fn write(fd: c_int, from: *const c_void, count: usize) -> isize;
    }

    /// What goes through the pair at once, without a reader on the other side.
    const PIECE: usize = 4096;

    let Ok((sender, mut receiver)) = UnixStream::pair() else { return Some(read(address, length)) };
    let mut bytes = vec![0; length];
    let mut address = address;
    for piece in bytes.chunks_mut(PIECE) {
        let count = loop {
            // SAFETY: `write` answers an error for memory that cannot be read, and changes nothing.
            let count = unsafe { write(sender.as_raw_fd(), std::ptr::with_exposed_provenance(address), piece.len()) };
            if count >= 0 || std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
                break count;
            }
        };
        if count != piece.len() as isize {
            return None;
        }
        receiver.read_exact(piece).ok()?;
        address += piece.len();
    }
    Some(bytes)
}

/// The bytes at `address`. Here they must be there; Miri, which has no kernel, says where they were freed.
#[cfg(any(not(unix), miri))]
pub fn probe(address: usize, length: usize) -> Option<Vec<u8>> {
    Some(read(address, length))
}

/// Where the kernel cannot be asked, the caller's word counts: it has lent that memory.
fn read(address: usize, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    if length > 0 {
        // SAFETY: the memory was lent to an operation that has not ended.
        unsafe {
            std::ptr::copy_nonoverlapping(std::ptr::with_exposed_provenance(address), bytes.as_mut_ptr(), length);
        }
    }
    bytes
}

/// Whether `length` bytes at `address` can be read.
pub fn readable(address: usize, length: usize) -> bool {
    probe(address, length).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_there_and_that_is_not() {
        let bytes: Vec<u8> = (0..10_000u32).map(|number| number as u8).collect();
        assert_eq!(probe(bytes.as_ptr().expose_provenance(), bytes.len()), Some(bytes));
        if cfg!(all(unix, not(miri))) {
            assert_eq!(probe(8, 1), None);
        }
        assert!(readable(8, 0));
    }
}
