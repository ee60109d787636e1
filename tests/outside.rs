//! Sessions that leave the Sim: alone in a process, as tests that use the real world on purpose may run beside others.

#[path = "support/mod.rs"]
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use portable_winhttp::lab::Sim;

/// A session of a thread that the Sim did not make is none of the Sim.
#[test]
fn sessions_outside_fail_the_test() {
    for allowed in [false, true] {
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let sim = Sim::new();
            if allowed {
                sim.allow_real_world();
            }
            std::thread::spawn(|| support::Client::new(true, 80).close()).join().unwrap();
        }));
        assert_eq!(ended.is_ok(), allowed);
        let text = ended.err().map(|panic| *panic.downcast::<String>().unwrap()).unwrap_or_default();
        assert!(allowed || text.contains("on threads of no Sim: without a name"), "{text}");
    }
}
