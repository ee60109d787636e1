//! The world that a handle lives in: its clock, its threads, its network.

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::{CheckEvent, Delivery, Policy, Proxies};
use crate::record::{Notification, Operation, Recorder};
use crate::transport::{Event, Transport, TransportRequest};
use crate::win32::{
    ERROR_WINHTTP_INCORRECT_HANDLE_STATE, WINHTTP_FLAG_SECURE_PROTOCOL_ALL, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_1,
    WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3, Win32Error,
};

/// Something that a worker does.
pub trait Job: Send + Sync {
    /// Does it.
    fn run(self: Arc<Self>);
    /// The handle whose callbacks it delivers; 0 if it is for something else.
    fn handle(&self) -> usize {
        0
    }
}

/// What a handle needs from outside.
pub trait World: Send + Sync {
    /// The time since some moment before the first handle.
    fn now(&self) -> Duration;
    /// The calendar's time.
    fn date(&self) -> SystemTime;
    /// Random bytes that nobody can guess.
    fn random(&self) -> [u8; 16];
    /// Runs a job on a worker.
    fn run(&self, job: Arc<dyn Job>);
    /// Runs jobs on so many workers from now on; 0 is the world's own choice. ERROR_WINHTTP_INCORRECT_HANDLE_STATE when
    /// it is too late, or was done before.
    fn set_workers(&self, _count: u32) -> Result<(), Win32Error> {
        Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)
    }
    /// Whether there are, or can be started, the threads and the network that an operation needs; its notifications come
    /// from workers where it is asynchronous. ERROR_NOT_ENOUGH_MEMORY where the system refuses them, now: a call that asks
    /// again may succeed.
    fn ready(&self, _asynchronous: bool) -> Result<(), Win32Error> {
        Ok(())
    }
    /// What carries requests.
    fn transport(&self) -> &dyn Transport;
    /// What is known about proxies.
    fn proxies(&self) -> &Proxies;
    /// The addresses of a host name, IPv4 first; none if it is not known. May block.
    fn lookup(&self, name: &str) -> Vec<IpAddr>;
    /// The addresses of this machine, IPv4 first.
    fn addresses(&self) -> Vec<IpAddr>;
    /// Minutes that local time is ahead of UTC; `None` is what the system says.
    fn utc_offset(&self) -> Option<i32> {
        None
    }
    /// This thread calls a function, on a handle of this world or none (0): the error with which the call ends before it
    /// begins, if the world wants that. Only told while somebody observes.
    fn called(&self, _function: &'static str, _handle: usize) -> Option<Win32Error> {
        None
    }
    /// What else the innermost call of this thread was given, as text for a trace and without secrets. Only told while
    /// somebody observes.
    fn given(&self, _arguments: &str) {}
    /// That call is about to return: the last error that its thread is left with.
    fn returned(
        &self,
        _function: &'static str,
        _handle: usize,
        _returned: Returned,
        last_error: Win32Error,
    ) -> Win32Error {
        last_error
    }
    /// The arguments of a call were taken, its context is bound: the error with which it ends now, if the world wants
    /// that.
    fn refuse(&self, _handle: usize, _asked: Requested) -> Option<Win32Error> {
        None
    }
    /// A remark for who reads a trace.
    fn note(&self, _text: &str) {}
    /// Whether what RFC 7616 added to Digest (SHA-256, SHA-512-256, `userhash`) is spoken, which no Windows does.
    fn newer_digest(&self) -> bool {
        false
    }
    /// The WINHTTP_FLAG_SECURE_PROTOCOL_* bits that the system knows.
    fn known_secure_protocols(&self) -> u32 {
        WINHTTP_FLAG_SECURE_PROTOCOL_ALL
            | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_1
            | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2
            | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3
    }
    /// What happens where Windows does now this, now that; `usual` is the policy's.
    fn choose(&self, _handle: usize, _what: Unspecified, usual: bool) -> bool {
        usual
    }
    /// A panic of this thread was stopped where a call of WinHTTP returns to the application.
    fn stopped(&self, _panic: &str) {}
    /// A notification is about to be delivered on this thread.
    fn notified(&self, _handle: usize, _context: usize, _notification: &Notification) {}
    /// The callback that was told of that has returned.
    fn delivered(&self, _handle: usize) {}
    /// Something that only a checker of mistakes wants to know, of a handle or of none (0).
    fn check(&self, _handle: usize, _event: &CheckEvent) {}
    /// What of the caller's memory is watched.
    fn watch(&self) -> Watch {
        Watch::default()
    }
    /// Something goes to a server for a handle, or comes from it. Only told while somebody observes.
    fn on_traffic(&self, _handle: usize, _what: TrafficEvent<'_>) {}
    /// A thread of no world did something that threads of this one may wait for.
    fn wake(&self) {}
    /// What a thread that has to wait does meanwhile.
    fn waiting(&self) -> Waiting<'_> {
        Waiting::Park
    }
}

/// What a call asks for, beyond its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// This operation.
    Operation(Operation),
    /// To set this option.
    SetOption(u32),
    /// To read this option.
    QueryOption(u32),
    /// A session with these WINHTTP_FLAG_*.
    Session(u32),
    /// A request with these WINHTTP_FLAG_*.
    Request(u32),
}

/// What Windows leaves open: it was seen to do both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unspecified {
    /// What a call of this operation brings about is delivered before it returns, on its thread.
    Inside(Operation),
    /// HANDLE_CLOSING comes inside WinHttpCloseHandle.
    ClosingInside,
    /// At close, the pending operation of the write side ends before that of the read side.
    WriteSideFirst,
    /// The callback is removed while an operation is pending.
    CallbackRemoved,
}

/// What of the memory that programs lend to operations is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Watch {
    /// Buffers: a pattern stands in those that are read into, and comes off with the completion.
    pub buffers: bool,
    /// Out parameters are written with the completion.
    pub late: bool,
}

/// What the transport carries.
#[derive(Debug)]
pub enum TrafficEvent<'a> {
    /// A request begins its way.
    Request(&'a TransportRequest),
    /// Body bytes of WinHttpWriteData.
    Bytes(&'a Bytes),
    /// Something happened to it.
    Event(&'a Event),
}

/// What a function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// TRUE or FALSE.
    Boolean(bool),
    /// A handle, or 0.
    Handle(usize),
    /// An error code.
    Code(u32),
    /// The former callback, if there was one.
    Callback(bool),
    /// WINHTTP_INVALID_STATUS_CALLBACK.
    InvalidCallback,
}

impl Returned {
    /// Whether the call succeeded.
    pub fn succeeded(self) -> bool {
        match self {
            Returned::Boolean(answer) => answer,
            Returned::Handle(handle) => handle != 0,
            Returned::Code(code) => code == 0,
            Returned::Callback(_) => true,
            Returned::InvalidCallback => false,
        }
    }

    /// Tells a recorder.
    pub fn record(self, recorder: &Recorder, function: &str, last_error: Win32Error) {
        match self {
            Returned::Boolean(answer) => {
                recorder.returned(function, if answer { "TRUE" } else { "FALSE" }, last_error);
            }
            Returned::Handle(handle) => recorder.returned_handle(function, handle, last_error),
            Returned::Code(code) => recorder.returned(function, &code.to_string(), last_error),
            Returned::Callback(some) => recorder.returned(function, if some { "callback" } else { "NULL" }, last_error),
            Returned::InvalidCallback => recorder.returned(function, "INVALID", last_error),
        }
    }
}

/// How many worlds want to be told of calls.
static OBSERVERS: AtomicUsize = AtomicUsize::new(0);

/// Worlds are told of calls from now on until the answer is dropped.
pub fn observe() -> Observing {
    OBSERVERS.fetch_add(1, Ordering::Relaxed);
    Observing(())
}

/// See [`observe`].
#[derive(Debug)]
pub struct Observing(());

impl Drop for Observing {
    fn drop(&mut self) {
        OBSERVERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether any world wants to be told; the real one does when WINHTTP_TRACE or WINHTTP_VERIFY is set.
pub(crate) fn observed() -> bool {
    static ASKED: LazyLock<bool> =
        LazyLock::new(|| ["WINHTTP_TRACE", "WINHTTP_VERIFY"].iter().any(|name| std::env::var_os(name).is_some()));
    OBSERVERS.load(Ordering::Relaxed) > 0 || *ASKED
}

/// How threads of a world wait.
pub enum Waiting<'a> {
    /// On our own primitive, until another thread wakes them.
    Park,
    /// By letting the world go on.
    Step(&'a dyn Steps),
}

/// A world that only moves when threads wait in it.
pub trait Steps {
    /// Lets the world go on until `done`, which it asks whenever something has happened, or until a time: whether it was
    /// done. Where nothing can happen any more this panics with a report of `what` is waited for: a hang.
    fn wait(&self, what: &str, until: Option<Duration>, done: &mut dyn FnMut() -> bool) -> bool;
}

/// The worlds whose threads wait by letting them go on.
static STEPPED: Mutex<Vec<Weak<dyn World>>> = Mutex::new(Vec::new());

fn stepped() -> Vec<Arc<dyn World>> {
    let mut worlds = STEPPED.lock().unwrap_or_else(PoisonError::into_inner);
    worlds.retain(|world| world.strong_count() > 0);
    worlds.iter().filter_map(Weak::upgrade).collect()
}

/// This world is to be woken while it lives.
pub fn register(world: Weak<dyn World>) {
    STEPPED.lock().unwrap_or_else(PoisonError::into_inner).push(world);
}

/// Something was done that threads may wait for: tells the worlds that cannot see it.
#[cfg(feature = "win32")]
pub(super) fn wake() {
    if OBSERVERS.load(Ordering::Relaxed) > 0 && entered().is_none() {
        stepped().iter().for_each(|world| world.wake());
    }
}

/// Sessions that were opened in the real world while there were others: the threads that did it.
static ORPHANS: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// Whether the process opens sessions in the real world on purpose.
static OPENLY: AtomicBool = AtomicBool::new(false);

/// The sessions, by their threads, that were opened in the real world while others were there; how many came before
/// those that are told.
pub fn orphans(before: usize) -> Vec<String> {
    ORPHANS.lock().unwrap_or_else(PoisonError::into_inner).iter().skip(before).cloned().collect()
}

/// Whether this process also opens sessions in the real world on purpose: on a thread that may be a test's, which may run
/// beside a Sim.
pub fn opens_openly() -> bool {
    OPENLY.load(Ordering::Relaxed)
}

/// Tests run on the main thread, or on one with their path as its name.
fn may_be_a_test(name: &str) -> bool {
    name.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | ':'))
}

/// What WINHTTP_LIVE says.
fn is_denied() -> bool {
    static DENIED: LazyLock<bool> = LazyLock::new(|| match std::env::var("WINHTTP_LIVE").as_deref() {
        Ok("deny") => true,
        Ok("allow" | "") | Err(_) => false,
        Ok(other) => {
            eprintln!("WINHTTP_LIVE: expected allow or deny, found {other:?}");
            false
        }
    });
    *DENIED
}

/// The world and the policy of a session that is opened now. With WINHTTP_LIVE=deny there is no real world.
pub(crate) fn opening() -> Option<(Arc<dyn World>, Policy)> {
    if entered().is_none() {
        let thread = std::thread::current();
        if thread.name().is_some_and(may_be_a_test) {
            OPENLY.store(true, Ordering::Relaxed);
        }
        if OBSERVERS.load(Ordering::Relaxed) > 0 && !stepped().is_empty() {
            let name = thread.name().unwrap_or("without a name").to_owned();
            ORPHANS.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        }
        if is_denied() {
            return None;
        }
    }
    current()
}

static POLICY: Mutex<Policy> = Mutex::new(Policy { delivery: Delivery::Windows, hold_send: true });

/// Sets the delivery policy of the sessions that are opened from now on in this process; answers the former one.
///
/// ```
/// use portable_winhttp::dispatch::{Delivery, Policy, set_delivery_policy};
/// let former = set_delivery_policy(Policy { delivery: Delivery::Worker, ..Policy::default() });
/// assert_eq!(former, Policy::default());
/// ```
pub fn set_delivery_policy(policy: Policy) -> Policy {
    std::mem::replace(&mut POLICY.lock().unwrap_or_else(PoisonError::into_inner), policy)
}

thread_local! {
    /// The worlds that this thread has entered, innermost last.
    static ENTERED: RefCell<Vec<(Arc<dyn World>, Policy)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the calling thread in a world until it is dropped.
pub struct Entered(());

impl Drop for Entered {
    fn drop(&mut self) {
        ENTERED.with_borrow_mut(|worlds| worlds.pop());
    }
}

/// Sessions that this thread opens belong to this world while the answer lives.
pub fn enter(world: Arc<dyn World>, policy: Policy) -> Entered {
    ENTERED.with_borrow_mut(|worlds| worlds.push((world, policy)));
    Entered(())
}

/// The world that the thread has entered.
pub(crate) fn entered() -> Option<(Arc<dyn World>, Policy)> {
    ENTERED.with_borrow(|worlds| worlds.last().cloned())
}

/// Looks at, or changes, what the world of this thread knows about proxies: that of the Sim that it is in, else that of
/// the process. `None` if this build has no real world.
///
/// ```
/// use std::sync::Arc;
/// use portable_winhttp::dispatch::with_proxies;
/// // Every PAC script of the process is answered by this function.
/// with_proxies(|proxies| proxies.set_script_override(Some(Arc::new(|_url, host| format!("PROXY {host}.proxy.test:8080")))));
/// ```
pub fn with_proxies<R>(act: impl FnOnce(&Proxies) -> R) -> Option<R> {
    current().map(|(world, _)| act(world.proxies()))
}

/// The world and the policy of a session that is opened now: the one that the thread has entered, else the real one.
pub(crate) fn current() -> Option<(Arc<dyn World>, Policy)> {
    if let Some(entered) = entered() {
        return Some(entered);
    }
    #[cfg(feature = "net")]
    {
        let policy = *POLICY.lock().unwrap_or_else(PoisonError::into_inner);
        Some((super::real::world(), policy))
    }
    #[cfg(not(feature = "net"))]
    None
}
