//! Faults: *when* something goes wrong, and *what* happens then.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use super::gate::Gate;
use super::peer::possible;
use super::reply::Reply;
use crate::api::surface::Entry;
use crate::record::Status;
use crate::transport::Failure;
use crate::variables::nearest;
use crate::win32::{
    ERROR_WINHTTP_CANNOT_CONNECT, ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_INVALID_SERVER_RESPONSE,
    ERROR_WINHTTP_NAME_NOT_RESOLVED, ERROR_WINHTTP_SECURE_FAILURE, Win32Error,
};

/// A stage of a request, in the order in which a request passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The host name is looked up.
    Resolve,
    /// A connection is made.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The head is sent, with the body that was given to WinHttpSendRequest.
    Send,
    /// The bytes of one WinHttpWriteData are sent.
    Write,
    /// The head of the reply comes.
    Head,
    /// A piece of the reply's body comes.
    Read,
    /// The end of the body comes, if it is a separate event: the last chunk, or the end of the connection. A fault here for a body
    /// with a Content-Length, or for no body, can never strike: the Sim fails with a complaint.
    Close,
}

impl Stage {
    /// Every stage, in the order in which a request passes them.
    pub const ALL: &[Stage] = &[
        Stage::Resolve,
        Stage::Connect,
        Stage::Tls,
        Stage::Send,
        Stage::Write,
        Stage::Head,
        Stage::Read,
        Stage::Close,
    ];

    /// The error that a failure at this stage usually has: 12007 for `Resolve`, 12029 for `Connect`, 12175 for `Tls`, 12030 for the
    /// others.
    pub fn error(self) -> Win32Error {
        match self {
            Stage::Resolve => ERROR_WINHTTP_NAME_NOT_RESOLVED,
            Stage::Connect => ERROR_WINHTTP_CANNOT_CONNECT,
            Stage::Tls => ERROR_WINHTTP_SECURE_FAILURE,
            _ => ERROR_WINHTTP_CONNECTION_ERROR,
        }
    }

    /// The error of a connection that the server closes at this stage, before the head of a reply.
    pub(super) fn closed(self) -> Win32Error {
        match self {
            Stage::Resolve | Stage::Connect => self.error(),
            // d01
            Stage::Head => ERROR_WINHTTP_INVALID_SERVER_RESPONSE,
            _ => ERROR_WINHTTP_CONNECTION_ERROR,
        }
    }
}

impl FaultKind {
    /// The complaint about one that a server which is played byte by byte meets with as it sends, and that cannot strike it.
    pub fn cannot_strike_bytes(&self) -> String {
        format!("a fault that cannot strike a server that is played byte by byte: Read -> {self:?}")
    }

    /// The complaint about one that would strike at the end of a body that ends with its last byte.
    pub fn cannot_strike_end(&self) -> String {
        format!("a fault that cannot strike a body whose length was told: Close -> {self:?}")
    }
}

/// What a program meets with when a fault fails. m14: a reset has its Winsock error, wherever it strikes.
pub(super) fn failure(error: Win32Error, secure: u32) -> Failure {
    let failure = Failure { secure, ..error.into() };
    match error {
        ERROR_WINHTTP_CONNECTION_ERROR => Failure { winsock: WSAECONNRESET, ..failure },
        _ => failure,
    }
}

/// The connection was reset.
const WSAECONNRESET: u32 = 10054;

/// When a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FaultTrigger {
    Stage(Stage),
    /// After so many bytes of the body.
    Body(usize),
    /// At a call of this function.
    Call(String),
    /// When a callback with this status is about to be called.
    Callback(Status),
}

impl FaultTrigger {
    /// Whether the network comes to it, and no code of the program.
    pub fn is_of_network(&self) -> bool {
        matches!(self, FaultTrigger::Stage(_) | FaultTrigger::Body(_))
    }
}

/// What it does.
#[derive(Clone, Debug)]
pub(super) enum FaultKind {
    /// The stage fails, with the bits of SECURE_FAILURE.
    Fail(Win32Error, u32),
    /// The server closes the connection.
    Close,
    /// Nothing more comes.
    Stall,
    Delay(Duration),
    Wait(Gate),
    /// Bytes per second.
    Slow(u64),
    /// Bytes at a time.
    Short(usize),
    /// As many bytes at a time as the chooser says.
    AnyLength,
    /// The server answers this instead.
    Answer(Box<Reply>),
    /// The call fails before it has looked at anything.
    Refuse(Win32Error),
    /// The call fails after it has bound its context.
    RefuseBound(Win32Error),
    /// What the call brings about is delivered inside it, or not.
    InCall(bool),
    WriteSideFirst,
    Accept,
    /// The last error that the call leaves when it succeeds.
    LastError(Win32Error),
    WaitAtEntry(Gate),
    WaitAtReturn(Gate),
    /// Everything else that can happen now happens before the call returns.
    SettleAtReturn,
    /// Everything else that can happen now happens before the callback is called.
    Settle,
}

/// Which occurrences count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Every,
    /// From 1.
    Nth(usize),
    First(usize),
}

/// Something that goes wrong, or happens differently than usual. It has two parts: *when* (a stage, a call or a callback, and which
/// occurrence of it) and *what*.
///
/// Where a fault is armed says what it applies to: [`Sim::fault`](super::Sim::fault) to everything in the Sim,
/// [`Peer::fault`](super::Peer::fault) to the connections of that peer, [`Reply::then`] to that reply. Each fault counts
/// occurrences on its own. Without `nth` or `first` it strikes at every occurrence.
///
/// ```
/// use portable_winhttp::lab::{Fault, Reply, Sim, Stage, any};
/// use portable_winhttp::record::Status;
/// use portable_winhttp::win32::*;
///
/// let sim = Sim::new();
/// let gate = sim.gate("read");
/// sim.fault(Fault::at(Stage::Connect).nth(2).fail(ERROR_WINHTTP_TIMEOUT));
/// sim.fault(Fault::in_call("WinHttpQueryHeaders").nth(3).fail(ERROR_INSUFFICIENT_BUFFER));
/// sim.fault(Fault::on(Status(WINHTTP_CALLBACK_STATUS_READ_COMPLETE)).hold(&gate));
///
/// let api = sim.peer("https://api.test");
/// api.fault(Fault::at(Stage::Tls).nth(1).secure(WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA));
/// api.on(any()).reply(Reply::ok().body("0123456789").then(Fault::after_body(3).reset()));
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) when: FaultTrigger,
    pub(super) what: FaultKind,
    which: Which,
    /// Only for the handle with this name.
    of: Option<String>,
    pub(super) may: bool,
}

/// The first part of a fault of the network: when. Its methods add what happens. From [`Fault::at`] and [`Fault::after_body`].
#[derive(Clone, Debug)]
#[must_use = "say what happens there"]
pub struct AtStage(FaultTrigger, Which);

/// The first part of a fault of a function: when. Its methods add what happens. From [`Fault::in_call`].
#[derive(Clone, Debug)]
#[must_use = "say what happens there"]
pub struct InCall(String, Which);

/// The first part of a fault of a callback: when. Its methods add what happens. From [`Fault::on`].
#[derive(Clone, Debug)]
#[must_use = "say what happens there"]
pub struct OnCallback(Status, Which);

/// The error of something that fails.
#[track_caller]
fn nonzero(error: impl Into<Win32Error>) -> Win32Error {
    let error = error.into();
    assert!(error.0 != 0, "what fails has an error other than 0");
    error
}

/// Whether a handle can have this name in a trace: a letter, and its number.
fn is_handle(name: &str) -> bool {
    let number = name.strip_prefix(['S', 'C', 'R', 'W', 'P']);
    number.and_then(|number| number.parse::<usize>().ok()).is_some_and(|number| number > 0)
}

fn is_function(name: &str) -> bool {
    functions().iter().any(|known| known.name == name)
}

fn functions() -> &'static [Entry] {
    static FUNCTIONS: LazyLock<Vec<Entry>> = LazyLock::new(crate::api::surface::functions);
    &FUNCTIONS
}

/// Asks whether another one was meant.
fn resembling(name: &str) -> String {
    let whole = format!("WinHttp{name}");
    if is_function(&whole) {
        return format!(": is {whole} meant?");
    }
    let near = nearest(name, functions().iter().map(|known| known.name), 4);
    near.map_or_else(
        || ": only functions of WinHTTP can be made to fail".to_owned(),
        |known| format!(": is {known} meant?"),
    )
}

impl Fault {
    /// At this stage of a request.
    pub fn at(stage: Stage) -> AtStage {
        AtStage(FaultTrigger::Stage(stage), Which::Every)
    }

    /// After this many bytes of a reply's body.
    pub fn after_body(bytes: usize) -> AtStage {
        AtStage(FaultTrigger::Body(bytes), Which::Every)
    }

    /// Whether it is one of what comes behind a head.
    pub(super) fn is_of_body(&self) -> bool {
        matches!(self.when, FaultTrigger::Stage(Stage::Read | Stage::Close) | FaultTrigger::Body(_))
    }

    /// Whether it can strike a server that is played byte by byte.
    pub(super) fn strikes_bytes(&self) -> bool {
        match &self.when {
            FaultTrigger::Stage(Stage::Read) => {
                matches!(self.what, FaultKind::Fail(..) | FaultKind::Close | FaultKind::Stall)
            }
            FaultTrigger::Stage(Stage::Head | Stage::Close) | FaultTrigger::Body(_) => false,
            _ => true,
        }
    }

    /// In a call of this function, by its full name: `WinHttpSendRequest`.
    ///
    /// # Panics
    /// If WinHTTP has no such function.
    #[track_caller]
    pub fn in_call(function: &str) -> InCall {
        assert!(is_function(function), "no function of WinHTTP is called {function:?}{}", resembling(function));
        InCall(function.to_owned(), Which::Every)
    }

    /// Whether it refuses calls of this function.
    pub(super) fn refuses(&self, function: &str) -> bool {
        let of_call = matches!(&self.when, FaultTrigger::Call(name) if name == function);
        of_call && matches!(self.what, FaultKind::Refuse(_) | FaultKind::RefuseBound(_))
    }

    /// When a callback with this status is about to be called.
    pub fn on(status: Status) -> OnCallback {
        OnCallback(status, Which::Every)
    }

    /// The connection is refused: 12029.
    pub fn refuse() -> Fault {
        Fault::at(Stage::Connect).fail(ERROR_WINHTTP_CANNOT_CONNECT)
    }

    /// Only for the handle with this name in the trace: `R2` is the second request handle that was made. For faults of calls
    /// and callbacks.
    ///
    /// # Panics
    /// If no handle can have this name.
    #[track_caller]
    pub fn of(mut self, handle: &str) -> Fault {
        assert!(is_handle(handle), "no handle is called {handle:?} in a trace, but like S1, C1, R2");
        self.of = Some(handle.to_owned());
        self
    }

    /// The fault may strike or not: the Sim's [`Chooser`](super::Chooser) decides. An exploration tries both; by default it
    /// does not strike.
    pub fn maybe(mut self) -> Fault {
        self.may = true;
        self
    }

    /// Whether a reply can meet with it.
    pub(super) fn is_of_reply(&self) -> bool {
        matches!(self.when, FaultTrigger::Stage(Stage::Head | Stage::Read | Stage::Close) | FaultTrigger::Body(_))
    }

    fn new(when: FaultTrigger, which: Which, what: FaultKind) -> Fault {
        Fault { when, what, which, of: None, may: false }
    }
}

macro_rules! occurrences {
    ($name:ident, $which:tt) => {
        impl $name {
            /// Only at the n-th occurrence, counted from 1.
            ///
            /// # Panics
            /// If `n` is 0.
            #[track_caller]
            pub fn nth(mut self, n: usize) -> $name {
                assert!(n > 0, "occurrences count from 1: nothing happens a 0th time");
                self.$which = Which::Nth(n);
                self
            }

            /// Only at the first `n` occurrences.
            ///
            /// # Panics
            /// If `n` is 0.
            #[track_caller]
            pub fn first(mut self, n: usize) -> $name {
                assert!(n > 0, "a fault for the first 0 times never strikes");
                self.$which = Which::First(n);
                self
            }
        }
    };
}

occurrences!(AtStage, 1);
occurrences!(InCall, 1);
occurrences!(OnCallback, 1);

impl AtStage {
    #[track_caller]
    fn only_at(&self, stage: Stage) {
        assert!(self.0 == FaultTrigger::Stage(stage), "that can only happen at {stage:?}, not at {:?}", self.0);
    }

    fn what(self, what: FaultKind) -> Fault {
        Fault::new(self.0, self.1, what)
    }

    /// The stage fails with this error.
    ///
    /// # Panics
    /// If the error is 0.
    #[track_caller]
    pub fn fail(self, error: impl Into<Win32Error>) -> Fault {
        self.what(FaultKind::Fail(nonzero(error), 0))
    }

    pub(super) fn fail_so(self, error: Win32Error, secure: u32) -> Fault {
        self.what(FaultKind::Fail(error, secure))
    }

    /// The certificate is refused: SECURE_FAILURE with these WINHTTP_CALLBACK_STATUS_FLAG_* bits, then error 12175. With 0 only the
    /// error comes. Only at [`Stage::Connect`] and [`Stage::Tls`].
    ///
    /// # Panics
    /// If the fault is for another stage.
    #[track_caller]
    pub fn secure(self, flags: u32) -> Fault {
        let of_connection = matches!(self.0, FaultTrigger::Stage(Stage::Connect | Stage::Tls));
        assert!(of_connection, "a certificate is refused at Connect or Tls, not at {:?}", self.0);
        self.what(FaultKind::Fail(ERROR_WINHTTP_SECURE_FAILURE, flags))
    }

    /// The connection is reset: 12030.
    pub fn reset(self) -> Fault {
        self.what(FaultKind::Fail(ERROR_WINHTTP_CONNECTION_ERROR, 0))
    }

    /// The server closes the connection too early. Before the head is complete the error is 12152 (source d01). In a body with a
    /// Content-Length, or without framing, it looks like the end of the body (source read.early-end). Elsewhere it is 12030.
    pub fn close(self) -> Fault {
        self.what(FaultKind::Close)
    }

    /// Nothing more comes, until a timeout of the program ends the operation.
    pub fn stall(self) -> Fault {
        self.what(FaultKind::Stall)
    }

    /// The stage takes this much longer, in the Sim's time.
    pub fn delay(self, delay: Duration) -> Fault {
        self.what(FaultKind::Delay(delay))
    }

    /// The stage waits until the gate is opened.
    pub fn wait(self, gate: &Gate) -> Fault {
        self.what(FaultKind::Wait(gate.clone()))
    }

    /// The body comes at this rate, in pieces ten times a second. Only at [`Stage::Read`].
    ///
    /// # Panics
    /// If the fault is for another stage, or the rate is 0.
    #[track_caller]
    pub fn slow(self, bytes_per_second: u64) -> Fault {
        self.only_at(Stage::Read);
        assert!(bytes_per_second > 0, "at 0 bytes a second nothing comes: that is stall()");
        self.what(FaultKind::Slow(bytes_per_second))
    }

    /// At most this many bytes of the body come at a time. Only at [`Stage::Read`].
    ///
    /// # Panics
    /// If the fault is for another stage, or the number is 0.
    #[track_caller]
    pub fn short(self, bytes: usize) -> Fault {
        self.only_at(Stage::Read);
        assert!(bytes > 0, "0 bytes at a time are none: that is stall()");
        self.what(FaultKind::Short(bytes))
    }

    /// The Sim's [`Chooser`](super::Chooser) decides how many bytes of the body come at a time. Only at [`Stage::Read`].
    ///
    /// # Panics
    /// If the fault is for another stage.
    #[track_caller]
    pub fn any_length(self) -> Fault {
        self.only_at(Stage::Read);
        self.what(FaultKind::AnyLength)
    }

    /// The server gives this reply instead: a challenge, a redirect, an error. Only at [`Stage::Head`]. No other fault applies to the
    /// head of this reply.
    ///
    /// # Panics
    /// At another stage, if that reply has its own faults at [`Stage::Head`], or as [`Rule::reply`](super::Rule::reply).
    #[track_caller]
    pub fn answer(self, reply: Reply) -> Fault {
        self.only_at(Stage::Head);
        let own = reply.faults.iter().any(|fault| fault.when == FaultTrigger::Stage(Stage::Head));
        assert!(!own, "the head of a reply that a fault brings cannot meet a fault of its own");
        possible(&reply);
        self.what(FaultKind::Answer(Box::new(reply)))
    }
}

impl InCall {
    fn what(self, what: FaultKind) -> Fault {
        Fault::new(FaultTrigger::Call(self.0), self.1, what)
    }

    /// The call fails at once with this error, before it has any effect. WinHttpSendRequest does *not* bind its context.
    ///
    /// # Panics
    /// If the error is 0.
    #[track_caller]
    pub fn fail(self, error: impl Into<Win32Error>) -> Fault {
        self.what(FaultKind::Refuse(nonzero(error)))
    }

    /// The call fails with this error after it has taken its arguments. WinHttpSendRequest *does* bind its context, and
    /// HANDLE_CLOSING will bring it. Only functions that begin an operation can fail this way.
    ///
    /// # Panics
    /// If the error is 0.
    #[track_caller]
    pub fn fail_bound(self, error: impl Into<Win32Error>) -> Fault {
        self.what(FaultKind::RefuseBound(nonzero(error)))
    }

    /// Callbacks that the call causes run inside it, before it returns, if they are ready by then; for WinHttpCloseHandle that is
    /// HANDLE_CLOSING.
    pub fn inside(self) -> Fault {
        self.what(FaultKind::InCall(true))
    }

    /// Callbacks that the call causes run on a worker.
    pub fn later(self) -> Fault {
        self.what(FaultKind::InCall(false))
    }

    /// For WinHttpCloseHandle, with a read and a write pending: the write ends first.
    pub fn write_side_first(self) -> Fault {
        self.what(FaultKind::WriteSideFirst)
    }

    /// For WinHttpSetStatusCallback: removing the callback (NULL) succeeds although an operation is pending.
    pub fn accept(self) -> Fault {
        self.what(FaultKind::Accept)
    }

    /// The call succeeds and leaves this last error.
    pub fn last_error(self, error: impl Into<Win32Error>) -> Fault {
        self.what(FaultKind::LastError(error.into()))
    }

    /// The thread waits before the call until the gate is opened.
    pub fn hold_entry(self, gate: &Gate) -> Fault {
        self.what(FaultKind::WaitAtEntry(gate.clone()))
    }

    /// The thread waits at the end of the call, before it returns, until the gate is opened.
    pub fn hold_return(self, gate: &Gate) -> Fault {
        self.what(FaultKind::WaitAtReturn(gate.clone()))
    }

    /// Everything else that can happen without time advancing happens before the call returns. So its completion comes, on a
    /// worker, while the caller is still inside the call.
    pub fn settle_before_return(self) -> Fault {
        self.what(FaultKind::SettleAtReturn)
    }
}

impl OnCallback {
    fn what(self, what: FaultKind) -> Fault {
        Fault::new(FaultTrigger::Callback(self.0), self.1, what)
    }

    /// The callback waits until the gate is opened; other callbacks of its handle wait as well.
    pub fn hold(self, gate: &Gate) -> Fault {
        self.what(FaultKind::Wait(gate.clone()))
    }

    /// Everything else that can happen without time advancing happens before the callback is called.
    pub fn settle_first(self) -> Fault {
        self.what(FaultKind::Settle)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.when {
            FaultTrigger::Stage(stage) => write!(f, "{stage:?}")?,
            FaultTrigger::Body(bytes) => write!(f, "after {bytes} bytes of a body")?,
            FaultTrigger::Call(function) => f.write_str(function)?,
            FaultTrigger::Callback(status) => write!(f, "{status}")?,
        }
        match self.which {
            Which::Every => {}
            Which::Nth(n) => write!(f, "#{n}")?,
            Which::First(n) => write!(f, "#1..{n}")?,
        }
        match &self.what {
            FaultKind::Fail(error, 0) | FaultKind::Refuse(error) | FaultKind::RefuseBound(error) => {
                write!(f, " -> {}", error.0)
            }
            FaultKind::Fail(error, flags) => write!(f, " -> {} ({flags:#x})", error.0),
            other => write!(f, " -> {other:?}"),
        }
    }
}

/// A fault, and how often it could have struck.
#[derive(Clone, Debug)]
pub(super) struct Armed {
    pub fault: Fault,
    passed: usize,
    struck: bool,
}

impl Armed {
    pub fn new(fault: Fault) -> Armed {
        Armed { fault, passed: 0, struck: false }
    }

    /// Whether it has struck.
    pub fn struck(&self) -> bool {
        self.struck
    }

    /// `when` happens to a handle: what the fault does, if it is for that and for this occurrence, and `may` lets it.
    pub fn strikes(
        &mut self,
        when: &FaultTrigger,
        handle: &str,
        may: &mut dyn FnMut(&str) -> bool,
    ) -> Option<FaultKind> {
        if self.fault.when != *when || self.fault.of.as_ref().is_some_and(|of| of != handle) {
            return None;
        }
        self.passed += 1;
        let counts = match self.fault.which {
            Which::Every => true,
            Which::Nth(n) => self.passed == n,
            Which::First(n) => self.passed <= n,
        };
        let strikes = counts && (!self.fault.may || may(&self.fault.to_string()));
        self.struck |= strikes;
        strikes.then(|| self.fault.what.clone())
    }
}

/// What the first of the faults that strikes does.
pub(super) fn first(
    faults: &mut [Armed],
    when: &FaultTrigger,
    handle: &str,
    may: &mut dyn FnMut(&str) -> bool,
) -> Option<FaultKind> {
    // All of them count.
    let mut found = None;
    for armed in faults {
        let strikes = armed.strikes(when, handle, may);
        found = found.or(strikes);
    }
    found
}
