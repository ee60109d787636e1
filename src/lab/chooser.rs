//! The one place where a Sim chooses: whoever explores orders replaces this.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::choices::{Choice, ChoiceKind, Choices};
use super::explore::footprint::Footprint;
use crate::world::Unspecified;

/// Who could go on, or begin. The same one has the same value in all runs that began with the same choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Actor {
    /// A thread, by its number in the Sim.
    Thread(usize),
    /// Work for a worker, by its number in the Sim: a handle's callbacks, or the body of a thread that begins.
    Work(u64),
    /// The network, or a timer: what happens to one request, in its order.
    Network(usize),
}

/// What could happen next in a Sim.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// Who.
    pub actor: Actor,
    /// Its name: that of a thread, or of a handle in the trace (`R2`).
    pub name: Arc<str>,
    /// What it does: empty for a thread that goes on.
    pub step: &'static str,
}

/// `R2.deliver`, `main`.
impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.step.is_empty() { Ok(()) } else { write!(f, ".{}", self.step) }
    }
}

/// Where a choice is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Point<'a> {
    /// What happens next; the usual is the first. The flag tells whether the first is the thread that runs: another one is a
    /// preemption.
    Next(&'a [Candidate], bool),
    /// What Windows leaves open: 0 is what the delivery policy says, 1 the other. The flag is what 0 stands for.
    Open(Unspecified, bool),
    /// Whether a fault that may strike does: 0 is no.
    Fault(&'a str),
    /// How many of so many bytes come at a time: 0 is all, 1 is one byte, 2 is half.
    Length(usize),
    /// When a reply comes: 0 is at once, then [`Pace::ALL`].
    Pace,
    /// Whether a request may have the connection of a reply that has come and that the program has not read yet: 0 is yes, 1
    /// is a new connection.
    Connection,
}

/// How a server takes its time. Every server may do each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pace {
    /// Everything at once.
    AtOnce,
    /// The head comes late.
    LateHead,
    /// The head comes at once, the body late.
    LateBody,
    /// Each piece of the body comes late, byte by byte up to a bound.
    Pieces,
    /// The body comes at once, its end late.
    LateEnd,
}

impl Pace {
    /// All of them, the usual first.
    pub const ALL: &[Pace] = &[Pace::AtOnce, Pace::LateHead, Pace::LateBody, Pace::Pieces, Pace::LateEnd];

    fn name(self) -> &'static str {
        match self {
            Pace::AtOnce => "at-once",
            Pace::LateHead => "late-head",
            Pace::LateBody => "late-body",
            Pace::Pieces => "pieces",
            Pace::LateEnd => "late-end",
        }
    }
}

impl Point<'_> {
    /// Its kind, as it stands in a schedule.
    pub fn kind(&self) -> ChoiceKind {
        match self {
            Point::Next(..) => ChoiceKind::Next,
            Point::Open(Unspecified::Inside(_) | Unspecified::ClosingInside, _) => ChoiceKind::Deliver,
            Point::Open(Unspecified::WriteSideFirst, _) => ChoiceKind::Order,
            Point::Open(Unspecified::CallbackRemoved, _) => ChoiceKind::Remove,
            Point::Fault(_) => ChoiceKind::Fault,
            Point::Length(_) => ChoiceKind::Length,
            Point::Pace => ChoiceKind::Pace,
            Point::Connection => ChoiceKind::Connection,
        }
    }

    /// What an option of it is called, without blanks.
    pub fn label(&self, taken: usize) -> String {
        let either = |one: &str, other: &str, usual: bool| if usual == (taken == 0) { one } else { other }.to_owned();
        let label = match self {
            Point::Next(candidates, _) => candidates.get(taken).map_or_else(String::new, Candidate::to_string),
            Point::Open(Unspecified::Inside(_) | Unspecified::ClosingInside, usual) => {
                either("inside", "worker", *usual)
            }
            Point::Open(Unspecified::WriteSideFirst, usual) => either("write-side", "read-side", *usual),
            Point::Open(Unspecified::CallbackRemoved, usual) => either("accepted", "refused", *usual),
            Point::Fault(_) if taken == 0 => "no".to_owned(),
            Point::Fault(what) => (*what).to_owned(),
            Point::Length(_) => ["all", "1", "half"].get(taken).copied().unwrap_or_default().to_owned(),
            Point::Connection => ["reused", "new"].get(taken).copied().unwrap_or_default().to_owned(),
            Point::Pace => Pace::ALL.get(taken).map_or("", |pace| pace.name()).to_owned(),
        };
        label.split_whitespace().collect::<Vec<_>>().join("_")
    }
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

    /// Why the run cannot go on as it should, if it cannot: it then fails with this text.
    fn stopped(&self) -> Option<String> {
        None
    }

    /// Nothing but this can happen next, and it does. Told so that whoever explores knows of every step.
    fn forced(&mut self, _only: &Candidate) {}

    /// What was touched since the last [`Point::Next`] or [`Chooser::forced`], told before the next one and at the end.
    fn touched(&mut self, _what: &Footprint) {}
}

/// Always the usual.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usual;

impl Chooser for Usual {
    fn choose(&mut self, _: Point<'_>, _: usize) -> usize {
        0
    }
}

/// Plays a schedule again, and then goes on with the usual. A run that comes to another kind of choice, or to one with
/// another number of options, stops there and says so.
#[derive(Clone, Debug)]
pub struct Replay {
    choices: Choices,
    at: usize,
    diverged: Option<String>,
}

impl Replay {
    /// Of this schedule.
    pub fn new(choices: Choices) -> Replay {
        Replay { choices, at: 0, diverged: None }
    }
}

impl Chooser for Replay {
    fn choose(&mut self, point: Point<'_>, options: usize) -> usize {
        let Some(choice) = self.choices.get(self.at).filter(|_| self.diverged.is_none()) else { return 0 };
        self.at += 1;
        let taken = choice.taken as usize;
        let label = point.label(taken);
        let same = choice.label.is_empty() || choice.label == label;
        if (choice.kind, choice.options as usize) != (point.kind(), options) || !same {
            let here = Choice { kind: point.kind(), taken: choice.taken, options: options as u32, label };
            let at = self.at;
            self.diverged = Some(format!(
                "the replay diverges at choice {at}: the schedule has {choice:#}, the run comes to {here:#}"
            ));
            return 0;
        }
        taken
    }

    fn stopped(&self) -> Option<String> {
        self.diverged.clone()
    }
}

/// A chooser, and the choices that it made.
pub(super) struct Recorded {
    chooser: Box<dyn Chooser>,
    taken: Choices,
    /// Who was passed over at each of them, if somebody was.
    passed: Vec<Option<Arc<str>>>,
    touched: Footprint,
}

impl Recorded {
    pub fn new(chooser: Box<dyn Chooser>) -> Recorded {
        Recorded { chooser, taken: Choices::default(), passed: Vec::new(), touched: Footprint::default() }
    }

    pub fn choose(&mut self, point: Point<'_>, options: usize) -> usize {
        if let Point::Next(candidates, _) = point {
            self.chooser.touched(&std::mem::take(&mut self.touched));
            if let [only] = candidates {
                self.chooser.forced(only);
            }
        }
        if options < 2 {
            return 0;
        }
        let taken = self.chooser.choose(point, options).min(options - 1);
        let (kind, label) = (point.kind(), point.label(taken));
        self.taken.push(Choice { kind, taken: taken as u32, options: options as u32, label });
        let over = matches!(point, Point::Next(..)) && taken > 0;
        self.passed.push(over.then(|| point.label(0).into()));
        taken
    }

    pub fn stopped(&self) -> Option<String> {
        self.chooser.stopped()
    }

    pub fn touched(&mut self) -> &mut Footprint {
        &mut self.touched
    }

    pub fn end(&mut self) {
        self.chooser.touched(&std::mem::take(&mut self.touched));
    }

    pub fn taken(&self) -> &Choices {
        &self.taken
    }

    pub fn passed_over(&self) -> &[Option<Arc<str>>] {
        &self.passed
    }
}
