//! The lab: clients of WinHTTP in a world of their own.

#[path = "../support/arms.rs"]
mod arms;
mod basics;
#[allow(dead_code)] // what only the command line asks for
#[path = "../../src/cli/explore/client.rs"]
mod buggy;
mod bugs;
#[path = "../../examples/client/careful.rs"]
mod careful;
mod choices;
mod connections;
mod coverage;
mod explore;
mod faults;
mod fetch;
mod generations;
mod peers;
mod readme;
mod reduction;
#[path = "../support/mod.rs"]
mod support;
mod threads;
mod torture;
mod traces;
