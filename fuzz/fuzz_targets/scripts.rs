#![no_main]

#[path = "../../tests/fuzz_bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(init: bodies::seed("scripts"), |data: &[u8]| bodies::run("scripts", data));
