//! What WinHTTP told its caller: typed records, and traces of them as JSON lines, a table or a diagram.
//!
//! A [`Notification`] is one status callback with its payload; an [`AsyncResult`] says which operation failed and
//! why. A [`Recorder`] collects calls and notifications from every thread into a [`Trace`]. A trace holds names
//! (`R1`, `ctx1`, `buf1`), never addresses, so that two runs of the same program compare equal.
#![forbid(unsafe_code)]

mod api;
mod callbacks;
mod event;
mod labels;
mod mermaid;
mod names;
mod notification;
mod numbered;
mod operation;
mod recorder;
mod secrets;
mod status;
mod svg;
mod table;
mod trace;
mod traffic;
mod view;

pub use api::{Api, AsyncResult};
pub use event::{Event, EventKind, Thread, ThreadRole};
pub use names::{HandleKind, Names};
pub use notification::Notification;
pub use operation::{Operation, WebSocketOperation};
pub use recorder::Recorder;
pub use secrets::{field, target, url};
pub use status::Status;
pub use table::Table;
pub use trace::{Trace, TraceError};
#[cfg(feature = "net")]
pub(crate) use trace::{header, lines};
pub use traffic::{Data, Field, Traffic};
pub use view::Record;
