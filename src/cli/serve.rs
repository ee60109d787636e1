//! `portable-winhttp serve`.

use std::io;
use std::path::Path;

use portable_winhttp::lab::{Authority, Issued};

use super::End;
use super::output::{complain, print};
use super::server::{PATHS, Server};

/// The first line of the file, which readers of PEM skip.
const OURS: &str = "The authority of `portable-winhttp serve`";

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
    let former = std::fs::read(file);
    if former.is_ok_and(|former| !former.is_empty() && !former.starts_with(OURS.as_bytes())) {
        let error = "it exists, and was not written by `serve`; the certificate of the authority would replace it";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, error));
    }
    std::fs::write(file, format!("{OURS}\n{}", authority.pem()))?;
    Ok(authority.issue(&["127.0.0.1", "::1", "localhost"]))
}
