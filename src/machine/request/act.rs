//! What the actions of the table do with the data of a request.

use std::time::Duration;

use super::Request;
use super::body::Supply;
use super::table::{Action, FailureCause, Input, State, Step, step};
use super::timers::{Side, Timer};
use crate::machine::Output;
use crate::machine::reading::PendingRead;
use crate::machine::step::Tabled;
use crate::record::{Api, Notification};
use crate::win32::{ERROR_WINHTTP_INCORRECT_HANDLE_STATE, ERROR_WINHTTP_OPERATION_CANCELLED};

impl Tabled for Request {
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
        match action {
            Action::Start => self.start(now),
            Action::Transmit => {
                self.timers.start(Timer::Write, now, &self.config.settings.timeouts);
                let bytes = std::mem::take(&mut self.write.piece);
                self.outputs.push(Output::Write(bytes));
            }
            Action::Finish => {
                self.write.source.close();
                self.outputs.push(Output::Finish);
                self.await_reply(now);
            }
            Action::HandOver => self.outputs.push(Output::HandOver),
            Action::Abandon => {
                self.attempt_number += 1;
                self.resolver = None;
                self.timers.clear();
                self.outputs.push(Output::Abandon);
            }
            Action::Answer => return Some(self.answer()),
            Action::Supply => return self.supply(),
            // CONNECT went out in place of the request, and was told.
            Action::TellSent | Action::TellReceiving if self.route.refused => {}
            Action::TellSent => {
                let bytes = self.attempt.out.min(u32::MAX.into()) as u32;
                self.notify(Notification::RequestSent { bytes });
            }
            Action::TellReceiving => self.notify(Notification::ReceivingResponse),
            Action::TellReceived => {
                let bytes = self.attempt.received.min(u32::MAX.into()) as u32;
                self.notify(Notification::ResponseReceived { bytes });
            }
            Action::TellRedirect => {
                self.current.redirects += 1;
                if let Some(following) = &self.following {
                    let url = following.url.as_str().into();
                    self.notify(Notification::Redirect { url });
                }
                self.outputs.push(Output::ThenFollowRedirect);
            }
            Action::EndSend => {
                let (optional, bytes) = self.current.optional;
                self.end(Api::SEND_REQUEST, Notification::SendRequestComplete { optional, bytes });
            }
            Action::EndWrite => self.end(Api::WRITE_DATA, Notification::WriteComplete { bytes: self.write.length }),
            Action::EndReceive => self.end(Api::RECEIVE_RESPONSE, Notification::HeadersAvailable),
            Action::EndQuery => {
                let bytes = self.attempt.body.announce();
                self.end(Api::QUERY_DATA_AVAILABLE, Notification::DataAvailable { bytes });
            }
            Action::EndRead => {
                if let Some(read) = self.read.take() {
                    let complete =
                        Notification::ReadComplete { buffer: read.buffer.address(), bytes: read.filled as u32 };
                    self.give_back(read);
                    self.end(Api::READ_DATA, complete);
                }
            }
            Action::FailSend(why) => self.failed(Api::SEND_REQUEST, why),
            Action::FailWrite(why) => self.failed(Api::WRITE_DATA, why),
            Action::FailReceive(why) => self.failed(Api::RECEIVE_RESPONSE, why),
            Action::FailQuery(why) => self.failed(Api::QUERY_DATA_AVAILABLE, why),
            Action::FailRead(why) => self.failed(Api::READ_DATA, why),
            Action::CancelPending => {
                let (read, write) = (before.read.pending(), before.write.pending());
                let behind = before.read.pending_behind();
                let ends = if self.write_first { [write, read, behind] } else { [read, behind, write] };
                for api in ends.into_iter().flatten() {
                    self.failed(api, FailureCause::Cancelled);
                }
            }
        }
        None
    }
}

impl Request {
    pub(super) fn notify(&mut self, notification: Notification) {
        self.outputs.push(Output::Notify(notification));
    }

    fn end(&mut self, api: Api, completion: Notification) {
        if matches!(api, Api::QUERY_DATA_AVAILABLE | Api::READ_DATA) {
            self.timers.stop(Side::Read);
        }
        self.outputs.push(Output::End(api.into(), Ok(completion)));
    }

    fn failed(&mut self, api: Api, why: FailureCause) {
        let error = match why {
            FailureCause::Cause => self.cause,
            FailureCause::WrongState => ERROR_WINHTTP_INCORRECT_HANDLE_STATE,
            FailureCause::Cancelled => ERROR_WINHTTP_OPERATION_CANCELLED,
        };
        if let Some(read) = self.read.take_if(|_| api == Api::READ_DATA) {
            self.give_back(read);
        }
        self.timers.stop(Side::Read);
        self.outputs.push(Output::End(api.into(), Err(error)));
    }

    fn give_back(&mut self, read: PendingRead) {
        if read.buffer.is_lent() {
            self.outputs.push(Output::GiveBack(read.buffer));
        }
    }

    /// Whether the body has enough for the pending operation.
    fn supply(&mut self) -> Option<Input> {
        let supply = match &mut self.read {
            Some(read) => self.attempt.body.read(read),
            None => self.attempt.body.query(),
        };
        let released = self.attempt.body.released();
        if released > 0 {
            self.outputs.push(Output::Taken(released));
        }
        let input = match supply {
            Supply::Dry => return None,
            Supply::Broken(error) => {
                self.cause = error;
                Input::Broken
            }
            Supply::Enough => Input::Supplied,
        };
        if self.attempt.body.finished()
            && self.config.template.asks_to_close()
            && !std::mem::replace(&mut self.attempt.told_closing, true)
        {
            self.notify(Notification::ClosingConnection);
            self.notify(Notification::ConnectionClosed);
        }
        Some(input)
    }
}
