//! Pools of a program's own, cleanup groups, and the environment that says which of them a callback belongs to.
#![allow(unsafe_code)]

use std::collections::{HashMap, VecDeque};
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use super::pool_object::{Object, RawCleanupCallback, value};
use super::sync::threads;
use crate::api::edge::{NONE, done, no_panic};
use crate::sync::{Mutex, MutexGuard};
use crate::win32::*;

type Body = Box<dyn FnOnce() + Send>;

/// The fields that TP_CALLBACK_ENVIRON has in versions 1 and 3; the last ones are not looked at.
#[repr(C)]
#[derive(Clone, Copy)]
struct Environment {
    version: u32,
    pool: usize,
    cleanup_group: usize,
    cleanup_group_cancel_callback: Option<RawCleanupCallback>,
}

/// What the environment of a callback says.
#[derive(Clone, Default)]
pub(super) struct Belongs {
    pub pool: Option<Arc<Pool>>,
    pub group: Option<Arc<Group>>,
    /// Called for what the group's end takes away.
    pub canceled: Option<RawCleanupCallback>,
}

impl Belongs {
    /// Reads an environment. ERROR_INVALID_PARAMETER for a version, pool or group that is not known.
    ///
    /// # Safety
    /// It is NULL or points to a TP_CALLBACK_ENVIRON.
    pub unsafe fn read(environment: *const c_void) -> Result<Belongs, Win32Error> {
        if environment.is_null() {
            return Ok(Belongs::default());
        }
        // SAFETY: the caller's promise.
        let said = unsafe { environment.cast::<Environment>().read_unaligned() };
        if ![1, 3].contains(&said.version) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        Ok(Belongs {
            pool: POOLS.get(said.pool)?,
            group: GROUPS.get(said.cleanup_group)?,
            canceled: said.cleanup_group_cancel_callback,
        })
    }
}

/// Values and what they stand for.
struct Table<T>(LazyLock<Mutex<HashMap<usize, Arc<T>>>>);

static POOLS: Table<Pool> = Table(LazyLock::new(Mutex::default));
static GROUPS: Table<Group> = Table(LazyLock::new(Mutex::default));

impl<T> Table<T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Arc<T>>> {
        self.0.lock()
    }

    fn add(&self, item: T) -> *mut c_void {
        static MADE: AtomicUsize = AtomicUsize::new(1);
        let number = 0x5800_0000 + MADE.fetch_add(1, Ordering::Relaxed) * 16;
        self.lock().insert(number, Arc::new(item));
        value(number)
    }

    /// `None` for 0, which is the pool of the process, or no group.
    fn get(&self, number: usize) -> Result<Option<Arc<T>>, Win32Error> {
        match number {
            0 => Ok(None),
            _ => self.lock().get(&number).cloned().map(Some).ok_or(ERROR_INVALID_PARAMETER),
        }
    }
}

/// A pool: so many callbacks at a time, the others in their order.
#[derive(Default)]
pub(super) struct Pool(Mutex<PoolState>);

#[derive(Default)]
struct PoolState {
    /// SetThreadpoolThreadMaximum; without it as many as there are.
    most: Option<usize>,
    running: usize,
    waiting: VecDeque<Body>,
}

impl PoolState {
    fn full(&self) -> bool {
        self.most.is_some_and(|most| self.running >= most)
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.0.lock()
    }

    /// Runs it on a worker, as soon as the pool has one to spare.
    pub fn run(self: &Arc<Self>, body: Body) {
        self.lock().waiting.push_back(body);
        self.staff();
    }

    fn staff(self: &Arc<Self>) {
        let mut state = self.lock();
        while !state.full() && !state.waiting.is_empty() {
            let Some(body) = state.waiting.pop_front() else { return };
            state.running += 1;
            let pool = Arc::clone(self);
            threads::on_worker(Box::new(move || {
                body();
                pool.lock().running -= 1;
                pool.staff();
            }));
        }
    }
}

/// What is closed together.
#[derive(Default)]
pub(super) struct Group(Mutex<Vec<Arc<Object>>>);

impl Group {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Object>>> {
        self.0.lock()
    }

    pub fn add(&self, object: &Arc<Object>) {
        self.lock().push(Arc::clone(object));
    }

    /// The object was released by itself.
    pub fn remove(&self, number: usize) {
        self.lock().retain(|object| object.number != number);
    }
}

/// A pool of the program's own (nf-threadpoolapiset-createthreadpool).
///
/// # Safety
/// Nothing is read.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateThreadpool(_reserved: *mut c_void) -> *mut c_void {
    no_panic(std::ptr::null_mut(), || POOLS.add(Pool::default()))
}

/// How many callbacks of the pool run at a time (nf-threadpoolapiset-setthreadpoolthreadmaximum); 0 is taken as 1.
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SetThreadpoolThreadMaximum(ptpp: *mut c_void, cthrdmost: u32) {
    no_panic((), || {
        if let Ok(Some(pool)) = POOLS.get(ptpp.addr()) {
            pool.lock().most = Some(cthrdmost.max(1) as usize);
            pool.staff();
        }
    });
}

/// TRUE: threads are started when callbacks need them (nf-threadpoolapiset-setthreadpoolthreadminimum). FALSE with
/// ERROR_INVALID_PARAMETER.
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SetThreadpoolThreadMinimum(ptpp: *mut c_void, _cthrdmic: u32) -> BOOL {
    done("SetThreadpoolThreadMinimum", NONE, || POOLS.get(ptpp.addr())?.map(drop).ok_or(ERROR_INVALID_PARAMETER))
}

/// Closes a pool; callbacks that were asked for are still made (nf-threadpoolapiset-closethreadpool).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CloseThreadpool(ptpp: *mut c_void) {
    no_panic((), || drop(POOLS.lock().remove(&ptpp.addr())));
}

/// A group without members (nf-threadpoolapiset-createthreadpoolcleanupgroup).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn CreateThreadpoolCleanupGroup() -> *mut c_void {
    no_panic(std::ptr::null_mut(), || GROUPS.add(Group::default()))
}

/// Waits for the callbacks of all members and releases them; if they are to be canceled, those that have not begun are not
/// made, and the environment's function is called for each member (nf-threadpoolapiset-closethreadpoolcleanupgroupmembers).
///
/// # Safety
/// The functions of the environments may be called with `pvcleanupcontext`.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CloseThreadpoolCleanupGroupMembers(
    ptpcg: *mut c_void,
    fcancelpendingcallbacks: BOOL,
    pvcleanupcontext: *mut c_void,
) {
    no_panic((), || {
        let Ok(Some(group)) = GROUPS.get(ptpcg.addr()) else { return };
        let members: Vec<Arc<Object>> = group.lock().clone();
        let cancel = fcancelpendingcallbacks != 0;
        for member in &members {
            member.rest();
            if cancel {
                member.cancel();
            }
        }
        for member in &members {
            member.wait();
            let released = member.is_released();
            member.close();
            if cancel && !released {
                // SAFETY: the caller's promise.
                unsafe { member.tell_canceled(pvcleanupcontext) };
            }
        }
    });
}

/// Closes a group, which has no members then (nf-threadpoolapiset-closethreadpoolcleanupgroup).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CloseThreadpoolCleanupGroup(ptpcg: *mut c_void) {
    no_panic((), || drop(GROUPS.lock().remove(&ptpcg.addr())));
}
