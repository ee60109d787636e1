//! Bytes that are added at the end and taken from the front.

/// How much room is kept for the next request.
const KEPT: usize = 4096;

/// See the module. Whoever looks for leaks finds its block: it points to where that begins, whatever was taken.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    taken: usize,
}

impl Buffer {
    /// What was not taken.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    pub fn is_empty(&self) -> bool {
        self.taken == self.bytes.len()
    }

    pub fn len(&self) -> usize {
        self.rest().len()
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Where more is written.
    pub fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Takes so many, or all.
    pub fn take(&mut self, count: usize) {
        self.taken = self.bytes.len().min(self.taken + count);
        if self.is_empty() {
            self.clear();
        }
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.taken = 0;
    }

    /// All that was not taken.
    pub fn take_all(&mut self) -> Vec<u8> {
        let Buffer { mut bytes, taken } = std::mem::take(self);
        bytes.drain(..taken);
        bytes
    }

    /// Gives back the room that a large request needed.
    pub fn shrink(&mut self) {
        if self.is_empty() && self.bytes.capacity() > KEPT {
            *self = Buffer::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_taken_and_room_is_given_back() {
        let mut buffer = Buffer::default();
        buffer.push(b"abc");
        buffer.take(2);
        buffer.push(b"de");
        assert_eq!((buffer.rest(), buffer.len()), (&b"cde"[..], 3));
        assert_eq!(buffer.take_all(), b"cde");
        assert!(buffer.is_empty());
        buffer.push(&[0; 2 * KEPT]);
        buffer.shrink();
        assert_eq!(buffer.len(), 2 * KEPT);
        buffer.take(usize::MAX - 1);
        assert_eq!(buffer.rest(), b"");
        buffer.shrink();
        assert_eq!(buffer.bytes.capacity(), 0);
    }
}
