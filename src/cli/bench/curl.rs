//! libcurl's multi interface as a peer.

use std::time::Duration;

use curl::easy::{Easy2, Handler, WriteError};
use curl::multi::{Easy2Handle, Multi};

use super::callbacks::{Client, Plan};
use super::server::Server;
use super::work::Work;

/// Requests in flight, and requests in a run.
const LOADS: [(usize, usize); 2] = [(1, 8_000), (64, 20_000)];
const LONG: f64 = (1_u64 << 30) as f64;

struct Swallow;

impl Handler for Swallow {
    fn write(&mut self, data: &[u8]) -> Result<usize, WriteError> {
        Ok(data.len())
    }
}

/// The works in which libcurl is the peer.
pub fn works(server: &Server, scale: f64) -> Vec<Work> {
    let url = format!("http://{}/", server.address);
    let mut works: Vec<Work> = LOADS
        .map(|(flight, count)| {
            let count = ((count as f64 * scale) as usize).max(flight);
            let (client, url) = (Client::new(server), url.clone());
            let mut peer = Curl { multi: Multi::new(), idle: Vec::new() };
            Work {
                name: format!("GET, {flight} in flight, libcurl"),
                unit: "requests/s",
                peer: "libcurl",
                amount: count as f64,
                ours: Box::new(move || client.run(flight, count, &Plan::get("/"))),
                theirs: Box::new(move || peer.run(&url, flight, count)),
            }
        })
        .into();
    let length = (LONG * scale) as usize;
    let (client, url) = (Client::new(server), format!("{url}bytes/{length}"));
    let mut peer = Curl { multi: Multi::new(), idle: Vec::new() };
    let plan = Plan::download(&format!("/bytes/{length}"), 64 << 10, false);
    works.push(Work {
        name: "download, 64 KiB buffers, libcurl".to_owned(),
        unit: "MB/s",
        peer: "libcurl",
        amount: length as f64 / 1e6,
        ours: Box::new(move || client.run(1, 1, &plan)),
        theirs: Box::new(move || peer.run(&url, 1, 1)),
    });
    works
}

struct Curl {
    multi: Multi,
    idle: Vec<Easy2<Swallow>>,
}

impl Curl {
    fn start(&mut self, url: &str) -> Easy2Handle<Swallow> {
        let easy = self.idle.pop().unwrap_or_else(|| {
            let mut easy = Easy2::new(Swallow);
            easy.url(url).expect("a URL");
            easy.tcp_nodelay(true).expect("an option");
            easy.buffer_size(64 << 10).expect("an option");
            easy
        });
        self.multi.add2(easy).expect("a transfer")
    }

    fn run(&mut self, url: &str, flight: usize, count: usize) {
        let mut left = count - flight;
        let mut running: Vec<Option<Easy2Handle<Swallow>>> = Vec::new();
        for token in 0..flight {
            let mut transfer = self.start(url);
            transfer.set_token(token).expect("an option");
            running.push(Some(transfer));
        }
        let mut open = flight;
        while open > 0 {
            self.multi.perform().expect("libcurl goes on");
            let mut over = Vec::new();
            self.multi.messages(|message| {
                message.result().expect("a transfer").expect("a reply");
                over.push(message.token().expect("a token"));
            });
            for token in &over {
                let ended = running[*token].take().expect("it ran");
                self.idle.push(self.multi.remove2(ended).expect("it was added"));
                if left == 0 {
                    open -= 1;
                    continue;
                }
                left -= 1;
                let mut transfer = self.start(url);
                transfer.set_token(*token).expect("an option");
                running[*token] = Some(transfer);
            }
            if over.is_empty() {
                self.multi.wait(&mut [], Duration::from_secs(1)).expect("libcurl waits");
            }
        }
    }
}
