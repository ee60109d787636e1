//! The `windows` crate's way in: its names are there, and `core` does what `windows::core` does.

mod core;
mod names;
mod sockets;
