//! More than 4 GB: nothing on the way counts in 32 bits.

use std::time::Duration;

use bytes::Bytes;
use portable_winhttp::http::{Headers, ResponseHead, Version};
use portable_winhttp::machine::{Machine, Origin, Output, Request, RequestTemplate, SendCall, Settings};
use portable_winhttp::record::Notification;
use portable_winhttp::transport::{Event, Peer};
use portable_winhttp::win32::CallerBuf;

const LENGTH: u64 = (4 << 30) + 12_345;
const PIECE: usize = 16 << 20;
const NOW: Duration = Duration::ZERO;
/// The number of a request's first attempt.
const LEG: u64 = 1;

/// A request for which SENDING_REQUEST was delivered.
fn sent(method: &str, headers: &str, total: u32) -> Request {
    let template = RequestTemplate {
        method: method.into(),
        target: "/".into(),
        version: Version { major: 1, minor: 1 },
        headers: Headers::default(),
        agent: None,
        accept: Vec::new(),
        referrer: None,
        refresh: false,
        automatic_chunking: false,
    };
    let origin = Origin { secure: false, host: "host.test".into(), port: 80 };
    let mut request = Request::new(origin, template, Settings::default());
    let headers = headers.encode_utf16().collect();
    request
        .send(NOW, SendCall { headers, optional: Bytes::new(), optional_address: 0, total, hold: false, key: [0; 16] })
        .unwrap();
    let end = ([127, 0, 0, 1], 80).into();
    request.event(NOW, LEG, Event::Ready { peer: Peer { local: end, remote: end }, http2: false });
    request.proceed(NOW, LEG);
    request.event(NOW, LEG, Event::Sent(100));
    request.outputs();
    request
}

#[test]
fn a_reply_above_4_gb() {
    let mut request = sent("GET", "", 0);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
    let head = ResponseHead::parse(head.as_bytes()).unwrap();
    request.event(NOW, LEG, Event::Head { head, received: LENGTH });
    request.receive(NOW).unwrap();
    request.outputs();
    let piece = Bytes::from(vec![7u8; PIECE]);
    let mut memory = vec![0u8; PIECE];
    let (mut came, mut read, mut taken) = (0, 0, 0);
    loop {
        let size = (LENGTH - came).min(PIECE as u64);
        came += size;
        let end = (came == LENGTH).then(Headers::default);
        if size > 0 {
            request.event(NOW, LEG, Event::Body { bytes: piece.slice(..size as usize), end });
        }
        // SAFETY: the memory outlives the read, which ends at once.
        let buffer = unsafe { CallerBuf::new(memory.as_mut_ptr().cast(), PIECE as u32) };
        request.read(NOW, buffer, true).unwrap();
        let mut ended = None;
        for output in request.outputs() {
            match output {
                Output::Taken(bytes) => taken += bytes as u64,
                Output::End(_, Ok(Notification::ReadComplete { bytes, .. })) => ended = Some(bytes),
                _ => {}
            }
        }
        match ended {
            Some(0) => break,
            Some(bytes) => read += u64::from(bytes),
            None => panic!("the read has not ended after {read} bytes"),
        }
    }
    assert_eq!((read, taken), (LENGTH, LENGTH));
}

/// The Content-Length header alone says so (source U3): as many bytes go out, and no more.
#[test]
fn a_body_above_4_gb() {
    let mut request = sent("PUT", &format!("Content-Length: {LENGTH}"), 0);
    let piece = vec![7u8; PIECE];
    let (mut left, mut out, mut finished) = (LENGTH, 0, false);
    while left > 0 {
        let size = left.min(PIECE as u64);
        request.write(NOW, &piece[..size as usize]).unwrap();
        left -= size;
        for output in request.outputs() {
            match output {
                Output::Write(bytes) => out += bytes.len() as u64,
                Output::Finish => finished = true,
                _ => {}
            }
        }
        request.event(NOW, LEG, Event::Wrote);
        request.outputs();
    }
    assert_eq!((out, finished), (LENGTH, true));
    assert_eq!(request.write(NOW, b"x").unwrap_err().0, 87);
}
