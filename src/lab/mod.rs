//! The test double: WinHTTP in a world of its own, with scripted servers and a clock that only tests move.
//!
//! A [`Sim`] is a world: sessions that its thread opens live in it, reach only its [`Peer`]s, and see its time. The code
//! under test calls `WinHttp*` unmodified; the machine, the handles and the delivery are those of the real world. Callbacks
//! run on the Sim's own worker threads, one at a time, or inside a call, as on Windows.
//!
//! ```
//! use portable_winhttp::lab::{Reply, Sim, get};
//!
//! let sim = Sim::new();
//! let api = sim.peer("https://api.test");
//! api.on(get("/items")).reply(Reply::ok().body("hello")).expect(0);
//! // ... the code under test ...
//! assert_eq!(sim.elapsed().as_millis(), 0);
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "live")]
mod authority;
mod chooser;
mod fault;
mod gate;
mod http1;
#[cfg(feature = "live")]
mod live;
mod login;
mod matcher;
mod mistakes;
mod peer;
#[cfg(feature = "live")]
mod pipes;
mod points;
mod profile;
mod proxied;
mod raw;
mod received;
mod replay;
mod reply;
mod scheduler;
mod script;
mod secured;
#[cfg(feature = "live")]
mod served;
mod sim;
mod stream;
#[cfg(feature = "live")]
mod tasks;
mod torture;
mod watch;
mod web_socket;
mod world;

#[cfg(feature = "live")]
pub use authority::{Authority, Issued};
pub use chooser::{Candidate, Choices, Chooser, NoChoices, Point, Usual};
pub use fault::{AtStage, Fault, InCall, OnCallback, Stage};
pub use gate::Gate;
#[cfg(feature = "live")]
pub use live::Live;
pub use login::Login;
pub use matcher::{Matcher, any, delete, get, post, put};
pub use peer::{Peer, Rule, Times};
pub use profile::Profile;
pub use raw::RawConnection;
pub use received::Received;
pub use reply::Reply;
pub use sim::{Builder, Door, Inside, Sim, allocated, freed, wait_until};
pub use torture::torture;
pub use web_socket::WebSocketScript;

pub use crate::verify::Stop;
