//! How a request sets out: over which route, as which [`TransportRequest`]; and what a proxy says to its CONNECT.

use std::time::Duration;

use super::attempt::Attempt;
use super::proxy_route::ProxyRoute;
use super::table::{Exchange, Input};
use super::timers::Timer;
use super::{Origin, Request, RequestTemplate};
use crate::http::proxy::{Destination, Hop};
use crate::http::zone::without_zone;
use crate::http::{RequestHead, RequestKind, ResponseHead};
use crate::machine::resolver::{Query, Resolver};
use crate::machine::step::Tabled;
use crate::machine::{Machine, Output};
use crate::record::Notification;
use crate::transport::{Route, TransportRequest, Via};
use crate::win32::{ERROR_WINHTTP_CANNOT_CONNECT, ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH, Win32Error};

impl Request {
    pub(super) fn start(&mut self, now: Duration) {
        self.sent = true;
        self.attempt = Attempt::default();
        if let Some(error) = self.config.settings.refuses_web_socket().filter(|_| self.current.key.is_some()) {
            return self.fail(now, error);
        }
        if self.http2_is_out_of_question() && self.config.settings.http2().is_some_and(|rules| rules.required) {
            return self.fail(now, ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH);
        }
        // No older version takes its place (source n146).
        if self.config.settings.asks_for_http3_alone() {
            return self.fail(now, ERROR_WINHTTP_CANNOT_CONNECT);
        }
        if self.config.settings.proxy.is_direct() {
            self.route = ProxyRoute::default();
            return self.launch(now);
        }
        let to =
            Destination { secure: self.origin.secure, host: without_zone(&self.origin.host), port: self.origin.port };
        match self.config.settings.proxy.choose(&to) {
            // Failover in a list that the application gave is its own affair (source P3).
            Some(mut choice) => {
                choice.hops.truncate(1);
                self.route = ProxyRoute::new(choice.hops);
                self.launch(now);
            }
            None => self.resolve(now),
        }
    }

    /// Asks the resolver for the routes; the request is put out when it has answered. What that takes may block (names,
    /// scripts), and is done by a worker: the one hop of an automatic proxy.
    fn resolve(&mut self, now: Duration) {
        self.route = ProxyRoute::default();
        self.attempt.timings.detecting(now);
        let url: Vec<u16> = self.url().encode_utf16().collect();
        let mut resolver = Resolver::new(self.config.settings.timeouts, (self.attempt_number + 1) << 32);
        let asked = Query::new(&url, None).and_then(|query| resolver.find(now, query));
        self.resolver = asked.is_ok().then(|| Box::new(resolver));
        if asked.is_ok() { self.resolved(now) } else { self.launch(now) }
    }

    /// Passes on what the resolver wants, and takes its answer. Without one the route is direct.
    pub(super) fn resolved(&mut self, now: Duration) {
        let Some(resolver) = &mut self.resolver else { return };
        let wanted: Vec<_> = resolver.outputs().collect();
        for output in wanted {
            if !matches!(output, Output::End(..)) {
                self.outputs.push(output);
                continue;
            }
            let hops = resolver.answer().map_or_else(|_| vec![Hop::Direct], |choice| choice.hops.clone());
            self.resolver = None;
            self.attempt.timings.detected(now);
            self.route = ProxyRoute::new(hops);
            return self.launch(now);
        }
    }

    /// Puts out the [`TransportRequest`], over the first route that is left.
    fn launch(&mut self, now: Duration) {
        self.route.refused = false;
        let body = (!self.write.source.open()).then_some(&*self.write.source.first);
        self.config.cookies.prepare(&self.origin, &self.config.template.target, &self.config.settings, now);
        let via = self.by_proxy().map(|proxy| (proxy, self.config.template.url(&self.origin)));
        let via = via.as_ref().map(|(proxy, absolute)| (proxy.clone(), absolute.as_str()));
        let in_absolute_form = via.is_some();
        self.config.credentials.refused = self.config.settings.refused_proxy_schemes();
        self.config.credentials.newer_digest = self.config.settings.newer_digest;
        self.config.credentials.prepare(&self.config.template, &self.origin, body, via);
        let head = self.complete();
        let route = match self.route.current() {
            Hop::Direct => Route::Direct,
            Hop::Via(server) if server.is_socks() => Route::Socks(server.clone()),
            Hop::Via(server) => {
                let tls = server.speaks_tls().then(|| self.config.settings.tls());
                let mut via = Via { server: server.clone(), tls, user: None };
                if in_absolute_form {
                    Route::Proxy(via)
                } else {
                    via.user = self.config.credentials.tunnel_user(&self.config.template);
                    Route::Tunnel(via, self.connect_head())
                }
            }
        };
        let request = TransportRequest {
            host: self.origin.host.clone(),
            port: self.origin.port,
            route,
            tls: self.origin.secure.then(|| self.config.settings.tls()),
            http2: self.config.settings.http2().filter(|_| !self.http2_is_out_of_question()),
            head,
            body: self.write.source.first.clone(),
            more: self.write.source.open(),
            chunked: self.write.source.automatic(),
            upgrade: self.current.key.is_some(),
            keep_alive: !self.config.settings.keep_alive_disabled() && !self.config.template.asks_to_close(),
            pool: self.config.settings.pool,
            // Known to whoever drives the machine.
            handle: 0,
            network: self.config.settings.network.clone(),
            pool_rules: self.config.settings.pool_rules.clone(),
            ahead_within: self.config.settings.timeouts.ahead(),
            head_limit: self.config.settings.max_head as usize,
            interim_limit: self.config.settings.max_interim,
            drain_limit: self.config.settings.max_drain as usize,
        };
        self.attempt.timings.begin(now, request.first_length());
        self.outputs.push(Output::Start(self.attempt_number, Box::new(request)));
    }

    pub(super) fn fail(&mut self, now: Duration, error: Win32Error) {
        if self.state.exchange == Exchange::Sending && self.route.next() {
            // The proxy is dead: the next route of the resolver's answer.
            self.attempt.timings.proxy_failed();
            self.attempt_number += 1;
            self.timers.clear();
            self.outputs.push(Output::Abandon);
            return self.launch(now);
        }
        self.cause = error;
        self.attempt.body.end(Err(error));
        self.timers.arrived();
        self.happened(now, Input::Fail);
    }

    /// A request that asks for HTTP/1.0 gets no newer version; a web socket begins in HTTP/1.1; and what the application
    /// frames itself (`Transfer-Encoding` of its own) only HTTP/1.1 carries as it is (sources h10, m1).
    fn http2_is_out_of_question(&self) -> bool {
        let framed = self.config.template.headers.get("transfer-encoding", 0).is_some();
        framed || self.current.key.is_some() || self.config.template.version.minor == 0
    }

    /// The HTTP proxy that gets the request itself, if one does. TLS and web sockets go through a tunnel.
    fn by_proxy(&self) -> Option<Origin> {
        if self.origin.secure || self.current.key.is_some() { None } else { self.route.proxy_origin() }
    }

    pub(super) fn complete(&self) -> RequestHead {
        let (credentials, cookies) = (self.config.credentials.headers(), self.config.cookies.header());
        let key = self.current.key.as_deref();
        let head = self.config.template.complete(
            &self.origin,
            &self.config.settings,
            &self.write.source,
            credentials,
            cookies,
            key,
        );
        match self.route.proxy_origin() {
            Some(_) if self.by_proxy().is_some() => self.config.template.for_proxy(head, &self.origin),
            Some(_) => self.config.template.for_tunnel(head),
            None => head,
        }
    }

    /// The CONNECT that goes out next.
    fn connect_head(&mut self) -> RequestHead {
        let authority = self.origin.authority_with_port();
        let proxy = self.route.proxy_origin().unwrap_or_else(|| self.origin.clone());
        let credentials = self.config.credentials.for_tunnel(&self.config.template, &proxy, &authority);
        RequestTemplate::connect(authority, credentials)
    }

    /// The proxy answered CONNECT: the tunnel stands, or is asked for again, or its answer is the server's.
    pub(super) fn tunnel_answered(&mut self, now: Duration, head: &ResponseHead, received: u64) {
        self.timers.arrived();
        let stands = RequestKind::Connect.is_tunnel(head.status);
        let off = self.config.settings.authentication_disabled();
        let proxy = self.route.proxy_origin().unwrap_or_else(|| self.origin.clone());
        let again = !stands && self.config.credentials.asked_by_tunnel(head, &proxy, &self.config.template, off);
        if stands || again {
            let bytes = received.min(u32::MAX.into()) as u32;
            self.notify(Notification::ResponseReceived { bytes });
            // The handshake behind it, or another connection, has the time of a connection.
            self.timers.start(Timer::Connection, now, &self.config.settings.timeouts);
        }
        if again {
            let head = self.connect_head();
            self.outputs.push(Output::Tunnel(Some(head)));
        } else if !stands {
            self.route.refused = true;
            self.outputs.push(Output::Tunnel(None));
        }
    }
}
