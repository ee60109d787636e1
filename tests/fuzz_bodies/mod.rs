//! What is done with arbitrary bytes: the bodies of the targets in `fuzz/`, and of the bounded cases in `tests/fuzz.rs`.
//! A body panics, or does not end, where something is wrong.
#![allow(dead_code)]

#[path = "../../src/cli/hostile.rs"]
mod hostile;
#[path = "../../src/cli/hostile_http2.rs"]
mod hostile_http2;
mod through;

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use portable_winhttp::http::chunks::{Chunk, ChunkReader};
use portable_winhttp::http::coding::Decoder;
use portable_winhttp::http::cookies::{Jar, RequestUri};
use portable_winhttp::http::digest::Digest;
use portable_winhttp::http::proxy::{BypassList, Destination, ProxyList, pac};
use portable_winhttp::http::{BodyLength, Encoding, Headers, RequestHead, ResponseHead, Version, auth};
use portable_winhttp::http::{query, redirect, target, time, url};
use portable_winhttp::lab::Choices;
use portable_winhttp::machine::{Machine, Output, WebSocket};
use portable_winhttp::pki::{
    Algorithm, Certificate, PublicKey, RevocationList, Roots, Signature, Signatures, attributes, judge,
};
use portable_winhttp::record::{self, Trace};
use portable_winhttp::transport::Event;

/// A body: its name, what it does, and inputs that begin well.
pub struct Body {
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// How many times the effort of the others it takes.
    pub effort: u32,
    pub seeds: &'static [&'static [u8]],
}

/// A certificate with an extension of each kind that is read, by itself, and a list of it.
const AUTHORITY: &[u8] = include_bytes!("authority.der");
const LIST: &[u8] = include_bytes!("list.der");

/// All of them.
pub const BODIES: &[Body] = &[
    Body {
        name: "head",
        run: head, effort: 1,
        seeds: &[
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n",
            b"HTTP/1.0 401 No\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"b\", qop=auth\r\nLocation: //u:p@h/\r\n\r\n",
        ],
    },
    Body { name: "chunks", run: chunks, effort: 1, seeds: &[b"5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\nmore", b"fffffffffffffff\r\n"] },
    Body { name: "coding", run: coding, effort: 1, seeds: &[b"\x1f\x8b\x08\x00\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x07\x00", b"\x78\x9c\x03\0"] },
    Body {
        name: "web_socket",
        run: web_socket, effort: 1,
        seeds: &[b"\x01\x02\xf0\x9f\x80\x02\x98\x80\x89\x01x\x88\x02\x03\xe8", b"\x82\x7f\0\0\0\0\0\0\0\x05hello"],
    },
    Body { name: "urls", run: urls, effort: 1, seeds: &[b"https://u:p@[::1]:8443/a/../b;c?d=%41#e", b"http://a:99999/\xf0\x9f\x98\x80"] },
    Body { name: "headers", run: headers, effort: 1, seeds: &[b"\x20A: b\r\nC: d\r\n", b"\x80Cookie: a=b", b"\x40A: 1, 2"] },
    Body {
        name: "cookies",
        run: cookies, effort: 1,
        seeds: &[b"a=b; Domain=.host.test; Path=/x; Secure; Expires=Wed, 09 Jun 2100 10:18:14 GMT; Max-Age=9"],
    },
    Body {
        name: "challenges",
        run: challenges, effort: 1,
        seeds: &[b"Digest realm=\"a\\\"b\", nonce=n, algorithm=SHA-256-sess, qop=\"auth,auth-int\", Basic, NTLM TlRM=="],
    },
    Body {
        name: "proxies",
        run: proxies, effort: 1,
        seeds: &[b"http=a:1;https=http://[::1]:2 socks=b", b"*.test;<local>;10.0.0.0/8;[::1]", b"PROXY a:1; SOCKS5 b; DIRECT"],
    },
    Body {
        name: "certificates",
        run: certificates, effort: 1,
        seeds: &[AUTHORITY, LIST, b"\x30\x82\x01\x0a\x30\x03\x02\x01\x00\x30\x05\x06\x03\x2a\x03\x04"],
    },
    Body {
        name: "traces",
        run: traces, effort: 1,
        seeds: &[
            b"{\"trace\":1}\n{\"at_ns\":1,\"thread\":{\"role\":\"network\",\"number\":0},\"what\":{\"traffic\":{\"handle\":\"R1\",\"traffic\":{\"body\":{\"left_out\":7}}}}}\n",
            b"http://u:p@h/?token=a&b=c#d",
        ],
    },
    Body { name: "choices", run: choices, effort: 1, seeds: &[b"d1/2-n0/3x2", b"+f1p-n1/3", b"deliver:worker:1/2 next:main:0/3"] },
    Body { name: "options", run: through::options, effort: 1, seeds: &[b"\x29\x08user\0\0", b"\x03\x04\x10\x27\0\0"] },
    Body {
        name: "replies",
        run: through::replies,
        effort: 20,
        seeds: &[
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nA: b\r\n\r\n",
        ],
    },
    Body {
        name: "http2",
        run: through::http2,
        effort: 20,
        seeds: &[
            b"\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x05\0\x01\0\0\0\x01hello",
            b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08",
            b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x02",
            b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\x10\0\0\x04\x08\0\0\0\0\x01\0\0\0\x01",
        ],
    },
    #[cfg(feature = "pac")]
    Body {
        name: "scripts",
        run: scripts,
        effort: 10,
        seeds: &[
            b"function FindProxyForURL(url, host) { return isInNet(host, \"10.0.0.0\", \"255.0.0.0\") ? \"DIRECT\" : \"PROXY a:1\"; }",
            b"function FindProxyForURL(u, h) { return shExpMatch(u, \"*.b*\") + dateRange(1, \"JAN\") + myIpAddress() + [].concat(h); }",
        ],
    },
    Body { name: "script_answers", run: script_answers, effort: 1, seeds: &[b"PROXY [::1]:80; HTTPS a; QUIC b; DIRECT"] },
];

fn find(name: &str) -> &'static Body {
    BODIES.iter().find(|body| body.name == name).expect("a body has this name")
}

/// Runs the body of this name.
pub fn run(name: &str, data: &[u8]) {
    (find(name).run)(data);
}

/// Puts the seeds of the body of this name into the corpus, before libFuzzer, which was given its folders, reads them.
pub fn seed(name: &str) {
    for folder in std::env::args().skip(1).map(std::path::PathBuf::from).filter(|path| path.is_dir()) {
        for (number, seed) in find(name).seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), seed).expect("a corpus can be written");
        }
    }
}

fn head(data: &[u8]) {
    let Ok(Some((head, length))) = ResponseHead::parse_begun(data) else { return };
    assert!(length <= data.len());
    for head_only in [false, true] {
        if let Ok(framing) = BodyLength::of(&head, head_only) {
            // What another reader may frame otherwise is never kept.
            let both = ["transfer-encoding", "content-length"].iter().all(|name| head.headers.get(name, 0).is_some());
            assert!(!(both && framing.keeps(&head)));
        }
    }
    head.raw_lines();
    let current = redirect::Current {
        url: "http://a.test/b?c",
        method: "POST",
        policy: 1,
        disabled: false,
        followed: 0,
        limit: 10,
        reject_user: false,
    };
    let location = head.headers.get("location", 0);
    if let redirect::Decision::Follow { host, target, url, .. } = redirect::decide(head.status, location, &current) {
        for text in [&*host, &*target, &*url] {
            assert!(!text.contains(['\r', '\n', ' ']), "{text:?} would end a line");
        }
    }
    let request = request(Headers::default());
    for level in 0..80 {
        for modifiers in [0, 0x2000_0000, 0x4000_0000, 0x0800_0000] {
            let _ = query::query(level | modifiers, None, Some(0), &request, Some(&head), None);
            let _ = query::fields(level | modifiers, None, None, &request, Some(&head), None);
        }
    }
}

fn request(headers: Headers) -> RequestHead {
    RequestHead { method: "GET".into(), target: "/".into(), version: Version { major: 1, minor: 1 }, headers }
}

fn chunks(data: &[u8]) {
    let whole = read_chunks(data, usize::MAX);
    assert_eq!(whole, read_chunks(data, 1), "cuts make no difference");
}

/// The bytes of the body, and whether it ended well; `None`: it is none.
fn read_chunks(data: &[u8], cut: usize) -> (Vec<u8>, Option<bool>) {
    let (mut reader, mut body) = (ChunkReader::default(), Vec::new());
    for mut piece in data.chunks(cut.min(data.len().max(1))) {
        loop {
            match reader.next(&mut piece, usize::MAX) {
                Ok(Some(Chunk::Data(bytes))) => body.extend_from_slice(bytes),
                Ok(Some(Chunk::Last)) => {}
                Ok(Some(Chunk::End(_))) => return (body, Some(true)),
                Ok(None) => break,
                Err(_) => return (body, None),
            }
        }
    }
    (body, Some(false))
}

fn coding(data: &[u8]) {
    for (name, flags) in [("gzip", 1), ("deflate", 2)] {
        let mut headers = Headers::default();
        headers.append("Content-Encoding", name);
        let Some(mut decoder) = Decoder::take(&mut headers, flags) else { panic!("{name} is decoded") };
        let mut coded: VecDeque<Bytes> = data.chunks(7).map(Bytes::copy_from_slice).collect();
        let mut room = [0; 1000];
        // A bomb gives no more than it is asked for.
        for _ in 0..1000 {
            match decoder.decode(&mut coded, &mut room) {
                Ok((made, _)) if made <= room.len() && made > 0 => {}
                _ => break,
            }
        }
        let _ = decoder.end();
    }
}

fn web_socket(data: &[u8]) {
    for cut in [1, 3, data.len().max(1)] {
        let mut socket = WebSocket::new(Duration::ZERO, [7; 16]);
        let (mut given, mut taken, mut abandoned) = (0, 0, 0);
        for piece in data.chunks(cut) {
            given += piece.len();
            socket.event(Duration::ZERO, 0, Event::Body { bytes: Bytes::copy_from_slice(piece), end: None });
            for output in socket.outputs() {
                match output {
                    Output::Taken(bytes) => taken += bytes,
                    Output::Abandon => abandoned += 1,
                    _ => {}
                }
            }
        }
        assert!(taken <= given && abandoned <= 1);
    }
}

fn wide(data: &[u8]) -> Vec<u16> {
    String::from_utf8_lossy(data).encode_utf16().collect()
}

fn urls(data: &[u8]) {
    let text = wide(data);
    let _ = url::crack(&text);
    url::decode(&text);
    for and_percent in [false, true] {
        let _ = url::escape(&text, and_percent);
    }
    for flags in [0, 0x40, 0x80, 0xC0] {
        let target = target::escape(&text, flags, Encoding::Utf8);
        assert!(!target.contains(['\r', '\n']), "{target:?} would end the request line");
    }
    let text = String::from_utf8_lossy(data);
    let _ = time::parse(&text);
}

fn headers(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let mut headers = Headers::default();
    headers.append("A", "1");
    for part in rest.split(|byte| *byte == 0) {
        let _ = headers.add_text(&wide(part), u32::from(*first) << 24);
        let _ = headers.add_pair(&wide(part), &wide(rest), u32::from(*first) << 24);
    }
    for header in headers.iter() {
        assert!(
            !header.line().contains(&b'\n') && !header.name.contains(['\r', ':']),
            "{header:?} is more than a line"
        );
    }
}

fn cookies(data: &[u8]) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let place = RequestUri { secure: false, host: "a.host.test", target: "/x/y" };
    let mut jar = Jar::default();
    for field in data.split(|byte| *byte == 0) {
        jar.store(field, &place, now);
    }
    let elsewhere = RequestUri { secure: true, host: "other.example", target: "/x/y" };
    assert_eq!(jar.header(&elsewhere, now), None, "a cookie goes where it may only");
    if let Some(header) = jar.header(&place, now) {
        assert!(!header.contains(&b'\n') && !header.contains(&b'\r'));
    }
}

fn challenges(data: &[u8]) {
    let mut headers = Headers::default();
    for field in data.split(|byte| *byte == b'\n') {
        headers.append("WWW-Authenticate", field.to_vec());
    }
    for challenge in auth::challenges(&headers, auth::Target::Server) {
        let _ = (
            challenge.scheme_bit(),
            [false, true].map(|newer| Digest::understand(&challenge, newer).map(|digest| digest.stale())),
        );
    }
    let head = ResponseHead { version: Version { major: 1, minor: 1 }, status: 401, reason: Bytes::new(), headers };
    let _ = auth::offer(&head);
}

fn proxies(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(list) = ProxyList::parse(&text) {
        list.servers(true).chain(list.servers(false)).count();
    }
    let Ok(list) = BypassList::parse(&text) else { return };
    for host in ["a.test", "10.1.2.3", "::1", "local", ""] {
        list.matching(&Destination { secure: false, host, port: 80 });
    }
}

fn script_answers(data: &[u8]) {
    if let Ok(routes) = pac::routes(&String::from_utf8_lossy(data)) {
        assert!(routes.len() <= pac::ENTRIES_AT_MOST);
    }
}

/// Believes every signature.
struct Believer;

impl Signatures for Believer {
    fn verify(&self, _: &Algorithm<'_>, _: &[u8], _: &[u8], _: &PublicKey<'_>) -> Signature {
        Signature::Good
    }
}

fn certificates(data: &[u8]) {
    let mut roots = Roots::default();
    roots.add(data);
    let verdict = judge(&[data, data], "a.test", &roots, &Believer, 1_700_000_000);
    assert!(verdict.path.len() <= 9);
    attributes(data);
    if let Ok(certificate) = Certificate::parse(data) {
        certificate.permits("a.test");
        certificate.list_points();
    }
    let authority = Certificate::parse(AUTHORITY).expect("a certificate");
    let list = RevocationList::read(data, &authority, &Believer);
    assert!(list.is_some() || data != LIST);
    if let Some(list) = list {
        for point in authority.list_points() {
            list.says(&authority, &authority, &point, 1_800_000_000);
        }
    }
}

fn traces(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(trace) = Trace::from_json_lines(&text) {
        assert_eq!(Trace::from_json_lines(&trace.to_json_lines()), Ok(trace.clone()));
        let _ = (trace.to_table(), trace.to_mermaid());
    }
    let kept = record::url(&text);
    assert_eq!(record::url(&kept), kept, "what is redacted stays so");
    let _ = (record::target(&text, true), record::field(&text, data));
}

fn choices(data: &[u8]) {
    let Ok(choices) = String::from_utf8_lossy(data).parse::<Choices>() else { return };
    // A few bytes are a million choices, which take too long here.
    if choices.len() <= 10_000 {
        assert_eq!(choices.long().parse::<Choices>().as_ref(), Ok(&choices));
        // The short form leaves labels out.
        let short = choices.to_string();
        assert_eq!(short.parse::<Choices>().map(|read| read.to_string()), Ok(short));
    }
}

/// A place without a network, where time is over soon.
#[cfg(feature = "pac")]
#[derive(Default)]
struct Nowhere(std::sync::atomic::AtomicU32);

#[cfg(feature = "pac")]
impl pac::Host for Nowhere {
    fn lookup(&self, _: &str) -> Vec<std::net::IpAddr> {
        vec![std::net::Ipv4Addr::LOCALHOST.into()]
    }

    fn addresses(&self) -> Vec<std::net::IpAddr> {
        vec![std::net::Ipv4Addr::LOCALHOST.into()]
    }

    fn date(&self) -> pac::Date {
        pac::Date { milliseconds: 1_700_000_000_000, offset: Some(60) }
    }

    fn alert(&self, _: &str) {}

    fn expired(&self) -> bool {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 50
    }
}

#[cfg(feature = "pac")]
fn scripts(data: &[u8]) {
    let limits = pac::Limits { memory: 8 << 20, ..pac::Limits::default() };
    let text = String::from_utf8_lossy(data);
    if let Ok(answer) = pac::run(&text, "http://h.test/a", "h.test", std::sync::Arc::new(Nowhere::default()), &limits) {
        let _ = pac::routes(&answer);
    }
}
