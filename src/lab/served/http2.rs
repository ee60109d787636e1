//! HTTP/2 as a server.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use hyper::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};

use super::play::{Next, Play};
use super::{CONNECTION, Io, ServerHost};
use crate::http::http2::is_of_connection;
use crate::http::{Headers, RequestHead, RequestKind, Version};
use crate::lab::peer::Peer;
use crate::lab::received::Received;

/// Answers the requests of a connection, each on a task of its own.
pub async fn serve(place: Arc<dyn ServerHost>, peer: Peer, io: Box<dyn Io>) {
    let handshake = h2::server::Builder::new().max_concurrent_streams(peer.streams_at_once()).handshake(io);
    let Ok(mut connection) = handshake.await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        place.spawn(Box::pin(exchange(Arc::clone(&place), peer.clone(), request, respond)));
    }
}

async fn exchange(
    place: Arc<dyn ServerHost>,
    peer: Peer,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) {
    let (head, mut body) = received(request);
    let asked = RequestKind::of(&head.method, false);
    let reply = match peer.answer_early(&Received::new(&head, Bytes::new())) {
        Some(reply) => reply,
        None => {
            let Some(body) = whole(&mut body).await else { return };
            peer.answer(Received::new(&head, body))
        }
    };
    let mut play = Play::new(&place, &peer, &reply, asked);
    let mut stream: Option<SendStream<Bytes>> = None;
    while let Some(next) = play.next() {
        match (next, &mut stream) {
            (Next::Pause(pause), _) => pause.over(&*place).await,
            (Next::Interim(status), None) => {
                let mut interim = Response::new(());
                *interim.status_mut() = status.try_into().unwrap_or_default();
                let _ = respond.send_informational(interim);
            }
            (Next::Head(head), None) => {
                let mut response = Response::new(());
                *response.status_mut() = head.status.try_into().unwrap_or_default();
                *response.headers_mut() = fields(&head.headers);
                match respond.send_response(response, false) {
                    Ok(begun) => stream = Some(begun),
                    Err(_) => return,
                }
            }
            (Next::Bytes(bytes), Some(stream)) => {
                if !send(stream, bytes).await {
                    return;
                }
            }
            (Next::End(trailers), Some(stream)) if trailers.is_empty() => {
                let _ = stream.send_data(Bytes::new(), true);
                return;
            }
            (Next::End(trailers), Some(stream)) => {
                let _ = stream.send_trailers(fields(&trailers));
                return;
            }
            // There is no upgrade here.
            (Next::Upgrade(_), _) => return respond.send_reset(Reason::HTTP_1_1_REQUIRED),
            (Next::Close, _) => {
                place.turn().await;
                return respond.send_reset(Reason::CANCEL);
            }
            (Next::Reset(with), _) => {
                // A reset overtakes what is not out yet.
                place.turn().await;
                let reason = place.reason(with);
                if reason == Reason::INTERNAL_ERROR {
                    place.brings(with, &peer, CONNECTION);
                }
                return respond.send_reset(reason);
            }
            _ => break,
        }
    }
    // Nothing more comes until the client has enough.
    let _ = poll_fn(|cx| match &mut stream {
        Some(stream) => stream.poll_reset(cx),
        None => respond.poll_reset(cx),
    })
    .await;
}

/// A request as the rules see it: HTTP/1.1, with Host.
fn received(request: Request<RecvStream>) -> (RequestHead, RecvStream) {
    let (parts, body) = request.into_parts();
    let mut headers = Headers::default();
    for (name, value) in &parts.headers {
        headers.append(name.as_str(), value.as_bytes().to_vec());
    }
    if let Some(authority) = parts.uri.authority() {
        headers.append("host", authority.to_string());
    }
    let target = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let version = Version { major: 1, minor: 1 };
    (RequestHead { method: parts.method.as_str().into(), target: target.into(), version, headers }, body)
}

async fn whole(body: &mut RecvStream) -> Option<Bytes> {
    let mut whole = Vec::new();
    while let Some(bytes) = body.data().await {
        let bytes = bytes.ok()?;
        let _ = body.flow_control().release_capacity(bytes.len());
        whole.extend(bytes);
    }
    Some(whole.into())
}

async fn send(stream: &mut SendStream<Bytes>, mut bytes: Bytes) -> bool {
    while !bytes.is_empty() {
        stream.reserve_capacity(bytes.len());
        if stream.capacity() == 0 {
            match poll_fn(|cx| stream.poll_capacity(cx)).await {
                Some(Ok(_)) => continue,
                _ => return false,
            }
        }
        let part = bytes.split_to(stream.capacity().min(bytes.len()));
        if stream.send_data(part, false).is_err() {
            return false;
        }
    }
    true
}

/// Fields without those that HTTP/2 has no place for.
fn fields(headers: &Headers) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for header in headers.iter().filter(|header| !is_of_connection(&header.name)) {
        let (name, value) = (HeaderName::from_bytes(header.name.as_bytes()), HeaderValue::from_bytes(&header.value));
        if let (Ok(name), Ok(value)) = (name, value) {
            fields.append(name, value);
        }
    }
    fields
}
