//! The code of README.md, as it stands there, and that it does.

use portable_winhttp as _;

use crate::careful::Careful as Client;

use portable_winhttp::lab::{Reply, Sim, get};

#[test]
fn a_server_that_never_answers_is_a_timeout() {
    let sim = Sim::new();
    sim.peer("https://api.test").on(get("/items")).reply(Reply::never());

    let client = Client::start("api.test", "/items", true); // your code: it calls WinHttp*, unchanged
    sim.block_until(|| client.closed());

    assert_eq!(client.outcome(), Some(Err(12002))); // ERROR_WINHTTP_TIMEOUT
    assert_eq!(sim.elapsed(), std::time::Duration::from_secs(30)); // of the Sim's time
}

use portable_winhttp::lab::{any, explore};

#[test]
fn however_it_ends_the_handles_are_closed() {
    let report = explore(|sim| {
        sim.peer("https://api.test").on(any()).reply(Reply::ok().body("hello"));
        let client = Client::start("api.test", "/items", true);
        sim.actor("cancel", move || client.cancel());
        sim.block_until(|| client.closed());
    });
    println!("{report}");
}

/// Each paragraph of each block of Rust in the README stands in this file.
#[test]
fn the_code_of_the_readme_is_tested() {
    let (readme, here) = (include_str!("../../README.md"), include_str!("readme.rs"));
    let blocks = readme.split("```rust").skip(1).map(|behind| behind.split("```").next().unwrap_or_default());
    let blocks: Vec<&str> = blocks.collect();
    assert!(blocks.len() >= 3, "{blocks:?}");
    for block in blocks {
        assert!(block.starts_with('\n'), "a block that is not compiled: {block}");
        let missing = block.split("\n\n").map(str::trim).find(|paragraph| !here.contains(paragraph));
        assert_eq!(missing, None, "not in tests/lab/readme.rs");
    }
}
