//! The web socket machine as a table.
//!
//! A web socket is a conversation that is open, closing or closed, a send side (Send, Shutdown, the close frame of
//! Close) and a receive side (Receive, and Close while it waits for the peer). Each side has at most one operation
//! pending; both may. [`step`] is the only place that says what may follow what. It knows no bytes: what a frame says
//! or whether a buffer holds enough comes in as an input.
#![doc = include_str!("states.md")]

use crate::record::WebSocketOperation;
use crate::win32::{ERROR_INVALID_OPERATION, ERROR_WINHTTP_OPERATION_CANCELLED};

/// Where the conversation stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Conversation {
    /// Nobody has closed.
    Open,
    /// Our close frame went its way, the peer's was not taken yet.
    Closing,
    /// The peer's close frame was taken, ours has not gone its way.
    PeerClosed,
    /// The same, and the connection ended since.
    PeerGone,
    /// Both close frames went their way; Close has not ended.
    Closed,
    /// Close has ended.
    Done,
    /// The connection ended without the peer's close frame, or the peer broke the protocol. What came before that can
    /// still be received.
    Broken,
    /// The handle was closed.
    Gone,
}

/// What is pending on the send side.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SendSide {
    /// Nothing.
    Idle,
    /// WinHttpWebSocketSend.
    Data,
    /// WinHttpWebSocketShutdown.
    Shutdown,
    /// The close frame of WinHttpWebSocketClose, which is pending on the receive side.
    CloseFrame,
}

/// What is pending on the receive side.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReceiveSide {
    /// Nothing.
    Idle,
    /// WinHttpWebSocketReceive.
    Receive,
    /// WinHttpWebSocketClose: messages are thrown away until the peer's close frame comes.
    Close,
}

impl SendSide {
    /// The operation that is pending.
    pub const fn pending(self) -> Option<WebSocketOperation> {
        match self {
            SendSide::Idle | SendSide::CloseFrame => None,
            SendSide::Data => Some(WebSocketOperation::Send),
            SendSide::Shutdown => Some(WebSocketOperation::Shutdown),
        }
    }
}

impl ReceiveSide {
    /// The operation that is pending.
    pub const fn pending(self) -> Option<WebSocketOperation> {
        match self {
            ReceiveSide::Idle => None,
            ReceiveSide::Receive => Some(WebSocketOperation::Receive),
            ReceiveSide::Close => Some(WebSocketOperation::Close),
        }
    }
}

/// The state of a web socket.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct State {
    /// The conversation.
    pub conversation: Conversation,
    /// The send side.
    pub send: SendSide,
    /// The receive side.
    pub receive: ReceiveSide,
}

/// What can happen to a web socket.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Input {
    /// WinHttpWebSocketSend is called.
    CallSend,
    /// WinHttpWebSocketReceive is called.
    CallReceive,
    /// WinHttpWebSocketShutdown is called.
    CallShutdown,
    /// WinHttpWebSocketClose is called.
    CallClose,
    /// The frame of Send is out.
    SentData,
    /// The close frame is out.
    SentClose,
    /// The close frame waits until there is room for it; [`Input::SentClose`] comes later.
    CloseQueued,
    /// Something came.
    Data,
    /// There is enough for the pending Receive.
    Supplied,
    /// The peer's close frame is what comes next.
    PeerClose,
    /// The failure of a broken connection is what comes next.
    Failure,
    /// The connection ended, the peer broke the protocol, or it did not answer our close frame in time.
    Fail,
    /// The session was closed.
    Cancel,
    /// The handle was closed.
    Close,
}

/// What must happen when a step is taken, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Give the frame to the transport; [`Input::SentData`] comes next if there is room for it.
    Transmit,
    /// Give the close frame to the transport; [`Input::SentClose`] comes next if there is room for it, else
    /// [`Input::CloseQueued`].
    TransmitClose,
    /// Look at what came: [`Input::Supplied`], [`Input::PeerClose`], [`Input::Failure`] or nothing comes next.
    Supply,
    /// From now on the peer has until the close timeout.
    Wait,
    /// Let the connection go, when what was given to it is out.
    Abandon,
    /// Send succeeded.
    EndSend,
    /// Receive succeeded.
    EndReceive,
    /// Receive succeeded: the peer has closed.
    EndReceiveClose,
    /// Shutdown succeeded.
    EndShutdown,
    /// Close succeeded.
    EndClose,
    /// Send failed.
    FailSend,
    /// Receive failed.
    FailReceive,
    /// Shutdown failed.
    FailShutdown,
    /// Close failed.
    FailClose,
    /// Receive is cancelled.
    CancelReceive,
    /// What is pending fails, receive side first.
    FailPending,
    /// What is pending is cancelled, receive side first.
    CancelPending,
}

/// The answer of the table.
pub type Step = crate::machine::Step<State, Action>;

/// The state of a web socket that was just made.
pub const OPENED: State = State { conversation: Conversation::Open, send: SendSide::Idle, receive: ReceiveSide::Idle };

/// What follows `input` in `state`.
#[rustfmt::skip]
pub const fn step(state: State, input: Input) -> Step {
    use Action::*;
    use Conversation::*;
    use Input::*;
    use ReceiveSide::Receive;
    use SendSide::{CloseFrame, Shutdown};
    const IDLE: ReceiveSide = ReceiveSide::Idle;
    const CLOSE: ReceiveSide = ReceiveSide::Close;
    const QUIET: SendSide = SendSide::Idle;
    const DATA: SendSide = SendSide::Data;
    const GONE: Step = Step::Refuse(ERROR_WINHTTP_OPERATION_CANCELLED);
    const REFUSED: Step = Step::Refuse(ERROR_INVALID_OPERATION);
    const fn to(conversation: Conversation, send: SendSide, receive: ReceiveSide, actions: &'static [Action]) -> Step {
        Step::Take(State { conversation, send, receive }, actions)
    }

    let State { conversation: c, send: s, receive: r } = state;
    match (c, s, r, input) {
        // The handle is gone. That its session was closed does a web socket no harm (source r4).
        (Gone, _, _, CallSend | CallReceive | CallShutdown | CallClose) => GONE,
        // The connection goes on until what was given to it is out; the session is closed after its web sockets.
        (Gone, _, _, Data | SentData | SentClose | Fail | Cancel) => to(c, s, r, &[]),
        (Gone, ..) => Step::Impossible,
        (_, _, _, Input::Close) => to(Gone, QUIET, IDLE, &[CancelPending, Abandon]),
        (_, _, _, Cancel) => to(c, s, r, &[]),

        // WinHttpWebSocketSend: until our close frame.
        (Open | PeerClosed, QUIET, _, CallSend) => to(c, DATA, r, &[Transmit]),
        (Broken | PeerGone, _, _, CallSend) => to(c, s, r, &[FailSend]),
        (_, _, _, CallSend) => REFUSED,

        // WinHttpWebSocketReceive: until the peer's close frame.
        (Open | Closing | Broken, _, IDLE, CallReceive) => to(c, s, Receive, &[Supply]),
        (_, _, _, CallReceive) => REFUSED,

        // WinHttpWebSocketShutdown: our close frame; messages may still come.
        (Open, QUIET, _, CallShutdown)       => to(Closing, Shutdown, r, &[TransmitClose]),
        (PeerClosed, QUIET, _, CallShutdown) => to(Closed, Shutdown, r, &[TransmitClose]),
        (PeerGone, _, _, CallShutdown)       => to(Closed, QUIET, r, &[EndShutdown]),
        (Broken, _, _, CallShutdown)         => to(c, s, r, &[FailShutdown]),
        (_, _, _, CallShutdown) => REFUSED,

        // WinHttpWebSocketClose: our close frame, unless Shutdown sent it, and the peer's. It takes the place of Receive, but
        // not of Send (source m7).
        (_, _, CLOSE, CallClose) | (_, DATA, _, CallClose) => REFUSED,
        (Open, _,     Receive, CallClose)   => to(Closing, CloseFrame, CLOSE, &[CancelReceive, Wait, TransmitClose]),
        (Open, _,     _, CallClose)         => to(Closing, CloseFrame, CLOSE, &[Wait, TransmitClose]),
        (PeerClosed, _, _, CallClose)       => to(Closed, CloseFrame, CLOSE, &[Wait, TransmitClose]),
        (Closing, _, Receive, CallClose)    => to(c, s, CLOSE, &[CancelReceive, Wait, Supply]),
        (Closing, _, _, CallClose)          => to(c, s, CLOSE, &[Wait, Supply]),
        (Closed, Shutdown, _, CallClose)    => to(c, s, CLOSE, &[Wait]),
        (Closed | PeerGone, _, _, CallClose) => to(Done, QUIET, IDLE, &[EndClose, Abandon]),
        (Broken, _, IDLE, CallClose)        => to(c, s, CLOSE, &[Supply]),
        (_, _, _, CallClose) => REFUSED,

        // Frames go out. Close then looks at what came, whether its frame has room or not.
        // Of one whose operation has failed nobody hears.
        (_, QUIET, _, SentData | SentClose)     => to(c, s, r, &[]),
        (_, DATA, _, SentData)                  => to(c, QUIET, r, &[EndSend]),
        (Closed, Shutdown, CLOSE, SentClose)    => to(Done, QUIET, IDLE, &[EndShutdown, EndClose, Abandon]),
        (_, Shutdown, _, SentClose)             => to(c, QUIET, r, &[EndShutdown]),
        (Closed, CloseFrame, CLOSE, SentClose)  => to(Done, QUIET, IDLE, &[EndClose, Abandon]),
        (_, CloseFrame, _, SentClose)           => to(c, QUIET, r, &[Supply]),
        (Closing, CloseFrame, _, CloseQueued)   => to(c, s, r, &[Supply]),
        (_, Shutdown | CloseFrame, _, CloseQueued) => to(c, s, r, &[]),

        // Frames come.
        (_, _, Receive | CLOSE, Data) => to(c, s, r, &[Supply]),
        (_, _, _, Data)               => to(c, s, r, &[]),
        (_, _, Receive, Supplied)     => to(c, s, IDLE, &[EndReceive]),
        (Open,    _, Receive, PeerClose) => to(PeerClosed, s, IDLE, &[EndReceiveClose]),
        (Closing, _, Receive, PeerClose) => to(Closed, s, IDLE, &[EndReceiveClose]),
        (Broken,  _, Receive, PeerClose) => to(PeerGone, s, IDLE, &[EndReceiveClose]),
        (Closing, QUIET, CLOSE, PeerClose) => to(Done, QUIET, IDLE, &[EndClose, Abandon]),
        (Closing, _, CLOSE, PeerClose)     => to(Closed, s, r, &[]),
        (Broken, _, CLOSE, PeerClose)      => to(Done, QUIET, IDLE, &[EndClose, Abandon]),
        (Broken, _, Receive, Failure)      => to(c, s, IDLE, &[FailReceive]),
        (Broken, _, CLOSE, Failure)        => to(c, s, IDLE, &[FailClose]),

        // The end of the connection is no failure for those who have the peer's close frame.
        (Open | Closing, _, _, Fail)       => to(Broken, QUIET, IDLE, &[FailPending, Abandon]),
        (PeerClosed, DATA, _, Fail)        => to(PeerGone, QUIET, r, &[FailSend, Abandon]),
        (PeerClosed, _, _, Fail)           => to(PeerGone, QUIET, r, &[Abandon]),
        (Closed, Shutdown, CLOSE, Fail)    => to(Done, QUIET, IDLE, &[EndShutdown, EndClose, Abandon]),
        (Closed, Shutdown, _, Fail)        => to(c, QUIET, r, &[EndShutdown, Abandon]),
        (Closed, _, CLOSE, Fail)           => to(Done, QUIET, IDLE, &[EndClose, Abandon]),
        (Closed, _, _, Fail)               => to(c, QUIET, r, &[Abandon]),
        (Broken | PeerGone | Done, _, _, Fail) => to(c, s, r, &[]),

        _ => Step::Impossible,
    }
}
