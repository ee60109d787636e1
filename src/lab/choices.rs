//! The choices of a run as text: a schedule that plays the run again.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

/// What a choice is about. A schedule has one for each moment at which Windows, or a server, may do one thing or another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChoiceKind {
    /// Which thread, callback or network event happens next ([settings](crate::lab#the-settings-of-the-lab) K4, K5, K7, K25).
    Next,
    /// Whether a callback runs inside the call or on a worker ([settings](crate::lab#the-settings-of-the-lab) K3, K6).
    Deliver,
    /// When a handle is closed with a read and a write pending: which of the two ends first
    /// ([setting](crate::lab#the-settings-of-the-lab) K8).
    Order,
    /// Whether WinHttpSetStatusCallback may remove the callback while an operation is pending
    /// ([setting](crate::lab#the-settings-of-the-lab) K22).
    Remove,
    /// Whether a fault strikes ([settings](crate::lab#the-settings-of-the-lab) K1, K2, K13 to K16, K23).
    Fault,
    /// How many bytes of a body come at a time ([setting](crate::lab#the-settings-of-the-lab) K10).
    Length,
    /// How fast a server answers: one of [`Pace::ALL`](super::Pace::ALL)
    /// ([settings](crate::lab#the-settings-of-the-lab) K20, K23).
    Pace,
    /// Whether a new request reuses the connection of a reply that has come but that the program has not read yet.
    Connection,
}

impl ChoiceKind {
    /// All kinds.
    pub const ALL: &[ChoiceKind] = &[
        ChoiceKind::Next,
        ChoiceKind::Deliver,
        ChoiceKind::Order,
        ChoiceKind::Remove,
        ChoiceKind::Fault,
        ChoiceKind::Length,
        ChoiceKind::Pace,
        ChoiceKind::Connection,
    ];

    /// Its name in a schedule, such as `deliver`. The short form is the first letter.
    pub const fn name(self) -> &'static str {
        match self {
            ChoiceKind::Next => "next",
            ChoiceKind::Deliver => "deliver",
            ChoiceKind::Order => "order",
            ChoiceKind::Remove => "remove",
            ChoiceKind::Fault => "fault",
            ChoiceKind::Length => "length",
            ChoiceKind::Pace => "pace",
            ChoiceKind::Connection => "connection",
        }
    }

    fn find(name: &str) -> Option<ChoiceKind> {
        ChoiceKind::ALL.iter().copied().find(|kind| kind.name() == name || kind.name().get(..1) == Some(name))
    }
}

/// One choice: the option number `taken` of `options`. Option 0 is the usual one, which a Sim takes when nothing explores it.
///
/// ```
/// use portable_winhttp::lab::{Choice, ChoiceKind};
/// let choice = Choice { kind: ChoiceKind::Deliver, taken: 1, options: 2, label: "worker".to_owned() };
/// assert_eq!(format!("{choice} {choice:#}"), "d1/2 deliver:worker:1/2");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Choice {
    /// What the choice is about.
    pub kind: ChoiceKind,
    /// The option that was taken, from 0.
    pub taken: u32,
    /// How many options there were, at least 2.
    pub options: u32,
    /// The name of the option; empty in a schedule that was read from its short form.
    pub label: String,
}

/// `d1/2`, or with `#`: `deliver:worker:1/2`.
impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Choice { kind, taken, options, label } = self;
        match f.alternate() {
            true => write!(f, "{}:{label}:{taken}/{options}", kind.name()),
            false => write!(f, "{:.1}{taken}/{options}", kind.name()),
        }
    }
}

/// The choices of a run, also called a schedule. Given to a Sim, they run the same program in the same order again.
///
/// The short form (`Display`) is one word for a command line; [`long`](Choices::long) also names the options. Both can be
/// parsed.
///
/// ```
/// use portable_winhttp::lab::Choices;
/// let choices: Choices = "d1/2-n0/3x2".parse().unwrap();
/// assert_eq!(choices.to_string(), "d1/2-n0/3x2");
/// assert_eq!(choices.len(), 3);
/// let long: Choices = "deliver:worker:1/2 next:R1.network:0/3 next:main:0/3".parse().unwrap();
/// assert_eq!(long.to_string(), choices.to_string());
/// assert!("d1/2-three".parse::<Choices>().is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Choices {
    taken: Vec<Choice>,
    /// Which choices are offered that a Sim does not offer by itself.
    pub(super) offers: Offers,
}

/// Choices that a Sim offers only when it is explored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Offers {
    /// How many of the points at which something can fail may fail in one run.
    pub faults: u32,
    /// Whether others may go on before each notification.
    pub notifications: bool,
    /// Whether others may go on between two notifications that a thread delivers in a row.
    pub between: bool,
    /// Whether servers may take their time.
    pub pace: bool,
    /// Whether calls are whole: nobody else goes on where one begins or returns.
    pub whole: bool,
}

impl fmt::Display for Offers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.faults > 0 {
            write!(f, "f{}", self.faults)?;
        }
        if self.between {
            f.write_str("b")?;
        }
        if self.notifications {
            f.write_str("n")?;
        }
        if self.pace {
            f.write_str("p")?;
        }
        if self.whole { f.write_str("w") } else { Ok(()) }
    }
}

impl Offers {
    fn parse(text: &str) -> Option<Offers> {
        let (text, whole) = text.strip_suffix('w').map_or((text, false), |text| (text, true));
        let (text, pace) = text.strip_suffix('p').map_or((text, false), |text| (text, true));
        let (text, notifications) = text.strip_suffix('n').map_or((text, false), |text| (text, true));
        let (text, between) = text.strip_suffix('b').map_or((text, false), |text| (text, true));
        let faults = if text.is_empty() { 0 } else { text.strip_prefix('f')?.parse().ok()? };
        Some(Offers { faults, notifications, between, pace, whole })
    }
}

/// As text, in the long form.
impl serde::Serialize for Choices {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.long())
    }
}

impl<'de> serde::Deserialize<'de> for Choices {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Choices, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Deref for Choices {
    type Target = [Choice];

    fn deref(&self) -> &[Choice] {
        &self.taken
    }
}

impl Choices {
    pub(super) fn offering(offers: Offers, taken: Vec<Choice>) -> Choices {
        Choices { taken, offers }
    }

    pub(super) fn push(&mut self, choice: Choice) {
        self.taken.push(choice);
    }

    /// The same, where the options have the names that they had in a run.
    pub(super) fn labelled_by(&self, run: &Choices) -> Choices {
        let mut labelled = self.clone();
        for (own, made) in labelled.taken.iter_mut().zip(&run.taken) {
            if (own.kind, own.taken, own.options) != (made.kind, made.taken, made.options) {
                break;
            }
            own.label.clone_from(&made.label);
        }
        labelled
    }

    /// Whether an option other than the usual one was taken.
    pub fn unusual(&self) -> bool {
        self.taken.iter().any(|choice| choice.taken != 0)
    }

    /// How many options other than the usual one were taken.
    pub fn deviations(&self) -> usize {
        self.taken.iter().filter(|choice| choice.taken != 0).count()
    }

    /// The choices up to the last unusual one. After them, a replay takes the usual options anyway.
    pub fn trimmed(&self) -> Choices {
        let end = self.taken.iter().rposition(|choice| choice.taken != 0).map_or(0, |last| last + 1);
        Choices { taken: self.taken[..end].to_vec(), offers: self.offers }
    }

    /// The long form, one word for each choice: `deliver:worker:1/2 next:R1.network:0/3`. In each word the option's number
    /// stands before the slash, the number of options after it.
    pub fn long(&self) -> String {
        let words = self.taken.iter().map(|choice| format!("{choice:#}"));
        let offers = (self.offers != Offers::default()).then(|| format!("+{}", self.offers));
        offers.into_iter().chain(words).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words: Vec<(String, usize)> = Vec::new();
        if self.offers != Offers::default() {
            words.push((format!("+{}", self.offers), 1));
        }
        for word in self.taken.iter().map(Choice::to_string) {
            match words.last_mut() {
                Some((last, times)) if *last == word => *times += 1,
                _ => words.push((word, 1)),
            }
        }
        for (number, (word, times)) in words.iter().enumerate() {
            f.write_str(if number > 0 { "-" } else { "" })?;
            f.write_str(word)?;
            if *times > 1 {
                write!(f, "x{times}")?;
            }
        }
        Ok(())
    }
}

/// A text that is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected choices like \"d1/2-n0/3x2\" or \"deliver:worker:1/2\", found {0:?}")]
pub struct NoChoices(String);

impl FromStr for Choices {
    type Err = NoChoices;

    fn from_str(text: &str) -> Result<Choices, NoChoices> {
        let mut choices = Choices::default();
        let long = text.contains(':') || text.contains(char::is_whitespace);
        let words = text.split(|character: char| character.is_whitespace() || (!long && character == '-'));
        for word in words.filter(|word| !word.is_empty()) {
            let wrong = || NoChoices(word.to_owned());
            if let Some(offers) = word.strip_prefix('+') {
                choices.offers = Offers::parse(offers).ok_or_else(wrong)?;
                continue;
            }
            let (choice, times) = one(word).ok_or_else(wrong)?;
            if times > CHOICES_AT_MOST - choices.taken.len() {
                return Err(wrong());
            }
            choices.taken.extend(std::iter::repeat_n(choice, times));
        }
        Ok(choices)
    }
}

/// More choices than any run makes: a short text is not repeated until memory is full.
const CHOICES_AT_MOST: usize = 1_000_000;

fn one(word: &str) -> Option<(Choice, usize)> {
    let (kind, label, numbers) = match word.rsplit_once(':') {
        Some((front, numbers)) => {
            let (kind, label) = front.split_once(':')?;
            (ChoiceKind::find(kind)?, label, numbers)
        }
        None => (ChoiceKind::find(word.get(..1)?)?, "", word.get(1..)?),
    };
    let (taken, options) = numbers.split_once('/')?;
    let (options, times) = options.split_once('x').unwrap_or((options, "1"));
    let (taken, options) = (taken.parse().ok()?, options.parse().ok()?);
    // Only the short form repeats: what has no label.
    let most = if label.is_empty() { CHOICES_AT_MOST } else { 1 };
    let times = times.parse().ok().filter(|times| (1..=most).contains(times))?;
    (taken < options).then(|| (Choice { kind, taken, options, label: label.to_owned() }, times))
}
