//! `portable-winhttp serve`.

use super::End;
use super::output::{complain, print};
use super::server::{PATHS, Server};

/// Serves until the process is ended.
pub fn run(port: u16) -> End {
    match Server::start(port) {
        Ok(server) => {
            let printed = print(&format!("http://{}/\n\n{PATHS}", server.address()));
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
