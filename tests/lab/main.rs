//! The lab: clients of WinHTTP in a world of their own.

mod basics;
mod buggy;
mod bugs;
mod careful;
mod choices;
mod connections;
mod explore;
mod faults;
mod fetch;
mod peers;
#[path = "../support/mod.rs"]
mod support;
mod threads;
mod torture;
mod traces;
