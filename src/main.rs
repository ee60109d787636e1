//! The command line of portable-winhttp: see `portable-winhttp --help`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
