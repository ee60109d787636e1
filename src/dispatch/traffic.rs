//! What the transport carries, for a trace.

use super::Carried;
use crate::http::Headers;
use crate::record::{Data, Field, Traffic, field};
use crate::transport::{Event, Failure};

impl Carried<'_> {
    /// What a trace keeps of it; one thing may be two.
    pub fn traffic(&self) -> Vec<Traffic> {
        let one = match self {
            Carried::Order(order) => Traffic::Request {
                origin: {
                    let scheme = if order.tls.is_some() { "https" } else { "http" };
                    let host = if order.host.contains(':') { format!("[{}]", order.host) } else { order.host.clone() };
                    format!("{scheme}://{host}:{}", order.port)
                },
                method: order.head.method.clone(),
                target: order.head.target.clone(),
                headers: fields(&order.head.headers),
                body: Data(order.body.clone()),
            },
            Carried::Bytes(bytes) => Traffic::Write(Data((*bytes).clone())),
            Carried::Event(Event::Sent(_)) => Traffic::Sent,
            Carried::Event(Event::Restarted) => Traffic::Restarted,
            Carried::Event(Event::Interim(status)) => Traffic::Interim(*status),
            Carried::Event(Event::Head { head, .. }) => Traffic::Head {
                status: head.status,
                reason: String::from_utf8_lossy(&head.reason).into_owned(),
                headers: fields(&head.headers),
            },
            Carried::Event(Event::Body { bytes, end }) => {
                let bytes = (!bytes.is_empty()).then(|| Traffic::Body(Data(bytes.clone())));
                let end = end.as_ref().map(|trailers| Traffic::End { trailers: fields(trailers) });
                return bytes.into_iter().chain(end).collect();
            }
            Carried::Event(Event::Failed(Failure { error, secure, .. })) => {
                Traffic::Failed { error: *error, secure: *secure }
            }
            Carried::Event(_) => return Vec::new(),
        };
        vec![one]
    }
}

fn fields(headers: &Headers) -> Vec<Field> {
    headers.iter().map(|header| field(&header.name, &header.value)).collect()
}
