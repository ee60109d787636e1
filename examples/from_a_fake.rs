//! A test suite with a hand-written fake of WinHTTP, and the same suite with the lab: what the fake never showed.
//!
//! ```text
//! cargo run --example from_a_fake
//! ```

use portable_winhttp::lab::{Explore, Reply, Sim, any, get};

#[allow(dead_code)] // nobody cancels here
#[path = "client/careful.rs"]
mod client;

use client::Careful;

/// What the code under test was compiled against: an interface of its own, for the sake of the tests.
mod before {
    use std::collections::HashMap;

    pub trait Http {
        fn get(&self, url: &str) -> Result<String, u32>;
    }

    /// It answers at once, on the caller's thread, and always in the same order.
    pub struct Fake {
        pub replies: HashMap<&'static str, Result<&'static str, u32>>,
    }

    impl Http for Fake {
        fn get(&self, url: &str) -> Result<String, u32> {
            self.replies[url].map(str::to_owned)
        }
    }

    pub fn greeting(http: &dyn Http) -> String {
        match http.get("https://api.test/name") {
            Ok(name) => format!("hello, {name}"),
            Err(12002) => "nobody answers".to_owned(),
            Err(error) => format!("error {error}"),
        }
    }
}

/// The same, over WinHTTP as it is in production: the interface is not needed any more.
fn greeting(sim: &Sim) -> String {
    let client = Careful::start("api.test", "/name", true);
    sim.block_until(|| client.closed());
    match client.outcome() {
        Some(Ok(name)) => format!("hello, {}", String::from_utf8_lossy(&name)),
        Some(Err(12002)) => "nobody answers".to_owned(),
        Some(Err(error)) => format!("error {error}"),
        None => "no outcome".to_owned(),
    }
}

fn main() {
    // Each row of the fake becomes a rule of a peer; a canned error becomes what causes it.
    for (canned, reply, expected) in
        [(Ok("Ada"), Reply::ok().body("Ada"), "hello, Ada"), (Err(12002), Reply::never(), "nobody answers")]
    {
        let fake = before::Fake { replies: [("https://api.test/name", canned)].into() };
        assert_eq!(before::greeting(&fake), expected);

        let sim = Sim::new();
        sim.peer("https://api.test").on(get("/name")).reply(reply).expect(1);
        assert_eq!(greeting(&sim), expected);
        println!("{expected:16} in {:?} of the Sim's time", sim.elapsed());
    }

    // What the fake could not ask: is there an outcome in whatever order it comes, and whatever fails?
    let report = Explore::new().check(|sim| {
        sim.peer("https://api.test").on(any()).reply(Reply::ok().body("Ada"));
        assert_ne!(greeting(sim), "no outcome");
    });
    println!("{}", report.expect("no schedule fails"));
}
