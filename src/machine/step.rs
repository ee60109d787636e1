//! How a machine goes by its table.

use std::fmt::Debug;
use std::time::Duration;

use super::{Machine, Output};
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
pub(super) trait Tabled: Machine {
    type State: Copy + Debug + 'static;
    type Input: Copy + Debug;
    type Action: Copy + Debug + 'static;

    /// Where the machine stands.
    fn state(&self) -> Self::State;
    /// What the table says to `input` now.
    fn look(&self, input: Self::Input) -> Step<Self::State, Self::Action>;
    /// Enters the next state; answers the former.
    fn enter(&mut self, next: Self::State) -> Self::State;
    /// Does what goes with a step out of `before`. An action that asks a question answers the input that comes next; it is
    /// the last of its step.
    fn act(&mut self, now: Duration, before: Self::State, action: Self::Action) -> Option<Self::Input>;

    /// The error with which the table refuses a call; the call then changes nothing.
    fn refused(&self, call: Self::Input) -> Result<(), Win32Error> {
        self.step_for(call).map(drop)
    }

    /// The step that the table takes, or the error with which it refuses.
    fn step_for(&self, input: Self::Input) -> Result<(Self::State, &'static [Self::Action]), Win32Error> {
        match self.look(input) {
            Step::Take(next, actions) => Ok((next, actions)),
            Step::Refuse(error) => Err(error),
            Step::Impossible => Err(ERROR_WINHTTP_INTERNAL_ERROR),
        }
    }

    /// A call of the application, or what was found out for it.
    fn apply(&mut self, now: Duration, input: Self::Input) -> Result<(), Win32Error> {
        let (next, actions) = self.step_for(input)?;
        let before = self.enter(next);
        // The step is done whole before the answer to its question is taken.
        let mut answer = None;
        for action in actions {
            if let Some(lost) = std::mem::replace(&mut answer, self.act(now, before, *action)) {
                self.missed_by_the_table(format!("{lost:?}, found before {action:?}, which a question may not be"));
            }
        }
        if let Some(answer) = answer {
            self.happened(now, answer);
        }
        Ok(())
    }

    /// Something happened. What the table calls impossible is a mistake in it, and changes nothing.
    fn happened(&mut self, now: Duration, input: Self::Input) {
        if self.apply(now, input).is_err() {
            self.missed_by_the_table(format!("{input:?} in {:?}", self.state()));
        }
    }

    /// An input was lost: that is loud in a build for tests, and in a Sim.
    fn missed_by_the_table(&mut self, what: String) {
        debug_assert!(false, "the table has no answer to {what}");
        self.gathered().push(Output::Impossible(what));
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::transport::Event;

    /// It counts to 2, asks a question at 1 and has no answer to anything else.
    #[derive(Default)]
    struct Counter {
        state: u8,
        outputs: Vec<Output>,
    }

    impl Tabled for Counter {
        type State = u8;
        type Input = &'static str;
        type Action = &'static str;

        fn state(&self) -> u8 {
            self.state
        }

        fn look(&self, input: &'static str) -> Step<u8, &'static str> {
            match (self.state, input) {
                (0, "asks last") => Step::Take(1, &["act", "ask"]),
                (0, "asks first") => Step::Take(1, &["ask", "act"]),
                (1, "answer") => Step::Take(2, &[]),
                _ => Step::Impossible,
            }
        }

        fn enter(&mut self, next: u8) -> u8 {
            std::mem::replace(&mut self.state, next)
        }

        fn act(&mut self, _now: Duration, _before: u8, action: &'static str) -> Option<&'static str> {
            (action == "ask").then_some("answer")
        }
    }

    impl Machine for Counter {
        fn gathered(&mut self) -> &mut Vec<Output> {
            &mut self.outputs
        }

        fn deadline(&self) -> Option<Duration> {
            None
        }

        fn pending(&self) -> bool {
            false
        }

        fn event(&mut self, _now: Duration, _attempt: u64, _event: Event) {}
        fn tick(&mut self, _now: Duration) {}
        fn cancel(&mut self, _now: Duration, _write_first: bool) {}
        fn close(&mut self, _now: Duration, _write_first: bool) {}
    }

    /// An input that the table knows nothing of, and an answer that is not the last of its step, are loud: a panic where tests
    /// are built with assertions, else an output that a Sim complains about.
    #[test]
    fn what_the_table_misses_is_loud() {
        let rows = [
            ("asks last", 2, None),
            ("asks first", 1, Some("\"answer\", found before \"act\"")),
            ("other", 0, Some("\"other\" in 0")),
        ];
        for (input, state, missed) in rows {
            let mut counter = Counter::default();
            let panicked = catch_unwind(AssertUnwindSafe(|| counter.happened(Duration::ZERO, input))).is_err();
            assert_eq!(counter.state, state, "{input}");
            assert_eq!(panicked, missed.is_some() && cfg!(debug_assertions), "{input}");
            let said: Vec<_> = counter.outputs().collect();
            match missed.filter(|_| !cfg!(debug_assertions)) {
                Some(missed) => assert!(
                    matches!(&said[..], [Output::Impossible(what)] if what.starts_with(missed)),
                    "{input}: {said:?}"
                ),
                None => assert!(said.is_empty(), "{input}: {said:?}"),
            }
        }
    }
}
