//! The state machines of WinHTTP, without sockets, threads or a clock: read them to know what WinHTTP does.
//!
//! [`table`] says what may follow what; [`Request`] holds the data that the table does not know and turns its actions
//! into [`Output`]s. Whoever drives a machine hands it calls, transport events and the time, and carries the outputs
//! out in their order. [`websocket`] is made the same way.
#![forbid(unsafe_code)]

mod body;
mod compose;
mod cookies;
mod credentials;
mod measures;
mod output;
mod request;
pub mod resolver;
mod settings;
pub mod table;
mod timers;
mod upload;
mod way;
pub mod websocket;

pub use compose::Compose;
pub use cookies::Cookies;
pub use credentials::{Chosen, Credentials, Part};
pub use measures::{Measures, counter};
pub use output::{Machine, Output};
pub use request::{Request, SendCall, Site};
pub use resolver::Resolver;
pub use settings::{Settings, Timeouts};
pub use websocket::{WebSocket, WebSocketSettings};
