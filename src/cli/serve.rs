//! `portable-winhttp serve`.

use std::io;
use std::path::Path;

use portable_winhttp::lab::{Authority, Issued};

use super::End;
use super::output::{complain, print};
use super::server::{PATHS, Server};

/// Serves until the process is ended. `tls`: where the authority's certificate is written to.
pub fn run(port: u16, tls: Option<&Path>) -> End {
    let certificate = match tls.map(certificate).transpose() {
        Ok(certificate) => certificate,
        Err(error) => {
            complain(&format!("--tls {}: {error}", tls.unwrap_or(Path::new("")).display()));
            return End::Usage;
        }
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    match Server::start(port, certificate) {
        Ok(server) => {
            let printed = print(&format!("{scheme}://{}/\n\n{PATHS}", server.address()));
            if printed == End::Well {
                server.wait();
            }
            printed
        }
        Err(error) => {
            complain(&format!("cannot listen on 127.0.0.1:{port}: {error}"));
            End::Badly
        }
    }
}

/// A certificate for this machine, by an authority whose own goes to `file`.
fn certificate(file: &Path) -> io::Result<Issued> {
    let authority = Authority::new();
    std::fs::write(file, authority.pem())?;
    Ok(authority.issue(&["127.0.0.1", "::1", "localhost"]))
}
