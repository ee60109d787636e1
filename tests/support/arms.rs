//! The Sims that a test is played in: without bytes, and over bytes where they are built.

use portable_winhttp::lab::Sim;

/// Whether over bytes.
pub const BYTES: &[bool] = if cfg!(feature = "live") { &[false, true] } else { &[false] };

pub fn sim(bytes: bool) -> Sim {
    #[cfg(feature = "live")]
    if bytes {
        return Sim::builder().bytes().build();
    }
    assert!(!bytes);
    Sim::new()
}
