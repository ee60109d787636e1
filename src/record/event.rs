//! One line of a trace.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Record, Traffic};
use crate::win32::Win32Error;

/// Something that happened between a program and WinHTTP.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When, since the trace began. JSON keeps nanoseconds up to `u64::MAX`.
    #[serde(rename = "at_ns", serialize_with = "nanoseconds", deserialize_with = "from_nanoseconds")]
    pub at: Duration,
    /// On which thread.
    pub thread: Thread,
    /// What.
    pub what: EventKind,
}

/// The thread of an event.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thread {
    /// Whose thread it was at that moment.
    pub role: ThreadRole,
    /// Which thread: 1 made the recorder, the others count in the order in which they appear; 0 is the network.
    pub number: u32,
    /// The name that the program gave it; not that of the thread that made the recorder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Whose thread runs (: the caller thread is the one inside the WinHTTP call).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ThreadRole {
    /// The thread that made the recorder, or any thread while it is inside a WinHTTP call.
    Caller,
    /// Any other thread.
    Worker,
    /// None: what the network brought or took.
    Network,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum EventKind {
    /// The program called a function.
    Call {
        /// Windows' name, `WinHttpSendRequest`.
        function: String,
        /// Name of the handle it is called on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handle: Option<String>,
        /// The other arguments, as text.
        arguments: String,
    },
    /// The function returned.
    Return {
        /// Windows' name.
        function: String,
        /// What it returned: `TRUE`, `R1`, `12019`.
        result: String,
        /// The last error of the thread behind it.
        last_error: Win32Error,
    },
    /// The status callback was called.
    Notification {
        /// Name of its `hInternet`.
        handle: String,
        /// Name of its `dwContext`.
        context: String,
        /// Its status and information.
        notification: Record,
        /// The function in progress on that same thread, if it was delivered inside a call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        during: Option<String>,
    },
    /// Something went to a server or came from it.
    Traffic {
        /// Name of the handle whose request it is.
        handle: String,
        /// What.
        traffic: Traffic,
    },
    /// A remark of whoever made the trace.
    Note(String),
}

impl fmt::Display for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.role {
            ThreadRole::Network => self.role.fmt(f),
            role => write!(f, "{role} {}", self.number),
        }
    }
}

impl fmt::Display for ThreadRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ThreadRole::Caller => "caller",
            ThreadRole::Worker => "worker",
            ThreadRole::Network => "network",
        })
    }
}

fn nanoseconds<S: Serializer>(at: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(at.as_nanos()).unwrap_or(u64::MAX))
}

fn from_nanoseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_nanos)
}
