//! The frames that the transport has and that are not out yet.

use std::collections::VecDeque;

/// How many bytes may wait for the peer while a frame still counts as out: as much as a socket takes
/// (source ws.inside).
const ROOM: usize = 256 * 1024;

/// What a frame is to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// That of Send.
    Data,
    /// The close frame of Shutdown or Close.
    Close,
    /// A ping or a pong.
    Control,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Outgoing {
    /// With its length, and whether somebody waits until it is out.
    frames: VecDeque<(Frame, usize, bool)>,
    bytes: usize,
}

impl Outgoing {
    /// A frame went to the transport; says whether there is room for it, so that it counts as out.
    pub fn push(&mut self, frame: Frame, length: usize) -> bool {
        self.bytes += length;
        let room = self.bytes <= ROOM;
        self.frames.push_back((frame, length, !room));
        room
    }

    /// The oldest frame is out; answers what it is if somebody waits for that.
    pub fn sent(&mut self) -> Option<Frame> {
        let (frame, length, awaited) = self.frames.pop_front()?;
        self.bytes -= length;
        awaited.then_some(frame)
    }

    /// Whether the peer takes what it gets.
    pub fn flows(&self) -> bool {
        self.bytes <= ROOM
    }
}
