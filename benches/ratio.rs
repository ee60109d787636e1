//! WinHTTP against hyper, h2, tungstenite and, with the feature `bench-curl`, libcurl: `portable-winhttp bench`.
//!
//! ```text
//! cargo bench --bench ratio -- [NAME] [--rounds N] [--json]
//! ```

use std::env;
use std::process::{Command, exit};

fn main() {
    // Cargo itself adds this word.
    let arguments = env::args().skip(1).filter(|word| word != "--bench");
    let status = Command::new(env!("CARGO_BIN_EXE_portable-winhttp")).arg("bench").args(arguments).status();
    exit(status.ok().and_then(|status| status.code()).unwrap_or(1));
}
