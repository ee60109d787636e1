//! The data of a web socket, and what the actions of its table do with it.

mod frames;
mod incoming;
mod outgoing;
pub mod table;
mod timers;
mod utf8;

use std::time::Duration;

use bytes::Bytes;

use self::frames::{CloseFrame, Masks, ParsedFrame, Parser, Violation};
use self::incoming::{Incoming, Look};
use self::outgoing::{Frame, Outgoing};
use self::table::{Action, Conversation, Input, OPENED, ReceiveSide, State, Step, step};
use self::timers::{Over, Timer, Timers};
use super::reading::PendingRead;
use super::step::Tabled;
use super::{Machine, Output};
use crate::record::{Notification, Operation, WebSocketOperation};
use crate::transport::Event;
use crate::win32::*;

/// What a message is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes.
    Binary,
    /// Text.
    Utf8,
}

impl Kind {
    /// WINHTTP_WEB_SOCKET_BUFFER_TYPE of a piece: a MESSAGE is whole, or the last of its message.
    fn buffer_type(self, message: bool) -> i32 {
        match (self, message) {
            (Kind::Binary, true) => WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE,
            (Kind::Binary, false) => WINHTTP_WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE,
            (Kind::Utf8, true) => WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE,
            (Kind::Utf8, false) => WINHTTP_WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE,
        }
    }

    /// Kind and whether it ends its message; `None` for a type that cannot be sent.
    fn of(buffer_type: i32) -> Option<(Kind, bool)> {
        Some(match buffer_type {
            WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE => (Kind::Binary, true),
            WINHTTP_WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE => (Kind::Binary, false),
            WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE => (Kind::Utf8, true),
            WINHTTP_WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE => (Kind::Utf8, false),
            _ => return None,
        })
    }
}

/// The options of a web socket, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSocketSettings {
    /// WEB_SOCKET_CLOSE_TIMEOUT: how long Close waits for the peer; 0 and 0xFFFFFFFF mean no limit.
    pub close_timeout: u32,
    /// WEB_SOCKET_KEEPALIVE_INTERVAL: how often a ping goes out; 0xFFFFFFFF means never.
    pub keep_alive: u32,
}

impl Default for WebSocketSettings {
    fn default() -> WebSocketSettings {
        WebSocketSettings { close_timeout: 10_000, keep_alive: 30_000 }
    }
}

/// A web socket handle's machine.
#[derive(Debug)]
pub struct WebSocket {
    state: State,
    settings: WebSocketSettings,
    masks: Masks,
    parser: Parser,
    incoming: Incoming,
    reading: Option<PendingRead>,
    /// What Receive found.
    found: (Kind, bool),
    outgoing: Outgoing,
    /// The kind of the message that is sent in fragments.
    fragmented: Option<Kind>,
    /// The frame that goes out next, and what Send said of it.
    frame: Bytes,
    sending: (u32, i32),
    /// The newest ping that waits for its answer until the peer takes what it gets.
    ping: Option<Bytes>,
    close: Option<CloseFrame>,
    cause: Win32Error,
    timers: Timers,
    write_first: bool,
    outputs: Vec<Output>,
}

impl WebSocket {
    /// A web socket whose connection was just upgraded. `seed`: secret random bytes, for the masks.
    pub fn new(now: Duration, seed: [u8; 16]) -> WebSocket {
        let settings = WebSocketSettings::default();
        let mut timers = Timers::default();
        timers.start(Timer::Ping, now, &settings);
        WebSocket {
            state: OPENED,
            settings,
            masks: Masks::new(seed),
            parser: Parser::default(),
            incoming: Incoming::default(),
            reading: None,
            found: (Kind::Binary, true),
            outgoing: Outgoing::default(),
            fragmented: None,
            frame: Bytes::new(),
            sending: (0, 0),
            ping: None,
            close: None,
            cause: ERROR_WINHTTP_INTERNAL_ERROR,
            timers,
            write_first: false,
            outputs: Vec::new(),
        }
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// The options.
    pub fn settings(&self) -> WebSocketSettings {
        self.settings
    }

    /// Sets the options; they count from the next Close and from now on.
    pub fn set(&mut self, now: Duration, settings: WebSocketSettings) {
        self.settings = settings;
        self.timers.start(Timer::Ping, now, &self.settings);
    }

    /// Status and reason of the peer's close frame, once an operation took it.
    pub fn close_status(&self) -> Result<(u16, &[u8]), Win32Error> {
        self.close.as_ref().map(|close| (close.status, &*close.reason)).ok_or(ERROR_INVALID_OPERATION)
    }

    // ---- calls of the application ----

    /// WinHttpWebSocketSend. ERROR_INVALID_PARAMETER for a type that cannot be sent, or not in this message.
    pub fn send(&mut self, now: Duration, buffer_type: i32, payload: &[u8]) -> Result<(), Win32Error> {
        let (kind, message) = Kind::of(buffer_type).ok_or(ERROR_INVALID_PARAMETER)?;
        self.refused(Input::CallSend)?;
        if self.fragmented.is_some_and(|begun| begun != kind) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        self.frame = self.masks.data(kind, self.fragmented.is_none(), message, payload);
        self.fragmented = (!message).then_some(kind);
        self.sending = (payload.len() as u32, buffer_type);
        self.apply(now, Input::CallSend)
    }

    /// WinHttpWebSocketReceive
    pub fn receive(&mut self, now: Duration, mut buffer: CallerBuf) -> Result<(), Win32Error> {
        self.refused(Input::CallReceive)?;
        buffer.lend();
        self.reading = Some(PendingRead { buffer, filled: 0, fill: true });
        self.apply(now, Input::CallReceive)
    }

    /// WinHttpWebSocketShutdown
    pub fn shutdown(&mut self, now: Duration, status: u16, reason: &[u8]) -> Result<(), Win32Error> {
        self.with_close_frame(now, Input::CallShutdown, status, reason)
    }

    /// WinHttpWebSocketClose
    pub fn close(&mut self, now: Duration, status: u16, reason: &[u8]) -> Result<(), Win32Error> {
        self.with_close_frame(now, Input::CallClose, status, reason)
    }

    fn with_close_frame(&mut self, now: Duration, call: Input, status: u16, reason: &[u8]) -> Result<(), Win32Error> {
        let empty = i32::from(status) == WINHTTP_WEB_SOCKET_EMPTY_CLOSE_STATUS && reason.is_empty();
        if !empty && !frames::is_status(status) || reason.len() > WINHTTP_WEB_SOCKET_MAX_CLOSE_REASON_LENGTH as usize {
            return Err(ERROR_INVALID_PARAMETER);
        }
        self.refused(call)?;
        self.frame = self.masks.close(status, reason);
        self.apply(now, call)
    }

    fn end(&mut self, operation: WebSocketOperation, outcome: Result<Notification, Win32Error>) {
        match operation {
            WebSocketOperation::Receive => {
                let read = self.reading.take().filter(|read| read.buffer.is_lent());
                self.outputs.extend(read.map(|read| Output::GiveBack(read.buffer)));
            }
            WebSocketOperation::Close => self.timers.stop(Timer::Close),
            WebSocketOperation::Send | WebSocketOperation::Shutdown => {}
        }
        self.outputs.push(Output::End(operation.into(), outcome));
    }

    fn end_pending(&mut self, before: State, error: Win32Error) {
        let (receive, send) = (before.receive.pending(), before.send.pending());
        let ends = if self.write_first { [send, receive] } else { [receive, send] };
        for operation in ends.into_iter().flatten() {
            self.end(operation, Err(error));
        }
    }

    /// Gives the frame to the transport; says whether it counts as out.
    fn transmit(&mut self, what: Frame) -> bool {
        let frame = std::mem::take(&mut self.frame);
        let room = self.outgoing.push(what, frame.len());
        self.outputs.push(Output::Write(frame));
        room
    }

    /// Looks at what came for the operation of the receive side.
    fn supply(&mut self) -> Option<Input> {
        let mut taken = 0;
        let look = match (&mut self.reading, self.state.receive) {
            (Some(read), ReceiveSide::Receive) => self.incoming.receive(read, &mut taken),
            (_, ReceiveSide::Close) => self.incoming.discard(&mut taken),
            _ => return None,
        };
        self.taken(taken);
        let input = match look {
            Look::Dry => return None,
            Look::Buffer { kind, message } => {
                self.found = (kind, message);
                Input::Supplied
            }
            Look::Close(frame) => {
                self.close = Some(frame);
                Input::PeerClose
            }
            Look::Failed(error) => {
                self.cause = error;
                Input::Failure
            }
        };
        Some(input)
    }

    fn taken(&mut self, bytes: usize) {
        if bytes > 0 {
            self.outputs.push(Output::Taken(bytes));
        }
    }

    /// Takes frames out of what came.
    fn parse(&mut self, now: Duration, bytes: &[u8]) {
        self.parser.push(bytes);
        let mut taken = 0;
        let broken = loop {
            match self.parser.next(&mut taken) {
                Ok(None) => break None,
                Ok(Some(ParsedFrame::Piece { bytes, kind, head, frame_ends, message_ends })) => {
                    self.incoming.piece(bytes, kind, head, frame_ends, message_ends);
                }
                Ok(Some(ParsedFrame::Ping(payload))) => {
                    self.ping = Some(payload);
                    self.answer_ping();
                }
                Ok(Some(ParsedFrame::Pong)) => {}
                Ok(Some(ParsedFrame::Close(frame))) => self.incoming.close(frame),
                Err(violation) => break Some(violation),
            }
        };
        self.taken(taken);
        self.happened(now, Input::Data);
        if let Some(Violation(status)) = broken {
            if self.speaks() {
                self.frame = self.masks.close(status, &[]);
                self.transmit(Frame::Control);
            }
            self.fail(now, ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
        }
    }

    /// Whether frames may go out: our close frame was not the last.
    fn speaks(&self) -> bool {
        matches!(self.state.conversation, Conversation::Open | Conversation::PeerClosed)
    }

    /// Of several pings only the newest needs an answer (RFC 6455 5.5.3).
    fn answer_ping(&mut self) {
        if self.speaks() && self.outgoing.flows() {
            if let Some(payload) = self.ping.take() {
                self.frame = self.masks.pong(&payload);
                self.transmit(Frame::Control);
            }
        }
    }

    fn fail(&mut self, now: Duration, error: Win32Error) {
        self.cause = error;
        self.incoming.end(error);
        self.happened(now, Input::Fail);
    }
}

impl Tabled for WebSocket {
    type State = State;
    type Input = Input;
    type Action = Action;

    fn state(&self) -> State {
        self.state
    }

    fn look(&self, input: Input) -> Step {
        step(self.state, input)
    }

    fn enter(&mut self, next: State) -> State {
        std::mem::replace(&mut self.state, next)
    }

    fn act(&mut self, now: Duration, before: State, action: Action) -> Option<Input> {
        use WebSocketOperation::{Close, Receive, Send, Shutdown};
        match action {
            Action::Transmit => {
                return self.transmit(Frame::Data).then_some(Input::SentData);
            }
            Action::TransmitClose => {
                return Some(if self.transmit(Frame::Close) { Input::SentClose } else { Input::CloseQueued });
            }
            Action::Supply => return self.supply(),
            Action::Wait => self.timers.start(Timer::Close, now, &self.settings),
            Action::Abandon => {
                self.timers.stop(Timer::Ping);
                self.outputs.push(Output::Abandon);
            }
            Action::EndSend => {
                let (bytes, buffer_type) = self.sending;
                self.end(Send, Ok(Notification::WebSocketWriteComplete { bytes, buffer_type }));
            }
            Action::EndReceive => {
                let bytes = self.reading.as_ref().map_or(0, |read| read.filled as u32);
                let (kind, message) = self.found;
                let buffer_type = kind.buffer_type(message);
                self.end(Receive, Ok(Notification::WebSocketReadComplete { bytes, buffer_type }));
            }
            Action::EndReceiveClose => {
                let buffer_type = WINHTTP_WEB_SOCKET_CLOSE_BUFFER_TYPE;
                self.end(Receive, Ok(Notification::WebSocketReadComplete { bytes: 0, buffer_type }));
            }
            Action::EndShutdown => self.end(Shutdown, Ok(Notification::ShutdownComplete)),
            Action::EndClose => self.end(Close, Ok(Notification::CloseComplete)),
            Action::FailSend => self.end(Send, Err(self.cause)),
            Action::FailReceive => self.end(Receive, Err(self.cause)),
            Action::FailShutdown => self.end(Shutdown, Err(self.cause)),
            Action::FailClose => self.end(Close, Err(self.cause)),
            Action::CancelReceive => self.end(Receive, Err(ERROR_WINHTTP_OPERATION_CANCELLED)),
            Action::FailPending => self.end_pending(before, self.cause),
            Action::CancelPending => self.end_pending(before, ERROR_WINHTTP_OPERATION_CANCELLED),
        }
        None
    }
}

impl Machine for WebSocket {
    fn gathered(&mut self) -> &mut Vec<Output> {
        &mut self.outputs
    }

    fn deadline(&self) -> Option<Duration> {
        self.timers.next()
    }

    fn idles(&self) -> bool {
        !self.timers.runs(Timer::Close)
    }

    fn pending(&self) -> bool {
        self.state.receive.pending().is_some() || self.state.send.pending().is_some()
    }

    fn both_pending(&self) -> bool {
        self.state.receive.pending().is_some() && self.state.send.pending().is_some()
    }

    fn busy(&self, operation: Operation) -> Option<Operation> {
        let pending = match operation {
            Operation::WebSocket(WebSocketOperation::Receive) => self.state.receive.pending(),
            // Close takes the place of Receive; a second one has to wait for the first.
            Operation::WebSocket(WebSocketOperation::Close) => {
                self.state.receive.pending().filter(|pending| *pending == WebSocketOperation::Close)
            }
            _ => self.state.send.pending(),
        };
        pending.map(Operation::from)
    }

    fn event(&mut self, now: Duration, _attempt: u64, event: Event) {
        match event {
            Event::Body { bytes, end } => {
                if !bytes.is_empty() {
                    self.parse(now, &bytes);
                }
                if end.is_some() {
                    self.fail(now, ERROR_WINHTTP_CONNECTION_ERROR);
                }
            }
            Event::Wrote => {
                match self.outgoing.sent() {
                    Some(Frame::Data) => self.happened(now, Input::SentData),
                    Some(Frame::Close) => self.happened(now, Input::SentClose),
                    Some(Frame::Control) | None => {}
                }
                self.answer_ping();
            }
            Event::Failed(failure) => self.fail(now, failure.error),
            // What belongs to a request is over.
            _ => {}
        }
    }

    fn tick(&mut self, now: Duration) {
        while let Some(over) = self.timers.over(now) {
            match over {
                Over::Fail => self.fail(now, ERROR_WINHTTP_TIMEOUT),
                Over::Ping => {
                    self.timers.start(Timer::Ping, now, &self.settings);
                    if self.speaks() && self.outgoing.flows() {
                        self.frame = self.masks.ping();
                        self.transmit(Frame::Control);
                    }
                }
            }
        }
    }

    fn cancel(&mut self, now: Duration, write_first: bool) {
        self.write_first = write_first;
        self.happened(now, Input::Cancel);
    }

    fn close(&mut self, now: Duration, write_first: bool) {
        self.write_first = write_first;
        self.happened(now, Input::Close);
    }
}
