//! Frames that servers send, good and bad, made from the rules of RFC 6455: each ends in the reference's code, none in a
//! panic or a hang, however its bytes are cut.
#![allow(unsafe_code)]

use std::time::Duration;

use portable_winhttp::http::Headers;
use portable_winhttp::machine::{Machine, Output, WebSocket};
use portable_winhttp::record::{Notification, Operation, WebSocketOperation};
use portable_winhttp::transport::Event;
use portable_winhttp::win32::{CallerBuf, Win32Error};
use proptest::prelude::*;

const NOW: Duration = Duration::ZERO;

/// What Receive says until nothing more comes: `text 5 "hello"`, `text.. 3 "abc"` for a piece, `close 1000`, or an
/// error; then the frames that went to the server: `pong "x"`, `close 1002`.
fn told(bytes: &[u8], cut: usize, room: usize) -> Vec<String> {
    let mut socket = WebSocket::new(NOW, [7; 16]);
    let mut told = Vec::new();
    let mut written = Vec::new();
    let mut buffer = vec![0u8; room];
    let mut pending = false;
    let pieces = bytes.chunks(cut).map(|piece| (piece, false)).chain([(&[][..], true)]);
    for (piece, end) in pieces {
        let end = end.then(Headers::default);
        socket.event(NOW, 0, Event::Body { bytes: piece.to_vec().into(), end });
        // Whatever waits can be received now.
        loop {
            if !pending {
                // SAFETY: the buffer outlives the operation, and only it touches it.
                let lent = unsafe { CallerBuf::new(buffer.as_mut_ptr().cast(), room as u32) };
                match socket.receive(NOW, lent) {
                    Ok(()) => pending = true,
                    Err(error) => {
                        assert_eq!(error, Win32Error(4317), "only a closed conversation refuses");
                        break;
                    }
                }
            }
            let ended = drain(&mut socket, &mut written);
            let Some((operation, outcome)) = ended else { break };
            assert_eq!(operation, Operation::WebSocket(WebSocketOperation::Receive));
            pending = false;
            match outcome {
                Ok(Notification::WebSocketReadComplete { bytes, buffer_type }) => {
                    let kind = ["binary", "binary..", "text", "text..", "close"][buffer_type as usize];
                    let data = buffer[..bytes as usize].escape_ascii();
                    told.push(match (kind, socket.close_status()) {
                        ("close", Ok((status, reason))) => format!("close {status} \"{}\"", reason.escape_ascii()),
                        _ => format!("{kind} {bytes} \"{data}\""),
                    });
                }
                Ok(other) => panic!("Receive ended with {other:?}"),
                Err(error) => {
                    told.push(error.0.to_string());
                    told.extend(written);
                    return told;
                }
            }
        }
    }
    assert!(!pending, "a Receive hangs after the end of {bytes:x?}");
    told.extend(written);
    told
}

/// Carries outputs out: frames are noted, the end of an operation is the answer.
fn drain(socket: &mut WebSocket, written: &mut Vec<String>) -> Option<(Operation, Result<Notification, Win32Error>)> {
    let mut ended = None;
    let mut sent = 0;
    for output in socket.outputs() {
        match output {
            Output::End(operation, outcome) => {
                assert!(ended.is_none(), "two endings at once");
                ended = Some((operation, outcome));
            }
            Output::Write(bytes) => {
                written.push(client_frame(&bytes));
                sent += 1;
            }
            Output::Taken(_) | Output::Abandon => {}
            other => panic!("unexpected {other:?}"),
        }
    }
    for _ in 0..sent {
        socket.event(NOW, 0, Event::Wrote);
    }
    ended
}

fn client_frame(bytes: &[u8]) -> String {
    let (length, mask) = (usize::from(bytes[1] & 0x7F), &bytes[2..6]);
    assert!(bytes[1] & 0x80 != 0 && bytes[0] & 0x80 != 0 && length < 126, "a short, whole, masked frame");
    let payload: Vec<u8> = bytes[6..].iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    match bytes[0] & 0xF {
        8 if payload.len() >= 2 => format!("closes {}", u16::from_be_bytes([payload[0], payload[1]])),
        8 => "closes".to_owned(),
        10 => format!("pong \"{}\"", payload.escape_ascii()),
        other => format!("frame {other}"),
    }
}

/// A frame of a server.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(length as u8),
        length @ 126..=0xFFFF => {
            frame.push(126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What comes, and what is told of it.
fn cases() -> Vec<(String, Vec<u8>, Vec<String>)> {
    let mut cases = Vec::new();
    let mut case = |name: String, bytes: &[Vec<u8>], expected: &[&str]| {
        cases.push((name, bytes.concat(), expected.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>()));
    };
    let lost = "12030";
    let invalid = ["12152", "closes 1002"];
    let hello = || frame(FIN | TEXT, b"hello");

    // Messages of every size around the bounds of the length's encodings.
    for (opcode, name) in [(TEXT, "text"), (BINARY, "binary")] {
        for length in [0, 1, 125, 126, 127, 128, 65535, 65536, 70000] {
            let told = format!("{name} {length} \"{}\"", "*".repeat(length));
            case(format!("{name} of {length}"), &[frame(FIN | opcode, &vec![b'*'; length])], &[&told, lost]);
        }
    }
    // Fragments, with control frames in between.
    let parts =
        [frame(TEXT, b"he"), frame(FIN | PING, b"x"), frame(CONTINUATION, b""), frame(FIN | CONTINUATION, b"y")];
    case("fragments".to_owned(), &parts, &["text.. 2 \"he\"", "text.. 0 \"\"", "text 1 \"y\"", lost, "pong \"x\""]);
    // Pings and pongs.
    for length in [0, 1, 125] {
        let payload = vec![b'p'; length];
        let pong = format!("pong \"{}\"", "p".repeat(length));
        case(format!("ping of {length}"), &[frame(FIN | PING, &payload)], &[lost, &pong]);
        case(format!("pong of {length}"), &[frame(FIN | PONG, &payload), hello()], &["text 5 \"hello\"", lost]);
    }
    // Reserved bits, in every opcode and before a good message.
    for bits in 1..8u8 {
        for opcode in [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] {
            let bad = frame(FIN | bits << 4 | opcode, b"ab");
            case(format!("bits {bits:03b} of {opcode}"), std::slice::from_ref(&bad), &invalid);
            let expected = ["text 5 \"hello\"", "12152", "closes 1002"];
            case(format!("bits {bits:03b} of {opcode} later"), &[hello(), bad, hello()], &expected);
        }
    }
    // Opcodes that are none.
    for opcode in (3..8).chain(11..16) {
        case(format!("opcode {opcode}"), &[frame(FIN | opcode, b"ab")], &invalid);
        case(
            format!("opcode {opcode} in a message"),
            &[frame(TEXT, b"a"), frame(FIN | opcode, b"")],
            &["text.. 1 \"a\"", "12152", "closes 1002"],
        );
    }
    // Frames with a mask.
    for opcode in [TEXT, BINARY, CLOSE, PING] {
        case(format!("masked {opcode}"), &[vec![FIN | opcode, 0x82, 1, 2, 3, 4, 5, 6]], &invalid);
    }
    // Control frames that are too long or in pieces.
    for opcode in [CLOSE, PING, PONG] {
        case(format!("long {opcode}"), &[frame(FIN | opcode, &[b'x'; 126])], &invalid);
        case(format!("longer {opcode}"), &[frame(FIN | opcode, &vec![b'x'; 70000])], &invalid);
        case(format!("piece of {opcode}"), &[frame(opcode, b"ab")], &invalid);
    }
    // Messages that begin wrong, or begin inside another.
    for last in [0, FIN] {
        case("continuation of nothing".to_owned(), &[frame(last | CONTINUATION, b"a")], &invalid);
        let again = [hello(), frame(last | CONTINUATION, b"a")];
        case("continuation after the end".to_owned(), &again, &["text 5 \"hello\"", "12152", "closes 1002"]);
        for opcode in [TEXT, BINARY] {
            let inside = [frame(TEXT, b"a"), frame(last | opcode, b"b")];
            case("message in a message".to_owned(), &inside, &["text.. 1 \"a\"", "12152", "closes 1002"]);
        }
    }
    // Lengths that no length can be.
    for opcode in [TEXT, BINARY] {
        case("length of 64 bits".to_owned(), &[[&[FIN | opcode, 127][..], &[0xFF; 8]].concat()], &invalid);
    }
    // Text that is not UTF-8, whole and cut between frames.
    let texts: [(&[u8], bool); 10] = [
        ("\u{ba}\u{1f642}\u{7ff}\u{800}\u{ffff}\u{10ffff}".as_bytes(), true),
        (b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", true),
        (b"\xed\xa0\x80", false),
        (b"\xf4\x90\x80\x80", false),
        (b"\xf5\x80\x80\x80", false),
        (b"\xc0\x80", false),
        (b"\xe0\x80\x80", false),
        (b"\x80", false),
        (b"a\xff", false),
        (b"ab\xf0\x9f\x99", false),
    ];
    for (text, good) in texts {
        let name = format!("utf-8 {text:x?}");
        let whole = format!("text {} \"{}\"", text.len(), text.escape_ascii());
        let answer: &[&str] = if good { &[&whole, lost] } else { &["12152", "closes 1007"] };
        case(name.clone(), &[frame(FIN | TEXT, text)], answer);
        // The same bytes are good where no text is promised.
        let binary = format!("binary {} \"{}\"", text.len(), text.escape_ascii());
        case(name.clone(), &[frame(FIN | BINARY, text)], &[&binary, lost]);
        if good {
            let (head, tail) = text.split_at(text.len() - 1);
            let told = [
                format!("text.. {} \"{}\"", head.len(), head.escape_ascii()),
                format!("text 1 \"{}\"", tail.escape_ascii()),
            ];
            case(name, &[frame(TEXT, head), frame(FIN | CONTINUATION, tail)], &[&told[0], &told[1], lost]);
        }
    }
    // Close frames: no payload, every kind of status, reasons.
    case("close".to_owned(), &[frame(FIN | CLOSE, b""), hello()], &["close 1005 \"\""]);
    case("close of one byte".to_owned(), &[frame(FIN | CLOSE, b"\x03")], &invalid);
    let good = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
    let bad = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535];
    for status in good {
        let payload = [&u16::to_be_bytes(status)[..], b"why"].concat();
        let told = format!("close {status} \"why\"");
        case(format!("close {status}"), &[frame(FIN | CLOSE, &payload), hello()], &[&told]);
    }
    for status in bad {
        case(format!("close {status}"), &[frame(FIN | CLOSE, &u16::to_be_bytes(status))], &invalid);
    }
    let long = [&1000u16.to_be_bytes()[..], &[b'r'; 123]].concat();
    let told = format!("close 1000 \"{}\"", "r".repeat(123));
    case("close with the longest reason".to_owned(), &[frame(FIN | CLOSE, &long)], &[&told]);
    let reason = [&1000u16.to_be_bytes()[..], b"\xff"].concat();
    case("close with a reason that is no text".to_owned(), &[frame(FIN | CLOSE, &reason)], &["12152", "closes 1007"]);
    let parts = [frame(TEXT, b"a"), frame(FIN | CLOSE, &1000u16.to_be_bytes())];
    case("close in a message".to_owned(), &parts, &["text.. 1 \"a\"", "close 1000 \"\""]);
    // The end of the connection inside a frame.
    case("nothing".to_owned(), &[], &[lost]);
    case("half a head".to_owned(), &[vec![FIN | TEXT]], &[lost]);
    case("half a message".to_owned(), &[vec![FIN | TEXT, 5, b'h', b'e']], &[lost]);
    cases
}

#[test]
fn each_case_ends_in_its_code() {
    let cases = cases();
    assert!(cases.len() > 200, "{} cases", cases.len());
    for (name, bytes, expected) in &cases {
        for cut in [1, 2, 7, 1000, usize::MAX] {
            // Large messages one byte at a time say nothing new.
            if cut < 1000 && bytes.len() > 10_000 {
                continue;
            }
            assert_eq!(told(bytes, cut.min(bytes.len().max(1)), 1 << 17), *expected, "{name} in pieces of {cut}");
        }
    }
}

/// Joined again, the pieces that a small buffer gets are the messages.
#[test]
fn small_buffers_get_the_same_bytes() {
    let bytes = [frame(FIN | BINARY, &[b'*'; 300]), frame(TEXT, b"abc"), frame(FIN | CONTINUATION, b"")].concat();
    for room in [1, 2, 100, 128, 150, 299, 300, 301] {
        let told = told(&bytes, 50, room);
        let joined = |kind: &str| -> String {
            let of_kind = told.iter().filter(|line| line.trim_end_matches(|c| c != ' ').starts_with(kind));
            of_kind.filter_map(|line| line.split('"').nth(1)).collect()
        };
        assert_eq!(joined("binary"), "*".repeat(300), "room for {room}");
        assert_eq!(joined("text"), "abc", "room for {room}");
    }
}

proptest! {
    /// Whatever a server sends, something comes of it, and nothing panics or hangs.
    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 1usize..50, room in 1usize..300) {
        let told = told(&bytes, cut, room);
        prop_assert!(!told.is_empty());
    }

    /// How the bytes are cut makes no difference.
    #[test]
    fn cuts_make_no_difference(
        heads in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..20)), 0..10),
        cut in 1usize..50,
    ) {
        let bytes: Vec<u8> = heads.iter().flat_map(|(first, payload)| frame(*first & 0x8F, payload)).collect();
        prop_assert_eq!(told(&bytes, cut, 1000), told(&bytes, bytes.len().max(1), 1000));
    }
}

/// What waits is bounded by what the transport is told of, heads counted: frames without bytes, which nobody receives, give
/// back nothing. With Receive, Discard of Close, or nobody.
#[test]
fn floods_of_empty_frames_wait_in_full() {
    let floods = [frame(FIN | BINARY, b""), frame(FIN | TEXT, b"")];
    let fragments = [frame(BINARY, b""), frame(CONTINUATION, b"")];
    let endless = |first: &[u8], again: &[u8]| [first, &again.repeat(999)].concat();
    let rows = [
        endless(&floods[0], &floods[0]),
        endless(&floods[1], &floods[1]),
        endless(&fragments[0], &fragments[1]),
        endless(&frame(TEXT, b""), &fragments[1]),
    ];
    for bytes in rows {
        let mut socket = WebSocket::new(NOW, [7; 16]);
        socket.event(NOW, 0, Event::Body { bytes: bytes.clone().into(), end: None });
        assert_eq!(taken(&mut socket), 0, "nobody receives");
        for _ in 0..3 {
            let mut buffer = [0u8; 16];
            // SAFETY: the buffer outlives the operation.
            let lent = unsafe { CallerBuf::new(buffer.as_mut_ptr().cast(), 16) };
            socket.receive(NOW, lent).unwrap();
            assert_eq!(taken(&mut socket), 2, "one frame");
        }
        socket.close(NOW, 1000, b"").unwrap();
        assert_eq!(taken(&mut socket), bytes.len() - 6, "who closes throws the rest away");
    }
}

fn taken(socket: &mut WebSocket) -> usize {
    socket.outputs().map(|output| if let Output::Taken(bytes) = output { bytes } else { 0 }).sum()
}

/// A head that cannot become one is refused before it is whole.
#[test]
fn a_bad_head_ends_at_once() {
    let rows: [&[u8]; 12] = [
        b"\x82\xff\x80\0\0\0\0\0\0\0",
        b"\x82\x7f\x80",
        b"\x82\x81",
        b"\xc2",
        b"\xa2",
        b"\x92",
        b"\x83",
        b"\x8b",
        b"\x09",
        b"\x89\x7e",
        b"\x00",
        b"\x88\xff",
    ];
    for bytes in rows {
        for cut in [1, bytes.len()] {
            let mut socket = WebSocket::new(NOW, [7; 16]);
            for piece in bytes.chunks(cut) {
                socket.event(NOW, 0, Event::Body { bytes: piece.to_vec().into(), end: None });
            }
            let outputs: Vec<_> = socket.outputs().collect();
            assert!(outputs.iter().any(|output| matches!(output, Output::Abandon)), "{bytes:x?} {outputs:?}");
        }
    }
}

/// What comes behind a violation is not looked at: bad UTF-8 in several reads, a panic once.
#[test]
fn nothing_is_read_behind_a_violation() {
    let bad: [&[&[u8]]; 3] = [
        &[b"\x01\x02\xf0\x9f", b"\x00\x01\xff", b"\x00\x01\xff", b"\x00\x04\xff\xff\xff\xff"],
        &[b"\x81\x7e\x01\0\xf0\x9f\x98", b"\xff", b"\xf0\x9f\x98", b"\xff\xff", b"\xff"],
        &[b"\xff", b"\x81\x05hello", b"\x89\x00"],
    ];
    for pieces in bad {
        let mut socket = WebSocket::new(NOW, [7; 16]);
        let mut written = 0;
        for piece in pieces {
            socket.event(NOW, 0, Event::Body { bytes: piece.to_vec().into(), end: None });
            written += socket.outputs().filter(|output| matches!(output, Output::Write(_))).count();
        }
        assert_eq!(written, 1, "one close frame, no pong: {pieces:x?}");
    }
}
