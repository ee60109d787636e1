#![no_main]

#[path = "../../tests/fuzz_bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(init: bodies::seed("chunks"), |data: &[u8]| bodies::run("chunks", data));
