//! A client that can be cancelled at any moment, however its request goes: once to its end, and once cancelled.
//!
//! ```text
//! cargo run --example careful
//! ```
#![allow(unsafe_code)]

use portable_winhttp::lab::{Reply, Sim, get};
use windows_sys::Win32::Networking::WinHttp::ERROR_WINHTTP_OPERATION_CANCELLED;

#[path = "client/careful.rs"]
mod client;

use client::Careful;

fn main() {
    let sim = Sim::new();
    let peer = sim.peer("https://api.test");
    peer.on(get("/items")).reply(Reply::ok().body("hello"));
    peer.on(get("/never")).reply(Reply::never());

    let whole = Careful::start("api.test", "/items", true);
    sim.block_until(|| whole.closed());
    println!("whole: {:?}", whole.outcome());
    assert_eq!(whole.outcome(), Some(Ok(b"hello".to_vec())));

    let cancelled = Careful::start("api.test", "/never", true);
    sim.settle();
    cancelled.cancel();
    sim.block_until(|| cancelled.closed());
    println!("cancelled: {:?}", cancelled.outcome());
    assert_eq!(cancelled.outcome(), Some(Err(ERROR_WINHTTP_OPERATION_CANCELLED)));
}
