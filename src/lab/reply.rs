//! What a peer answers.

use std::time::Duration;

use bytes::Bytes;

use super::fault::{Fault, FaultTrigger};
use super::gate::Gate;
use super::matcher::named;
use super::peer::Handler;
use super::raw::RawConnection;
use super::web_socket::{self, WebSocketScript};
use crate::http::header_text::is_text;
use crate::http::{Headers, RequestHead, RequestKind, ResponseHead, Version, upgrade};
use crate::win32::Win32Error;

/// What a server does after a request, one after the other. Whoever carries a reply plays these: the script, bytes, or
/// a real socket.
#[derive(Clone)]
pub(crate) enum Act {
    Wait(Duration),
    Gate(Gate),
    Interim(u16),
    Head(ResponseHead),
    /// A piece of the body; of one that is chunked, a chunk.
    Bytes(Bytes),
    /// The body is complete.
    End(Headers),
    /// After so many bytes of the body: faults that count those may strike here.
    Passed(usize),
    /// The connection is played byte by byte from here on.
    Upgrade(Handler),
    /// The exchange fails, with the bits of SECURE_FAILURE.
    Fail(Win32Error, u32),
}

/// A reply of a peer: status, headers, a body in pieces, delays, and faults. Delays are in the Sim's time.
///
/// ```
/// use std::time::Duration;
/// use portable_winhttp::lab::{Fault, Reply};
///
/// let slow = Reply::ok().header("etag", "7").body("hello").chunks([3, 2]).between(Duration::from_secs(1));
/// let cut = Reply::ok().body("0123456789").then(Fault::after_body(3).reset());
/// let signed = Reply::ok().body("data").chunks([4]).trailer("Digest", "sha-256=...");
/// ```
#[derive(Clone)]
pub struct Reply {
    pub(super) head: ResponseHead,
    body: Bytes,
    sizes: Vec<usize>,
    delay: Duration,
    between: Duration,
    interim: Vec<u16>,
    trailers: Headers,
    gate: Option<Gate>,
    unframed: bool,
    early: bool,
    pub(super) never: bool,
    upgrade: Option<Handler>,
    /// What the server does, as it was recorded.
    recorded: Option<Vec<Act>>,
    pub(super) faults: Vec<Fault>,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} with {} bytes", self.head.status, self.body.len())
    }
}

impl Reply {
    /// 200 OK, with an empty body.
    pub fn ok() -> Reply {
        Reply::status(200)
    }

    /// A reply with this status and an empty body.
    ///
    /// # Panics
    /// If the status has not three digits, the first of them not 0.
    #[track_caller]
    pub fn status(status: u16) -> Reply {
        assert!((100..=999).contains(&status), "a status has three digits, from 100: {status}");
        let version = Version { major: 1, minor: 1 };
        let reason = reason(status).into();
        Reply {
            head: ResponseHead { version, status, reason, headers: Headers::default() },
            body: Bytes::new(),
            sizes: Vec::new(),
            delay: Duration::ZERO,
            between: Duration::ZERO,
            interim: Vec::new(),
            trailers: Headers::default(),
            gate: None,
            unframed: false,
            early: false,
            never: false,
            upgrade: None,
            recorded: None,
            faults: Vec::new(),
        }
    }

    /// 302 to `location`.
    ///
    /// # Panics
    /// As [`Reply::header`].
    #[track_caller]
    pub fn redirect(location: &str) -> Reply {
        Reply::status(302).header("Location", location)
    }

    /// 401 with this challenge, for example `Basic realm="members"`. For a peer that also checks the password, use
    /// [`Rule::requires`](super::Rule::requires).
    ///
    /// # Panics
    /// As [`Reply::header`].
    #[track_caller]
    pub fn challenge(challenge: &str) -> Reply {
        Reply::status(401).header("WWW-Authenticate", challenge)
    }

    /// 407 with this challenge, as a proxy sends it.
    ///
    /// # Panics
    /// As [`Reply::header`].
    #[track_caller]
    pub fn proxy_challenge(challenge: &str) -> Reply {
        Reply::status(407).header("Proxy-Authenticate", challenge)
    }

    /// What a server did once.
    pub(super) fn recorded(acts: Vec<Act>) -> Reply {
        Reply { recorded: Some(acts), ..Reply::ok() }
    }

    /// The server reads the request and never answers.
    pub fn never() -> Reply {
        Reply { never: true, ..Reply::ok() }
    }

    /// 101 Switching Protocols. After it, `handler` plays the connection byte by byte, on a thread of the Sim. For the protocol
    /// `websocket` the header `Sec-WebSocket-Accept` is added, unless you give it.
    ///
    /// # Panics
    /// As [`Reply::header`].
    #[track_caller]
    pub fn upgrade(protocol: &str, handler: impl Fn(RawConnection) + Send + Sync + 'static) -> Reply {
        let reply = Reply::status(101).header("Connection", "Upgrade").header("Upgrade", protocol);
        Reply { upgrade: Some(std::sync::Arc::new(handler)), ..reply }
    }

    /// 101 Switching Protocols. After it, the script plays a web socket. `Sec-WebSocket-Accept` is added.
    pub fn web_socket(script: WebSocketScript) -> Reply {
        Reply::upgrade("websocket", move |connection| web_socket::play(&script, &connection))
    }

    /// Adds a header.
    ///
    /// # Panics
    /// If the name is no token (RFC 9110, 5.6.2), or the value has a control character other than a tab: for such a server see
    /// [`RawConnection`].
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Reply {
        check_field(name, value);
        self.head.headers.append(name, value.to_owned());
        self
    }

    /// Sets the body. It is sent with a Content-Length, unless [`chunks`](Reply::chunks), [`trailer`](Reply::trailer) or
    /// [`until_close`](Reply::until_close) says otherwise.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Reply {
        self.body = Bytes::from(body.into());
        self
    }

    /// The body is sent in chunks of these sizes in bytes (`Transfer-Encoding: chunked`), and the rest in one more chunk. Of an
    /// empty body only the end comes. A chunk of 0 bytes, or more of them than the body has, is refused by
    /// [`Rule::reply`](super::Rule::reply).
    pub fn chunks(mut self, sizes: impl IntoIterator<Item = usize>) -> Reply {
        self.sizes = sizes.into_iter().collect();
        self
    }

    /// The end of the connection is the end of the body: no Content-Length, no chunks.
    pub fn until_close(mut self) -> Reply {
        self.unframed = true;
        self
    }

    /// Adds a trailer after a chunked body; without [`chunks`](Reply::chunks) the body is one chunk. Over HTTP/1.1 WinHTTP does not show
    /// trailers to the program (source a13).
    ///
    /// # Panics
    /// As [`Reply::header`].
    #[track_caller]
    pub fn trailer(mut self, name: &str, value: &str) -> Reply {
        check_field(name, value);
        self.trailers.append(name, value.to_owned());
        self
    }

    /// The head comes this long after the request.
    pub fn delay(mut self, delay: Duration) -> Reply {
        self.delay = delay;
        self
    }

    /// Each chunk comes this long after the one before it, the first this long after the head.
    pub fn between(mut self, between: Duration) -> Reply {
        self.between = between;
        self
    }

    /// The head comes only when the gate is open.
    pub fn wait(mut self, gate: &Gate) -> Reply {
        self.gate = Some(gate.clone());
        self
    }

    /// The server answers as soon as it has the head of the request, without waiting for a body that comes by WinHttpWriteData.
    pub fn early(mut self) -> Reply {
        self.early = true;
        self
    }

    pub(super) fn is_early(&self) -> bool {
        self.early
    }

    /// Sends an interim reply (1xx) first.
    ///
    /// # Panics
    /// If it is none of 100 and 102 to 199.
    #[track_caller]
    pub fn interim(mut self, status: u16) -> Reply {
        assert!(matches!(status, 100 | 102..=199), "an interim reply has status 100, or 102 to 199: {status}");
        self.interim.push(status);
        self
    }

    /// Adds a fault for this reply: at [`Stage::Head`](super::Stage::Head), [`Stage::Read`](super::Stage::Read) or
    /// [`Stage::Close`](super::Stage::Close), or after some bytes of the body.
    ///
    /// After a 101 the connection is played byte by byte: at [`Stage::Read`](super::Stage::Read) it can then only fail, close or
    /// stall, with the next bytes that the server sends.
    ///
    /// # Panics
    /// If the fault is for anything else, or cannot strike this reply.
    #[track_caller]
    pub fn then(mut self, fault: Fault) -> Reply {
        assert!(fault.is_of_reply(), "no reply is there yet, or any more: {fault}");
        assert!(
            self.upgrade.is_none() || !fault.is_of_body() || fault.strikes_bytes(),
            "a fault that cannot strike what is played byte by byte: {fault}"
        );
        self.faults.push(fault);
        self
    }

    /// What of it cannot be, or would not happen.
    pub(crate) fn check(&self) -> Result<(), String> {
        let status = self.head.status;
        let told: usize = self.sizes.iter().sum();
        let (upgraded, chunked) = (self.upgrade.is_some(), self.chunked());
        let has_body = !self.body.is_empty() || chunked || self.unframed;
        let bare = matches!(status, 101 | 204 | 304);
        let late = !self.delay.is_zero() || !self.between.is_zero() || self.gate.is_some() || self.early;
        let more =
            late || has_body || !self.head.headers.is_empty() || !self.interim.is_empty() || !self.faults.is_empty();
        let rows = [
            (!matches!(status, 101 | 200..=999), format!("status {status} is not that of a last reply")),
            (has_body && bare, format!("a reply with status {status} has no body")),
            (has_body && upgraded, "what is upgraded has no body".to_owned()),
            (self.sizes.contains(&0), "a chunk of 0 bytes is the end of a body".to_owned()),
            (
                told > self.body.len() && !self.body.is_empty(),
                format!("chunks of {told} bytes, and the body has {}", self.body.len()),
            ),
            (self.unframed && chunked, "a body in chunks does not end with the connection".to_owned()),
            (self.never && more, "where no reply comes, nothing of it happens".to_owned()),
        ];
        rows.into_iter().find(|(is, _)| *is).map_or(Ok(()), |(_, wrong)| Err(wrong))
    }

    fn chunked(&self) -> bool {
        !self.sizes.is_empty() || !self.trailers.is_empty()
    }

    /// The head as it is told, with the length of the body or the word that it comes in chunks.
    fn complete_head(&self) -> ResponseHead {
        let mut head = self.head.clone();
        let has = |name| head.headers.get(name, 0).is_some();
        let framed = has("content-length") || has("transfer-encoding");
        match head.status {
            _ if framed => {}
            100..200 | 204 | 304 => {}
            _ if self.chunked() => head.headers.append("Transfer-Encoding", "chunked"),
            _ if self.unframed => {}
            _ => head.headers.append("Content-Length", self.body.len().to_string()),
        }
        head
    }

    /// What the server does when it is asked this.
    pub(crate) fn acts(&self, asked: RequestKind) -> Vec<Act> {
        if self.never {
            return Vec::new();
        }
        if let Some(recorded) = &self.recorded {
            return recorded.clone();
        }
        let mut acts = vec![Act::Wait(self.delay)];
        acts.extend(self.gate.clone().map(Act::Gate));
        acts.extend(self.interim.iter().map(|status| Act::Interim(*status)));
        let head = self.complete_head();
        let bare = asked.is_bare(head.status) || matches!(head.status, 101 | 204 | 304);
        acts.push(Act::Head(head));
        if let Some(handler) = &self.upgrade {
            acts.push(Act::Upgrade(handler.clone()));
            return acts;
        }
        if !bare {
            self.pieces(&mut acts);
        }
        acts.push(Act::End(self.trailers.clone()));
        acts
    }

    /// The body in the pieces in which it comes, cut where a fault counts its bytes.
    fn pieces(&self, acts: &mut Vec<Act>) {
        let mut cuts: Vec<usize> = self.faults.iter().filter_map(cut).map(|cut| cut.min(self.body.len())).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut passed = 0;
        let mut pass = |acts: &mut Vec<Act>, upto: usize| {
            while let Some(cut) = cuts.first().copied().filter(|cut| *cut <= upto) {
                if cut > passed {
                    acts.push(Act::Bytes(self.body.slice(passed..cut)));
                    passed = cut;
                }
                acts.push(Act::Passed(cut));
                cuts.remove(0);
            }
            if upto > passed {
                acts.push(Act::Bytes(self.body.slice(passed..upto)));
                passed = upto;
            }
        };
        let mut end = 0;
        for size in self.sizes.iter().copied().chain([self.body.len()]) {
            let next = (end + size).min(self.body.len());
            if next > end && !self.between.is_zero() {
                acts.push(Act::Wait(self.between));
            }
            end = next;
            pass(acts, end);
        }
    }
}

/// Whether it can be a field of a head.
#[track_caller]
fn check_field(name: &str, value: &str) {
    named(name);
    assert!(value.bytes().all(is_text), "{name}: a value has no control characters: {value:?}");
}

/// An interim reply as peers write it.
pub(super) fn interim(status: u16) -> String {
    format!("HTTP/1.1 {status} \r\n\r\n")
}

/// Answers the key of a web socket in a 101 that does not.
pub(super) fn accept(request: &RequestHead, reply: &mut Headers) {
    let is = |header: Option<&[u8]>| header.is_some_and(|value| value.eq_ignore_ascii_case(b"websocket"));
    let unanswered = is(reply.get("upgrade", 0)) && reply.get("sec-websocket-accept", 0).is_none();
    let key = request.headers.get("sec-websocket-key", 0).filter(|_| unanswered);
    if let Some(key) = key.and_then(|key| std::str::from_utf8(key).ok()) {
        reply.append("Sec-WebSocket-Accept", upgrade::accept(key));
    }
}

fn cut(fault: &Fault) -> Option<usize> {
    match fault.when {
        FaultTrigger::Body(bytes) => Some(bytes),
        _ => None,
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        407 => "Proxy Authentication Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}
