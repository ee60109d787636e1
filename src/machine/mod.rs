//! The state machines of WinHTTP, without sockets, threads or a clock: read them to know what WinHTTP does.
//!
//! Each machine has a table ([`request::table`], [`websocket::table`], [`resolver::table`]) that says what may follow what,
//! and the data that the table does not know; the table's actions become [`Output`]s. Whoever drives a machine hands it
//! calls, transport events and the time, and carries the outputs out in their order.
#![forbid(unsafe_code)]

mod output;
mod reading;
pub mod request;
pub mod resolver;
mod settings;
mod step;
mod timers;
pub mod websocket;

pub use output::{Machine, Output};
pub use request::{
    Cookies, Credentials, ExplicitCredentials, Origin, Part, Request, RequestTemplate, SendCall, Timings, counter,
};
pub use resolver::Resolver;
pub use settings::{Settings, Timeouts};
pub use step::Step;
pub use websocket::{WebSocket, WebSocketSettings};
