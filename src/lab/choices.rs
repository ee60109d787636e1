//! The choices of a run as text: a schedule that plays the run again.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

/// What a choice is about. Each is one that Windows, or a server, may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChoiceKind {
    /// Which thread, worker or piece of network goes on: settings K4, K5, K7, K25.
    Next,
    /// Whether a callback comes inside the call or on a worker: settings K3, K6.
    Deliver,
    /// Which side's error comes first at close: setting K8.
    Order,
    /// Whether a callback may be removed while an operation is pending: setting K22.
    Remove,
    /// Whether a fault strikes: settings K1, K2, K13 to K16, K23.
    Fault,
    /// How many bytes come at a time: setting K10.
    Length,
    /// When a server answers: settings K20, K23.
    Pace,
    /// Whether a request may have the connection of a reply that the program has not read yet.
    Connection,
}

impl ChoiceKind {
    /// All of them.
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

    /// Its name, of which the first letter is its short form.
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

/// One choice: of `options`, the one with the number `taken`. The usual has the number 0.
///
/// ```
/// use portable_winhttp::lab::{Choice, ChoiceKind};
/// let choice = Choice { kind: ChoiceKind::Deliver, taken: 1, options: 2, label: "worker".to_owned() };
/// assert_eq!(format!("{choice} {choice:#}"), "d1/2 deliver:worker:1/2");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Choice {
    /// What it is about.
    pub kind: ChoiceKind,
    /// The option that was taken.
    pub taken: u32,
    /// How many there were.
    pub options: u32,
    /// What the option is called; empty in a schedule that was read from its short form.
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

/// The choices of a run: as text, a schedule that plays the run again.
///
/// The short form is one word for a command line; [`long`](Choices::long) also says what was chosen. Both can be read.
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

    /// Whether something unusual was chosen.
    pub fn unusual(&self) -> bool {
        self.taken.iter().any(|choice| choice.taken != 0)
    }

    /// How often something unusual was chosen.
    pub fn deviations(&self) -> usize {
        self.taken.iter().filter(|choice| choice.taken != 0).count()
    }

    /// As far as the last unusual choice: what comes behind it is the usual anyway.
    pub fn trimmed(&self) -> Choices {
        let end = self.taken.iter().rposition(|choice| choice.taken != 0).map_or(0, |last| last + 1);
        Choices { taken: self.taken[..end].to_vec(), offers: self.offers }
    }

    /// One word for each choice: `deliver:worker:1/2 next:R1.network:0/3`.
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
            choices.taken.extend(std::iter::repeat_n(choice, times));
        }
        Ok(choices)
    }
}

/// More choices of one kind than any run makes.
const TIMES_AT_MOST: usize = 1_000_000;

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
    let times = times.parse().ok().filter(|times| (1..=TIMES_AT_MOST).contains(times))?;
    (taken < options).then(|| (Choice { kind, taken, options, label: label.to_owned() }, times))
}
