//! The resolver as a table.
//!
//! A resolver has one operation at a time. To find a proxy it asks one source after the other: a script that is looked for
//! in the network, a script whose place is known, lists. [`step`] is the only place that says what may follow what.
#![doc = include_str!("states.md")]

use crate::win32::{ERROR_WINHTTP_INCORRECT_HANDLE_STATE, ERROR_WINHTTP_OPERATION_CANCELLED};

/// Where a resolver stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// Nothing is under way.
    Idle,
    /// The user's settings are read, for WinHttpGetProxySettingsEx.
    Reading,
    /// The user's settings are read, to know which sources there are.
    Asking,
    /// The next source is chosen.
    Choosing,
    /// A script is looked for in the network.
    Detecting,
    /// A script runs, if it is there.
    Running,
    /// A script is fetched.
    Fetching,
    /// The session was closed.
    Cancelled,
    /// The handle was closed.
    Closed,
}

/// What can happen to a resolver.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Input {
    /// WinHttpGetProxyForUrlEx is called.
    CallFind,
    /// WinHttpGetProxySettingsEx is called.
    CallSettings,
    /// The user's settings are there.
    SettingsRead,
    /// The next source is the network.
    Detect,
    /// The next source is a script whose place is known.
    Script,
    /// The next source is the lists, which always have an answer.
    Lists,
    /// No source is left.
    Nowhere,
    /// The network has a script.
    Detected,
    /// The script must be fetched first.
    Unfetched,
    /// The script is there.
    Fetched,
    /// The script named the routes.
    Answered,
    /// The source has no answer.
    Missed,
    /// The session was closed.
    Cancel,
    /// The handle was closed.
    Close,
}

/// What must happen when a step is taken, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Read the user's settings: [`Input::SettingsRead`] comes next.
    Ask,
    /// Choose: [`Input::Detect`], [`Input::Script`], [`Input::Lists`] or [`Input::Nowhere`] comes next.
    Choose,
    /// Look for a script: [`Input::Detected`] or [`Input::Missed`] comes next.
    Detect,
    /// Run the script: [`Input::Answered`], [`Input::Unfetched`] or [`Input::Missed`] comes next.
    Run,
    /// Fetch the script: [`Input::Fetched`] or [`Input::Missed`] comes next.
    Fetch,
    /// Take the answer of the lists.
    TakeLists,
    /// WinHttpGetProxyForUrlEx succeeded.
    EndFind,
    /// It failed, for the reason of the last source.
    FailFind,
    /// WinHttpGetProxySettingsEx succeeded.
    EndSettings,
    /// What is pending is cancelled.
    CancelPending,
    /// Let what runs go.
    Abandon,
}

/// The answer of the table.
pub type Step = crate::machine::Step<Stage, Action>;

/// What follows `input` in `stage`.
#[rustfmt::skip]
pub const fn step(stage: Stage, input: Input) -> Step {
    use Action::*;
    use Input::{Answered, CallFind, CallSettings, Cancel, Close, Detected, Fetched, SettingsRead, Lists, Missed, Nowhere, Script, Unfetched};
    use Stage::*;
    const BUSY: Step = Step::Refuse(ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    const GONE: Step = Step::Refuse(ERROR_WINHTTP_OPERATION_CANCELLED);
    const fn to(stage: Stage, actions: &'static [Action]) -> Step {
        Step::Take(stage, actions)
    }

    match (stage, input) {
        // The handle or its session is gone.
        (Closed | Cancelled, CallFind | CallSettings) => GONE,
        // The session is closed after its resolvers.
        (Closed | Cancelled, Cancel) => to(stage, &[]),
        (Closed, _) => Step::Impossible,
        (_, Close)  => to(Closed, &[CancelPending, Abandon]),
        (Cancelled, _) => Step::Impossible,
        (_, Cancel) => to(Cancelled, &[CancelPending, Abandon]),

        // The calls: one at a time.
        (Idle, CallFind)     => to(Asking, &[Ask]),
        (Idle, CallSettings) => to(Reading, &[Ask]),
        (_, CallFind | CallSettings) => BUSY,
        (Reading, SettingsRead)     => to(Idle, &[EndSettings]),

        // One source after the other.
        (Asking, SettingsRead)         => to(Choosing, &[Choose]),
        (Choosing, Input::Detect) => to(Detecting, &[Detect]),
        (Choosing, Script)      => to(Running, &[Run]),
        (Choosing, Lists)       => to(Idle, &[TakeLists, EndFind]),
        (Choosing, Nowhere)     => to(Idle, &[FailFind]),
        (Detecting, Detected)   => to(Running, &[Run]),
        (Running, Unfetched)    => to(Fetching, &[Fetch]),
        (Fetching, Fetched)     => to(Running, &[Abandon, Run]),
        (Running, Answered)     => to(Idle, &[EndFind]),
        (Fetching, Missed)      => to(Choosing, &[Abandon, Choose]),
        (Detecting | Running, Missed) => to(Choosing, &[Choose]),

        _ => Step::Impossible,
    }
}
