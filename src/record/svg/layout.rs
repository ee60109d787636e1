//! Where everything stands in the picture of a trace.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::record::labels::Labels;
use crate::record::{Event, EventKind, Record, ThreadRole, Trace, Traffic};
use crate::win32::{
    ERROR_IO_PENDING, ERROR_SUCCESS, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR,
    WINHTTP_CALLBACK_STATUS_SECURE_FAILURE, Win32Error,
};

/// Sizes, in pixels: the edge, a row, a lane, the step inwards.
pub const MARGIN: usize = 24;
pub const ROW: usize = 22;
pub const LANE: usize = 400;
const STEP: usize = 14;
const TOP: usize = 84;
const CLOCK: usize = 78;

/// A column of the picture.
pub struct Lane {
    pub name: String,
    pub network: bool,
}

/// How a notification stands out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Progress,
    Done,
    Error,
    Last,
}

/// Something that is drawn; what comes later lies above.
pub enum Item {
    Clock {
        y: usize,
        text: String,
    },
    Gap {
        y: usize,
        right: usize,
        text: String,
    },
    Call {
        x: usize,
        y: usize,
        right: usize,
        bottom: usize,
        hue: usize,
        name: String,
        handle: String,
        detail: String,
        result: String,
        failed: bool,
        tip: String,
    },
    Told {
        x: usize,
        y: usize,
        right: usize,
        hue: usize,
        tone: Tone,
        text: String,
        tip: String,
    },
    Traffic {
        x: usize,
        y: usize,
        out: bool,
        failed: bool,
        text: String,
        tip: String,
    },
    Note {
        x: usize,
        y: usize,
        right: usize,
        /// How bad the mistake is that it tells, if it tells one.
        level: Option<&'static str>,
        text: String,
    },
}

pub struct Layout {
    pub lanes: Vec<Lane>,
    pub items: Vec<Item>,
    pub summary: String,
    bottom: usize,
    /// The lane of each thread.
    places: BTreeMap<u32, usize>,
    hues: HashMap<String, usize>,
    /// The calls in progress on each thread: their places among the items.
    open: HashMap<u32, Vec<usize>>,
    /// The time that stands in the column last.
    clock: String,
}

impl Layout {
    pub fn of(trace: &Trace) -> Layout {
        let mut numbers: Vec<u32> = trace.events.iter().map(|event| event.thread.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        // The network is last, whatever its number.
        let network = numbers.first() == Some(&0);
        if network {
            numbers.rotate_left(1);
        }
        let mut labels = Labels::default();
        let name = |number: &u32| {
            let first = trace.events.iter().find(|event| event.thread.number == *number);
            let name = first.map_or_else(String::new, |event| labels.of(&event.thread).to_owned());
            Lane { name, network: *number == 0 }
        };
        let mut layout = Layout {
            lanes: numbers.iter().map(name).collect(),
            items: Vec::new(),
            summary: summary(trace),
            bottom: TOP,
            places: numbers.iter().enumerate().map(|(place, number)| (*number, place)).collect(),
            hues: HashMap::new(),
            open: HashMap::new(),
            clock: String::new(),
        };
        let mut now = None;
        let mut events = trace.events.iter().peekable();
        while let Some(event) = events.next() {
            if now != Some(event.at) {
                layout.time(now, event.at);
                now = Some(event.at);
            }
            layout.place(event);
            // A call in which nothing happens needs one row.
            if let (EventKind::Call { function, .. }, Some(next)) = (&event.what, events.peek()) {
                let returns =
                    matches!(&next.what, EventKind::Return { function: returned, .. } if returned == function);
                if returns && next.thread.number == event.thread.number && next.at == event.at {
                    layout.bottom -= ROW;
                    let next = events.next().unwrap_or(event);
                    layout.place(next);
                }
            }
        }
        // A call that did not return reaches to the end.
        let end = layout.bottom;
        for number in layout.open.values().flatten() {
            if let Item::Call { bottom, .. } = &mut layout.items[*number] {
                *bottom = end;
            }
        }
        layout
    }

    pub fn width(&self) -> usize {
        MARGIN * 2 + CLOCK + self.lanes.len().max(1) * LANE - 10
    }

    pub fn height(&self) -> usize {
        self.bottom + 24
    }

    /// The left edge of a lane.
    pub fn x(&self, lane: usize) -> usize {
        MARGIN + CLOCK + lane * LANE
    }

    fn time(&mut self, before: Option<Duration>, now: Duration) {
        let passed = before.and_then(|before| now.checked_sub(before)).unwrap_or_default();
        if passed >= Duration::from_millis(1) {
            let right = self.width() - MARGIN;
            self.items.push(Item::Gap { y: self.bottom, right, text: format!("{} later", spelled(passed)) });
            self.bottom += ROW;
        }
        let text = clock(now);
        if text != self.clock {
            self.items.push(Item::Clock { y: self.bottom, text: text.clone() });
            self.clock = text;
        }
    }

    fn hue(&mut self, handle: &str) -> usize {
        let next = self.hues.len();
        *self.hues.entry(handle.to_owned()).or_insert(next)
    }

    fn place(&mut self, event: &Event) {
        let number = event.thread.number;
        let lane = self.x(self.places.get(&number).copied().unwrap_or_default());
        let depth = self.open.get(&number).map_or(0, Vec::len);
        let (x, right, y) = (lane + 10 + depth * STEP, lane + LANE - 20, self.bottom);
        match &event.what {
            EventKind::Call { function, handle, arguments } => {
                let handle = handle.clone().unwrap_or_default();
                let hue = self.hue(&handle);
                self.open.entry(number).or_default().push(self.items.len());
                self.items.push(Item::Call {
                    x,
                    y: y + 1,
                    right: right.saturating_sub(depth * 4).max(x + 40),
                    bottom: y + ROW - 1,
                    hue,
                    name: function.clone(),
                    tip: format!("{function}({handle}) {arguments}"),
                    handle,
                    detail: arguments.clone(),
                    result: String::new(),
                    failed: false,
                });
            }
            EventKind::Return { function, result, last_error } => self.end(number, function, result, last_error.0, y),
            EventKind::Notification { handle, context, notification, .. } => {
                let hue = self.hue(handle);
                let mut text = format!("{handle}  {}", notification.status);
                for more in [notification.value.clone(), notification.result.map(|result| short(result.error))] {
                    text.extend(more.map(|more| format!("  {more}")));
                }
                let api = notification.result.map_or_else(String::new, |result| format!("\n{result}"));
                let tip = format!("{text}{api}\ncontext {context}\n{}", event.thread);
                self.items.push(Item::Told { x, y, right, hue, tone: tone(notification), text, tip });
            }
            EventKind::Traffic { handle, traffic } => {
                let failed = matches!(traffic, Traffic::Failed { .. });
                let out = matches!(traffic, Traffic::Request { .. } | Traffic::Write(_) | Traffic::Sent);
                let shown = match traffic {
                    Traffic::Failed { error, .. } => format!("failed: {}", short(*error)),
                    other => other.to_string(),
                };
                let (text, tip) = (format!("{handle}  {shown}"), detail(traffic));
                self.items.push(Item::Traffic { x: lane + 14, y, out, failed, text, tip });
            }
            EventKind::Note(text) => {
                let level = mistake(text);
                self.items.push(Item::Note { x, y, right, level, text: text.clone() });
            }
        }
        self.bottom += ROW;
    }

    fn end(&mut self, thread: u32, function: &str, result: &str, error: u32, y: usize) {
        let open = self.open.entry(thread).or_default();
        while let Some(number) = open.pop() {
            let Item::Call { name, bottom, result: shown, failed, tip, .. } = &mut self.items[number] else { continue };
            *bottom = y + ROW - 1;
            if name != function {
                continue;
            }
            let said = match Win32Error(error) {
                ERROR_SUCCESS => String::new(),
                ERROR_IO_PENDING => "pending".to_owned(),
                error => short(error),
            };
            *failed = matches!(result, "FALSE" | "NULL" | "INVALID") && *name != "WinHttpSetStatusCallback"
                || result == "INVALID";
            *shown = format!("{result} {said}").trim_end().to_owned();
            *tip += &format!("\n{shown}");
            break;
        }
    }
}

/// The number of an error, and its name without what all have in common.
fn short(error: Win32Error) -> String {
    let name = error.name().unwrap_or("unknown");
    let name = name.strip_prefix("ERROR_").unwrap_or(name);
    format!("{} {}", error.0, name.strip_prefix("WINHTTP_").unwrap_or(name))
}

fn tone(record: &Record) -> Tone {
    match record.status.0 {
        WINHTTP_CALLBACK_STATUS_REQUEST_ERROR | WINHTTP_CALLBACK_STATUS_SECURE_FAILURE => Tone::Error,
        WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => Tone::Last,
        _ if record.status.is_completion() => Tone::Done,
        _ => Tone::Progress,
    }
}

/// What a tooltip tells of traffic.
fn detail(traffic: &Traffic) -> String {
    let fields = match traffic {
        Traffic::Request { headers, .. } | Traffic::Head { headers, .. } => headers.as_slice(),
        Traffic::End { trailers } => trailers.as_slice(),
        _ => &[],
    };
    let fields = fields.iter().map(|(name, value)| format!("\n{name}: {value}"));
    traffic.to_string() + &fields.collect::<String>()
}

fn summary(trace: &Trace) -> String {
    let count = |wanted: fn(&Event) -> bool| trace.events.iter().filter(|event| wanted(event)).count();
    let counted = |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    let calls = count(|event| matches!(event.what, EventKind::Call { .. }));
    let told = count(|event| matches!(event.what, EventKind::Notification { .. }));
    let errors = count(
        |event| matches!(&event.what, EventKind::Notification { notification, .. } if tone(notification) == Tone::Error),
    );
    let threads: std::collections::BTreeSet<u32> =
        trace.events.iter().filter(|event| event.thread.role != ThreadRole::Network).map(|e| e.thread.number).collect();
    let last = trace.events.last().map_or(Duration::ZERO, |event| event.at);
    let parts = [
        counted(calls, "call"),
        counted(told, "notification"),
        counted(errors, "error"),
        counted(threads.len(), "thread"),
        spelled(last),
    ];
    parts.join(" · ")
}

/// How bad the mistake is that a note tells: `W08 error: ...`.
fn mistake(note: &str) -> Option<&'static str> {
    let (id, rest) = note.split_once(' ')?;
    let digits = id.strip_prefix('W').filter(|digits| digits.len() == 2)?;
    let is_id = digits.bytes().all(|byte| byte.is_ascii_digit());
    ["error", "warn", "note"].into_iter().find(|level| is_id && rest.starts_with(level))
}

fn clock(at: Duration) -> String {
    match at.as_secs() {
        0 => format!("{}.{:03} ms", at.as_millis(), at.as_micros() % 1000),
        1..60 => format!("{:.6} s", at.as_secs_f64()),
        seconds => format!("{}:{:02}:{:02}.{:03}", seconds / 3600, seconds / 60 % 60, seconds % 60, at.subsec_millis()),
    }
}

fn spelled(time: Duration) -> String {
    match time {
        time if time < Duration::from_millis(1) => format!("{} µs", time.as_micros()),
        time if time < Duration::from_secs(1) => format!("{} ms", time.as_millis()),
        time if time < Duration::from_secs(120) => format!("{} s", time.as_secs_f64()),
        time if time < Duration::from_secs(7200) => format!("{:.1} min", time.as_secs_f64() / 60.0),
        time => format!("{:.1} h", time.as_secs_f64() / 3600.0),
    }
}
