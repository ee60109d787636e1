//! The stops that go for web sockets as for requests.

use std::ptr::null_mut;

use portable_winhttp::lab::{self, Sim};
use portable_winhttp::verify::Stop;
use windows_sys::Win32::Networking::WinHttp::*;

use crate::socket::*;
use crate::stops::play;

/// Receives into this memory; the test answers for it.
fn receive_to(socket: &Socket, buffer: &mut [u8], bytes: *mut u32) -> u32 {
    // SAFETY: as above.
    unsafe {
        WinHttpWebSocketReceive(socket.socket, buffer.as_mut_ptr().cast(), buffer.len() as u32, bytes, null_mut())
    }
}

/// A peer that sends a text when it has got one.
fn echo(sim: &Sim) -> Socket {
    let plays = |raw: &portable_winhttp::lab::RawConnection| {
        raw.read_exact(6 + 4);
        raw.write(b"\x81\x04text");
    };
    Socket::open(sim, plays, |_| {})
}

fn overlap(sim: &Sim, wrong: bool) {
    let socket = echo(sim);
    assert_eq!(socket.receive(), 0);
    if wrong {
        assert_ne!(socket.receive(), 0);
    }
    socket.close(sim);
}

fn touch_received(sim: &Sim, wrong: bool) {
    let socket = echo(sim);
    let mut buffer = *b"........";
    assert_eq!(receive_to(&socket, &mut buffer, null_mut()), 0);
    if wrong {
        buffer.fill(0);
    }
    assert_eq!(send_text(socket.socket), 0);
    socket.until(sim, |status| status == READ, 1);
    assert_eq!(&buffer[..4], b"text");
    if !wrong {
        assert_eq!(&buffer, b"text....");
    }
    socket.close(sim);
}

fn out_parameter(sim: &Sim, wrong: bool) {
    let socket = echo(sim);
    let (mut buffer, mut bytes) = ([0; 8], 7);
    assert_eq!(receive_to(&socket, &mut buffer, if wrong { &raw mut bytes } else { null_mut() }), 0);
    assert_eq!(send_text(socket.socket), 0);
    socket.until(sim, |status| status == READ, 1);
    assert_eq!(bytes, 7);
    socket.close(sim);
}

fn wait_for_goodbye(sim: &Sim, wrong: bool) {
    let socket = echo(sim);
    // SAFETY: the callback takes the contexts of these handles.
    unsafe {
        let all = WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS;
        let mask = if wrong { all & !WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE } else { all };
        WinHttpSetStatusCallback(socket.socket, Some(told), mask, 0);
    }
    assert_eq!(say_goodbye(socket.socket), 0);
    socket.close(sim);
}

fn free_context(sim: &Sim, wrong: bool) {
    let socket = echo(sim);
    let context = socket.told as *const Told as usize;
    if wrong {
        lab::freed(context);
    }
    socket.close(sim);
    if !wrong {
        lab::freed(context);
    }
}

#[test]
fn stops_of_web_sockets() {
    type Row = (Stop, &'static str, fn(&Sim, bool));
    let rows: [Row; 5] = [
        (Stop::ContextFreed, "HANDLE_CLOSING comes with a context that was freed", free_context),
        (Stop::Overlapping, "WinHttpWebSocketReceive while WinHttpWebSocketReceive is pending", overlap),
        (Stop::ReadBufferTouched, "the buffer was touched before the read had ended", touch_received),
        (Stop::OutParameter, "WinHttpWebSocketReceive got an out parameter in asynchronous mode", out_parameter),
        (Stop::NotInMask, "WinHttpWebSocketClose begins, but its end is not in the mask", wait_for_goodbye),
    ];
    for (stop, says, client) in rows {
        let (seen, report) = play(|sim| client(sim, true), None);
        assert!(seen.iter().any(|(of, _, what)| *of == stop && what.contains(says)), "{stop}: {seen:?} {report:?}");
        let (seen, report) = play(|sim| client(sim, false), None);
        assert_eq!((seen, report), (Vec::new(), None), "{stop}: the twin");
    }
}
