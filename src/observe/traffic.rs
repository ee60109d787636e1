//! What the transport carries, for a trace.

use bytes::Bytes;

use crate::http::Headers;
use crate::record::{Data, Field, Traffic, field, target};
use crate::transport::{Event, Failure, TransportRequest};

/// What the transport carries.
#[derive(Debug)]
pub enum TrafficEvent<'a> {
    /// A request begins its way.
    Request(&'a TransportRequest),
    /// Body bytes of WinHttpWriteData.
    Bytes(&'a Bytes),
    /// Something happened to it.
    Event(&'a Event),
}

impl TrafficEvent<'_> {
    /// What a trace keeps of it, bodies and queries only if it keeps `content`; one thing may be two.
    pub fn traffic(&self, content: bool) -> Vec<Traffic> {
        let data = |bytes: &Bytes| if content { Data::new(bytes.clone()) } else { Data::left_out(bytes.len()) };
        let one = match self {
            TrafficEvent::Request(order) => Traffic::Request {
                origin: {
                    let scheme = if order.tls.is_some() { "https" } else { "http" };
                    let host =
                        if order.host.contains(':') { format!("[{}]", order.host) } else { order.host.to_string() };
                    format!("{scheme}://{host}:{}", order.port)
                },
                method: order.head.method.to_string(),
                target: target(&order.head.target, !content),
                headers: fields(&order.head.headers),
                body: data(&order.body),
            },
            TrafficEvent::Bytes(bytes) => Traffic::Write(data(bytes)),
            TrafficEvent::Event(Event::Sent(_)) => Traffic::Sent,
            TrafficEvent::Event(Event::Restarted) => Traffic::Restarted,
            TrafficEvent::Event(Event::Interim(status)) => Traffic::Interim(*status),
            TrafficEvent::Event(Event::Head { head, .. }) => Traffic::Head {
                status: head.status,
                reason: String::from_utf8_lossy(&head.reason).into_owned(),
                headers: fields(&head.headers),
            },
            TrafficEvent::Event(Event::Body { bytes, end }) => {
                let bytes = (!bytes.is_empty()).then(|| Traffic::Body(data(bytes)));
                let end = end.as_ref().map(|trailers| Traffic::End { trailers: fields(trailers) });
                return bytes.into_iter().chain(end).collect();
            }
            TrafficEvent::Event(Event::Failed(Failure { error, secure, .. })) => {
                Traffic::Failed { error: *error, secure: *secure }
            }
            TrafficEvent::Event(_) => return Vec::new(),
        };
        vec![one]
    }
}

fn fields(headers: &Headers) -> Vec<Field> {
    headers.iter().map(|header| field(&header.name, &header.value)).collect()
}
