//! Each class of fault, at each stage, in both modes, whoever carries: how it ends. With `UPDATE=1` in the environment the
//! page of the guide is written anew.

mod support;

use std::ffi::c_void;
use std::fmt::Write as _;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::time::Duration;

use portable_winhttp::lab::{Fault, Reply, Sim, Stage, WebSocketScript, any};
use portable_winhttp::record::Status;
use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

/// Who carries a request.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Carrier {
    name: &'static str,
    secure: bool,
    http2: bool,
    proxy: bool,
    web_socket: bool,
}

const PLAIN: Carrier = Carrier { name: "HTTP/1.1", secure: false, http2: false, proxy: false, web_socket: false };
const CARRIERS: [Carrier; 6] = [
    PLAIN,
    Carrier { name: "HTTP/1.1 over TLS", secure: true, ..PLAIN },
    Carrier { name: "HTTP/2", secure: true, http2: true, ..PLAIN },
    Carrier { name: "HTTP/1.1 to a proxy", proxy: true, ..PLAIN },
    Carrier { name: "HTTP/1.1 through a tunnel", secure: true, proxy: true, ..PLAIN },
    WEB_SOCKET,
];
const WEB_SOCKET: Carrier = Carrier { name: "A web socket", web_socket: true, ..PLAIN };

impl Carrier {
    /// Whether a request passes this stage; what a web socket receives is a table of its own.
    fn passes(self, stage: Stage) -> bool {
        match stage {
            Stage::Tls => self.secure,
            Stage::Read | Stage::Close => !self.web_socket,
            _ => true,
        }
    }
}

/// A class of faults, and what it is at a stage, if it can be there.
type Class = (&'static str, fn(Stage) -> Option<Fault>);

const CLASSES: [Class; 6] = [
    ("none there", |stage| match stage {
        Stage::Resolve => Some(Fault::at(stage).fail(12007u32)),
        Stage::Connect => Some(Fault::refuse()),
        Stage::Tls => Some(Fault::at(stage).secure(WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR)),
        _ => None,
    }),
    ("an expired certificate", |stage| {
        (stage == Stage::Tls).then(|| Fault::at(stage).secure(WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID))
    }),
    ("reset", |stage| is_connected(stage).then(|| Fault::at(stage).reset())),
    ("close", |stage| is_connected(stage).then(|| Fault::at(stage).close())),
    ("stall", |stage| Some(Fault::at(stage).stall())),
    ("700 ms of delay", |stage| Some(Fault::at(stage).nth(1).delay(Duration::from_millis(700)))),
];

/// What breaks a connection needs one.
fn is_connected(stage: Stage) -> bool {
    !matches!(stage, Stage::Resolve | Stage::Connect)
}

/// What the server of a web socket does.
type Script = fn(WebSocketScript) -> WebSocketScript;

/// What a web socket meets with after its upgrade: when its first frame comes, and when it is closed.
const SOCKETS: [(&str, Script); 11] = [
    ("first frame | reset", |script| script.reset()),
    ("first frame | close", |script| script.end()),
    ("first frame | 700 ms of delay", |script| script.sleep(Duration::from_millis(700)).text("late")),
    ("first frame | bytes that are no frame", |script| script.raw(*b"\xff\xff\xff\xff")),
    ("first frame | text that is no UTF-8", |script| script.raw(*b"\x81\x02\xff\xff")),
    ("first frame | a close frame", |script| script.close(1001, "away")),
    ("close frame | reset", |script| script.text("hello").expect_close(1000).reset()),
    ("close frame | close", |script| script.text("hello").expect_close(1000).end()),
    ("close frame | stall", |script| script.text("hello").never_closes()),
    ("close frame | 700 ms of delay", |script| {
        script.text("hello").expect_close(1000).sleep(Duration::from_millis(700)).close(1000, "")
    }),
    ("close frame | bytes that are no frame", |script| {
        script.text("hello").expect_close(1000).raw(*b"\xff\xff\xff\xff")
    }),
];

/// A request on its way, in a mode.
struct Run<'a> {
    sim: &'a Sim,
    asynchronous: bool,
    record: Arc<Record>,
}

impl Run<'_> {
    fn completions(&self) -> Vec<Seen> {
        self.record.seen().into_iter().filter(|seen| Status(seen.status).is_completion()).collect()
    }

    /// A call that answers an error number, and what ends it; the failure in words.
    fn must(&self, name: &str, call: impl FnOnce() -> u32) -> Result<(), String> {
        let before = self.completions().len();
        let error = call();
        if error != 0 {
            return Err(format!("{name}: {error}"));
        }
        if !self.asynchronous {
            return Ok(());
        }
        self.sim.block_until(|| self.completions().len() > before);
        let ending = self.completions()[before];
        match ending.status {
            WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => Err(format!("{{{}, {}}}", api(ending.api, name), ending.value)),
            _ => Ok(()),
        }
    }

    /// A call that answers TRUE or FALSE.
    fn must_be_true(&self, name: &str, call: impl FnOnce() -> i32) -> Result<(), String> {
        self.must(name, || if call() == 0 { last_error() } else { 0 })
    }

    /// A head, a body, the reply and its body.
    fn post(&self, request: *mut c_void) -> Result<(), String> {
        let mut count = 0;
        let mut out = || if self.asynchronous { null_mut() } else { &raw mut count };
        // SAFETY: buffers have their lengths, and live for ever where they are lent.
        unsafe {
            self.must_be_true("SendRequest", || WinHttpSendRequest(request, null(), 0, null(), 0, 4, 0))?;
            self.must_be_true("WriteData", || WinHttpWriteData(request, b"data".as_ptr().cast(), 4, out()))?;
            self.must_be_true("ReceiveResponse", || WinHttpReceiveResponse(request, null_mut()))?;
            let buffer = Box::leak(Box::new([0u8; 100])).as_mut_ptr();
            for _ in 0..3 {
                self.must_be_true("ReadData", || WinHttpReadData(request, buffer.cast(), 100, out()))?;
            }
        }
        Ok(())
    }

    /// An upgrade, and what is done with its web socket.
    fn upgrade(&self, request: *mut c_void) -> Result<(), String> {
        // SAFETY: the option takes nothing; the context lives for ever.
        let socket = unsafe {
            assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0), 1);
            self.must_be_true("SendRequest", || send(request))?;
            self.must_be_true("ReceiveResponse", || receive(request))?;
            WinHttpWebSocketCompleteUpgrade(request, context(&self.record))
        };
        assert!(!socket.is_null());
        let ending = self.talk(socket);
        close(socket);
        ending
    }

    /// Receives a message, sends one, closes.
    fn talk(&self, socket: *mut c_void) -> Result<(), String> {
        let (mut count, mut kind) = (0, 0);
        let outs = if self.asynchronous { (null_mut(), null_mut()) } else { (&raw mut count, &raw mut kind) };
        let buffer = Box::leak(Box::new([0u8; 100])).as_mut_ptr();
        // SAFETY: buffers have their lengths, and live for ever where they are lent.
        unsafe {
            self.must("WebSocketReceive", || WinHttpWebSocketReceive(socket, buffer.cast(), 100, outs.0, outs.1))?;
            self.must("WebSocketSend", || WinHttpWebSocketSend(socket, 0, b"data".as_ptr().cast(), 4))?;
            self.must("WebSocketClose", || WinHttpWebSocketClose(socket, 1000, null(), 0))
        }
    }
}

/// What REQUEST_ERROR says of a function: 0 for those of web sockets.
fn api(id: usize, function: &str) -> String {
    let names = ["RECEIVE_RESPONSE", "QUERY_DATA_AVAILABLE", "READ_DATA", "WRITE_DATA", "SEND_REQUEST"];
    match id.checked_sub(1) {
        None => format!("0 for {function}"),
        Some(place) => names[place].to_owned(),
    }
}

/// A run of its own: how it ends, and after how long.
fn ends(sim: &Sim, carrier: Carrier, asynchronous: bool) -> String {
    let record = Record::new();
    let flags = if asynchronous { WINHTTP_FLAG_ASYNC } else { 0 };
    let (access, proxy) = if carrier.proxy { (3, wide("proxy.test:3128")) } else { (1, Vec::new()) };
    let proxy = if carrier.proxy { proxy.as_ptr() } else { null() };
    let verb = wide(if carrier.web_socket { "GET" } else { "POST" });
    // SAFETY: text ends in NUL, values have their lengths; the context lives for ever.
    let (handles, ending) = unsafe {
        let session = WinHttpOpen(null(), access, proxy, null(), flags);
        let protocols = u32::from(carrier.http2);
        WinHttpSetOption(session, WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, (&raw const protocols).cast(), 4);
        WinHttpSetTimeouts(session, 1000, 2000, 3000, 4000);
        let head = 5000u32;
        WinHttpSetOption(session, WINHTTP_OPTION_RECEIVE_RESPONSE_TIMEOUT, (&raw const head).cast(), 4);
        WinHttpSetStatusCallback(session, Some(support::record), u32::MAX, 0);
        let connection = WinHttpConnect(session, wide("api.test").as_ptr(), if carrier.secure { 443 } else { 80 }, 0);
        let secure = if carrier.secure { WINHTTP_FLAG_SECURE } else { 0 };
        let request = WinHttpOpenRequest(connection, verb.as_ptr(), null(), null(), null(), null(), secure);
        let context = context(&record);
        assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const context).cast(), 8), 1);
        let run = Run { sim, asynchronous, record: Arc::clone(&record) };
        let ending = if carrier.web_socket { run.upgrade(request) } else { run.post(request) };
        ([request, connection, session], ending)
    };
    let elapsed = sim.elapsed();
    let flags = record.seen().into_iter().find(|seen| seen.status == WINHTTP_CALLBACK_STATUS_SECURE_FAILURE);
    handles.into_iter().for_each(|handle| assert_eq!(close(handle), 1));
    sim.settle();
    let mut text = flags.map_or(String::new(), |seen| format!("SECURE_FAILURE {:#x}, ", seen.value));
    text += &ending.err().unwrap_or_else(|| "whole".to_owned());
    if !elapsed.is_zero() {
        write!(text, " after {} s", elapsed.as_secs_f64()).unwrap();
    }
    text
}

/// A world, its server and its proxy.
fn world(bytes: bool, carrier: Carrier, reply: Reply) -> (Sim, [portable_winhttp::lab::Peer; 2]) {
    let sim = if bytes { Sim::builder().bytes().build() } else { Sim::new() };
    let server = sim.peer(if carrier.secure { "https://api.test" } else { "http://api.test" });
    let proxy = sim.peer("http://proxy.test:3128");
    server.on(any()).reply(reply.clone());
    proxy.on(any().method("CONNECT")).reply(Reply::ok());
    proxy.on(any()).reply(reply);
    (sim, [server, proxy])
}

fn cell(carrier: Carrier, bytes: bool, asynchronous: bool, stage: Stage, fault: Fault) -> String {
    let reply = match carrier.web_socket {
        true => Reply::web_socket(WebSocketScript::new().text("hello")),
        false => Reply::ok().body("0123456789").chunks([5, 5]),
    };
    let (sim, [server, proxy]) = world(bytes, carrier, reply);
    let first_hop = matches!(stage, Stage::Resolve | Stage::Connect) || !carrier.secure;
    let at = if carrier.proxy && first_hop { &proxy } else { &server };
    at.fault(fault);
    ends(&sim, carrier, asynchronous)
}

fn socket_cell(bytes: bool, asynchronous: bool, script: WebSocketScript) -> String {
    let (sim, _peers) = world(bytes, WEB_SOCKET, Reply::web_socket(script));
    ends(&sim, WEB_SOCKET, asynchronous)
}

/// What was found.
struct Page {
    text: String,
    carrier: &'static str,
    /// Where a script and bytes do not agree.
    differs: Vec<String>,
}

impl Page {
    /// A row: by a script and over bytes, in both modes; once where they agree.
    fn row(&mut self, what: &str, cell: impl Fn(bool, bool) -> String) {
        let [by_script, over_bytes] =
            [false, true].map(|bytes| [true, false].map(|asynchronous| cell(bytes, asynchronous)));
        if by_script != over_bytes {
            self.differs
                .push(format!("{}, {what}: {by_script:?} by a script, {over_bytes:?} over bytes", self.carrier));
        }
        writeln!(self.text, "| {what} | `{}` | `{}` |", by_script[0], by_script[1]).unwrap();
    }

    fn table(&mut self, heading: &str) {
        let columns = "| stage | fault | asynchronous | synchronous |\n|---|---|---|---|";
        writeln!(self.text, "\n## {heading}\n\n{columns}").unwrap();
    }
}

const ABOVE: &str = "\
Every fault, at every stage: how a request ends.

The request is a POST: WinHttpSendRequest announces four bytes, WinHttpWriteData writes them, WinHttpReceiveResponse receives the
head, WinHttpReadData the body until its end. The reply's body comes in two chunks of five bytes; with a Content-Length or
without framing, an early close would look like the end of the body. The web socket receives a message, sends one and closes
with 1000. Names may take 1 s, connections 2 s, sending 3 s, receiving 4 s, and the head of the reply 5 s; only
WinHttpCloseHandle ends the wait for a frame.

Braces hold the operation and the error of REQUEST_ERROR; a name before a colon is the call that fails. `none there` is a name
that does not exist, a server that refuses the connection, or one that does not speak TLS. `whole` means that the request
succeeds. Each line is run four times, in both modes, by a script and over bytes, with the same end. This page is written by a
test, `tests/matrix.rs`.
";

fn page() -> Page {
    let mut page = Page { text: ABOVE.to_owned(), carrier: "", differs: Vec::new() };
    for carrier in CARRIERS {
        page.carrier = carrier.name;
        page.table(carrier.name);
        for stage in Stage::ALL.iter().copied().filter(|stage| carrier.passes(*stage)) {
            for (class, fault) in CLASSES {
                let Some(fault) = fault(stage) else { continue };
                page.row(&format!("{stage:?} | {class}"), |bytes, asynchronous| {
                    cell(carrier, bytes, asynchronous, stage, fault.clone())
                });
            }
        }
    }
    page.table("A web socket, after its upgrade");
    for (what, script) in SOCKETS {
        page.row(what, |bytes, asynchronous| socket_cell(bytes, asynchronous, script(WebSocketScript::new())));
    }
    page
}

#[test]
fn every_fault_ends_in_the_record_of_the_page() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide/15_matrix.md");
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &page.text).unwrap();
    }
    assert!(page.differs.is_empty(), "{}", page.differs.join("\n"));
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    for (number, (found, expected)) in page.text.lines().zip(known.lines()).enumerate() {
        assert_eq!(found, expected, "line {}; UPDATE=1 writes it anew", number + 1);
    }
    assert_eq!(page.text.lines().count(), known.lines().count());
}
