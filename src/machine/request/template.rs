//! The request head: what the application put into it, and what WinHTTP adds when it goes out (source header.implicit).

use std::fmt::Write;

use bytestring::ByteString;

use super::Origin;
use super::body_source::BodySource;
use crate::http::header_text::lossy;
use crate::http::zone::without_zone;
use crate::http::{Header, Headers, RequestHead, Version, coding, upgrade};
use crate::machine::Settings;

/// The parts of a request head that the application gave.
#[derive(Clone, Debug)]
pub struct RequestTemplate {
    /// The verb, as it goes out.
    pub method: ByteString,
    /// Path and query, as they go out.
    pub target: ByteString,
    /// HTTP/1.1 or HTTP/1.0.
    pub version: Version,
    /// The headers that the application added.
    pub headers: Headers,
    /// The session's agent.
    pub agent: Option<ByteString>,
    /// The accept types of OpenRequest.
    pub accept: Vec<String>,
    /// The referrer of OpenRequest.
    pub referrer: Option<String>,
    /// WINHTTP_FLAG_REFRESH
    pub refresh: bool,
    /// WINHTTP_FLAG_AUTOMATIC_CHUNKING
    pub automatic_chunking: bool,
}

impl Origin {
    /// `host:port` or `[v6]:port`, whatever the port.
    pub fn authority_with_port(&self) -> String {
        self.named(Some(self.port))
    }

    /// `host`, `host:port` or `[v6]:port`; a port that the scheme implies is left out.
    pub fn authority(&self) -> String {
        match (self.secure, self.port) {
            (false, 80) | (true, 443) => self.named(None),
            (_, port) => self.named(Some(port)),
        }
    }

    fn named(&self, port: Option<u16>) -> String {
        let host = without_zone(&self.host);
        let brackets = host.contains(':');
        let digits = |port: u16| ":".len() + port.checked_ilog10().unwrap_or(0) as usize + 1;
        // Without room that stays unused the text becomes bytes as it is.
        let length = host.len() + 2 * usize::from(brackets) + port.map_or(0, digits);
        let mut name = String::with_capacity(length);
        name.extend(brackets.then_some('['));
        name.push_str(host);
        name.extend(brackets.then_some(']'));
        if let Some(port) = port {
            // A string takes whatever is written.
            let _ = write!(name, ":{port}");
        }
        name
    }
}

impl RequestTemplate {
    /// CONNECT to `authority`, with these credentials and nothing else (source f02).
    pub fn connect(authority: String, credentials: Option<Vec<u8>>) -> RequestHead {
        let mut headers = Headers::default();
        headers.append(ByteString::from_static("Host"), authority.clone());
        if let Some(credentials) = credentials {
            headers.append("Proxy-Authorization", credentials);
        }
        RequestHead {
            method: ByteString::from_static("CONNECT"),
            target: authority.into(),
            version: Version { major: 1, minor: 1 },
            headers,
        }
    }

    /// The head for a proxy that gets the request: it hears what is about its connection by its own name.
    pub fn for_proxy(&self, head: RequestHead, origin: &Origin) -> RequestHead {
        let ours = self.headers.get("connection", 0).is_none();
        let mut headers = Headers::default();
        for Header { name, value } in head.headers.iter().cloned() {
            let renamed = ours && name == "Connection";
            headers.append(if renamed { ByteString::from_static("Proxy-Connection") } else { name }, value);
        }
        RequestHead { target: self.url(origin).into(), headers, ..head }
    }

    /// The head that goes through a tunnel: what is for the proxy went out with CONNECT.
    pub fn for_tunnel(&self, mut head: RequestHead) -> RequestHead {
        head.headers.remove("Proxy-Authorization");
        head
    }

    /// The absolute URL.
    pub fn url(&self, origin: &Origin) -> String {
        let scheme = if origin.secure { "https" } else { "http" };
        format!("{scheme}://{}{}", origin.authority(), self.target)
    }

    /// The head before it was sent.
    pub fn head(&self) -> RequestHead {
        self.with(self.headers.clone())
    }

    /// The head as it goes out: the application's headers between those that WinHTTP puts first and last.
    /// `credentials` and `cookies` are those of this attempt; `key` is that of the web socket that is asked for.
    pub fn complete(
        &self,
        origin: &Origin,
        settings: &Settings,
        upload: &BodySource,
        credentials: &Headers,
        cookies: Option<&[u8]>,
        key: Option<&str>,
    ) -> RequestHead {
        // Connection, User-Agent, Host, and one that not every request has.
        let mut headers = Headers::with_capacity(self.headers.len() + credentials.len() + 4);
        let absent = |name: &str| self.headers.get(name, 0).is_none();
        let connection = match key {
            Some(_) => "Upgrade",
            None if settings.keep_alive_disabled() => "Close",
            None => "Keep-Alive",
        };
        if absent("connection") && (absent("proxy-connection") || key.is_some()) {
            headers.append(ByteString::from_static("Connection"), connection);
        }
        for (name, value) in key.iter().flat_map(|key| upgrade::request(key)).filter(|(name, _)| absent(name)) {
            headers.append(name, value.to_owned());
        }
        if self.refresh && absent("pragma") {
            headers.append("Pragma", "no-cache");
        }
        // A request of an older version has no such field (source header.refresh).
        if self.refresh && self.version.minor > 0 && absent("cache-control") {
            headers.append("Cache-Control", "no-cache");
        }
        if !self.accept.is_empty() && absent("accept") {
            headers.append("Accept", lossy(&self.accept.join(", ").into()));
        }
        if let Some(referrer) = self.referrer.as_deref().filter(|_| absent("referer")) {
            headers.append("Referer", lossy(&referrer.into()));
        }
        for header in self.headers.iter() {
            headers.append(header.name.clone(), header.value.clone());
        }
        if let Some(agent) = self.agent.as_ref().filter(|_| absent("user-agent")) {
            headers.append(ByteString::from_static("User-Agent"), lossy(agent));
        }
        if let Some((name, value)) = upload.headers().filter(|(name, _)| absent(name)) {
            headers.append(name, value);
        }
        if absent("host") {
            headers.append(ByteString::from_static("Host"), origin.authority());
        }
        // Decompression names what the application did not name itself (source j03).
        let missing: Vec<_> = coding::accepted(settings.decompression)
            .filter(|coding| !self.headers.has_word("accept-encoding", coding.as_bytes()))
            .collect();
        if !missing.is_empty() {
            headers.join("Accept-Encoding", missing.join(", ").as_bytes(), b", ");
        }
        for header in credentials.iter() {
            headers.append(header.name.clone(), header.value.clone());
        }
        if let Some(cookies) = cookies {
            headers.join("Cookie", cookies, b"; ");
        }
        self.with(headers)
    }

    /// A redirect is followed. The application's headers stay (source RH4), its Authorization, too: .NET removes that
    /// itself when REDIRECT tells it. Only what would be wrong goes: the name of another server, and what describes a
    /// body that is not sent again. Answers a secret that the application gave to one server and that another gets.
    pub(super) fn redirect(&mut self, elsewhere: bool, keep_body: bool) -> Option<&'static str> {
        if elsewhere {
            self.headers.remove("host");
        }
        if !keep_body {
            for name in ["content-length", "transfer-encoding", "content-type", "content-encoding"] {
                self.headers.remove(name);
            }
        }
        let mut secrets = ["Authorization", "Proxy-Authorization", "Cookie"].into_iter();
        secrets.find(|name| elsewhere && self.headers.get(name, 0).is_some())
    }

    /// Whether the application asked for the connection to be closed.
    pub fn asks_to_close(&self) -> bool {
        ["connection", "proxy-connection"].iter().any(|name| self.headers.has_word(name, b"close"))
    }

    fn with(&self, headers: Headers) -> RequestHead {
        RequestHead { method: self.method.clone(), target: self.target.clone(), version: self.version, headers }
    }
}
