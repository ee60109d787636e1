//! What is known of the handles of a run, and what the callback sees: the rules are held against it.

use std::cell::{Cell, UnsafeCell};
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread::{self, ThreadId};

use portable_winhttp::record::Status;
use portable_winhttp::win32::{RawStatusCallback, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING};

use super::calls::{self, CALLS};
use super::hostile::Random;

/// What is lent to reads.
pub const BUFFER: usize = 256;
/// What a handle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Session,
    Connection,
    Request,
    Resolver,
    WebSocket,
}

impl Kind {
    pub const ALL: [Kind; 5] = [Kind::Session, Kind::Connection, Kind::Request, Kind::Resolver, Kind::WebSocket];
}

/// How many of each kind are open at once, about.
const OPEN: [usize; 5] = [16, 8, 40, 8, 24];
/// How many values of closed handles are remembered.
const STALE: usize = 200;
/// How deep callbacks call.
const DEPTH: u32 = 3;
/// What a buffer holds once nothing may write to it.
const PATTERN: [u8; BUFFER] = [0xA5; BUFFER];

/// What is known of a handle. Values are never given twice, so that the value says which.
pub struct Known {
    number: u64,
    pub asynchronous: bool,
    /// Its callback was taken off, or its mask is not full: it is not told everything.
    pub partial: AtomicBool,
    stocked: AtomicBool,
    accepted: AtomicU64,
    ended: AtomicU64,
    closings: AtomicU64,
    late: AtomicU64,
    told: AtomicU64,
    /// Who is in its callback, and how deep; and how often another came beside.
    inside: Mutex<(Option<ThreadId>, u32)>,
    beside: AtomicU64,
    buffer: UnsafeCell<[u8; BUFFER]>,
}

// SAFETY: only the library writes to the buffer until HANDLE_CLOSING has come; it is looked at when all is over.
unsafe impl Sync for Known {}

impl Known {
    pub fn buffer(&self) -> *mut c_void {
        self.buffer.get().cast()
    }

    /// An operation that the call accepts has one ending, which may come before the call returns.
    pub fn operation(&self, call: impl FnOnce() -> bool) -> bool {
        self.accepted.fetch_add(1, Ordering::SeqCst);
        let accepted = call();
        if !accepted || !self.asynchronous {
            self.accepted.fetch_sub(1, Ordering::SeqCst);
        }
        accepted
    }

    pub fn closed(&self) -> bool {
        self.partial.load(Ordering::SeqCst) || self.closings.load(Ordering::SeqCst) > 0
    }

    /// Which rules were broken.
    fn faults(&self) -> Vec<String> {
        let of = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        let mut faults = Vec::new();
        let mut hold = |holds: bool, what: String| {
            if !holds {
                faults.push(format!("handle {} (asynchronous: {}): {what}", self.number, self.asynchronous));
            }
        };
        hold(of(&self.late) == 0, format!("{} callbacks after HANDLE_CLOSING", of(&self.late)));
        hold(of(&self.beside) == 0, "callbacks on two threads at once".into());
        if !self.partial.load(Ordering::SeqCst) {
            hold(of(&self.closings) == 1, format!("HANDLE_CLOSING came {} times", of(&self.closings)));
            let (accepted, ended) = (of(&self.accepted), of(&self.ended));
            hold(accepted == ended, format!("{accepted} operations were accepted, {ended} have ended"));
            // SAFETY: the handle is closed, and no call runs.
            hold(unsafe { *self.buffer.get() } == PATTERN, "a lent buffer was written to after HANDLE_CLOSING".into());
        }
        faults
    }
}

/// What a run counts.
#[derive(Default)]
pub struct Counts {
    pub calls: AtomicU64,
    pub handles: AtomicU64,
    pub requests: AtomicU64,
    pub sockets: AtomicU64,
    pub callbacks: AtomicU64,
}

/// The context of every handle of a run.
pub struct Ledger {
    pub seed: u64,
    pub host: &'static str,
    pub port: u16,
    handles: Mutex<HashMap<usize, Arc<Known>>>,
    /// The values of each kind that nobody has asked to close, in the order in which the callers learnt them.
    open: [Mutex<Vec<usize>>; 5],
    /// Values of closed handles.
    stale: Mutex<Vec<usize>>,
    pub registrations: Mutex<Vec<usize>>,
    pub counts: Counts,
    /// How often each of [`CALLS`] was called.
    pub called: Vec<AtomicU64>,
}

thread_local! {
    static INSIDE: Cell<u32> = const { Cell::new(0) };
}

/// Lent to calls on handles that nobody knows, which have nothing to write.
static SPARE: LazyLock<Known> = LazyLock::new(|| Known::new(u64::MAX, true));

impl Known {
    fn new(number: u64, asynchronous: bool) -> Known {
        Known {
            number,
            asynchronous,
            partial: AtomicBool::new(false),
            stocked: AtomicBool::new(false),
            accepted: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            closings: AtomicU64::new(0),
            late: AtomicU64::new(0),
            told: AtomicU64::new(0),
            inside: Mutex::default(),
            beside: AtomicU64::new(0),
            buffer: UnsafeCell::new([0; BUFFER]),
        }
    }
}

impl Ledger {
    pub fn new(seed: u64, host: &'static str, port: u16) -> Ledger {
        Ledger {
            seed,
            host,
            port,
            handles: Mutex::default(),
            open: Default::default(),
            stale: Mutex::default(),
            registrations: Mutex::default(),
            counts: Counts::default(),
            called: CALLS.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The context that names this ledger.
    pub fn context(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// The callback of handles of a mode.
    pub fn callback(asynchronous: bool) -> RawStatusCallback {
        if asynchronous { told::<true> } else { told::<false> }
    }

    /// What is known of this value.
    pub fn known(&self, value: usize) -> Option<Arc<Known>> {
        self.handles.lock().unwrap().get(&value).cloned()
    }

    fn learn(&self, value: usize, asynchronous: bool) -> Arc<Known> {
        let mut handles = self.handles.lock().unwrap();
        let number = self.counts.handles.load(Ordering::SeqCst);
        let new = || {
            self.counts.handles.fetch_add(1, Ordering::SeqCst);
            Arc::new(Known::new(number, asynchronous))
        };
        Arc::clone(handles.entry(value).or_insert_with(new))
    }

    /// A call has made this handle, of that parent.
    pub fn made(&self, handle: *mut c_void, kind: Kind, asynchronous: bool, parent: Option<&Known>) -> bool {
        if handle.is_null() {
            return false;
        }
        let known = self.learn(handle as usize, asynchronous);
        if parent.is_some_and(|parent| parent.partial.load(Ordering::SeqCst)) {
            known.partial.store(true, Ordering::SeqCst);
        }
        self.open[kind as usize].lock().unwrap().push(handle as usize);
        true
    }

    /// A value: mostly of an open handle of this kind, if there is one, or of any; else of one that was, or of nobody.
    pub fn any(&self, random: &mut Random, kind: Option<Kind>) -> usize {
        match random.below(40) {
            0 => return 0,
            // Values of handles are multiples of four.
            1 => return random.below(1 << 40) as usize | 1,
            2 => return random.below(4096) as usize * 4 + 2,
            3..=5 => return pick(&self.stale.lock().unwrap(), random),
            _ => {}
        }
        let other = Kind::ALL[random.below(5) as usize];
        let kind = kind.filter(|_| random.below(10) > 0).unwrap_or(other);
        pick(&self.open[kind as usize].lock().unwrap(), random)
    }

    /// Somebody asks to close this value.
    pub fn closes(&self, value: usize) {
        for open in &self.open {
            open.lock().unwrap().retain(|open| *open != value);
        }
        let mut stale = self.stale.lock().unwrap();
        let excess = stale.len().saturating_sub(STALE);
        stale.drain(..excess);
        stale.push(value);
    }

    /// Whether a session is open, without which every call fails.
    pub fn is_empty(&self) -> bool {
        self.open[Kind::Session as usize].lock().unwrap().is_empty()
    }

    /// A handle that is due to be closed, so that only so many are open.
    pub fn due(&self) -> Option<usize> {
        self.open.iter().zip(OPEN).find_map(|(open, most)| {
            let open = open.lock().unwrap();
            open.first().copied().filter(|_| open.len() > most)
        })
    }

    /// A handle that nobody has asked to close.
    pub fn last_open(&self) -> Option<usize> {
        self.open.iter().rev().find_map(|open| open.lock().unwrap().last().copied())
    }

    /// Whether each handle has had its HANDLE_CLOSING.
    pub fn all_closed(&self) -> bool {
        self.handles.lock().unwrap().values().all(|known| known.closed())
    }

    /// Which rules were broken. Every handle is closed, and forgotten.
    pub fn take_stock(&self) -> Vec<String> {
        let mut handles = self.handles.lock().unwrap();
        let mut known: Vec<_> = handles.values().cloned().collect();
        known.sort_by_key(|known| known.number);
        // Nobody can say when the last callback of a partial one has come: it stays until the next time.
        handles.retain(|_, known| known.partial.load(Ordering::SeqCst) && !known.stocked.swap(true, Ordering::SeqCst));
        drop(handles);
        known.iter().flat_map(|known| known.faults()).collect()
    }

    /// What is called on a value: its own knowledge, or what stands for that of nobody.
    pub fn with<R>(&self, value: usize, call: impl FnOnce(&Known) -> R) -> R {
        match self.known(value) {
            Some(known) => call(&known),
            None => call(&SPARE),
        }
    }

    fn tell(&self, value: usize, status: u32, asynchronous: bool) {
        self.counts.callbacks.fetch_add(1, Ordering::Relaxed);
        let known = self.learn(value, asynchronous);
        known.late.fetch_add(u64::from(known.closings.load(Ordering::SeqCst) > 0), Ordering::SeqCst);
        let (me, told) = (thread::current().id(), known.told.fetch_add(1, Ordering::SeqCst));
        {
            let mut inside = known.inside.lock().unwrap();
            let (owner, depth) = *inside;
            known.beside.fetch_add(u64::from(depth > 0 && owner != Some(me)), Ordering::SeqCst);
            *inside = (Some(me), depth + 1);
        }
        if status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING {
            // SAFETY: nothing is lent any more; the pattern shows who writes all the same.
            unsafe { known.buffer.get().write(PATTERN) };
            known.closings.fetch_add(1, Ordering::SeqCst);
        } else if Status(status).is_completion() {
            known.ended.fetch_add(1, Ordering::SeqCst);
        }
        let mut random = Random::new(self.seed ^ (known.number << 20) ^ told);
        if INSIDE.get() < DEPTH {
            INSIDE.set(INSIDE.get() + 1);
            match random.below(6) {
                0 => calls::call(self, &mut random, None),
                1 => calls::call(self, &mut random, Some(value)),
                2..=4 => calls::go_on(self, &mut random, value, status),
                _ => {}
            }
            INSIDE.set(INSIDE.get() - 1);
        }
        known.inside.lock().unwrap().1 -= 1;
    }
}

fn pick(values: &[usize], random: &mut Random) -> usize {
    values.get(random.below(values.len() as u64) as usize).copied().unwrap_or(0)
}

/// # Safety
/// The context is of a [`Ledger`] that outlives its handles.
unsafe extern "system" fn told<const ASYNCHRONOUS: bool>(
    handle: *mut c_void,
    context: usize,
    status: u32,
    _: *mut c_void,
    _: u32,
) {
    // SAFETY: the caller's promise.
    unsafe { &*(context as *const Ledger) }.tell(handle as usize, status, ASYNCHRONOUS);
}
