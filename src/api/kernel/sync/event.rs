//! Events and the waiting for them: CreateEventW, SetEvent, WaitForSingleObject and their like.

use std::collections::HashMap;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::observe::waits;
use crate::win32::{ERROR_INVALID_HANDLE, Win32Error};
use crate::world::{entered, wake};

/// Values are multiples of 4, as Windows' are, and far from those of WinHTTP's handles.
const FIRST: usize = 0x4000_0000;

struct Event {
    name: Option<Vec<u16>>,
    manual: bool,
    signalled: bool,
    handles: usize,
}

#[derive(Default)]
struct State {
    /// Grows by one with each handle: values are never used twice.
    made: usize,
    handles: HashMap<usize, usize>,
    events: HashMap<usize, Event>,
}

static STATE: LazyLock<Mutex<State>> = LazyLock::new(Mutex::default);
static CHANGED: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn event(&mut self, handle: usize) -> Result<&mut Event, Win32Error> {
        let event = self.handles.get(&handle).ok_or(ERROR_INVALID_HANDLE)?;
        self.events.get_mut(event).ok_or(ERROR_INVALID_HANDLE)
    }

    /// Which of the handles let a waiter go: the first that is signalled, or 0 if all have to be and are.
    fn ready(&mut self, handles: &[usize], all: bool) -> Result<Option<usize>, Win32Error> {
        let mut signalled = Vec::with_capacity(handles.len());
        for handle in handles {
            signalled.push(self.event(*handle)?.signalled);
        }
        let ready = if all { signalled.iter().all(|s| *s).then_some(0) } else { signalled.iter().position(|s| *s) };
        if let Some(first) = ready {
            let taken = if all { handles } else { &handles[first..=first] };
            for handle in taken {
                let event = self.event(*handle)?;
                event.signalled &= event.manual;
            }
        }
        Ok(ready)
    }
}

/// A handle to a new event, or to the one that has this name already (then `true`).
pub fn create(manual: bool, signalled: bool, name: Option<Vec<u16>>) -> (usize, bool) {
    let mut state = lock();
    state.made += 1;
    let handle = FIRST + state.made * 4;
    let named = |(number, event): (&usize, &Event)| (event.name.is_some() && event.name == name).then_some(*number);
    let known = state.events.iter().find_map(named);
    let number = known.unwrap_or(handle);
    state.events.entry(number).or_insert(Event { name, manual, signalled, handles: 0 }).handles += 1;
    state.handles.insert(handle, number);
    (handle, known.is_some())
}

/// Another handle to the same event.
pub fn duplicate(handle: usize) -> Result<usize, Win32Error> {
    let mut state = lock();
    let number = *state.handles.get(&handle).ok_or(ERROR_INVALID_HANDLE)?;
    state.made += 1;
    let copy = FIRST + state.made * 4;
    state.event(handle)?.handles += 1;
    state.handles.insert(copy, number);
    Ok(copy)
}

/// Closes a handle; its event goes with the last.
pub fn close(handle: usize) -> Result<(), Win32Error> {
    let mut state = lock();
    let number = state.handles.remove(&handle).ok_or(ERROR_INVALID_HANDLE)?;
    if let Some(event) = state.events.get_mut(&number) {
        event.handles -= 1;
        if event.handles == 0 {
            state.events.remove(&number);
        }
    }
    // A waiter on a handle that is gone has nothing to wait for.
    CHANGED.notify_all();
    Ok(())
}

/// Signals an event, or takes the signal away.
pub fn set(handle: usize, signalled: bool) -> Result<(), Win32Error> {
    lock().event(handle)?.signalled = signalled;
    CHANGED.notify_all();
    wake();
    Ok(())
}

/// Signals an event if there is one.
pub fn signal(handle: usize) {
    let _ = set(handle, true);
}

/// Waits for one of the events, or for all at once; `None` when the time is over. Auto-reset events that let the waiter
/// go are not signalled any more.
pub fn wait(handles: &[usize], all: bool, timeout: Option<Duration>) -> Result<Option<usize>, Win32Error> {
    if let Some((world, _)) = entered() {
        if let Some(steps) = world.steps() {
            let until = timeout.map(|timeout| world.clock.now() + timeout);
            let mut ready = lock().ready(handles, all);
            if ready != Ok(None) {
                return ready;
            }
            if timeout != Some(Duration::ZERO) {
                waits("for an event");
            }
            steps.wait("an event", until, &mut || {
                ready = lock().ready(handles, all);
                ready != Ok(None)
            });
            return ready;
        }
    }
    let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    if let Some(ready) = lock().ready(handles, all)? {
        return Ok(Some(ready));
    }
    if timeout != Some(Duration::ZERO) {
        waits("for an event");
    }
    let mut state = lock();
    loop {
        if let Some(ready) = state.ready(handles, all)? {
            return Ok(Some(ready));
        }
        let Some(end) = end else {
            state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        state = CHANGED.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}
