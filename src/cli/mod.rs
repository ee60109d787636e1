//! `portable-winhttp trace`, `ws`, `proxy`, `explain`, `surface`, `serve`, `bench`, `soak`.

mod arguments;
mod bench;
mod demo;
mod echo;
mod exchange;
mod explain;
mod hostile;
mod hostile_http2;
mod output;
mod proxy;
mod resolver;
mod security;
mod serve;
mod server;
mod soak;
mod socket;
mod surface;
mod trace;
mod winhttp;
mod ws;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

/// What to tell the shell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Well = 0,
    /// The request, or a file, did not work.
    Badly = 1,
    /// The command line asks for what cannot be done.
    Usage = 2,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let command = Arguments::parse().command.unwrap_or_default();
    let end = match command {
        Command::Trace(trace) => match trace.url.clone() {
            Some(url) => trace::run(&url, trace),
            None => demo::run(),
        },
        Command::Proxy(arguments) => proxy::run(&arguments),
        Command::Explain { stop } => explain::run(stop),
        Command::Surface { json, markdown } => surface::run(match (json, markdown) {
            (true, _) => surface::Form::Json,
            (false, true) => surface::Form::Markdown,
            (false, false) => surface::Form::Table,
        }),
        Command::Ws(arguments) => ws::run(&arguments),
        Command::Soak(arguments) => soak::run(&arguments),
        Command::Serve { port, tls } => serve::run(port, tls.as_deref()),
        Command::Bench(arguments) => bench::run(&arguments),
    };
    ExitCode::from(end as u8)
}
