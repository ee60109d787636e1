//! Web sockets: who closes, when, and what an end is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use portable_winhttp::lab::{self, Fault, Sim};
use portable_winhttp::win32::ERROR_INVALID_OPERATION;

use crate::socket::*;
use crate::support::*;

/// One thread says goodbye while another one, which was told of the disconnect, closes.
pub fn goodbye_beside_close(sim: &Sim, wrong: bool) -> Result<(), String> {
    let gate = sim.gate("the end of the call");
    sim.fault(Fault::in_call("WinHttpWebSocketClose").hold_return(&gate));
    let socket = Socket::open(sim, |_| {}, |_| {});
    let value = socket.socket as usize;
    sim.spawn(move || {
        say_goodbye(value as _);
    });
    sim.block_until(|| gate.reached() == 1);
    if !wrong {
        gate.open();
        sim.settle();
    }
    close(socket.socket);
    gate.open();
    socket.closed(sim);
    Ok(())
}

/// The upgrade fails; the handle of the request was put away for the one of the web socket.
pub fn upgrade_fails(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::in_call("WinHttpWebSocketCompleteUpgrade").fail(ERROR_INVALID_OPERATION));
    let socket = Socket::open(sim, |_| {}, |_| {});
    assert!(socket.socket.is_null());
    if !wrong {
        close(socket.request);
    }
    sim.settle();
    socket.client.close();
    Ok(())
}

/// The peer does not answer the close frame: after ten seconds that is a REQUEST_ERROR.
pub fn no_answer_to_goodbye(sim: &Sim, wrong: bool) -> Result<(), String> {
    let socket = Socket::open(sim, |_| {}, |_| {});
    assert_eq!(say_goodbye(socket.socket), 0);
    socket.until(sim, |status| status == CLOSED || (status == ERROR && !wrong), 1);
    socket.close(sim);
    Ok(())
}

/// The connection breaks while Receive and Close are pending: both fail, and each is taken for the disconnect.
pub fn disconnected_twice(sim: &Sim, wrong: bool) -> Result<(), String> {
    let gate = sim.gate("the reset");
    let resets = gate.clone();
    let (ends, ended) = (Arc::new(Mutex::new(0)), Arc::new(AtomicBool::new(false)));
    let (counts, once) = (Arc::clone(&ends), Arc::clone(&ended));
    let socket = Socket::open(
        sim,
        move |raw| {
            raw.wait(&resets);
            raw.reset();
        },
        move |status| {
            if status == ERROR && (wrong || !once.swap(true, Ordering::SeqCst)) {
                *counts.lock().unwrap() += 1;
                lab::freed(0x7700);
            }
        },
    );
    lab::allocated(0x7700);
    assert_eq!(socket.receive(), 0);
    assert_eq!(say_goodbye(socket.socket), 0);
    gate.open();
    socket.until(sim, |status| status == ERROR, 2);
    socket.close(sim);
    Ok(())
}

/// There is no way to cancel a Receive but closing the handle: then nothing more can be sent.
pub fn cancelled_and_used(sim: &Sim, wrong: bool) -> Result<(), String> {
    let socket = Socket::open(sim, |_| {}, |_| {});
    assert_eq!(socket.receive(), 0);
    close(socket.socket);
    if wrong {
        send_text(socket.socket);
    }
    socket.closed(sim);
    Ok(())
}

/// A message of no bytes is a message.
pub fn empty_message(sim: &Sim, wrong: bool) -> Result<(), String> {
    let socket = Socket::open(sim, |raw| raw.write(b"\x81\x00\x81\x04text"), |_| {});
    let mut messages = 0;
    for number in 1..=2 {
        assert_eq!(socket.receive(), 0);
        socket.until(sim, |status| status == READ, number);
        let bytes = socket.told.bytes.lock().unwrap()[number - 1];
        if bytes == 0 && wrong {
            break;
        }
        messages += 1;
    }
    socket.close(sim);
    if messages == 2 { Ok(()) } else { Err(format!("{messages} of 2 messages")) }
}
