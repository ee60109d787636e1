//! Proxy change notifications: when a registration has ended, no callback of it begins, and none runs.

mod support;

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use portable_winhttp::api::{
    WinHttpRegisterProxyChangeNotification, WinHttpSetDefaultProxyConfiguration,
    WinHttpUnregisterProxyChangeNotification,
};
use portable_winhttp::win32::{WINHTTP_PROXY_INFO, WINHTTP_PROXY_NOTIFY_CHANGE};
use support::*;

/// What a callback gets; it may be gone when the registration is.
#[derive(Default)]
struct Watched {
    gone: AtomicBool,
    late: AtomicUsize,
    told: AtomicUsize,
}

unsafe extern "system" fn count(_flags: u64, context: *const c_void) {
    // SAFETY: leaked by the test.
    let watched = unsafe { &*context.cast::<Watched>() };
    watched.told.fetch_add(1, Ordering::SeqCst);
    watched.late.fetch_add(usize::from(watched.gone.load(Ordering::SeqCst)), Ordering::SeqCst);
    thread::yield_now();
    watched.late.fetch_add(usize::from(watched.gone.load(Ordering::SeqCst)), Ordering::SeqCst);
}

type Callback = unsafe extern "system" fn(u64, *const c_void);

fn register(callback: Callback, context: *const c_void) -> usize {
    let mut registration = null_mut();
    // SAFETY: the context is never freed.
    let answer = unsafe {
        WinHttpRegisterProxyChangeNotification(
            WINHTTP_PROXY_NOTIFY_CHANGE.into(),
            Some(callback),
            context,
            &raw mut registration,
        )
    };
    assert_eq!(answer, 0);
    registration as usize
}

fn unregister(registration: usize) -> u32 {
    // SAFETY: any value may be passed.
    unsafe { WinHttpUnregisterProxyChangeNotification(registration as *const c_void) }
}

fn change() {
    let info = WINHTTP_PROXY_INFO { dwAccessType: 1, lpszProxy: null_mut(), lpszProxyBypass: null_mut() };
    // SAFETY: a structure without text.
    assert_eq!(unsafe { WinHttpSetDefaultProxyConfiguration((&raw const info).cast_mut()) }, 1);
}

/// One test at a time: each is told of the others' changes.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn no_callback_begins_or_runs_after_the_end() {
    let _alone = alone();
    let mut late = 0;
    for _ in 0..300 {
        let watched: &'static Watched = Box::leak(Box::default());
        let registration = register(count, (&raw const *watched).cast());
        let changes = thread::spawn(|| (0..3).for_each(|_| change()));
        thread::yield_now();
        assert_eq!(unregister(registration), 0);
        watched.gone.store(true, Ordering::SeqCst);
        changes.join().unwrap();
        late += watched.late.load(Ordering::SeqCst);
    }
    assert_eq!(late, 0);
}

struct Inside {
    registration: AtomicUsize,
    tell: Mutex<Sender<u32>>,
}

unsafe extern "system" fn ends_itself(_flags: u64, context: *const c_void) {
    // SAFETY: leaked by the test.
    let inside = unsafe { &*context.cast::<Inside>() };
    let answer = unregister(inside.registration.load(Ordering::SeqCst));
    inside.tell.lock().unwrap().send(answer).unwrap();
}

#[test]
fn a_callback_may_end_its_own_registration() {
    let _alone = alone();
    let (tell, told) = channel();
    let inside = Box::leak(Box::new(Inside { registration: AtomicUsize::new(0), tell: Mutex::new(tell) }));
    let registration = register(ends_itself, (&raw const *inside).cast());
    inside.registration.store(registration, Ordering::SeqCst);
    change();
    assert_eq!(told.recv_timeout(PATIENCE), Ok(0));
    assert_eq!(unregister(registration), 6);
}

struct Blocks {
    begun: Mutex<Sender<()>>,
    go: Mutex<Receiver<()>>,
    returned: Arc<AtomicBool>,
}

unsafe extern "system" fn blocks(_flags: u64, context: *const c_void) {
    // SAFETY: leaked by the test.
    let this = unsafe { &*context.cast::<Blocks>() };
    this.begun.lock().unwrap().send(()).unwrap();
    let _ = this.go.lock().unwrap().recv();
    this.returned.store(true, Ordering::SeqCst);
}

#[test]
fn the_end_waits_for_a_callback_that_runs() {
    let _alone = alone();
    let ((begun, has_begun), (go, may_go)) = (channel(), channel());
    let returned = Arc::new(AtomicBool::new(false));
    let blocking = Blocks { begun: Mutex::new(begun), go: Mutex::new(may_go), returned: Arc::clone(&returned) };
    let context = Box::leak(Box::new(blocking));
    let registration = register(blocks, (&raw const *context).cast());
    change();
    has_begun.recv_timeout(PATIENCE).unwrap();
    let ending = thread::spawn(move || (unregister(registration), returned.load(Ordering::SeqCst)));
    // The other tests change the settings, too; every run may go.
    drop(go);
    assert_eq!(ending.join().unwrap(), (0, true));
}
