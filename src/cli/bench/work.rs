//! The works: what is done, by whom, how often.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use tokio::runtime::Runtime;

use super::server::{self, Server};
use super::{callbacks, driven, http2, peer, socket};

/// One work, ready to be done by either side.
pub struct Work {
    pub name: String,
    pub unit: &'static str,
    pub peer: &'static str,
    /// How many units one run is.
    pub amount: f64,
    pub ours: Box<dyn FnMut()>,
    pub theirs: Box<dyn FnMut()>,
}

/// What came out.
pub struct Row {
    pub name: String,
    pub unit: &'static str,
    pub peer: &'static str,
    pub ours: f64,
    pub theirs: f64,
    pub ratio: f64,
}

impl Row {
    pub fn line(&self) -> String {
        let Row { name, unit, peer, ours, theirs, ratio } = self;
        format!("{name:<38} {ours:>14.0} {theirs:>14.0} {:<20} {ratio:>6.2}", format!("{unit}, {peer}"))
    }

    pub fn json(&self) -> String {
        let Row { name, unit, peer, ours, theirs, ratio } = self;
        json!({ "work": name, "unit": unit, "peer": peer, "winhttp": ours, "other": theirs, "ratio": ratio })
            .to_string()
    }
}

const REQUESTS: &str = "requests/s";
const MEGABYTES: &str = "MB/s";
const HYPER: &str = "hyper";

/// Requests in flight, and requests in a run; no more are in flight than there are.
const LOADS: [(usize, usize); 5] = [(1, 8_000), (16, 20_000), (64, 30_000), (256, 30_000), (1_000, 30_000)];

/// Sizes of the buffers of a download.
const BUFFERS: [usize; 3] = [8 << 10, 64 << 10, 1 << 20];

/// Bytes of a long body.
const LONG: f64 = (1_u64 << 30) as f64;

/// All works; `scale` is how much of each is done.
pub fn all(scale: f64) -> Vec<Work> {
    let plain = server::start(None);
    let authority = portable_winhttp::lab::Authority::new();
    let secured = server::start(Some(authority.issue(&["localhost", "127.0.0.1"])));
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let some = |count: usize| ((count as f64 * scale) as usize).max(1);
    let long = (LONG * scale) as usize;
    let mut works = Vec::new();

    for (server, over) in [(&plain, ""), (&secured, " over TLS")] {
        for (flight, count) in LOADS {
            let name = match flight {
                1 => format!("GET{over}, one at a time"),
                flight => format!("GET{over}, {flight} in flight"),
            };
            works.push(requests(name, server, &runtime, &authority, flight, some(count), Vec::new()));
        }
        let name = format!("POST 1 KiB{over}, one at a time");
        works.push(requests(name, server, &runtime, &authority, 1, some(8_000), vec![7; 1024]));
    }

    for (name, session) in [
        ("GET, driven by the main thread", driven::Session::Asynchronous),
        ("GET, synchronous", driven::Session::Synchronous),
    ] {
        let count = some(8_000);
        let client = driven::Client::new(plain.address, session);
        let (runtime, address) = (Arc::clone(&runtime), plain.address);
        let mut theirs = peer::Driven::new(&runtime, address);
        works.push(Work {
            name: name.to_owned(),
            unit: REQUESTS,
            peer: HYPER,
            amount: count as f64,
            ours: Box::new(move || client.run(count)),
            theirs: Box::new(move || theirs.run(&runtime, count)),
        });
    }

    {
        let count = some(2_000);
        let (runtime, address) = (Arc::clone(&runtime), plain.address);
        let client = callbacks::Client::new(&plain);
        works.push(Work {
            name: "GET, a connection each".to_owned(),
            unit: REQUESTS,
            peer: HYPER,
            amount: count as f64,
            ours: Box::new(move || client.run(1, count, &callbacks::Plan::get("/close"))),
            theirs: Box::new(move || runtime.block_on(peer::connections(address, count))),
        });
    }

    for (server, carrier) in [(&plain, ""), (&secured, ", TLS")] {
        for (size, asks) in BUFFERS.into_iter().flat_map(|size| [(size, false), (size, true)]) {
            let with = if asks { ", QueryDataAvailable" } else { "" };
            let name = format!("download{carrier}, {} KiB buffers{with}", size >> 10);
            works.push(download(name, server, &runtime, &authority, long, size, asks));
        }
        works.push(upload(format!("upload{carrier}, 64 KiB pieces"), server, &runtime, &authority, long));
    }

    works.push(http2::work("GET over HTTP/2, 100 streams", &authority, &runtime, some(20_000).max(100)));
    for (size, count) in [(64, 20_000), (64 << 10, 2_000)] {
        works.push(socket::work(size, some(count)));
    }
    #[cfg(feature = "bench-curl")]
    works.extend(super::curl::works(&plain, scale));
    works
}

fn requests(
    name: String,
    server: &Server,
    runtime: &Arc<Runtime>,
    authority: &portable_winhttp::lab::Authority,
    flight: usize,
    count: usize,
    body: Vec<u8>,
) -> Work {
    let flight = flight.min(count);
    let client = callbacks::Client::new(server);
    let mut peer = peer::Requests::new(peer::Connector::new(server, authority));
    let (runtime, sent) = (Arc::clone(runtime), Bytes::from(body.clone()));
    Work {
        name,
        unit: REQUESTS,
        peer: HYPER,
        amount: count as f64,
        ours: Box::new(move || client.run(flight, count, &callbacks::Plan::send(body.clone()))),
        theirs: Box::new(move || runtime.block_on(peer.run(flight, count, &sent))),
    }
}

fn download(
    name: String,
    server: &Server,
    runtime: &Arc<Runtime>,
    authority: &portable_winhttp::lab::Authority,
    length: usize,
    buffer: usize,
    asks: bool,
) -> Work {
    let client = callbacks::Client::new(server);
    let connector = peer::Connector::new(server, authority);
    let runtime = Arc::clone(runtime);
    let path = format!("/bytes/{length}");
    let plan = callbacks::Plan::download(&path, buffer, asks);
    Work {
        name,
        unit: MEGABYTES,
        peer: HYPER,
        amount: length as f64 / 1e6,
        ours: Box::new(move || client.run(1, 1, &plan)),
        theirs: Box::new(move || runtime.block_on(peer::download(&connector, &path))),
    }
}

fn upload(
    name: String,
    server: &Server,
    runtime: &Arc<Runtime>,
    authority: &portable_winhttp::lab::Authority,
    length: usize,
) -> Work {
    let client = callbacks::Client::new(server);
    let connector = peer::Connector::new(server, authority);
    let runtime = Arc::clone(runtime);
    Work {
        name,
        unit: MEGABYTES,
        peer: HYPER,
        amount: length as f64 / 1e6,
        ours: Box::new(move || client.run(1, 1, &callbacks::Plan::upload(length))),
        theirs: Box::new(move || runtime.block_on(peer::upload(&connector, length))),
    }
}
