//! The collector that every thread reports to.

use std::collections::HashMap;
use std::thread::ThreadId;
use std::time::Duration;

use super::{Event, EventKind, HandleKind, Names, Notification, Record, Thread, ThreadRole, Trace, Traffic};
use crate::sync::{Mutex, MutexGuard};
use crate::win32::Win32Error;

/// Tells the time since the trace began. It runs under the recorder's lock and must not call the recorder.
type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

/// Collects calls and notifications, from any thread, in the order in which they are reported.
///
/// It knows which calls are in progress on each thread, and so which notification was delivered inside which call.
/// No method calls the application; each holds a short lock.
pub struct Recorder {
    clock: Clock,
    maker: ThreadId,
    state: Mutex<State>,
}

/// No panic poisons its lock.
impl std::panic::UnwindSafe for Recorder {}
impl std::panic::RefUnwindSafe for Recorder {}

#[derive(Default)]
struct State {
    events: Vec<Event>,
    /// Events that were taken out.
    taken: u64,
    names: Names,
    threads: HashMap<ThreadId, ThreadState>,
    /// Threads that were seen.
    seen: u32,
}

struct ThreadState {
    number: u32,
    name: Option<String>,
    calls: Vec<OpenCall>,
}

/// A call in progress. Its handle may be announced by HANDLE_CREATED before the function returns it.
struct OpenCall {
    function: String,
    made: Option<usize>,
    /// The number of its event.
    event: u64,
}

/// How many events wait for the arguments of a call that may still come.
const HELD: usize = 1024;
/// How the names of the engine's own threads begin.
const ENGINE: &str = "winhttp";
/// How many threads are remembered that are in no call.
const THREADS: usize = 4096;

impl Recorder {
    /// Starts a trace; the thread that makes the recorder is its caller, number 1.
    pub fn new(clock: Clock) -> Recorder {
        let recorder = Recorder { clock, maker: std::thread::current().id(), state: Mutex::default() };
        recorder.state().thread(recorder.maker);
        recorder
    }

    /// The program calls `function` on `handle`, on this thread; `arguments` are the others, as text.
    pub fn call(&self, function: &str, handle: Option<usize>, arguments: &str) {
        let mut state = self.state();
        let handle = handle.map(|handle| state.names.handle(handle));
        let event = state.taken + state.events.len() as u64;
        let call = OpenCall { function: function.to_owned(), made: None, event };
        state.here().calls.push(call);
        let what = EventKind::Call { function: function.to_owned(), handle, arguments: arguments.to_owned() };
        self.push(&mut state, what);
    }

    /// The innermost call in progress on this thread was given these arguments, too.
    pub fn given(&self, text: &str) {
        let mut state = self.state();
        let Some(number) = state.here().calls.last().map(|call| call.event) else { return };
        let place = number.checked_sub(state.taken).and_then(|place| usize::try_from(place).ok());
        if let Some(Event { what: EventKind::Call { arguments, .. }, .. }) =
            place.and_then(|place| state.events.get_mut(place))
        {
            text.clone_into(arguments);
        }
    }

    /// `function` returns `result` to this thread, and leaves `last_error` there.
    pub fn returned(&self, function: &str, result: &str, last_error: Win32Error) {
        self.end(&mut self.state(), function, result.to_owned(), last_error);
    }

    /// `function` returns a handle, or NULL: as [`returned`](Recorder::returned), with the name of the handle. A new
    /// handle gets its name here, unless HANDLE_CREATED or [`created`](Recorder::created) told of it before.
    pub fn returned_handle(&self, function: &str, handle: usize, last_error: Win32Error) {
        let mut state = self.state();
        if handle != 0 {
            state.made(function, handle);
        }
        let result = state.names.handle(handle);
        self.end(&mut state, function, result, last_error);
    }

    /// A handle of a known kind was made on this thread; returns its name. Needed only where neither the function in
    /// progress nor its return tells the kind.
    pub fn created(&self, handle: usize, kind: HandleKind) -> String {
        let mut state = self.state();
        if let Some(call) = state.here().calls.last_mut() {
            call.made = Some(handle);
        }
        state.names.created(handle, kind)
    }

    /// The status callback runs on this thread.
    pub fn notified(&self, handle: usize, context: usize, notification: &Notification) {
        let mut state = self.state();
        let during = state.here().calls.last().map(|call| call.function.clone());
        if let (Notification::HandleCreated { handle }, Some(function)) = (notification, &during) {
            state.made(function, *handle);
        }
        let names = &mut state.names;
        let what = EventKind::Notification {
            handle: names.handle(handle),
            context: names.context(context),
            notification: Record::new(notification, names),
            during,
        };
        self.push(&mut state, what);
    }

    /// Something went to a server, or came from it, for a handle.
    pub fn carried(&self, handle: usize, traffic: Traffic) {
        let mut state = self.state();
        let handle = state.names.handle(handle);
        let thread = Thread { role: ThreadRole::Network, number: 0, name: None };
        state.events.push(Event { at: (self.clock)(), thread, what: EventKind::Traffic { handle, traffic } });
    }

    /// Looks names up for an argument or a result: `recorder.names(|names| names.buffer(address))`. `look` runs under
    /// the lock and must not call the recorder.
    pub fn names<R>(&self, look: impl FnOnce(&mut Names) -> R) -> R {
        look(&mut self.state().names)
    }

    /// Adds a remark.
    pub fn note(&self, text: &str) {
        self.push(&mut self.state(), EventKind::Note(text.to_owned()));
    }

    /// How many events were reported.
    #[cfg(feature = "lab")]
    pub(crate) fn count(&self) -> usize {
        self.state().events.len()
    }

    /// Forgets what is older than the last `count` events, from time to time.
    #[cfg(feature = "net")]
    pub(crate) fn keep_last(&self, count: usize) {
        let state = &mut *self.state();
        let events = &mut state.events;
        if events.len() > 2 * count {
            let gone = events.len() - count;
            events.drain(..gone);
            state.taken += gone as u64;
        }
    }

    /// Takes out what is complete, in order: unless `all` is to come, not the calls that may still get arguments, and what came
    /// behind them. What was taken out is in no later [`finish`](Recorder::finish): for who shows events as they come.
    pub fn take(&self, all: bool) -> Vec<Event> {
        let mut state = self.state();
        let open = state.threads.values().flat_map(|thread| &thread.calls).filter_map(|call| {
            let place = usize::try_from(call.event.checked_sub(state.taken)?).ok()?;
            match &state.events.get(place)?.what {
                EventKind::Call { arguments, .. } if arguments.is_empty() => Some(place),
                _ => None,
            }
        });
        let count = state.events.len();
        let complete = if all { count } else { open.min().unwrap_or(count).max(count.saturating_sub(HELD)) };
        state.taken += complete as u64;
        state.events.drain(..complete).collect()
    }

    /// How many events there are.
    #[cfg(feature = "net")]
    pub(crate) fn len(&self) -> usize {
        self.state().events.len()
    }

    /// Everything reported so far, in order; what comes later is not in it.
    pub fn finish(&self) -> Trace {
        Trace { events: self.state().events.clone() }
    }

    fn end(&self, state: &mut State, function: &str, result: String, last_error: Win32Error) {
        self.push(state, EventKind::Return { function: function.to_owned(), result, last_error });
        let calls = &mut state.here().calls;
        if let Some(position) = calls.iter().rposition(|call| call.function == function) {
            calls.truncate(position);
        }
    }

    fn push(&self, state: &mut State, what: EventKind) {
        let here = std::thread::current().id();
        let thread = state.thread(here);
        let caller = here == self.maker || !thread.calls.is_empty();
        let role = if caller { ThreadRole::Caller } else { ThreadRole::Worker };
        let thread = Thread { role, number: thread.number, name: thread.name.clone() };
        state.events.push(Event { at: (self.clock)(), thread, what });
    }

    /// The state is whole after every step, so a panic of the clock spoils nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

/// What the program calls this thread; those of the engine have no name of interest.
fn own_name() -> Option<String> {
    let thread = std::thread::current();
    thread.name().filter(|name| !name.starts_with(ENGINE)).map(str::to_owned)
}

impl State {
    fn here(&mut self) -> &mut ThreadState {
        self.thread(std::thread::current().id())
    }

    fn thread(&mut self, id: ThreadId) -> &mut ThreadState {
        if self.threads.len() > THREADS && !self.threads.contains_key(&id) {
            self.threads.retain(|_, thread| !thread.calls.is_empty() || thread.number == 1);
        }
        let seen = &mut self.seen;
        self.threads.entry(id).or_insert_with(|| {
            *seen += 1;
            // The first made the recorder; its name is that of the program, or of a test.
            let name = if *seen == 1 { None } else { own_name() };
            ThreadState { number: *seen, name, calls: Vec::new() }
        })
    }

    /// Names a handle as new if `function` is in progress here, makes handles and has not told of this one yet.
    fn made(&mut self, function: &str, handle: usize) {
        let Some(kind) = HandleKind::made_by(function) else { return };
        let Some(call) = self.here().calls.iter_mut().rfind(|call| call.function == function) else { return };
        if call.made != Some(handle) {
            call.made = Some(handle);
            self.names.created(handle, kind);
        }
    }
}
