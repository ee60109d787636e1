//! Frames: what goes out is put into them, what comes is taken out of them (RFC 6455).

use std::io::Cursor;

use bytes::{Buf, Bytes, BytesMut};
use sha2::{Digest, Sha256};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::Kind;
use super::utf8::Utf8;
use crate::win32::{
    WINHTTP_WEB_SOCKET_EMPTY_CLOSE_STATUS, WINHTTP_WEB_SOCKET_INVALID_PAYLOAD_CLOSE_STATUS,
    WINHTTP_WEB_SOCKET_PROTOCOL_ERROR_CLOSE_STATUS,
};

/// The longest payload of a control frame.
const CONTROL_AT_MOST: u64 = 125;

/// A close frame: its status, and the reason as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    pub status: u16,
    pub reason: Bytes,
}

/// Whether a close frame may have this status (RFC 6455 7.4.1).
pub fn is_status(status: u16) -> bool {
    matches!(status, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Puts payloads into masked frames.
#[derive(Debug)]
pub struct Masks {
    seed: [u8; 16],
    drawn: u64,
}

impl Masks {
    /// The masks of one web socket; `seed` is a secret.
    pub fn new(seed: [u8; 16]) -> Masks {
        Masks { seed, drawn: 0 }
    }

    /// A mask that nobody can guess from those before it.
    fn draw(&mut self) -> [u8; 4] {
        self.drawn += 1;
        let digest = Sha256::new().chain_update(self.seed).chain_update(self.drawn.to_le_bytes()).finalize();
        [digest[0], digest[1], digest[2], digest[3]]
    }

    fn frame(&mut self, opcode: OpCode, is_final: bool, payload: &[&[u8]]) -> Bytes {
        let mask = self.draw();
        let header = FrameHeader { is_final, opcode, mask: Some(mask), ..FrameHeader::default() };
        let length = payload.iter().map(|part| part.len()).sum::<usize>();
        let mut frame = Vec::with_capacity(header.len(length as u64) + length);
        // Writing into memory cannot fail.
        let _ = header.format(length as u64, &mut frame);
        let start = frame.len();
        for part in payload {
            frame.extend_from_slice(part);
        }
        apply(mask, &mut frame[start..]);
        frame.into()
    }

    /// A frame of a message: the `first` carries its kind, the `last` ends it.
    pub fn data(&mut self, kind: Kind, first: bool, last: bool, payload: &[u8]) -> Bytes {
        let opcode = match (first, kind) {
            (true, Kind::Binary) => Data::Binary,
            (true, Kind::Utf8) => Data::Text,
            (false, _) => Data::Continue,
        };
        self.frame(OpCode::Data(opcode), last, &[payload])
    }

    /// A close frame; EMPTY_CLOSE_STATUS stands for one without payload.
    pub fn close(&mut self, status: u16, reason: &[u8]) -> Bytes {
        let opcode = OpCode::Control(Control::Close);
        if i32::from(status) == WINHTTP_WEB_SOCKET_EMPTY_CLOSE_STATUS {
            return self.frame(opcode, true, &[]);
        }
        self.frame(opcode, true, &[&status.to_be_bytes(), reason])
    }

    pub fn ping(&mut self) -> Bytes {
        self.frame(OpCode::Control(Control::Ping), true, &[])
    }

    pub fn pong(&mut self, payload: &[u8]) -> Bytes {
        self.frame(OpCode::Control(Control::Pong), true, &[payload])
    }
}

/// Masks a payload, eight bytes at once.
fn apply(mask: [u8; 4], payload: &mut [u8]) {
    let [a, b, c, d] = mask;
    let twice = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut words = payload.chunks_exact_mut(8);
    for word in &mut words {
        if let Some(word) = word.first_chunk_mut::<8>() {
            *word = (u64::from_ne_bytes(*word) ^ twice).to_ne_bytes();
        }
    }
    for (byte, mask) in words.into_remainder().iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// What is in the frames that came.
#[derive(Debug, PartialEq, Eq)]
pub enum ParsedFrame {
    /// Bytes of a message; may be empty if they end a frame.
    Piece {
        bytes: Bytes,
        kind: Kind,
        /// Bytes of the frame's head that came before them.
        head: usize,
        /// Whether they are the last of their frame.
        frame_ends: bool,
        /// Whether they are the last of the message.
        message_ends: bool,
    },
    /// A ping, to be answered with this payload.
    Ping(Bytes),
    /// A pong.
    Pong,
    /// The peer closes; nothing follows.
    Close(CloseFrame),
}

/// The peer broke the protocol: the status with which it is told so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation(pub u16);

const PROTOCOL: Violation = Violation(WINHTTP_WEB_SOCKET_PROTOCOL_ERROR_CLOSE_STATUS as u16);
const PAYLOAD: Violation = Violation(WINHTTP_WEB_SOCKET_INVALID_PAYLOAD_CLOSE_STATUS as u16);

/// Looks at as much of a head as there is: what is wrong is known before the head is whole.
fn begins_well(bytes: &[u8], in_message: bool) -> Result<(), Violation> {
    const FINAL: u8 = 0x80;
    const RESERVED: u8 = 0x70;
    const CONTROL: u8 = 0x08;
    const MASKED: u8 = 0x80;
    let Some(first) = bytes.first() else { return Ok(()) };
    let opcode = first & 0x0F;
    let known = match opcode {
        0 => in_message,
        1 | 2 => !in_message,
        8..=10 => first & FINAL != 0,
        _ => false,
    };
    let short = |second: &u8| opcode & CONTROL == 0 || u64::from(second & !MASKED) <= CONTROL_AT_MOST;
    let second = bytes.get(1).is_none_or(|second| second & MASKED == 0 && short(second));
    // The highest bit of a length of 64 bits is 0.
    let length = bytes.get(1) != Some(&127) || bytes.get(2).is_none_or(|highest| highest & 0x80 == 0);
    if known && second && length && first & RESERVED == 0 { Ok(()) } else { Err(PROTOCOL) }
}

/// A data frame that is being taken apart.
#[derive(Debug)]
struct Frame {
    left: u64,
    last: bool,
    /// Bytes of its head, until the first piece has them.
    head: usize,
}

/// Takes frames of a server apart, as their bytes come.
#[derive(Debug, Default)]
pub struct Parser {
    buffer: BytesMut,
    frame: Option<Frame>,
    /// The kind of the message that is under way.
    message: Option<Kind>,
    utf8: Utf8,
    /// Nothing more is read: the peer closed, or broke the protocol.
    closed: bool,
}

impl Parser {
    /// Bytes came.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.closed {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next thing that the bytes hold. `taken` grows by the bytes of what nobody waits for. Behind a violation there is
    /// nothing.
    pub fn next(&mut self, taken: &mut usize) -> Result<Option<ParsedFrame>, Violation> {
        let found = self.read(taken);
        if found.is_err() {
            self.close();
        }
        found
    }

    fn close(&mut self) {
        self.closed = true;
        self.frame = None;
        self.buffer.clear();
    }

    fn read(&mut self, taken: &mut usize) -> Result<Option<ParsedFrame>, Violation> {
        if let Some(frame) = &mut self.frame {
            if self.buffer.is_empty() && frame.left > 0 {
                return Ok(None);
            }
            let count = usize::try_from(frame.left).unwrap_or(usize::MAX).min(self.buffer.len());
            frame.left -= count as u64;
            let (frame_ends, last, head) = (frame.left == 0, frame.last, std::mem::take(&mut frame.head));
            let bytes = self.buffer.split_to(count).freeze();
            return self.piece(bytes, head, frame_ends, frame_ends && last).map(Some);
        }
        begins_well(&self.buffer, self.message.is_some())?;
        let mut cursor = Cursor::new(&self.buffer[..]);
        let Some((header, length)) = FrameHeader::parse(&mut cursor).map_err(|_| PROTOCOL)? else { return Ok(None) };
        let head = cursor.position() as usize;
        match header.opcode {
            OpCode::Control(control) => {
                let length = length as usize;
                if self.buffer.len() < head + length {
                    return Ok(None);
                }
                *taken += head + length;
                self.buffer.advance(head);
                let payload = self.buffer.split_to(length).freeze();
                self.control(control, payload).map(Some)
            }
            OpCode::Data(data) => {
                let kind = match (data, self.message) {
                    (Data::Continue, Some(kind)) => kind,
                    (Data::Text, None) => Kind::Utf8,
                    (Data::Binary, None) => Kind::Binary,
                    _ => return Err(PROTOCOL),
                };
                self.buffer.advance(head);
                self.message = Some(kind);
                self.frame = Some(Frame { left: length, last: header.is_final, head });
                self.read(taken)
            }
        }
    }

    fn piece(
        &mut self,
        bytes: Bytes,
        head: usize,
        frame_ends: bool,
        message_ends: bool,
    ) -> Result<ParsedFrame, Violation> {
        let kind = self.message.unwrap_or(Kind::Binary);
        if kind == Kind::Utf8 && !(self.utf8.push(&bytes) && (!message_ends || self.utf8.complete())) {
            return Err(PAYLOAD);
        }
        if frame_ends {
            self.frame = None;
        }
        if message_ends {
            self.message = None;
        }
        Ok(ParsedFrame::Piece { bytes, kind, head, frame_ends, message_ends })
    }

    fn control(&mut self, control: Control, mut payload: Bytes) -> Result<ParsedFrame, Violation> {
        match control {
            Control::Ping => Ok(ParsedFrame::Ping(payload)),
            Control::Pong => Ok(ParsedFrame::Pong),
            _ => {
                let status = match payload.len() {
                    0 => WINHTTP_WEB_SOCKET_EMPTY_CLOSE_STATUS as u16,
                    1 => return Err(PROTOCOL),
                    _ => Some(payload.get_u16()).filter(|status| is_status(*status)).ok_or(PROTOCOL)?,
                };
                if std::str::from_utf8(&payload).is_err() {
                    return Err(PAYLOAD);
                }
                self.close();
                Ok(ParsedFrame::Close(CloseFrame { status, reason: payload }))
            }
        }
    }
}
