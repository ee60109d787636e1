#![no_main]

#[path = "../../tests/fuzz_bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(init: bodies::seed("http2"), |data: &[u8]| bodies::run("http2", data));
