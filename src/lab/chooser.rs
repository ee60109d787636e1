//! The one place where a Sim chooses: whoever explores orders replaces this.

use std::fmt;
use std::str::FromStr;

use crate::dispatch::Unspecified;

/// What could happen next in a Sim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Candidate {
    /// The thread that is at a call, or back from a wait, goes on. The number is the thread's.
    Proceed(usize),
    /// A worker delivers what waits for a handle, or a thread begins. The number is the place among those that could.
    Begin(usize),
    /// Another thread that could run goes on. The number is the thread's.
    Resume(usize),
    /// The network, or a timer: the next event of this order. The number is the order's.
    Happen(usize),
}

/// Where a choice is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point<'a> {
    /// What happens next; the usual is the first.
    Next(&'a [Candidate]),
    /// What Windows leaves open: 0 is what the delivery policy says, 1 the other.
    Open(Unspecified),
    /// Whether a fault that may strike does: 0 is no.
    Fault(&'a str),
    /// How many of so many bytes come at a time: 0 is all, 1 is one byte, 2 is half.
    Length(usize),
}

/// Chooses what happens in a Sim. Every choice that a Sim makes goes through one of these: with the same choices the same
/// program does the same.
///
/// ```
/// use portable_winhttp::lab::{Chooser, Point, Sim};
///
/// /// Always the last that is possible.
/// struct Contrary;
/// impl Chooser for Contrary {
///     fn choose(&mut self, _point: Point<'_>, options: usize) -> usize {
///         options - 1
///     }
/// }
/// let sim = Sim::builder().chooser(Contrary).build();
/// assert_eq!(sim.choices().to_string(), "");
/// ```
pub trait Chooser: Send {
    /// One of `options` (at least 2): a number below it. A larger one counts as the last.
    fn choose(&mut self, point: Point<'_>, options: usize) -> usize;
}

/// Always the usual.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usual;

impl Chooser for Usual {
    fn choose(&mut self, _: Point<'_>, _: usize) -> usize {
        0
    }
}

/// The choices of a run: as text, a schedule that plays the run again.
///
/// ```
/// use portable_winhttp::lab::Choices;
/// let choices: Choices = "1/2 0/3".parse().unwrap();
/// assert_eq!(choices.to_string(), "1/2 0/3");
/// assert!("1/2 three".parse::<Choices>().is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Choices(pub Vec<(usize, usize)>);

impl Choices {
    /// Whether something unusual was chosen.
    pub fn unusual(&self) -> bool {
        self.0.iter().any(|(taken, _)| *taken != 0)
    }
}

impl fmt::Display for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (taken, options)) in self.0.iter().enumerate() {
            write!(f, "{}{taken}/{options}", if number > 0 { " " } else { "" })?;
        }
        Ok(())
    }
}

/// A text that is no list of choices.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected choices like \"1/2 0/3\", found {0:?}")]
pub struct NoChoices(String);

impl FromStr for Choices {
    type Err = NoChoices;

    fn from_str(text: &str) -> Result<Choices, NoChoices> {
        let one = |word: &str| {
            let (taken, options) = word.split_once('/')?;
            let (taken, options) = (taken.parse().ok()?, options.parse().ok()?);
            (taken < options).then_some((taken, options))
        };
        let all: Option<Vec<_>> = text.split_whitespace().map(one).collect();
        all.map(Choices).ok_or_else(|| NoChoices(text.to_owned()))
    }
}

/// Plays choices again; the usual when they are used up.
///
/// A run that has other choices to make than the one that was recorded goes on with the usual: compare
/// [`Sim::choices`](super::Sim::choices) with the original to find out.
impl Chooser for Choices {
    fn choose(&mut self, _: Point<'_>, options: usize) -> usize {
        if self.0.is_empty() {
            return 0;
        }
        let (taken, recorded) = self.0.remove(0);
        if recorded == options { taken } else { 0 }
    }
}

/// A chooser, and the choices that it made.
pub(super) struct Recorded {
    chooser: Box<dyn Chooser>,
    taken: Choices,
}

impl Recorded {
    pub fn new(chooser: Box<dyn Chooser>) -> Recorded {
        Recorded { chooser, taken: Choices::default() }
    }

    pub fn choose(&mut self, point: Point<'_>, options: usize) -> usize {
        if options < 2 {
            return 0;
        }
        let taken = self.chooser.choose(point, options).min(options - 1);
        self.taken.0.push((taken, options));
        taken
    }

    pub fn taken(&self) -> Choices {
        self.taken.clone()
    }
}
