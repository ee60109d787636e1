//! Our vocabulary is Windows': values, sizes and offsets are those of `windows-sys`.

mod constants;
mod links;
mod structs;
