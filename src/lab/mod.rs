//! The lab: WinHTTP in a simulated world for tests, with scripted servers and a virtual clock.
//!
//! A [`Sim`] is a simulated world. Sessions that its thread opens live in it, reach only its [`Peer`]s, and see its time. The code
//! under test calls `WinHttp*` unmodified; the state machines, the handles and the delivery are those of the real world. Callbacks
//! run on the Sim's own worker threads, or inside a call, as on Windows, but never on a thread that only waits.
//!
//! One thread runs at a time. A waiting thread ([`Sim::block_until`], `WaitForSingleObject`, `Sleep`, a synchronous call) lets the
//! next event happen. Time advances only when nothing else can happen. If nothing can ever happen again, a hang is reported, with
//! what each thread waits for. One [`Chooser`] makes every choice among the events that could happen: the same choices make the same
//! run, byte for byte.
//!
//! A thread that blocks in something else, such as a channel or a lock, is noticed and passed over; the run then counts as
//! [uncontrolled](Sim::uncontrolled). If it stays blocked and nothing else can happen, the hang is reported after ten seconds of real
//! time, or as many as the variable `WINHTTP_PATIENCE` says. If the test itself blocks like this, the process ends with the report and
//! exit code 101.
//!
//! `(source h09)` and the like name a row of `fixtures/SOURCES.md` in the repository: what is known of Windows, and from where.
//!
//! # Four tests
//!
//! What a client gets, with a trace for a snapshot. At the end the Sim fails the test if an expected request did not come, if a
//! handle is still open, or if WinHTTP was misused:
//!
//! ```
//! # mod client { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/client/careful.rs")); }
//! # use client::Careful as Client;
//! use portable_winhttp::lab::{Reply, Sim, get};
//!
//! let sim = Sim::new();
//! let api = sim.peer("https://api.test"); // a name, a listener, a trusted certificate
//! api.on(get("/items")).reply(Reply::ok().header("etag", "7").body("hello").chunks([3, 2])).expect(1);
//!
//! let client = Client::start("api.test", "/items", true); // the code under test
//! sim.block_until(|| client.closed());
//!
//! assert_eq!(client.outcome(), Some(Ok(b"hello".to_vec())));
//! assert!(sim.trace().to_string().contains("HEADERS_AVAILABLE")); // or insta::assert_snapshot!(sim.trace())
//! ```
//!
//! A stage fails, at its n-th occurrence; thirty seconds pass in no time:
//!
//! ```
//! # mod client { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/client/careful.rs")); }
//! # use client::Careful as Client;
//! use std::time::Duration;
//! use portable_winhttp::lab::{Fault, Reply, Sim, Stage, any};
//!
//! for (fault, error, seconds) in [
//!     (Fault::at(Stage::Tls).secure(0x20), 12175, 0), // SECURE_FAILURE with CERT_DATE_INVALID, then REQUEST_ERROR
//!     (Fault::at(Stage::Read).nth(2).reset(), 12030, 0),
//!     (Fault::at(Stage::Head).stall(), 12002, 30),
//! ] {
//!     let sim = Sim::new();
//!     sim.fault(fault);
//!     sim.peer("https://api.test").on(any()).reply(Reply::ok().body("0123456789").chunks([5]));
//!     let client = Client::start("api.test", "/f", true);
//!     sim.block_until(|| client.closed());
//!     assert_eq!((client.outcome(), sim.elapsed()), (Some(Err(error)), Duration::from_secs(seconds)));
//! }
//! ```
//!
//! The user cancels at every point of the run ([`torture`] makes every call and every stage fail in a similar way):
//!
//! ```
//! # mod client { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/client/careful.rs")); }
//! # use client::Careful as Client;
//! use portable_winhttp::lab::{Reply, Sim, any};
//!
//! let mut done_before = false;
//! for steps in 0.. {
//!     let sim = Sim::new();
//!     sim.peer("https://api.test").on(any()).reply(Reply::ok().body("0123456789"));
//!     let client = Client::start("api.test", "/", true);
//!     done_before = (0..steps).any(|_| !sim.step());
//!     sim.actor("cancel", move || client.cancel());
//!     sim.block_until(|| client.closed()); // HANDLE_CLOSING came, once, after everything else
//!     if done_before {
//!         break;
//!     }
//! }
//! ```
//!
//! [`explore()`] does that by itself, and also varies orders, deliveries, faults and slow servers. A failing schedule is shrunk, and its
//! report ends with the command that repeats it.
//!
//! A recorded trace is played again: the peers give the same answers at the same times, and the client must get the same callbacks:
//!
//! ```
//! # mod client { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/client/careful.rs")); }
//! # use client::Careful as Client;
//! # use portable_winhttp::lab::{Reply, any};
//! # let fixture = std::env::temp_dir().join(format!("recorded-{}.jsonl", std::process::id()));
//! # let first = portable_winhttp::lab::Sim::new();
//! # first.peer("https://api.test").on(any()).reply(Reply::ok().body("hello"));
//! # let client = Client::start("api.test", "/items", true);
//! # first.block_until(|| client.closed());
//! # first.trace().write(&fixture).unwrap();
//! # drop(first);
//! use portable_winhttp::{lab::Sim, record::Trace};
//!
//! let sim = Sim::replay(&fixture); // from Trace::write, or from any program under WINHTTP_TRACE=jsonl:path
//! let client = Client::start("api.test", "/items", true);
//! sim.block_until(|| client.closed());
//! assert_eq!(sim.trace().callbacks(), Trace::read(&fixture).unwrap().callbacks());
//! # std::fs::remove_file(&fixture).unwrap();
//! ```
//!
//! A trace can also be shown as a table ([`Trace::to_table`](crate::record::Trace::to_table)), a diagram for Markdown and a picture
//! ([`Trace::to_svg`](crate::record::Trace::to_svg)).
#![doc = include_str!("settings.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "live")]
mod authority;
mod choices;
mod chooser;
mod environment;
mod explore;
mod fault;
mod faults;
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
mod scripted;
mod secured;
#[cfg(feature = "live")]
mod served;
mod sim;
mod stream;
#[cfg(feature = "live")]
mod tasks;
mod torture;
mod unwind;
mod watch;
mod web_socket;
mod world;

#[cfg(feature = "live")]
pub use authority::{Authority, Issued};
pub use choices::{Choice, ChoiceKind, Choices, NoChoices};
pub use chooser::{Actor, Candidate, Chooser, Pace, Point, Replay, Usual};
#[doc(hidden)]
pub use environment::check as check_environment;
pub use explore::footprint::Footprint;
pub(crate) use explore::panics::{Heard, hear, heard};
pub use explore::{Budget, Exploration, Explore, Random, explore};
pub use fault::{AtStage, Fault, InCall, OnCallback, Stage};
pub use gate::Gate;
#[cfg(feature = "live")]
pub use live::Live;
pub use login::Login;
pub use matcher::{Matcher, any, delete, get, post, put};
pub(crate) use peer::origin;
pub use peer::{Peer, Rule, Times};
pub use profile::Profile;
pub use raw::RawConnection;
pub use received::Received;
pub use reply::Reply;
pub use sim::{Builder, Entry, EntryGuard, Sim, allocated, freed, wait_until};
pub use torture::torture;
pub use web_socket::WebSocketScript;

pub use crate::http::Headers;
pub use crate::verify::Stop;
pub use crate::world::Unspecified;
