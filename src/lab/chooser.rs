//! The one place where a Sim chooses: whoever explores orders replaces this.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::choices::{Choice, ChoiceKind, Choices};
use super::explore::footprint::Footprint;
use crate::world::Unspecified;

/// Something that can act in a Sim: a thread, work for a worker, or the network. It has the same value in all runs that began
/// with the same choices.
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
    /// The thread, work or network that would act.
    pub actor: Actor,
    /// The name of the thread, or of the handle as in the trace (`R2`).
    pub name: Arc<str>,
    /// What it would do, such as `deliver`; empty for a thread that continues.
    pub step: &'static str,
}

/// `R2.deliver`, `main`.
impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.step.is_empty() { Ok(()) } else { write!(f, ".{}", self.step) }
    }
}

/// Where a choice is made. Option 0 is always the usual one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Point<'a> {
    /// What happens next: one of these candidates. The flag is true if the first candidate is the thread that runs now: any other
    /// option then interrupts it (a preemption).
    Next(&'a [Candidate], bool),
    /// Something that Windows leaves open: 0 is what the delivery policy says, 1 the opposite. The flag says what 0 means, for
    /// example true for "inside the call".
    Open(Unspecified, bool),
    /// Whether the fault of this name strikes: 0 is no, 1 is yes.
    Fault(&'a str),
    /// How many of these bytes come at a time: 0 is all, 1 is one byte, 2 is half.
    Length(usize),
    /// How fast a server answers: the number of the option is that in [`Pace::ALL`].
    Pace,
    /// Whether a new request reuses the connection of a reply that has come but that the program has not read yet: 0 is yes, 1
    /// is a new connection.
    Connection,
}

/// How fast a server answers. "Late" is ten milliseconds of the Sim's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pace {
    /// Head and body come at once.
    AtOnce,
    /// The head comes late.
    LateHead,
    /// The head comes at once, the body late.
    LateBody,
    /// The first three bytes of the body come one by one, each a tenth of a second later; the rest comes at once.
    Pieces,
    /// The body comes at once, its end late.
    LateEnd,
}

impl Pace {
    /// All paces, the usual one first.
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
    /// The kind of choice, as a schedule names it.
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

    /// The name of option `taken` at this point, without blanks.
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

/// Makes every choice of a Sim: orders, deliveries and faults. With the same choices the same program does the same. Give one to
/// [`Builder::chooser`](super::Builder::chooser).
///
/// ```
/// use portable_winhttp::lab::{Chooser, Point, Sim};
///
/// /// Always takes the last option.
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
    /// Returns the number of the option to take, below `options` (at least 2). A larger number counts as the last option.
    fn choose(&mut self, point: Point<'_>, options: usize) -> usize;

    /// Asked during the run: a text here stops the run and fails it, for example because a replay has diverged.
    fn stopped(&self) -> Option<String> {
        None
    }

    /// Called when there is only one candidate, which then happens without a choice. So an explorer sees every step.
    fn forced(&mut self, _only: &Candidate) {}

    /// Called before each [`Point::Next`], each [`Chooser::forced`], each [`Chooser::rested`] and at the end, with what the step
    /// before it touched.
    fn touched(&mut self, _what: &Footprint) {}

    /// Called when nothing can happen any more, before the time moves or a thread goes on that waited for this.
    fn rested(&mut self) {}
}

/// Always takes option 0, the usual one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usual;

impl Chooser for Usual {
    fn choose(&mut self, _: Point<'_>, _: usize) -> usize {
        0
    }
}

/// Plays a schedule again; after its end it takes the usual options. If the run comes to another kind of choice, or to
/// another number of options, than the schedule has there, it stops and fails.
#[derive(Clone, Debug)]
pub struct Replay {
    choices: Choices,
    at: usize,
    diverged: Option<String>,
}

impl Replay {
    /// A replay of this schedule.
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

    pub fn rested(&mut self) {
        self.end();
        self.chooser.rested();
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
