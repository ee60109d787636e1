//! When a context may be freed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portable_winhttp::lab::{self, Fault, Reply, Sim, Stage};
use portable_winhttp::record::Status;
use portable_winhttp::win32::{ERROR_NOT_ENOUGH_MEMORY, WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::*;
use crate::support::*;

const SENT: u32 = WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE;
const CLOSING: u32 = WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;
const ERROR: u32 = WINHTTP_CALLBACK_STATUS_REQUEST_ERROR;

/// A request whose context is bound by WinHttpSendRequest only; the context counts as freed when `frees` says so of a
/// status.
fn sends_context(sim: &Sim, frees: fn(u32) -> bool) -> (One, usize) {
    let value = Arc::new(AtomicUsize::new(0));
    let context = Arc::clone(&value);
    let one = One::unbound(sim, Reply::ok(), move |_, seen| {
        if frees(seen.status) {
            lab::freed(context.load(Ordering::SeqCst));
        }
    });
    let context = context_of(&one.record);
    value.store(context, Ordering::SeqCst);
    lab::allocated(context);
    (one, context)
}

pub fn freed_on_failure(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::in_call("WinHttpSendRequest").fail_bound(ERROR_NOT_ENOUGH_MEMORY));
    let (one, context) = sends_context(sim, |status| status == CLOSING);
    if send_with(one.request, context) == 0 && wrong {
        lab::freed(context);
    }
    one.close(sim);
    Ok(())
}

/// The context is freed on failure only, but the callback comes with it.
pub fn used_after_failure(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::in_call("WinHttpSendRequest").fail_bound(ERROR_NOT_ENOUGH_MEMORY));
    let (one, context) = sends_context(sim, |_| false);
    let sent = send_with(one.request, context);
    if sent == 0 && wrong {
        lab::freed(context);
    }
    one.close(sim);
    if !wrong {
        lab::freed(context);
    }
    Ok(())
}

/// Both sides are pending when the connection breaks: two REQUEST_ERRORs.
pub fn freed_with_each_error(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::at(Stage::Send).reset());
    let frees: fn(u32) -> bool = if wrong { |status| status == ERROR } else { |status| status == CLOSING };
    let (one, context) = sends_context(sim, frees);
    assert_eq!(send_with(one.request, context), 1);
    assert_eq!(receive(one.request), 1);
    one.until(sim, ERROR, 2);
    one.close(sim);
    Ok(())
}

/// The context is freed with HANDLE_CLOSING, which does not bring it when SendRequest failed before it bound it.
pub fn freed_with_the_last(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::in_call("WinHttpSendRequest").fail(ERROR_NOT_ENOUGH_MEMORY));
    let (one, context) = sends_context(sim, |status| status == CLOSING);
    if !wrong {
        bind(one.request, context);
    }
    assert_eq!(send_with(one.request, context), 0);
    close(one.request);
    sim.settle();
    one.client.close();
    Ok(())
}

pub fn destructor_waits(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::in_call("WinHttpSendRequest").fail(ERROR_NOT_ENOUGH_MEMORY));
    let (one, context) = sends_context(sim, |status| status == CLOSING);
    if !wrong {
        bind(one.request, context);
    }
    assert_eq!(send_with(one.request, context), 0);
    one.close(sim);
    Ok(())
}

/// The owner closes the handle and frees the context, while a completion is on its way.
pub fn freed_before_a_completion(sim: &Sim, wrong: bool) -> Result<(), String> {
    let gate = sim.gate("completion");
    sim.fault(Fault::on(Status(SENT)).hold(&gate));
    let frees: fn(u32) -> bool = if wrong { |_| false } else { |status| status == CLOSING };
    let (one, context) = sends_context(sim, frees);
    assert_eq!(send_with(one.request, context), 1);
    sim.block_until(|| gate.reached() == 1);
    close(one.request);
    if wrong {
        lab::freed(context);
    }
    gate.open();
    one.closed(sim);
    Ok(())
}

/// Who is woken by the completion frees the context while the callback still uses it.
pub fn freed_by_the_waiter(sim: &Sim, wrong: bool) -> Result<(), String> {
    let gate = sim.gate("the rest of the callback");
    let (rest, woken) = (gate.clone(), Arc::new(Mutex::new(false)));
    let wakes = Arc::clone(&woken);
    let one = One::with(sim, "GET", Reply::ok(), move |_, seen| {
        if seen.status == SENT {
            *wakes.lock().unwrap() = true;
            rest.wait();
        }
    });
    let context = context_of(&one.record);
    lab::allocated(context);
    assert_eq!(send(one.request), 1);
    sim.block_until(|| *woken.lock().unwrap());
    if wrong {
        lab::freed(context);
    }
    gate.open();
    one.close(sim);
    if !wrong {
        lab::freed(context);
    }
    Ok(())
}

/// HANDLE_CLOSING comes later, on a worker.
pub fn freed_after_close(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::in_call("WinHttpCloseHandle").later());
    let one = One::get(sim, Reply::ok());
    one.receive(sim);
    let context = context_of(&one.record);
    close(one.request);
    if wrong {
        lab::freed(context);
    }
    one.closed(sim);
    if !wrong {
        lab::freed(context);
    }
    Ok(())
}

/// The result is there, so the call object goes; the trace in HANDLE_CLOSING still looks at it.
pub fn freed_with_the_result(sim: &Sim, wrong: bool) -> Result<(), String> {
    let one = One::get(sim, Reply::ok().body("result"));
    one.receive(sim);
    read(one.request, 16);
    one.until(sim, WINHTTP_CALLBACK_STATUS_READ_COMPLETE, 1);
    let context = context_of(&one.record);
    if wrong {
        lab::freed(context);
    }
    one.close(sim);
    if !wrong {
        lab::freed(context);
    }
    Ok(())
}

/// Cleaning up takes "closing" for "closed": the cancelled operation has not been told yet.
pub fn cleaned_up_while_closing(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::in_call("WinHttpCloseHandle").later());
    let one = One::get(sim, Reply::never());
    let context = context_of(&one.record);
    assert_eq!(send(one.request), 1);
    close(one.request);
    if wrong {
        lab::freed(context);
    }
    one.until(sim, ERROR, 1);
    one.closed(sim);
    Ok(())
}

/// HANDLE_CLOSING does not come for a long time; the right one stops waiting.
pub fn waits_without_end(sim: &Sim, wrong: bool) -> Result<(), String> {
    let gate = sim.gate("closing");
    sim.fault(Fault::on(Status(CLOSING)).hold(&gate).clone());
    let one = One::get(sim, Reply::ok());
    one.receive(sim);
    let request = one.request as usize;
    sim.spawn(move || {
        close(request as _);
    });
    if wrong {
        one.until(sim, CLOSING, 1);
    } else {
        sim.advance(Duration::from_secs(5));
    }
    gate.open();
    one.closed(sim);
    Ok(())
}

/// The context is freed with HANDLE_CLOSING, and that is not in the mask.
pub fn closing_is_not_in_the_mask(sim: &Sim, wrong: bool) -> Result<(), String> {
    let (one, context) = sends_context(sim, |status| status == CLOSING);
    if wrong {
        listen(one.request, WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS);
    }
    assert_eq!(send_with(one.request, context), 1);
    one.until(sim, SENT, 1);
    close(one.request);
    sim.settle();
    one.client.close();
    Ok(())
}
