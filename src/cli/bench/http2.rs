//! HTTP/2: the h2 crate alone against WinHTTP, a hundred streams on one connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;
use portable_winhttp::lab::Authority;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::callbacks::{Client, Plan, take};
use super::peer;
use super::server::{self, BODY, Server};
use super::work::Work;

const STREAMS: usize = 100;

/// The work.
pub fn work(name: &str, authority: &Authority, runtime: &Arc<Runtime>, count: usize) -> Work {
    let issued = authority.issue(&["localhost", "127.0.0.1"]);
    let acceptor = TlsAcceptor::from(Arc::new(server::config(&issued, &["h2"])));
    let address = server::listen(move |stream| answer(acceptor.clone(), stream));
    let client = Client::new(&Server { address, secure: true });
    let connector = peer::tls(authority, &["h2"]);
    let runtime = Arc::clone(runtime);
    Work {
        name: name.to_owned(),
        unit: "requests/s",
        peer: "h2",
        amount: count as f64,
        ours: Box::new(move || client.run(STREAMS, count, &Plan::get("/").http2())),
        theirs: Box::new(move || runtime.block_on(requests(address, connector.clone(), count))),
    }
}

async fn answer(tls: TlsAcceptor, stream: TcpStream) -> io::Result<()> {
    let stream = tls.accept(stream).await?;
    let mut connection = h2::server::handshake(stream).await.map_err(io::Error::other)?;
    while let Some(request) = connection.accept().await {
        let (_, mut respond) = request.map_err(io::Error::other)?;
        let head = http::Response::builder().header("content-length", BODY.len()).body(()).map_err(io::Error::other)?;
        let mut body = respond.send_response(head, false).map_err(io::Error::other)?;
        body.send_data(Bytes::from_static(BODY), true).map_err(io::Error::other)?;
    }
    Ok(())
}

async fn requests(address: SocketAddr, tls: TlsConnector, count: usize) {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    stream.set_nodelay(true).expect("a TCP socket");
    let stream = tls.connect(peer::name(address), stream).await.expect("a handshake");
    let (sender, connection) = h2::client::handshake(stream).await.expect("a connection");
    tokio::spawn(connection);
    let tickets = Arc::new(AtomicUsize::new(count));
    let mut tasks = Vec::new();
    for _ in 0..STREAMS {
        let (tickets, sender) = (Arc::clone(&tickets), sender.clone());
        tasks.push(tokio::spawn(async move {
            while take(&tickets) {
                let request = http::Request::get("https://127.0.0.1/").body(()).expect("a request");
                let mut ready = sender.clone().ready().await.expect("the connection is open");
                let (reply, _) = ready.send_request(request, true).expect("a stream");
                let mut body = reply.await.expect("a reply").into_body();
                while let Some(bytes) = body.data().await {
                    let bytes = bytes.expect("the body");
                    body.flow_control().release_capacity(bytes.len()).expect("what came");
                }
            }
        }));
    }
    for task in tasks {
        task.await.expect("no panic");
    }
}
