#![no_main]

#[path = "../../tests/fuzz_bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(init: bodies::seed("challenges"), |data: &[u8]| bodies::run("challenges", data));
