//! The proxy resolver and what uses it, in worlds of their own.

mod arguments;
#[path = "../support/arms.rs"]
mod arms;
mod automatic;
mod client;
mod for_url;
mod questions;
mod routes;
mod settings;
mod stalls;
