//! The command `portable-winhttp`; its subcommands are in `arguments`.

mod arguments;
mod bench;
mod demo;
mod echo;
mod exchange;
mod explain;
mod explore;
mod hostile;
mod hostile_http2;
mod interrupt;
mod output;
mod proxy;
mod resolver;
mod security;
mod serve;
mod server;
mod soak;
mod socket;
mod surface;
mod telling;
mod trace;
mod winhttp;
mod ws;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

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
        Command::Explore(arguments) => explore::run(arguments),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "portable-winhttp", &mut script);
            output::print(&String::from_utf8_lossy(&script))
        }
        Command::Man { of } => manual(of.as_deref()),
        Command::Serve { port, tls } => serve::run(port, tls.as_deref()),
        Command::Bench(arguments) => bench::run(&arguments),
    };
    ExitCode::from(end as u8)
}

/// The manual page of the command, or of one of its commands.
fn manual(of: Option<&str>) -> End {
    let mut whole = Arguments::command();
    whole.build();
    let command = match of {
        None => Some(&whole),
        Some(name) => whole.find_subcommand(name),
    };
    let Some(command) = command else {
        output::complain(&format!("there is no command {}", of.unwrap_or_default()));
        return End::Usage;
    };
    let mut page = Vec::new();
    match clap_mangen::Man::new(command.clone()).render(&mut page) {
        Ok(()) => output::print(&String::from_utf8_lossy(&page)),
        Err(error) => {
            output::complain(&error.to_string());
            End::Badly
        }
    }
}
