//! Handles of what can be waited for, and the waiting: CreateEventW, ReleaseMutex, WaitForMultipleObjects and their like.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use super::clock;
use super::waitable::Waitable;
use crate::observe::waits;
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::win32::{ERROR_FILE_NOT_FOUND, ERROR_INVALID_HANDLE, Win32Error};
use crate::world::{entered, wake};

/// Values are multiples of 4, as Windows' are, and far from those of WinHTTP's handles.
const FIRST: usize = 0x4000_0000;
/// HANDLE_FLAG_PROTECT_FROM_CLOSE
const PROTECT_FROM_CLOSE: u32 = 2;

struct Object {
    name: Option<Vec<u16>>,
    state: Waitable,
    handles: usize,
}

#[derive(Clone, Copy)]
struct Handle {
    object: usize,
    flags: u32,
}

#[derive(Default)]
struct State {
    /// Grows by one with each handle: values are never used twice.
    made: usize,
    handles: HashMap<usize, Handle>,
    objects: HashMap<usize, Object>,
}

static STATE: LazyLock<Mutex<State>> = LazyLock::new(Mutex::default);
static CHANGED: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, State> {
    STATE.lock()
}

/// Something may let a waiter go.
fn changed() {
    CHANGED.notify_all();
    wake();
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Released {
    /// Which of the handles; 0 if all had to be signalled.
    pub index: usize,
    /// A mutex was taken whose owner ended without releasing it.
    pub abandoned: bool,
}

impl State {
    fn handle(&mut self, handle: usize) -> Result<&mut Handle, Win32Error> {
        self.handles.get_mut(&handle).ok_or(ERROR_INVALID_HANDLE)
    }

    fn object(&mut self, handle: usize) -> Result<&mut Waitable, Win32Error> {
        let number = self.handle(handle)?.object;
        self.objects.get_mut(&number).map(|object| &mut object.state).ok_or(ERROR_INVALID_HANDLE)
    }

    fn named(&self, name: &[u16]) -> Option<usize> {
        let found = self.objects.iter().find(|(_, object)| object.name.as_deref() == Some(name));
        found.map(|(number, _)| *number)
    }

    /// One more handle to an object; `None` is the object with the handle's own number.
    fn open(&mut self, object: Option<usize>) -> usize {
        self.made += 1;
        let handle = FIRST + self.made * 4;
        let object = object.unwrap_or(handle);
        if let Some(known) = self.objects.get_mut(&object) {
            known.handles += 1;
        }
        self.handles.insert(handle, Handle { object, flags: 0 });
        handle
    }

    /// Which of the handles let this thread go: the first that does, or all at once. They are taken.
    fn ready(&mut self, handles: &[usize], all: bool, thread: u32) -> Result<Option<Released>, Win32Error> {
        let mut free = Vec::with_capacity(handles.len());
        for handle in handles {
            free.push(self.object(*handle)?.lets_go(thread));
        }
        let ready = if all { free.iter().all(|free| *free).then_some(0) } else { free.iter().position(|free| *free) };
        let Some(index) = ready else { return Ok(None) };
        let mut abandoned = false;
        for handle in if all { handles } else { &handles[index..=index] } {
            abandoned |= self.object(*handle)?.take(thread);
        }
        Ok(Some(Released { index, abandoned }))
    }
}

/// A handle to a new object, or to the one of this kind that has the name already (then `true`). ERROR_INVALID_HANDLE if
/// the name is that of another kind.
pub fn create_object(state: Waitable, name: Option<Vec<u16>>) -> Result<(usize, bool), Win32Error> {
    let mut all = lock();
    if let Some(known) = name.as_deref().and_then(|name| all.named(name)) {
        let same = all.objects.get(&known).is_some_and(|object| object.state.same_kind(&state));
        return if same { Ok((all.open(Some(known)), true)) } else { Err(ERROR_INVALID_HANDLE) };
    }
    let handle = all.open(None);
    all.objects.insert(handle, Object { name, state, handles: 1 });
    Ok((handle, false))
}

/// A handle to a new event without a name.
pub fn create(manual: bool, signalled: bool) -> usize {
    anonymous(Waitable::Event { manual, signalled })
}

/// A handle to a new object without a name.
pub fn anonymous(state: Waitable) -> usize {
    let mut all = lock();
    let handle = all.open(None);
    all.objects.insert(handle, Object { name: None, state, handles: 1 });
    handle
}

/// A handle to the object of this name; ERROR_FILE_NOT_FOUND, or ERROR_INVALID_HANDLE if it is of another kind.
pub fn open(name: &[u16], kind: &Waitable) -> Result<usize, Win32Error> {
    let mut all = lock();
    let number = all.named(name).ok_or(ERROR_FILE_NOT_FOUND)?;
    let same = all.objects.get(&number).is_some_and(|object| object.state.same_kind(kind));
    if same { Ok(all.open(Some(number))) } else { Err(ERROR_INVALID_HANDLE) }
}

/// Another handle to the same object.
pub fn duplicate(handle: usize) -> Result<usize, Win32Error> {
    let mut all = lock();
    let object = all.handle(handle)?.object;
    Ok(all.open(Some(object)))
}

/// Whether both handles lead to one object.
pub fn same(one: usize, other: usize) -> bool {
    let mut all = lock();
    let objects = [one, other].map(|handle| all.handle(handle).map(|handle| handle.object));
    objects[0].is_ok() && objects[0] == objects[1]
}

/// Closes a handle; its object goes with the last. A protected handle stays: ERROR_INVALID_HANDLE.
pub fn close(handle: usize) -> Result<(), Win32Error> {
    let mut all = lock();
    let Handle { object, flags } = *all.handle(handle)?;
    if flags & PROTECT_FROM_CLOSE != 0 {
        return Err(ERROR_INVALID_HANDLE);
    }
    all.handles.remove(&handle);
    if let Some(known) = all.objects.get_mut(&object) {
        known.handles -= 1;
        if known.handles == 0 {
            all.objects.remove(&object);
        }
    }
    // A waiter on a handle that is gone has nothing to wait for.
    CHANGED.notify_all();
    Ok(())
}

/// The flags of a handle, after those of `mask` were set to `to`.
pub fn flags(handle: usize, mask: u32, to: u32) -> Result<u32, Win32Error> {
    let mut all = lock();
    let handle = all.handle(handle)?;
    handle.flags = handle.flags & !mask | to & mask;
    Ok(handle.flags)
}

/// Changes an object; whoever waits looks again.
pub fn change<R>(handle: usize, change: impl FnOnce(&mut Waitable) -> Result<R, Win32Error>) -> Result<R, Win32Error> {
    let answer = change(lock().object(handle)?)?;
    changed();
    Ok(answer)
}

/// Whether it is an open handle of an event.
pub fn is_event(handle: usize) -> bool {
    matches!(lock().object(handle), Ok(Waitable::Event { .. }))
}

/// Signals an event, or takes the signal away.
pub fn set(handle: usize, signalled: bool) -> Result<(), Win32Error> {
    change(handle, |object| object.set(signalled))
}

/// Signals an event if there is one; a thread has ended.
pub fn signal(handle: usize) {
    let _ = change(handle, |object| {
        object.signal();
        Ok(())
    });
}

/// The thread with this number has ended: mutexes that it held are free, and abandoned.
pub fn thread_ended(thread: u32) {
    let mut abandoned = false;
    for object in lock().objects.values_mut() {
        abandoned |= object.state.abandon(thread);
    }
    if abandoned {
        changed();
    }
}

/// Tells at the end of a thread that waited for something what it leaves behind.
struct Ends(u32);

impl Drop for Ends {
    fn drop(&mut self) {
        thread_ended(self.0);
    }
}

thread_local!(static ENDS: Ends = Ends(clock::thread_number()));

/// This thread may take mutexes: its end is heard of.
pub fn will_end() {
    // A thread that is ending already takes none.
    let _ = ENDS.try_with(|_| ());
}

/// Waits for one of the objects, or for all at once; `None` when the time is over.
pub fn wait(handles: &[usize], all: bool, timeout: Option<Duration>) -> Result<Option<Released>, Win32Error> {
    let thread = clock::thread_number();
    will_end();
    let mut ready = lock().ready(handles, all, thread);
    if ready != Ok(None) {
        return ready;
    }
    if timeout != Some(Duration::ZERO) {
        waits("for an event");
    }
    if let Some((world, _)) = entered() {
        if let Some(steps) = world.steps() {
            let until = timeout.map(|timeout| world.clock.now() + timeout);
            steps.wait("an event", until, &mut || {
                ready = lock().ready(handles, all, thread);
                ready != Ok(None)
            });
            return ready;
        }
    }
    let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut state = lock();
    loop {
        if let Some(ready) = state.ready(handles, all, thread)? {
            return Ok(Some(ready));
        }
        let Some(end) = end else {
            CHANGED.wait(&mut state);
            continue;
        };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        CHANGED.wait_for(&mut state, left);
    }
}
