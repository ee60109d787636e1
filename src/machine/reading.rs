//! What a read was called with, until it ends.

use crate::win32::CallerBuf;

/// A read that waits for its bytes.
#[derive(Debug)]
pub struct PendingRead {
    pub buffer: CallerBuf,
    pub filled: usize,
    /// Whether it ends only when the buffer is full or the body ended (ReadData), or with the first bytes (ReadDataEx).
    pub fill: bool,
}
