//! What the pool's objects have in common: a callback of the program, and the calls of it that are outstanding.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use crate::sync::{Mutex, MutexGuard};

use super::pool_environment::Belongs;
use super::pool_instance;
use super::sync::timers::{self, Number};
use super::sync::{event, lock, threads};

/// PTP_WORK_CALLBACK and PTP_TIMER_CALLBACK without their NULL.
pub type RawObjectCallback =
    unsafe extern "system" fn(instance: *mut c_void, context: *mut c_void, object: *mut c_void);
/// PTP_SIMPLE_CALLBACK without its NULL.
pub type RawSimpleCallback = unsafe extern "system" fn(instance: *mut c_void, context: *mut c_void);
/// PTP_WAIT_CALLBACK without its NULL.
pub type RawWaitCallback =
    unsafe extern "system" fn(instance: *mut c_void, context: *mut c_void, wait: *mut c_void, result: u32);
/// PTP_CLEANUP_GROUP_CANCEL_CALLBACK without its NULL.
pub type RawCleanupCallback = unsafe extern "system" fn(objectcontext: *mut c_void, cleanupcontext: *mut c_void);
/// WAITORTIMERCALLBACK without its NULL.
pub type RawWaitOrTimerCallback = unsafe extern "system" fn(lpparameter: *mut c_void, timerorwaitfired: u8);

#[derive(Clone, Copy)]
pub(super) enum Callback {
    /// Called once; the object is released then.
    Simple(RawSimpleCallback),
    Wait(RawWaitCallback),
    Object(RawObjectCallback),
    WaitOrTimer(RawWaitOrTimerCallback),
}

/// An object of the pool. Its value is a number, so that a wrong one is found out.
pub(super) struct Object {
    pub number: usize,
    callback: Callback,
    context: usize,
    belongs: Belongs,
    /// Calls that were asked for and have not returned.
    outstanding: AtomicUsize,
    /// Calls that were asked for in an older round are not made.
    round: AtomicU64,
    /// The timer that is set.
    pub(super) timer: Mutex<Option<Number>>,
    /// The event that ends the wait.
    pub(super) cancels: Mutex<Option<usize>>,
    released: AtomicBool,
}

const WAIT_OBJECT_0: u32 = 0;
const WAIT_TIMEOUT: u32 = 258;

static OBJECTS: LazyLock<Mutex<HashMap<usize, Arc<Object>>>> = LazyLock::new(Mutex::default);

fn objects() -> MutexGuard<'static, HashMap<usize, Arc<Object>>> {
    OBJECTS.lock()
}

/// The object with this value.
pub(super) fn find(value: usize) -> Option<Arc<Object>> {
    objects().get(&value).cloned()
}

impl Object {
    pub fn create(callback: Callback, context: *mut c_void, belongs: Belongs) -> Arc<Object> {
        static MADE: AtomicUsize = AtomicUsize::new(1);
        let number = 0x5000_0000 + MADE.fetch_add(1, Ordering::Relaxed) * 16;
        let object = Arc::new(Object {
            number,
            callback,
            context: context.expose_provenance(),
            belongs,
            outstanding: AtomicUsize::new(0),
            round: AtomicU64::new(0),
            timer: Mutex::new(None),
            cancels: Mutex::new(None),
            released: AtomicBool::new(false),
        });
        objects().insert(number, Arc::clone(&object));
        object.belongs.group.iter().for_each(|group| group.add(&object));
        object
    }

    /// Its value means nothing any more.
    pub fn close(&self) {
        self.rest();
        self.released.store(true, Ordering::SeqCst);
        objects().remove(&self.number);
        self.belongs.group.iter().for_each(|group| group.remove(self.number));
    }

    pub fn is_released(&self) -> bool {
        self.released.load(Ordering::SeqCst)
    }

    /// Its timer is not set, and it waits for nothing.
    pub fn rest(&self) {
        let timer = self.timer.lock().take();
        timer.into_iter().for_each(|number| {
            timers::cancel(number);
        });
        let cancels = self.cancels.lock().take();
        cancels.into_iter().for_each(event::signal);
    }

    /// Tells the program that its group took the object away.
    ///
    /// # Safety
    /// The function of the environment may be called with this.
    pub unsafe fn tell_canceled(&self, cleanup: *mut c_void) {
        if let Some(function) = self.belongs.canceled {
            // SAFETY: the caller's promise.
            unsafe { function(std::ptr::with_exposed_provenance_mut(self.context), cleanup) };
        }
    }

    fn begin(&self) -> u64 {
        self.outstanding.fetch_add(1, Ordering::SeqCst);
        self.round.load(Ordering::SeqCst)
    }

    /// Calls the program on a worker. `fired`: a time was over.
    pub fn call_on_worker(self: &Arc<Self>, fired: bool) {
        let (object, round) = (Arc::clone(self), self.begin());
        let body = Box::new(move || object.call(round, fired));
        match &self.belongs.pool {
            Some(pool) => pool.run(body),
            None => drop(threads::on_worker(body)),
        }
    }

    /// [`Object::call_on_worker`] on this thread.
    pub fn call_here(self: &Arc<Self>, fired: bool) {
        let round = self.begin();
        self.call(round, fired);
    }

    fn call(self: &Arc<Self>, round: u64, fired: bool) {
        let made = self.round.load(Ordering::SeqCst) == round;
        let awaited = !made || pool_instance::run(self, || self.call_program(fired));
        if made && matches!(self.callback, Callback::Simple(_)) {
            self.close();
        }
        if awaited {
            self.returned();
        }
    }

    fn call_program(&self, fired: bool) {
        let context = std::ptr::with_exposed_provenance_mut(self.context);
        // SAFETY: the program gave the function with this context to be called on any thread.
        unsafe {
            match self.callback {
                Callback::Simple(function) => function(instance(), context),
                Callback::Object(function) => function(instance(), context, value(self.number)),
                Callback::Wait(function) => {
                    let result = if fired { WAIT_TIMEOUT } else { WAIT_OBJECT_0 };
                    function(instance(), context, value(self.number), result);
                }
                Callback::WaitOrTimer(function) => function(context, u8::from(fired)),
            }
        }
    }

    /// A call is no longer outstanding.
    pub fn returned(&self) {
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
