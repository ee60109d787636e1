//! What the peer sent and the application has not received yet.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use super::Kind;
use super::frames::CloseFrame;
use crate::machine::reading::PendingRead;
use crate::transport::to_keep;
use crate::win32::Win32Error;

#[derive(Debug)]
enum Item {
    Piece {
        bytes: Bytes,
        kind: Kind,
        /// Bytes of the frame's head: they wait with it, so that frames without bytes do not wait for nothing.
        head: usize,
        frame_ends: bool,
        message_ends: bool,
    },
    Close(CloseFrame),
}

/// What a look gives to the operation that waits.
#[derive(Debug)]
pub enum Look {
    /// The buffer has what the call answers: this is its type.
    Buffer { kind: Kind, message: bool },
    /// The peer closes.
    Close(CloseFrame),
    /// Nothing more will come.
    Failed(Win32Error),
    /// More has to come first.
    Dry,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Incoming {
    items: VecDeque<Item>,
    end: Option<Win32Error>,
}

impl Incoming {
    pub fn piece(&mut self, bytes: Bytes, kind: Kind, head: usize, frame_ends: bool, message_ends: bool) {
        let bytes = if self.items.is_empty() { bytes } else { to_keep(bytes) };
        self.items.push_back(Item::Piece { bytes, kind, head, frame_ends, message_ends });
    }

    pub fn close(&mut self, frame: CloseFrame) {
        self.items.push_back(Item::Close(frame));
    }

    /// The first end counts.
    pub fn end(&mut self, error: Win32Error) {
        self.end.get_or_insert(error);
    }

    fn rest(&self) -> Look {
        self.end.map_or(Look::Dry, Look::Failed)
    }

    /// Fills the buffer, up to the end of a frame (source WS4). `taken` grows by the bytes that were taken.
    pub fn receive(&mut self, read: &mut PendingRead, taken: &mut usize) -> Look {
        loop {
            let Some(item) = self.items.front_mut() else { return self.rest() };
            let Item::Piece { bytes, kind, head, frame_ends, message_ends } = item else {
                return self.take_close();
            };
            let (kind, frame_ends, message_ends) = (*kind, *frame_ends, *message_ends);
            let count = read.buffer.write(read.filled, bytes);
            bytes.advance(count);
            read.filled += count;
            *taken += count + std::mem::take(head);
            if !bytes.is_empty() {
                return Look::Buffer { kind, message: false };
            }
            self.items.pop_front();
            if frame_ends {
                return Look::Buffer { kind, message: message_ends };
            }
            if read.filled == read.buffer.len() {
                return Look::Buffer { kind, message: false };
            }
        }
    }

    /// Throws messages away up to the peer's close frame.
    pub fn discard(&mut self, taken: &mut usize) -> Look {
        while let Some(Item::Piece { bytes, head, .. }) = self.items.front() {
            *taken += bytes.len() + head;
            self.items.pop_front();
        }
        if self.items.is_empty() { self.rest() } else { self.take_close() }
    }

    fn take_close(&mut self) -> Look {
        match self.items.pop_front() {
            Some(Item::Close(frame)) => Look::Close(frame),
            _ => Look::Dry,
        }
    }
}
