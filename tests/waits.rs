//! Every wait ends: that of a synchronous call, wherever it was made, and whatever the peer does.

mod support;

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use portable_winhttp::http::{Headers, Version};
use portable_winhttp::lab::{Reply, Sim, WebSocketScript, any, get};
use portable_winhttp::machine::{Machine, Origin, Request, RequestTemplate, SendCall, Settings, Timeouts};
use portable_winhttp::record::Status;
use portable_winhttp::transport::{Event, Peer};
use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

/// What a peer answers, and the last status that a client gets to see.
fn replies() -> [(&'static str, Reply, u32); 3] {
    [
        ("whole", Reply::ok().body("hello"), 200),
        ("redirect", Reply::redirect("/next"), 200),
        ("unasked login", Reply::status(401).header("WWW-Authenticate", "Basic realm=\"r\""), 401),
    ]
}

/// The callbacks of a synchronous call may call on the same handle: such a call delivers what it waits for.
#[test]
fn a_synchronous_call_inside_a_callback_of_its_handle_ends() {
    let places = [
        WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER,
        WINHTTP_CALLBACK_STATUS_SENDING_REQUEST,
        WINHTTP_CALLBACK_STATUS_REQUEST_SENT,
    ];
    for place in places {
        for (what, reply, status) in replies() {
            let sim = Sim::new();
            let peer = sim.peer("http://127.0.0.1:80");
            peer.on(get("/")).reply(reply);
            peer.on(get("/next")).reply(Reply::ok());
            let client = Client::new(false, 80);
            let inside = Mutex::new(None);
            let record = Record::with(move |request, seen| {
                if seen.status == place && inside.lock().unwrap().replace(()).is_none() {
                    assert_eq!(receive(request), 1, "{}", last_error());
                }
            });
            let request = client.request("GET", "/", &record);
            assert_eq!((send(request), what), (1, what), "{place:#x}: {}", last_error());
            assert_eq!(status_code(request), status, "{place:#x}, {what}");
            close(request);
            client.close();
        }
    }
}

/// What a thread of a circle runs.
type Body = Box<dyn FnOnce() + Send>;

/// Each of some threads sends a request and, in its callback, receives the reply of the next one's, when all of them are in
/// theirs (`meet`): how these calls end.
fn circle(
    threads: usize,
    port: u16,
    meet: impl Fn(usize) + Send + Sync + 'static,
    run: impl Fn(Vec<Body>),
) -> Vec<u32> {
    let client = Client::new(false, port);
    let requests: Arc<OnceLock<Vec<usize>>> = Arc::default();
    let ends = Arc::new(Mutex::new(vec![None; threads]));
    let meet = Arc::new(meet);
    let made = (0..threads).map(|thread| {
        let (requests, ends, meet) = (Arc::clone(&requests), Arc::clone(&ends), Arc::clone(&meet));
        let record = Record::with(move |_, seen| {
            if seen.status == WINHTTP_CALLBACK_STATUS_SENDING_REQUEST {
                meet(thread);
                let next = requests.get().unwrap()[(thread + 1) % threads];
                let end = if receive(next as *mut c_void) == 1 { 0 } else { last_error() };
                ends.lock().unwrap()[thread] = Some(end);
            }
        });
        client.request("GET", "/", &record) as usize
    });
    requests.set(made.collect()).unwrap();
    let send = |request: &usize| {
        let request = *request;
        Box::new(move || assert_eq!(send(request as *mut c_void), 1, "{}", last_error())) as Body
    };
    run(requests.get().unwrap().iter().map(send).collect());
    for (thread, request) in requests.get().unwrap().iter().enumerate() {
        let request = *request as *mut c_void;
        if ends.lock().unwrap()[(thread + threads - 1) % threads] != Some(0) {
            assert_eq!(receive(request), 1, "a call that was refused changed nothing: {}", last_error());
        }
        assert_eq!((status_code(request), close(request)), (200, 1));
    }
    client.close();
    ends.lock().unwrap().iter().map(|end| end.expect("each has called")).collect()
}

/// Threads that call on each other's synchronous requests inside callbacks do not wait for each other for ever: whoever would
/// close the circle is refused, and all others get what they asked for.
#[test]
fn calls_inside_callbacks_never_wait_in_a_circle() {
    let held = |ends: Vec<u32>| {
        let refused = ends.iter().filter(|end| **end == 12019).count();
        assert_eq!((refused, ends.iter().filter(|end| **end == 0).count()), (1, ends.len() - 1), "{ends:?}");
    };
    for threads in [2, 3] {
        let sim = Sim::new();
        sim.peer("http://127.0.0.1:80").on(get("/")).reply(Reply::ok());
        let gates: Vec<_> = (0..threads).map(|thread| sim.gate(&format!("in callback {thread}"))).collect();
        let meet = move |thread: usize| {
            gates[thread].open();
            gates.iter().for_each(|gate| gate.wait());
        };
        let over = Arc::new(AtomicUsize::new(0));
        held(circle(threads, 80, meet, |bodies| {
            for body in bodies {
                let over = Arc::clone(&over);
                sim.spawn(move || {
                    body();
                    over.fetch_add(1, Ordering::SeqCst);
                });
            }
            sim.block_until(|| over.load(Ordering::SeqCst) == threads);
        }));
        drop(sim);

        let barrier = Barrier::new(threads);
        let meet = move |_| {
            barrier.wait();
        };
        held(circle(threads, serve_always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), meet, |bodies| {
            let (done, ended) = mpsc::channel();
            for body in bodies {
                let done = done.clone();
                thread::spawn(move || {
                    body();
                    done.send(()).unwrap();
                });
            }
            (0..threads).for_each(|_| ended.recv_timeout(PATIENCE).expect("all return"));
        }));
    }
}

/// A request on its way to a server, in a mode.
struct Run<'a> {
    sim: &'a Sim,
    asynchronous: bool,
    record: Arc<Record>,
}

impl Run<'_> {
    /// An operation, to its end: its error, or 0.
    fn ends(&self, call: impl FnOnce() -> i32) -> u32 {
        let completions = || self.record.seen().into_iter().filter(|seen| Status(seen.status).is_completion());
        let before = completions().count();
        if call() == 0 {
            return last_error();
        }
        if self.asynchronous {
            self.sim.block_until(|| completions().count() > before);
        }
        let failed = completions().skip(before).find(|seen| seen.status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR);
        failed.map_or(0, |seen| seen.value)
    }

    /// Sends, receives the head, asks for the body and reads it: how these end.
    fn walk(&self, request: *mut c_void) -> [u32; 4] {
        let buffer = Box::leak(Box::new([0u8; 16])).as_mut_ptr();
        let count: *mut u32 = if self.asynchronous { null_mut() } else { Box::leak(Box::default()) };
        [
            self.ends(|| send(request)),
            self.ends(|| receive(request)),
            // SAFETY: what is lent lives for ever.
            self.ends(|| unsafe { WinHttpQueryDataAvailable(request, count) }),
            self.ends(|| unsafe { WinHttpReadData(request, buffer.cast(), 16, count) }),
        ]
    }
}

/// What a peer does that is asked for a web socket, or is not and opens one all the same; and how ReceiveResponse ends in
/// either case. Who did not ask waits for another head (source a12).
type Answer = (&'static str, fn() -> Reply, [u32; 2]);

#[rustfmt::skip]
const ANSWERS: [Answer; 7] = [
    ("stalls behind 101", || Reply::web_socket(WebSocketScript::new().never_closes()), [0, 12002]),
    ("closes behind 101", || Reply::web_socket(WebSocketScript::new().end()), [0, 12152]),
    ("resets behind 101", || Reply::web_socket(WebSocketScript::new().reset()), [0, 12030]),
    ("speaks behind 101", || Reply::web_socket(WebSocketScript::new().text("hello").never_closes()), [0, 12152]),
    ("stalls behind a 101 for another key", || {
        let script = WebSocketScript::new().never_closes();
        Reply::web_socket(script).header("Sec-WebSocket-Accept", "bm9ib2R5J3M=")
    }, [12152, 12002]),
    ("closes behind a 101 to something else", || Reply::upgrade("tls/1.0", drop), [12152, 12152]),
    ("answers with a body", || Reply::ok().body("hello"), [0, 0]),
];

/// Whether TLS is spoken, whether HTTP/2 is allowed, whether a proxy is on the way.
const CARRIERS: [(bool, bool, bool); 6] = [
    (false, false, false),
    (true, false, false),
    (true, true, false),
    (false, false, true),
    (true, false, true),
    (true, true, true),
];

fn world(bytes: bool, secure: bool, reply: &Reply) -> Sim {
    let sim = if bytes { Sim::builder().bytes().build() } else { Sim::new() };
    sim.peer(if secure { "https://api.test" } else { "http://api.test" }).on(any()).reply(reply.clone());
    let proxy = sim.peer("http://proxy.test:3128");
    proxy.on(any()).reply(reply.clone());
    proxy.on(any().method("CONNECT")).reply(Reply::ok());
    sim
}

/// Asked for a 101, nobody waits for a body behind it, whatever the peer does then, also where nothing bounds the wait; not
/// asked, the time of a reply bounds that for the next head. In both modes, whoever carries, by a script and over bytes.
#[test]
fn nobody_waits_behind_a_101() {
    for (what, reply, [asked, unasked]) in ANSWERS {
        for (secure, http2, by_proxy) in CARRIERS {
            for case in 0..8 {
                let [asynchronous, bytes, asks] = [1, 2, 4].map(|bit| case & bit != 0);
                if http2 && !asks && unasked != 0 {
                    // There is no 101.
                    continue;
                }
                let sim = world(bytes, secure, &reply());
                let record = Record::new();
                let run = Run { sim: &sim, asynchronous, record: Arc::clone(&record) };
                let proxy = wide("proxy.test:3128");
                let flags = if asynchronous { WINHTTP_FLAG_ASYNC } else { 0 };
                // SAFETY: text ends in NUL, values have their lengths; the context lives for ever.
                let (handles, found) = unsafe {
                    let session = match by_proxy {
                        true => WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NAMED_PROXY, proxy.as_ptr(), null(), flags),
                        false => WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), flags),
                    };
                    assert_eq!(WinHttpSetTimeouts(session, 0, 0, 0, if asks { 0 } else { 1000 }), 1);
                    let protocols = u32::from(http2);
                    WinHttpSetOption(session, WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, (&raw const protocols).cast(), 4);
                    WinHttpSetStatusCallback(session, Some(support::record), u32::MAX, 0);
                    let port = if secure { 443 } else { 80 };
                    let connection = WinHttpConnect(session, wide("api.test").as_ptr(), port, 0);
                    let flags = if secure { WINHTTP_FLAG_SECURE } else { 0 };
                    let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), flags);
                    let context = context(&record);
                    WinHttpSetOption(request, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const context).cast(), 8);
                    if asks {
                        assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0), 1);
                    }
                    ([request, connection, session], run.walk(request))
                };
                let error = if asks { asked } else { unasked };
                let expected = if error == 0 { [0; 4] } else { [0, error, 12019, 12019] };
                let place = format!(
                    "{what}: TLS {secure}, HTTP/2 {http2}, proxy {by_proxy}, asks {asks}, asynchronous {asynchronous}, bytes {bytes}"
                );
                assert_eq!(found, expected, "{place}");
                let waited = if expected[1] == 12002 { Duration::from_secs(1) } else { Duration::ZERO };
                assert_eq!(sim.elapsed(), waited, "{place}");
                handles.into_iter().for_each(|handle| assert_eq!(close(handle), 1));
                sim.settle();
            }
        }
    }
}

/// A request that begins again on another connection has the time of a connection for it, also where a reply has no limit.
#[test]
fn a_request_that_begins_again_has_the_time_of_a_connection() {
    const ATTEMPT: u64 = 1;
    let second = Duration::from_secs(1);
    let template = RequestTemplate {
        method: "GET".into(),
        target: "/".into(),
        version: Version { major: 1, minor: 1 },
        headers: Headers::default(),
        agent: None,
        accept: Vec::new(),
        referrer: None,
        refresh: false,
        automatic_chunking: false,
    };
    let timeouts = Timeouts { resolve: 0, connect: 1000, send: 0, receive: 0, response: None };
    let origin = Origin { secure: false, host: "host.test".into(), port: 80 };
    let mut request = Request::new(origin, template, Settings { timeouts, ..Settings::default() });
    let none = (Vec::new(), Bytes::new());
    let call = SendCall { headers: none.0, optional: none.1, optional_address: 0, total: 0, hold: false, key: [0; 16] };
    request.send(Duration::ZERO, call).unwrap();
    let end = ([127, 0, 0, 1], 80).into();
    for again in [false, true] {
        assert_eq!(request.deadline(), again.then(|| second * 2));
        request.event(second, ATTEMPT, Event::Ready { peer: Peer { local: end, remote: end }, http2: false });
        request.proceed(second, ATTEMPT);
        request.event(second, ATTEMPT, Event::Sent(100));
        assert_eq!(request.deadline(), None);
        request.event(second, ATTEMPT, Event::Restarted);
    }
}
