//! The request machine as a table.
//!
//! A request is an exchange with a server, a read side (ReceiveResponse, QueryDataAvailable, ReadData) and a write side
//! (SendRequest, WriteData). Each side has at most one operation pending; both may. [`step`] is the only place that
//! says what may follow what: given a state and an input it answers the next state and the actions that go with it.
//! It knows no data: what a head says or whether a buffer holds enough comes in as an input.
#![doc = include_str!("states.md")]

use crate::record::Api;
use crate::win32::{ERROR_INVALID_PARAMETER, ERROR_WINHTTP_INCORRECT_HANDLE_STATE, ERROR_WINHTTP_OPERATION_CANCELLED};

/// Where the exchange with the server stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Exchange {
    /// Nothing is under way: SendRequest may start it.
    Unsent,
    /// A connection is made and the head goes out.
    Sending,
    /// The head is out, the reply is not there.
    Awaiting,
    /// The head of the reply is there; ReceiveResponse takes it.
    Arrived,
    /// The application is being told of a redirect that is about to be followed.
    Following,
    /// It failed after SendRequest had completed; ReceiveResponse says so.
    Failed,
    /// The application has the head; the body is read.
    Body,
    /// The session was closed.
    Cancelled,
    /// The handle was closed.
    Closed,
}

/// The operation pending on the read side.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReadSide {
    /// None.
    Idle,
    /// WinHttpReceiveResponse.
    Receive,
    /// WinHttpQueryDataAvailable.
    Query,
    /// WinHttpReadData or WinHttpReadDataEx.
    Read,
    /// WinHttpReceiveResponse, and WinHttpQueryDataAvailable inside its REDIRECT callback.
    ReceiveQuery,
    /// WinHttpReceiveResponse, and WinHttpReadData or WinHttpReadDataEx inside its REDIRECT callback.
    ReceiveRead,
}

impl ReadSide {
    /// The operation that is pending; of two, the one that began last.
    pub const fn pending(self) -> Option<Api> {
        match self {
            ReadSide::Idle => None,
            ReadSide::Receive => Some(Api::RECEIVE_RESPONSE),
            ReadSide::Query | ReadSide::ReceiveQuery => Some(Api::QUERY_DATA_AVAILABLE),
            ReadSide::Read | ReadSide::ReceiveRead => Some(Api::READ_DATA),
        }
    }

    /// The operation that is pending behind that one.
    pub const fn pending_behind(self) -> Option<Api> {
        match self {
            ReadSide::ReceiveQuery | ReadSide::ReceiveRead => Some(Api::RECEIVE_RESPONSE),
            ReadSide::Idle | ReadSide::Receive | ReadSide::Query | ReadSide::Read => None,
        }
    }
}

impl WriteSide {
    /// The operation that is pending.
    pub const fn pending(self) -> Option<Api> {
        match self {
            WriteSide::Shut | WriteSide::Open | WriteSide::Dead => None,
            WriteSide::Send => Some(Api::SEND_REQUEST),
            WriteSide::Write | WriteSide::Last => Some(Api::WRITE_DATA),
        }
    }
}

/// The operation pending on the write side, and whether one may come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WriteSide {
    /// None, and the body is complete.
    Shut,
    /// None; WriteData may come.
    Open,
    /// None; the exchange broke before the body was complete, and WriteData says so (source m16).
    Dead,
    /// WinHttpSendRequest.
    Send,
    /// WinHttpWriteData.
    Write,
    /// WinHttpWriteData with the last bytes of the body.
    Last,
}

/// The state of a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct State {
    /// The exchange with the server.
    pub exchange: Exchange,
    /// The read side.
    pub read: ReadSide,
    /// The write side.
    pub write: WriteSide,
}

/// What can happen to a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Input {
    /// WinHttpSendRequest is called.
    CallSend,
    /// WinHttpWriteData is called, and more may follow.
    CallWrite,
    /// WinHttpWriteData is called with the last bytes.
    CallWriteLast,
    /// WinHttpReceiveResponse is called; it ends the body.
    CallReceive,
    /// WinHttpReceiveResponse is called on a request whose body goes on beside the reply.
    CallReceiveDuplex,
    /// WinHttpQueryDataAvailable is called.
    CallQuery,
    /// WinHttpReadData is called.
    CallRead,
    /// WinHttpWebSocketCompleteUpgrade is called, and the reply lets it.
    CallUpgrade,
    /// Head and optional data are out; WriteData may follow.
    SentPart,
    /// The same of a request whose body goes on beside the reply.
    SentPartDuplex,
    /// The whole request is out.
    SentWhole,
    /// The whole request is out, and SENDREQUEST_COMPLETE waits for the reply (delivery policy).
    SentHeld,
    /// The bytes of WriteData are out.
    Wrote,
    /// The connection from the pool was dead; the exchange begins again on a new one.
    Restart,
    /// The head of the reply is there.
    Head,
    /// The reply is for the application.
    Final,
    /// The reply is a redirect to be followed.
    Follow,
    /// The reply asks for credentials, and there are some: the request is sent again.
    Resend,
    /// The reply may not be followed.
    Refused,
    /// The application was told of the redirect.
    Told,
    /// Body bytes, or the body's end, are there.
    Data,
    /// The body has enough for the pending operation.
    Supplied,
    /// The body broke before it had.
    Broken,
    /// The exchange failed or its time is up.
    Fail,
    /// The session was closed.
    Cancel,
    /// The handle was closed.
    Close,
}

/// What must happen when a step is taken, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Give the request to the transport.
    Start,
    /// Give it the bytes of WriteData.
    Transmit,
    /// Tell it that the body is complete.
    Finish,
    /// Let the running exchange go.
    Abandon,
    /// The connection becomes a web socket's.
    HandOver,
    /// Look at the head: [`Input::Final`], [`Input::Follow`], [`Input::Resend`] or [`Input::Refused`] comes next.
    Answer,
    /// Look at the body: [`Input::Supplied`], [`Input::Broken`] or nothing comes next.
    Supply,
    /// Notify REQUEST_SENT.
    TellSent,
    /// Notify RECEIVING_RESPONSE.
    TellReceiving,
    /// Notify RESPONSE_RECEIVED.
    TellReceived,
    /// Notify REDIRECT; [`Input::Told`] comes when the callback has returned.
    TellRedirect,
    /// SendRequest succeeded.
    EndSend,
    /// WriteData succeeded.
    EndWrite,
    /// ReceiveResponse succeeded.
    EndReceive,
    /// QueryDataAvailable succeeded.
    EndQuery,
    /// ReadData succeeded.
    EndRead,
    /// SendRequest failed.
    FailSend(FailureCause),
    /// WriteData failed.
    FailWrite(FailureCause),
    /// ReceiveResponse failed.
    FailReceive(FailureCause),
    /// QueryDataAvailable failed.
    FailQuery(FailureCause),
    /// ReadData failed.
    FailRead(FailureCause),
    /// What is pending is cancelled, read side first.
    CancelPending,
}

/// The error of a failed operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FailureCause {
    /// The error that the exchange met.
    Cause,
    /// ERROR_WINHTTP_INCORRECT_HANDLE_STATE.
    WrongState,
    /// ERROR_WINHTTP_OPERATION_CANCELLED.
    Cancelled,
}

/// The answer of the table.
pub type Step = crate::machine::Step<State, Action>;

/// The state of a request that was just opened.
pub const OPENED: State = State { exchange: Exchange::Unsent, read: ReadSide::Idle, write: WriteSide::Shut };

/// What follows `input` in `state`.
#[rustfmt::skip]
pub const fn step(state: State, input: Input) -> Step {
    use Action::*;
    use Exchange::*;
    use Input::*;
    use ReadSide::{Idle, Query, Read, Receive, ReceiveQuery, ReceiveRead};
    use WriteSide::{Dead, Last, Open, Send, Shut, Write};
    const BUSY: Step = Step::Refuse(ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    const TOO_MUCH: Step = Step::Refuse(ERROR_INVALID_PARAMETER);
    const GONE: Step = Step::Refuse(ERROR_WINHTTP_OPERATION_CANCELLED);
    const fn to(exchange: Exchange, read: ReadSide, write: WriteSide, actions: &'static [Action]) -> Step {
        Step::Take(State { exchange, read, write }, actions)
    }

    let State { exchange: x, read: r, write: w } = state;
    match (x, r, w, input) {
        // The handle or its session is gone.
        (Closed | Cancelled, _, _, CallSend | CallWrite | CallWriteLast | CallReceive | CallReceiveDuplex | CallQuery | CallRead | CallUpgrade) => GONE,
        // The session is closed after its requests, or the callback of REDIRECT returns.
        (Closed | Cancelled, _, _, Cancel | Told | Refused) => to(x, r, w, &[]),
        (Closed, ..) => Step::Impossible,
        (_, _, _, Close) => to(Closed, Idle, Shut, &[CancelPending, Abandon]),
        (Cancelled, ..) => Step::Impossible,
        (_, _, _, Cancel) => to(Cancelled, Idle, Shut, &[CancelPending, Abandon]),

        // WinHttpSendRequest: first, or again after a reply.
        (Unsent | Arrived | Failed | Body, Idle, Shut | Open | Dead, CallSend) => to(Sending, Idle, Send, &[Abandon, Start]),
        (_, _, _, CallSend) => BUSY,

        // WinHttpWriteData
        (Awaiting | Arrived | Body, _, Open, CallWrite)      => to(x, r, Write, &[Transmit]),
        (Awaiting | Arrived | Body, _, Open, CallWriteLast)  => to(x, r, Last,  &[Transmit, Finish]),
        (Awaiting | Arrived | Body, _, Shut, CallWrite | CallWriteLast) => TOO_MUCH,
        (Failed | Arrived | Body, _, Dead, CallWrite | CallWriteLast) => to(x, r, w, &[FailWrite(FailureCause::Cause)]),
        (_, _, _, CallWrite | CallWriteLast) => BUSY,

        // WinHttpReceiveResponse: queued while the request goes out, at once when the reply is there.
        (_, Receive | Query | Read | ReceiveQuery | ReceiveRead, _, CallReceive | CallReceiveDuplex) => BUSY,
        (Unsent | Body, Idle, _, CallReceive | CallReceiveDuplex)       => to(x, Idle, w, &[FailReceive(FailureCause::WrongState)]),
        (Sending, Idle, _, CallReceive | CallReceiveDuplex)             => to(x, Receive, w, &[]),
        (Awaiting, Idle, Send, CallReceive | CallReceiveDuplex)         => to(x, Receive, w, &[]),
        (Awaiting, Idle, Open,  CallReceive)                   => to(x, Receive, Shut, &[Finish, TellReceiving]),
        (Awaiting, Idle, Write, CallReceive)                   => to(x, Receive, Last, &[Finish, TellReceiving]),
        (Awaiting, Idle, _, CallReceive | CallReceiveDuplex)   => to(x, Receive, w, &[TellReceiving]),
        (Arrived, Idle, Open,  CallReceive)                    => to(x, Receive, Shut, &[Finish, TellReceiving, Answer]),
        (Arrived, Idle, Write, CallReceive)                    => to(x, Receive, Last, &[Finish, TellReceiving, Answer]),
        (Arrived, Idle, _, CallReceive | CallReceiveDuplex)    => to(x, Receive, w, &[TellReceiving, Answer]),
        (Failed, Idle, _, CallReceive | CallReceiveDuplex)     => to(Unsent, Idle, Shut, &[TellReceiving, FailReceive(FailureCause::Cause)]),
        (Following, Idle, _, CallReceive | CallReceiveDuplex)  => BUSY,

        // WinHttpQueryDataAvailable, WinHttpReadData
        (Body, Idle, _, CallQuery) => to(x, Query, w, &[Supply]),
        (Body, Idle, _, CallRead)  => to(x, Read, w, &[Supply]),
        // Inside REDIRECT the body of the redirect can be read (source m10).
        (Following, Receive, _, CallQuery) => to(x, ReceiveQuery, w, &[Supply]),
        (Following, Receive, _, CallRead)  => to(x, ReceiveRead, w, &[Supply]),
        (_, _, _, CallQuery | CallRead) => BUSY,

        // WinHttpWebSocketCompleteUpgrade: ReceiveResponse may be left out when the head is there
        // (source ws.handshake).
        (Body, Idle, _, CallUpgrade)       => to(x, r, w, &[HandOver]),
        (Arrived, Idle, Shut, CallUpgrade) => to(Body, r, w, &[HandOver]),
        (_, _, _, CallUpgrade) => BUSY,

        // The request goes out. A write side that is not pending belongs to a redirect or a restart.
        (Sending, Idle,    Send, SentPart | SentPartDuplex) => to(Awaiting, r, Open, &[TellSent, EndSend]),
        (Sending, _,       Send, SentPartDuplex) => to(Awaiting, r, Open, &[TellSent, EndSend, TellReceiving]),
        (Sending, _,       Send, SentPart)  => to(Awaiting, r, Shut, &[TellSent, EndSend, Finish, TellReceiving]),
        (Sending, _,       Send, SentHeld)  => to(Awaiting, r, Send, &[TellSent]),
        (Sending, Idle,    Send, SentWhole) => to(Awaiting, r, Shut, &[TellSent, EndSend]),
        (Sending, _,       Send, SentWhole) => to(Awaiting, r, Shut, &[TellSent, EndSend, TellReceiving]),
        (Sending, Receive, _, SentWhole | SentHeld) => to(Awaiting, r, w, &[TellSent, TellReceiving]),
        (Sending, _,       _, SentWhole | SentHeld) => to(Awaiting, r, w, &[TellSent]),
        (Sending | Awaiting, _, Send | Shut, Restart) => to(Sending, r, w, &[]),
        // That WriteData had ended was told with the redirect.
        (Following, _, Shut, Wrote) => to(x, r, w, &[]),
        (_, _, Write, Wrote) => to(x, r, Open, &[EndWrite]),
        (_, _, Last,  Wrote) => to(x, r, Shut, &[EndWrite]),

        // The head of the reply. A held SENDREQUEST_COMPLETE comes first.
        (Awaiting, Idle,    Send, Head) => to(Arrived, r, Shut, &[EndSend]),
        (Awaiting, Receive, Send, Head) => to(Arrived, r, Shut, &[EndSend, TellReceiving, Answer]),
        (Awaiting, Idle,    _,    Head) => to(Arrived, r, w, &[]),
        (Awaiting, Receive, _,    Head) => to(Arrived, r, w, &[Answer]),
        (Arrived, Receive, _, Final)    => to(Body, Idle, w, &[TellReceived, EndReceive]),
        (Arrived, Receive, Write | Last, Follow)  => to(Following, r, Shut, &[EndWrite, TellReceived, TellRedirect]),
        (Arrived, Receive, _, Follow)             => to(Following, r, Shut, &[TellReceived, TellRedirect]),
        (Arrived, Receive, Write | Last, Refused) => to(Unsent, Idle, Shut, &[TellReceived, Abandon, FailReceive(FailureCause::Cause), FailWrite(FailureCause::Cause)]),
        (Arrived, Receive, _, Refused)            => to(Unsent, Idle, Shut, &[TellReceived, Abandon, FailReceive(FailureCause::Cause)]),
        (Arrived, Receive, Shut, Resend)          => to(Sending, r, w, &[TellReceived, Abandon, Start]),
        (Following, ReceiveQuery, Shut, Refused) => to(Unsent, Idle, Shut, &[FailQuery(FailureCause::Cancelled), Abandon, FailReceive(FailureCause::Cause)]),
        (Following, ReceiveRead,  Shut, Refused) => to(Unsent, Idle, Shut, &[FailRead(FailureCause::Cancelled), Abandon, FailReceive(FailureCause::Cause)]),
        (Following, ReceiveQuery, Shut, Told) => to(Sending, Receive, w, &[FailQuery(FailureCause::Cancelled), Abandon, Start]),
        (Following, ReceiveRead,  Shut, Told) => to(Sending, Receive, w, &[FailRead(FailureCause::Cancelled), Abandon, Start]),
        (Following, Receive, Shut, Refused) => to(Unsent, Idle, Shut, &[Abandon, FailReceive(FailureCause::Cause)]),
        (Following, Receive, Shut, Told) => to(Sending, r, w, &[Abandon, Start]),

        // The body.
        (Body, Query | Read, _, Data)   => to(x, r, w, &[Supply]),
        (Arrived | Body, Idle, _, Data) => to(x, r, w, &[]),
        (Following, ReceiveQuery | ReceiveRead, _, Data | Fail) => to(x, r, w, &[Supply]),
        (Following, _, _, Data | Fail)  => to(x, r, w, &[]),
        (Following, ReceiveQuery, _, Supplied) => to(x, Receive, w, &[EndQuery]),
        (Following, ReceiveRead,  _, Supplied) => to(x, Receive, w, &[EndRead]),
        (Following, ReceiveQuery, _, Broken)   => to(x, Receive, w, &[FailQuery(FailureCause::Cause)]),
        (Following, ReceiveRead,  _, Broken)   => to(x, Receive, w, &[FailRead(FailureCause::Cause)]),
        (Body, Query, _, Supplied)      => to(x, Idle, w, &[EndQuery]),
        (Body, Read,  _, Supplied)      => to(x, Idle, w, &[EndRead]),
        (Body, Query, _, Broken)        => to(x, Idle, w, &[FailQuery(FailureCause::Cause)]),
        (Body, Read,  _, Broken)        => to(x, Idle, w, &[FailRead(FailureCause::Cause)]),

        // Failure: told by what is pending, else kept for ReceiveResponse. What arrived before it stays readable.
        (Sending, Receive, Send, Fail) => to(Unsent, Idle, Shut, &[Abandon, FailSend(FailureCause::Cause), FailReceive(FailureCause::Cancelled)]),
        (Sending, _,       Send, Fail) => to(Unsent, Idle, Shut, &[Abandon, FailSend(FailureCause::Cause)]),
        (Awaiting, Receive, Send, Fail) => to(Unsent, Idle, Shut, &[Abandon, EndSend, TellReceiving, FailReceive(FailureCause::Cause)]),
        (Awaiting, _,       Send, Fail) => to(Failed, Idle, Shut, &[Abandon, EndSend]),
        (Sending | Awaiting, Receive, Write | Last, Fail) => to(Unsent, Idle, Shut, &[Abandon, FailReceive(FailureCause::Cause), FailWrite(FailureCause::Cause)]),
        (Sending | Awaiting, Receive, _, Fail) => to(Unsent, Idle, Shut, &[Abandon, FailReceive(FailureCause::Cause)]),
        (Sending | Awaiting, _, Write, Fail) => to(Failed, Idle, Dead, &[Abandon, FailWrite(FailureCause::Cause)]),
        (Sending | Awaiting, _, Last,  Fail) => to(Failed, Idle, Shut,   &[Abandon, FailWrite(FailureCause::Cause)]),
        (Sending | Awaiting, _, Open,  Fail) => to(Failed, Idle, Dead, &[Abandon]),
        (Sending | Awaiting, _, _,     Fail) => to(Failed, Idle, w,      &[Abandon]),
        (Body, Query | Read, Write, Fail) => to(x, r, Dead, &[Abandon, FailWrite(FailureCause::Cause), Supply]),
        (Body, Query | Read, Last,  Fail) => to(x, r, Shut,   &[Abandon, FailWrite(FailureCause::Cause), Supply]),
        (Body, Query | Read, Open | Dead, Fail) => to(x, r, Dead, &[Abandon, Supply]),
        (Body, Query | Read, _,     Fail) => to(x, r, Shut,   &[Abandon, Supply]),
        (Arrived | Body, Idle, Write, Fail) => to(x, r, Dead, &[Abandon, FailWrite(FailureCause::Cause)]),
        (Arrived | Body, Idle, Last,  Fail) => to(x, r, Shut,   &[Abandon, FailWrite(FailureCause::Cause)]),
        (Arrived | Body, Idle, Open | Dead, Fail) => to(x, r, Dead, &[Abandon]),
        (Arrived | Body, Idle, _,     Fail) => to(x, r, Shut,   &[Abandon]),

        _ => Step::Impossible,
    }
}
