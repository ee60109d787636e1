//! What the pool's objects have in common: a callback of the program, and the calls of it that are outstanding.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use super::sync::timers::Number;
use super::sync::{event, lock, threads};

/// PTP_WORK_CALLBACK and PTP_TIMER_CALLBACK without their NULL.
pub type RawObjectCallback =
    unsafe extern "system" fn(instance: *mut c_void, context: *mut c_void, object: *mut c_void);
/// WAITORTIMERCALLBACK without its NULL.
pub type RawWaitOrTimerCallback = unsafe extern "system" fn(lpparameter: *mut c_void, timerorwaitfired: u8);

#[derive(Clone, Copy)]
pub(super) enum Callback {
    Object(RawObjectCallback),
    WaitOrTimer(RawWaitOrTimerCallback),
}

/// An object of the pool. Its value is a number, so that a wrong one is found out.
pub(super) struct Object {
    pub number: usize,
    callback: Callback,
    context: usize,
    /// Calls that were asked for and have not returned.
    outstanding: AtomicUsize,
    /// Calls that were asked for in an older round are not made.
    round: AtomicU64,
    /// The timer that is set, or the round of the wait.
    pub timer: Mutex<Option<Number>>,
    /// Ends the wait.
    pub cancels: Option<usize>,
}

static OBJECTS: LazyLock<Mutex<HashMap<usize, Arc<Object>>>> = LazyLock::new(Mutex::default);

fn objects() -> MutexGuard<'static, HashMap<usize, Arc<Object>>> {
    OBJECTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The object with this value.
pub(super) fn find(value: usize) -> Option<Arc<Object>> {
    objects().get(&value).cloned()
}

impl Object {
    pub fn create(callback: Callback, context: *mut c_void, cancels: Option<usize>) -> Arc<Object> {
        static MADE: AtomicUsize = AtomicUsize::new(1);
        let number = 0x5000_0000 + MADE.fetch_add(1, Ordering::Relaxed) * 16;
        let object = Arc::new(Object {
            number,
            callback,
            context: context.expose_provenance(),
            outstanding: AtomicUsize::new(0),
            round: AtomicU64::new(0),
            timer: Mutex::new(None),
            cancels,
        });
        objects().insert(number, Arc::clone(&object));
        object
    }

    /// Its value means nothing any more.
    pub fn close(&self) {
        objects().remove(&self.number);
    }

    fn begin(&self) -> u64 {
        self.outstanding.fetch_add(1, Ordering::SeqCst);
        self.round.load(Ordering::SeqCst)
    }

    /// Calls the program on a worker. `fired`: a time was over.
    pub fn call_on_worker(self: &Arc<Self>, fired: bool) {
        let (object, round) = (Arc::clone(self), self.begin());
        threads::on_worker(Box::new(move || object.call(round, fired)));
    }

    /// [`Object::call_on_worker`] on this thread.
    pub fn call_here(&self, fired: bool) {
        let round = self.begin();
        self.call(round, fired);
    }

    fn call(&self, round: u64, fired: bool) {
        if self.round.load(Ordering::SeqCst) == round {
            let context = std::ptr::with_exposed_provenance_mut(self.context);
            // SAFETY: the program gave the function with this context to be called on any thread.
            unsafe {
                match self.callback {
                    Callback::Object(function) => function(instance(), context, value(self.number)),
                    Callback::WaitOrTimer(function) => function(context, u8::from(fired)),
                }
            }
        }
        self.outstanding.fetch_sub(1, Ordering::SeqCst);
        lock::changed(self.outstanding.as_ptr().addr());
    }

    /// Calls that have not begun are not made.
    pub fn cancel(&self) {
        self.round.fetch_add(1, Ordering::SeqCst);
    }

    pub fn busy(&self) -> bool {
        self.outstanding.load(Ordering::SeqCst) > 0
    }

    /// Waits until no call is outstanding.
    pub fn wait(&self) {
        let address = self.outstanding.as_ptr().addr();
        lock::wait(address, "callbacks of the thread pool", None, &mut || !self.busy());
    }

    /// Signals an event once no call is outstanding.
    pub fn signal_when_done(self: Arc<Self>, done: usize) {
        threads::start(Box::new(move || {
            self.wait();
            event::signal(done);
        }));
    }
}

/// What callbacks get as their instance: to be passed on.
pub(super) fn instance() -> *mut c_void {
    std::ptr::without_provenance_mut(0x10)
}

/// The value of an object.
pub(super) fn value(number: usize) -> *mut c_void {
    std::ptr::without_provenance_mut(number)
}
