//! A file from a web server, for the network's own use.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use url::{Host, Url};

use super::runtime::Runtime;
use crate::transport::Network;

/// GETs a `http` URL: the body of a 200 of at most `limit` bytes. No proxy, no redirects.
pub async fn fetch(runtime: &dyn Runtime, network: &Network, url: &str, limit: usize) -> Option<Bytes> {
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "http")?;
    let port = url.port_or_known_default()?;
    let addresses: Vec<SocketAddr> = match url.host()? {
        Host::Domain(name) => runtime.resolve(name, port).await.ok()?,
        Host::Ipv4(address) => vec![(address, port).into()],
        Host::Ipv6(address) => vec![(address, port).into()],
    };
    let mut connected = None;
    for address in addresses {
        connected = runtime.connect(address, network).await.ok();
        if connected.is_some() {
            break;
        }
    }
    let (mut sender, connection) = http1::handshake(TokioIo::new(connected?.stream)).await.ok()?;
    let request = Request::get(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header(HOST, &url[url::Position::BeforeHost..url::Position::AfterPort])
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .ok()?;
    let mut answered = pin!(async {
        let response = sender.send_request(request).await.ok()?;
        let good = response.status() == StatusCode::OK;
        let body = Limited::new(response.into_body(), limit).collect().await.ok()?;
        good.then(|| body.to_bytes())
    });
    let mut connection = pin!(connection);
    let mut open = true;
    poll_fn(|cx| {
        open = open && connection.as_mut().poll(cx).is_pending();
        match answered.as_mut().poll(cx) {
            // A connection that is closed has told all that it knew.
            Poll::Pending if !open => answered.as_mut().poll(cx),
            answered => answered,
        }
    })
    .await
}
