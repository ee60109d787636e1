//! The caller's memory that the operations of a handle own, as long as somebody looks whether the caller leaves it alone.

use crate::observe::CheckEvent;
use crate::record::{Api, Notification, Operation, WebSocketOperation};
use crate::win32::{CallerBuf, CallerBytes};

const SEND: Operation = Operation::Api(Api::SEND_REQUEST);
const RECEIVE: Operation = Operation::Api(Api::RECEIVE_RESPONSE);
const READ: Operation = Operation::Api(Api::READ_DATA);
const RECEIVE_FRAME: Operation = Operation::WebSocket(WebSocketOperation::Receive);

/// What a call lends beside the buffer that it reads into.
#[derive(Debug, Default)]
pub(crate) struct BorrowedBuffer {
    /// Bytes that are sent.
    pub bytes: Option<CallerBytes>,
    /// An out parameter: written when the operation ends inside the call, or late if it is watched.
    pub out: Option<CallerBuf>,
    /// Bytes of its buffer.
    pub room: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct BorrowedBuffers {
    /// The buffer of a read that has ended and was not told yet.
    read: Option<CallerBuf>,
    /// The bytes of operations that are pending.
    sent: Vec<(Operation, CallerBytes)>,
    /// lpOptional after SENDREQUEST_COMPLETE: it may be needed again until the reply is there.
    optional: Option<CallerBytes>,
    outs: Vec<(Operation, CallerBuf)>,
    /// The handle was closed: nothing is written any more.
    closed: bool,
}

fn take<T>(list: &mut Vec<(Operation, T)>, operation: Operation) -> Option<T> {
    let place = list.iter().position(|(of, _)| *of == operation)?;
    Some(list.remove(place).1)
}

/// What is written to the out parameter of the operation that this ends.
pub(super) fn count(notification: &Notification) -> Option<u32> {
    match notification {
        Notification::DataAvailable { bytes }
        | Notification::ReadComplete { bytes, .. }
        | Notification::WriteComplete { bytes } => Some(*bytes),
        _ => None,
    }
}

fn late(bytes: &CallerBytes) -> Option<CheckEvent> {
    (!bytes.untouched()).then_some(CheckEvent::SentTouched { operation: SEND, late: true })
}

impl BorrowedBuffers {
    /// An operation begins.
    pub fn begin(&mut self, operation: Operation, lent: BorrowedBuffer) {
        if let Some(mut out) = lent.out {
            out.lend();
            self.outs.push((operation, out));
        }
        if let Some(bytes) = lent.bytes {
            self.sent.push((operation, bytes));
        }
    }

    /// A read has ended.
    pub fn give_back(&mut self, buffer: CallerBuf) {
        self.read = Some(buffer);
    }

    /// Puts in what was read, before the end of the read is told.
    pub fn settle(&mut self) {
        if let Some(read) = self.read.as_mut().filter(|read| read.untouched()) {
            read.settle();
        }
    }

    /// The handle is being closed: the last moment at which its operations may write.
    pub fn close(&mut self) -> Vec<CheckEvent> {
        self.closed = true;
        let mut events = Vec::new();
        if self.read.as_ref().is_some_and(|read| !read.untouched()) {
            events.push(CheckEvent::ReadTouched);
            self.read = None;
        }
        self.settle();
        events.extend(self.optional.take().as_ref().and_then(late));
        events
    }

    /// This will not be told, because nobody wants it.
    pub fn unheard(&mut self, notification: &Notification) -> Vec<CheckEvent> {
        match notification {
            Notification::SecureFailure { .. } => vec![CheckEvent::SecureFailureUnheard],
            _ => self.delivered(notification),
        }
    }

    /// This is about to be told: the operation that it ends gives back what it owned.
    pub fn delivered(&mut self, notification: &Notification) -> Vec<CheckEvent> {
        let mut events = Vec::new();
        let Some(operation) = Operation::ended_by(notification) else { return events };
        if let Some(mut out) = take(&mut self.outs, operation) {
            if !out.untouched() {
                events.push(CheckEvent::OutParameterGone(operation));
            } else if let Some(value) = count(notification).filter(|_| !self.closed) {
                out.write(0, &value.to_ne_bytes());
                out.settle();
            }
        }
        if operation == READ || operation == RECEIVE_FRAME {
            events.extend(self.read_ended());
        }
        if let Some(bytes) = take(&mut self.sent, operation) {
            if !bytes.untouched() {
                events.push(CheckEvent::SentTouched { operation, late: false });
            } else if matches!(notification, Notification::SendRequestComplete { .. }) && !self.closed {
                self.optional = Some(bytes);
            }
        }
        if operation == RECEIVE {
            events.extend(self.optional.take().as_ref().and_then(late));
        }
        events
    }

    fn read_ended(&mut self) -> Option<CheckEvent> {
        let mut read = self.read.take()?;
        let touched = !read.untouched();
        if !self.closed {
            read.settle();
        }
        touched.then_some(CheckEvent::ReadTouched)
    }
}
