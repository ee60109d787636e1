//! The routes to the server that are left to try, and where the first stands.

use std::collections::VecDeque;

use super::Origin;
use crate::http::proxy::{Hop, Server};

#[derive(Debug, Default)]
pub struct ProxyRoute {
    /// None is the direct route alone.
    hops: VecDeque<Hop>,
    /// Whether a connection over the first stands, or stood.
    pub reached: bool,
    /// The proxy refused the tunnel, and its answer is the reply.
    pub refused: bool,
}

impl ProxyRoute {
    pub fn new(hops: Vec<Hop>) -> ProxyRoute {
        ProxyRoute { hops: hops.into(), reached: false, refused: false }
    }

    /// The route that is taken.
    pub fn current(&self) -> &Hop {
        self.hops.front().unwrap_or(&Hop::Direct)
    }

    /// The first could not be reached: whether there is another.
    pub fn next(&mut self) -> bool {
        let next = !self.reached && self.hops.len() > 1;
        if next {
            self.hops.pop_front();
        }
        next
    }

    /// Whose name is looked up.
    pub fn first_hop<'a>(&'a self, origin: &'a Origin) -> &'a str {
        match self.current() {
            Hop::Direct => &origin.host,
            Hop::Via(server) => &server.host,
        }
    }

    /// The HTTP proxy, if there is one.
    fn proxy(&self) -> Option<&Server> {
        match self.current() {
            Hop::Via(server) if !server.is_socks() => Some(server),
            _ => None,
        }
    }

    /// The HTTP proxy as somebody who asks for credentials.
    pub fn proxy_origin(&self) -> Option<Origin> {
        self.proxy().map(|proxy| Origin {
            secure: proxy.speaks_tls(),
            host: proxy.host.as_str().into(),
            port: proxy.port,
        })
    }
}
