//! Web sockets of scripted peers: what the server says, what it expects, and how it closes.

use std::collections::VecDeque;
use std::fmt;
use std::io::Cursor;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::gate::Gate;
use super::raw::{RawConnection, fails};

/// What a peer does with a web socket, step by step; for [`Reply::web_socket`](super::Reply::web_socket). It answers the client's
/// pings. It also answers its close frame, after which the connection ends, unless the script says otherwise.
///
/// ```
/// use portable_winhttp::lab::{Reply, Sim, WebSocketScript, get};
///
/// let sim = Sim::new();
/// let script = WebSocketScript::new().text("welcome").expect_text("hello").close(1000, "bye");
/// sim.peer("https://chat.test").on(get("/room")).reply(Reply::web_socket(script));
/// ```
#[derive(Clone, Default)]
pub struct WebSocketScript {
    steps: VecDeque<Step>,
    never_closes: bool,
}

/// One step.
#[derive(Clone)]
enum Step {
    Send(Bytes),
    Expect(Message),
    ExpectClose(u16),
    Sleep(Duration),
    Wait(Gate),
    Close,
    Echo,
    End,
    Reset,
}

/// A whole message of the client.
#[derive(Clone, PartialEq, Eq)]
struct Message {
    text: bool,
    payload: Bytes,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.text { "text" } else { "binary" };
        write!(f, "{kind} \"{}\"", self.payload[..self.payload.len().min(200)].escape_ascii())
    }
}

fn frame(opcode: OpCode, is_final: bool, payload: &[u8]) -> Bytes {
    let header = FrameHeader { is_final, opcode, ..FrameHeader::default() };
    let mut frame = Vec::new();
    // Writing into memory cannot fail.
    let _ = header.format(payload.len() as u64, &mut frame);
    frame.extend_from_slice(payload);
    frame.into()
}

fn close_frame(status: u16, reason: &str) -> Bytes {
    let payload = if status == 1005 { Vec::new() } else { [&status.to_be_bytes(), reason.as_bytes()].concat() };
    frame(OpCode::Control(Control::Close), true, &payload)
}

impl fmt::Debug for WebSocketScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a script of {} steps", self.steps.len())
    }
}

impl WebSocketScript {
    /// A script without steps: the server sends nothing.
    pub fn new() -> WebSocketScript {
        WebSocketScript::default()
    }

    fn step(mut self, step: Step) -> WebSocketScript {
        self.steps.push_back(step);
        self
    }

    /// Sends a text message.
    pub fn text(self, text: &str) -> WebSocketScript {
        self.fragments(true, [text.as_bytes()])
    }

    /// Sends a binary message.
    pub fn binary(self, bytes: impl AsRef<[u8]>) -> WebSocketScript {
        self.fragments(false, [bytes.as_ref()])
    }

    /// Sends one message, `text` or binary, in these fragments.
    pub fn fragments<'a>(mut self, text: bool, parts: impl IntoIterator<Item = &'a [u8]>) -> WebSocketScript {
        let mut parts = parts.into_iter().peekable();
        let mut kind = if text { Data::Text } else { Data::Binary };
        while let Some(part) = parts.next() {
            let opcode = OpCode::Data(std::mem::replace(&mut kind, Data::Continue));
            self = self.step(Step::Send(frame(opcode, parts.peek().is_none(), part)));
        }
        self
    }

    /// Sends a ping.
    pub fn ping(self, payload: impl AsRef<[u8]>) -> WebSocketScript {
        self.step(Step::Send(frame(OpCode::Control(Control::Ping), true, payload.as_ref())))
    }

    /// Sends these bytes as they are, also if they are not a valid frame.
    pub fn raw(self, bytes: impl Into<Vec<u8>>) -> WebSocketScript {
        self.step(Step::Send(bytes.into().into()))
    }

    /// Waits for this text message of the client; any other message fails the test.
    pub fn expect_text(self, text: &str) -> WebSocketScript {
        let payload = Bytes::copy_from_slice(text.as_bytes());
        self.step(Step::Expect(Message { text: true, payload }))
    }

    /// Waits for this binary message of the client; any other message fails the test.
    pub fn expect_binary(self, bytes: impl AsRef<[u8]>) -> WebSocketScript {
        let payload = Bytes::copy_from_slice(bytes.as_ref());
        self.step(Step::Expect(Message { text: false, payload }))
    }

    /// Waits for a close frame of the client with this status; 1005 means a close frame without a status.
    pub fn expect_close(self, status: u16) -> WebSocketScript {
        self.step(Step::ExpectClose(status))
    }

    /// Waits for this much of the Sim's time before the next step.
    pub fn sleep(self, time: Duration) -> WebSocketScript {
        self.step(Step::Sleep(time))
    }

    /// Waits until the gate is open before the next step.
    pub fn wait(self, gate: &Gate) -> WebSocketScript {
        self.step(Step::Wait(gate.clone()))
    }

    /// Sends back each message that comes from now on.
    pub fn echo(self) -> WebSocketScript {
        self.step(Step::Echo)
    }

    /// Sends a close frame; 1005 means one without a status. The connection ends when the client has answered.
    pub fn close(self, status: u16, reason: &str) -> WebSocketScript {
        self.step(Step::Send(close_frame(status, reason))).step(Step::Close)
    }

    /// Does not answer the client's close frame.
    pub fn never_closes(mut self) -> WebSocketScript {
        self.never_closes = true;
        self
    }

    /// Ends the connection without a close frame.
    pub fn end(self) -> WebSocketScript {
        self.step(Step::End)
    }

    /// Resets the connection.
    pub fn reset(self) -> WebSocketScript {
        self.step(Step::Reset)
    }
}

/// What a frame of the client is.
enum ClientFrame {
    Message(Message),
    Ping(Bytes),
    Pong,
    Close(u16),
}

/// Plays a script on a connection.
///
/// # Panics
/// If the client sends what the script does not expect, or what is no frame of a client: the Sim then fails with it.
pub(super) fn play(script: &WebSocketScript, connection: &RawConnection) {
    let mut player = Player { script: script.clone(), ..Player::default() };
    player.go_on(connection);
    while !player.ended {
        let Some(bytes) = connection.read() else { return player.left() };
        player.buffer.extend_from_slice(&bytes);
        player.listen(connection);
        player.go_on(connection);
    }
}

#[derive(Default)]
struct Player {
    script: WebSocketScript,
    buffer: BytesMut,
    /// The message that the client is sending.
    message: Option<Message>,
    /// Messages and the close frame that no step took.
    messages: VecDeque<Message>,
    close: Option<u16>,
    echoes: bool,
    /// Its close frame was sent.
    closed: bool,
    ended: bool,
}

impl Player {
    /// The client has left: nothing more may be expected of it.
    fn left(&self) {
        match self.script.steps.front() {
            Some(Step::Expect(message)) => fails(format!("a web socket expected {message:?}, and the client left")),
            Some(Step::ExpectClose(status)) => {
                fails(format!("a web socket expected to be closed with {status}, not left"))
            }
            _ => {}
        }
    }

    /// Takes what has come apart.
    fn listen(&mut self, connection: &RawConnection) {
        while let Some(next) = self.next() {
            match next {
                ClientFrame::Message(message) if self.echoes => {
                    let data = if message.text { Data::Text } else { Data::Binary };
                    connection.write(frame(OpCode::Data(data), true, &message.payload));
                }
                ClientFrame::Message(message) => self.messages.push_back(message),
                ClientFrame::Ping(payload) => connection.write(frame(OpCode::Control(Control::Pong), true, &payload)),
                ClientFrame::Pong => {}
                ClientFrame::Close(status) => self.close = Some(status),
            }
        }
    }

    /// Takes the steps that can be taken.
    fn go_on(&mut self, connection: &RawConnection) {
        while let Some(step) = self.script.steps.front().filter(|_| !self.ended) {
            match step {
                Step::Send(bytes) => connection.write(bytes),
                Step::Expect(expected) => {
                    let Some(found) = self.messages.pop_front() else { break };
                    if found != *expected {
                        fails(format!("a web socket expected {expected:?}, and got {found:?}"));
                    }
                }
                Step::ExpectClose(expected) => {
                    let Some(found) = self.close else { break };
                    if found != *expected {
                        fails(format!("a web socket expected to be closed with {expected}, not {found}"));
                    }
                }
                Step::Sleep(time) => connection.sleep(*time),
                Step::Wait(gate) => connection.wait(gate),
                Step::Close => self.closed = true,
                Step::Echo => self.echoes = true,
                Step::End => self.end(connection),
                Step::Reset => {
                    self.ended = true;
                    connection.reset();
                }
            }
            self.script.steps.pop_front();
        }
        let answers = self.script.steps.is_empty() && !self.ended && !self.script.never_closes;
        if let Some(status) = self.close.filter(|_| answers) {
            if !self.closed {
                connection.write(close_frame(status, ""));
            }
            self.end(connection);
        }
    }

    fn end(&mut self, connection: &RawConnection) {
        self.ended = true;
        connection.close();
    }

    /// The next frame of the client, once it is complete.
    fn next(&mut self) -> Option<ClientFrame> {
        loop {
            let mut cursor = Cursor::new(&self.buffer[..]);
            let header = FrameHeader::parse(&mut cursor);
            let head = cursor.position() as usize;
            let (header, length) = match header {
                Ok(parsed) => parsed?,
                Err(error) => fails(format!("a web socket got a frame that is none: {error}")),
            };
            let length = length as usize;
            if self.buffer.len() < head + length {
                return None;
            }
            self.buffer.advance(head);
            let mut payload = self.buffer.split_to(length);
            let Some(mask) = header.mask else { fails("a web socket got a frame without a mask".to_owned()) };
            for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
                *byte ^= mask;
            }
            match header.opcode {
                OpCode::Control(Control::Ping) => return Some(ClientFrame::Ping(payload.freeze())),
                OpCode::Control(Control::Close) => {
                    let status = payload.first_chunk().map_or(1005, |status| u16::from_be_bytes(*status));
                    return Some(ClientFrame::Close(status));
                }
                OpCode::Control(_) => return Some(ClientFrame::Pong),
                OpCode::Data(data) => {
                    let begun = self.message.take();
                    let text = begun.as_ref().map_or(data == Data::Text, |begun| begun.text);
                    let begun = begun.map(|begun| begun.payload).unwrap_or_default();
                    let message = Message { text, payload: [&begun[..], &payload[..]].concat().into() };
                    if header.is_final {
                        return Some(ClientFrame::Message(message));
                    }
                    self.message = Some(message);
                }
            }
        }
    }
}
