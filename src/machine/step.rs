//! How a machine goes by its table.

use std::time::Duration;

use crate::win32::{ERROR_WINHTTP_INTERNAL_ERROR, Win32Error};

/// The answer of a table to an input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step<S: 'static, A: 'static> {
    /// The input is taken: the next state, and what goes with it.
    Take(S, &'static [A]),
    /// The call is refused with this error; nothing changes and nothing is notified.
    Refuse(Win32Error),
    /// The input cannot come in this state; nothing changes.
    Impossible,
}

/// A machine that goes by a table.
pub(super) trait Tabled {
    type State: Copy + 'static;
    type Input: Copy;
    type Action: Copy + 'static;

    /// What the table says to `input` now.
    fn look(&self, input: Self::Input) -> Step<Self::State, Self::Action>;
    /// Enters the next state; answers the former.
    fn enter(&mut self, next: Self::State) -> Self::State;
    /// Does what goes with a step out of `before`. An action that asks a question answers the input that comes next; it is
    /// the last of its step.
    fn act(&mut self, now: Duration, before: Self::State, action: Self::Action) -> Option<Self::Input>;

    /// The error with which the table refuses a call; the call then changes nothing.
    fn refused(&self, call: Self::Input) -> Result<(), Win32Error> {
        match self.look(call) {
            Step::Take(..) => Ok(()),
            Step::Refuse(error) => Err(error),
            Step::Impossible => Err(ERROR_WINHTTP_INTERNAL_ERROR),
        }
    }

    /// A call of the application, or what was found out for it.
    fn apply(&mut self, now: Duration, input: Self::Input) -> Result<(), Win32Error> {
        self.refused(input)?;
        let Step::Take(next, actions) = self.look(input) else { return Ok(()) };
        let before = self.enter(next);
        // The step is done whole before the answer to its question is taken.
        let mut answer = None;
        for action in actions {
            debug_assert!(answer.is_none(), "a question is the last action of its step");
            answer = self.act(now, before, *action);
        }
        if let Some(answer) = answer {
            self.happened(now, answer);
        }
        Ok(())
    }

    /// An input that nobody waits for: one that is impossible now changes nothing.
    fn happened(&mut self, now: Duration, input: Self::Input) {
        let _ = self.apply(now, input);
    }
}
