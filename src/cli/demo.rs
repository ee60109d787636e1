//! Four requests to a server of our own: what WinHTTP tells about each.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use portable_winhttp::record::{Api, AsyncResult, EventKind, Trace};
use portable_winhttp::win32::{ERROR_WINHTTP_CANNOT_CONNECT, WINHTTP_CALLBACK_STATUS_REDIRECT};

use super::End;
use super::exchange::{Body, Exchange, Outcome, Problem};
use super::output::{complain, print};
use super::server::Server;
use super::winhttp::{Failure, Target};

struct Scene {
    heading: &'static str,
    exchange: Exchange,
    /// Whether it went as meant, by its outcome and the body of the reply.
    meant: fn(&Outcome, &[u8]) -> bool,
}

/// Plays the scenes in order.
pub fn run() -> End {
    let (server, closed) = match Server::start(0, None).and_then(|server| Ok((server, closed_port()?))) {
        Ok(addresses) => addresses,
        Err(error) => {
            complain(&format!("cannot listen on 127.0.0.1: {error}"));
            return End::Badly;
        }
    };
    scenes(server.address(), closed).into_iter().map(play).find(|end| *end != End::Well).unwrap_or(End::Well)
}

fn play(Scene { heading, exchange, meant }: Scene) -> End {
    let mut body = Vec::new();
    let outcome = exchange.run(&mut body);
    let printed = print(&format!("== {heading}\n\n{}\n", outcome.trace.to_table()));
    if meant(&outcome, &body) {
        return printed;
    }
    complain(&match &outcome.result {
        Ok(status) => format!("{heading}: not what was expected (status {status})"),
        Err(problem) => format!("{heading}: {problem}"),
    });
    End::Badly
}

fn scenes(server: SocketAddr, closed: SocketAddr) -> [Scene; 4] {
    let scene = |heading, method: &str, address, object: &str, body, meant| Scene {
        heading,
        exchange: Exchange {
            target: target(address, object),
            method: method.into(),
            headers: Vec::new(),
            body,
            synchronous: false,
            http2: false,
        },
        meant,
    };
    let text = b"What was written.".to_vec();
    [
        scene("A GET", "GET", server, "/", Body::None, |outcome, body| replied(outcome) && !body.is_empty()),
        scene("A POST with WinHttpWriteData", "POST", server, "/echo", Body::Written(text), |outcome, body| {
            replied(outcome) && body.ends_with(b"What was written.")
        }),
        scene("A redirect", "GET", server, "/redirect", Body::None, |outcome, _| {
            replied(outcome) && was_redirected(&outcome.trace)
        }),
        scene("A failure: nobody listens", "GET", closed, "/", Body::None, |outcome, _| {
            let refused = AsyncResult { api: Api::SEND_REQUEST, error: ERROR_WINHTTP_CANNOT_CONNECT };
            matches!(&outcome.result, Err(Problem::WinHttp(Failure::Record(result))) if *result == refused)
        }),
    ]
}

fn target(address: SocketAddr, object: &str) -> Target {
    Target { secure: false, host: address.ip().to_string(), port: address.port(), object: object.into() }
}

fn replied(outcome: &Outcome) -> bool {
    matches!(outcome.result, Ok(200))
}

fn was_redirected(trace: &Trace) -> bool {
    let redirect = |what: &EventKind| match what {
        EventKind::Notification { notification, .. } => notification.status.0 == WINHTTP_CALLBACK_STATUS_REDIRECT,
        _ => false,
    };
    trace.events.iter().any(|event| redirect(&event.what))
}

/// An address at which nobody listens: it was just given back.
fn closed_port() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
