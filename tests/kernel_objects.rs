//! Mutexes, semaphores, one-time initialization, handles and the thread pool beside WinHTTP, called through `windows-sys`;
//! the last of them in a Sim, in its time.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use portable_winhttp as _;
use windows_sys::Win32::Foundation::*;
use windows_sys::Win32::System::Threading::*;

const TRUE: i32 = 1;
const FALSE: i32 = 0;

fn error(answer: i32) -> (i32, u32) {
    // SAFETY: no pointers.
    (answer, unsafe { GetLastError() })
}

fn wait(handle: HANDLE) -> u32 {
    // SAFETY: any value may be passed.
    unsafe { WaitForSingleObject(handle, 0) }
}

fn name(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

#[test]
fn a_semaphore_lets_so_many_go_as_it_counts() {
    // SAFETY: no names; counts are written to a variable.
    unsafe {
        for (count, most) in [(-1, 1), (2, 1), (0, 0), (0, -1)] {
            assert!(CreateSemaphoreW(null(), count, most, null()).is_null());
            assert_eq!(GetLastError(), ERROR_INVALID_PARAMETER, "{count} of {most}");
        }
        let semaphore = CreateSemaphoreW(null(), 1, 3, null());
        assert_eq!([wait(semaphore), wait(semaphore)], [WAIT_OBJECT_0, WAIT_TIMEOUT]);
        let mut before = -1;
        assert_eq!(ReleaseSemaphore(semaphore, 2, &raw mut before), TRUE);
        assert_eq!(before, 0);
        assert_eq!(error(ReleaseSemaphore(semaphore, 2, &raw mut before)), (FALSE, ERROR_TOO_MANY_POSTS));
        assert_eq!(error(ReleaseSemaphore(semaphore, 0, null_mut())), (FALSE, ERROR_INVALID_PARAMETER));
        assert_eq!(before, 0, "nothing was written");
        assert_eq!([wait(semaphore), wait(semaphore), wait(semaphore)], [WAIT_OBJECT_0, WAIT_OBJECT_0, WAIT_TIMEOUT]);
        assert_eq!(error(SetEvent(semaphore)), (FALSE, ERROR_INVALID_HANDLE));
        assert_eq!(CloseHandle(semaphore), TRUE);
    }
}

#[test]
fn a_mutex_belongs_to_a_thread() {
    // SAFETY: no names.
    unsafe {
        let mutex = CreateMutexW(null(), TRUE, null());
        let value = mutex as usize;
        let other = move || (wait(value as HANDLE), error(ReleaseMutex(value as HANDLE)));
        assert_eq!(wait(mutex), WAIT_OBJECT_0, "its owner takes it again");
        assert_eq!(ReleaseMutex(mutex), TRUE);
        assert_eq!(thread::spawn(other).join().unwrap(), (WAIT_TIMEOUT, (FALSE, ERROR_NOT_OWNER)));
        assert_eq!(ReleaseMutex(mutex), TRUE);
        assert_eq!(error(ReleaseMutex(mutex)), (FALSE, ERROR_NOT_OWNER));
        // A thread that ends with it leaves it behind: the next one is told, once.
        assert_eq!(thread::spawn(move || wait(value as HANDLE)).join().unwrap(), WAIT_OBJECT_0);
        assert_eq!([wait(mutex), wait(mutex)], [WAIT_ABANDONED, WAIT_OBJECT_0]);
        assert_eq!((ReleaseMutex(mutex), ReleaseMutex(mutex), CloseHandle(mutex)), (TRUE, TRUE, TRUE));
    }
}

unsafe extern "system" fn takes(mutex: *mut c_void) -> u32 {
    // SAFETY: any value may be passed.
    unsafe { WaitForSingleObject(mutex, INFINITE) }
}

#[test]
fn a_thread_of_createthread_that_ends_abandons_before_its_handle_is_signalled() {
    // SAFETY: the mutex outlives the thread.
    unsafe {
        let mutex = CreateMutexW(null(), FALSE, null());
        let thread = CreateThread(null(), 0, Some(takes), mutex, 0, null_mut());
        assert_eq!(error(SetEvent(thread)), (FALSE, ERROR_INVALID_HANDLE), "a thread is no event");
        let both = [thread, mutex];
        assert_eq!(WaitForMultipleObjects(2, both.as_ptr(), TRUE, INFINITE), WAIT_ABANDONED_0);
        assert_eq!((CloseHandle(thread), CloseHandle(mutex)), (TRUE, TRUE));
    }
}

#[test]
fn names_belong_to_one_kind() {
    let mine = name("portable-winhttp kinds");
    // SAFETY: the name ends in NUL.
    unsafe {
        assert!(OpenMutexW(0, FALSE, mine.as_ptr()).is_null());
        assert_eq!(GetLastError(), ERROR_FILE_NOT_FOUND);
        let mutex = CreateMutexW(null(), FALSE, mine.as_ptr());
        let again = CreateMutexW(null(), TRUE, mine.as_ptr());
        assert_eq!(GetLastError(), ERROR_ALREADY_EXISTS);
        assert_eq!(error(ReleaseMutex(again)), (FALSE, ERROR_NOT_OWNER), "it was there: nobody took it");
        for none in [
            CreateEventW(null(), FALSE, FALSE, mine.as_ptr()),
            CreateSemaphoreW(null(), 0, 1, mine.as_ptr()),
            OpenEventW(0, FALSE, mine.as_ptr()),
            OpenSemaphoreW(0, FALSE, mine.as_ptr()),
        ] {
            assert!(none.is_null());
            assert_eq!(GetLastError(), ERROR_INVALID_HANDLE);
        }
        let opened = OpenMutexW(0, FALSE, mine.as_ptr());
        assert_eq!((wait(opened), ReleaseMutex(mutex)), (WAIT_OBJECT_0, TRUE));
        assert_eq!([CloseHandle(mutex), CloseHandle(again), CloseHandle(opened)], [TRUE; 3]);
    }
}

#[test]
fn handles_have_flags_and_copies() {
    // SAFETY: variables are written to.
    unsafe {
        let event = CreateEventW(null(), TRUE, FALSE, null());
        let mut flags = 7;
        assert_eq!((GetHandleInformation(event, &raw mut flags), flags), (TRUE, 0));
        assert_eq!(error(SetHandleInformation(event, 4, 4)), (FALSE, ERROR_INVALID_PARAMETER));
        let protect = HANDLE_FLAG_PROTECT_FROM_CLOSE;
        assert_eq!(SetHandleInformation(event, protect, protect), TRUE);
        assert_eq!((GetHandleInformation(event, &raw mut flags), flags), (TRUE, protect));
        assert_eq!(error(CloseHandle(event)), (FALSE, ERROR_INVALID_HANDLE));
        assert_eq!(SetHandleInformation(event, protect, 0), TRUE);

        let me = GetCurrentProcess();
        let mut copy = null_mut();
        let same = DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE;
        assert_eq!(DuplicateHandle(me, event, me, &raw mut copy, 0, FALSE, same), TRUE);
        assert_eq!(error(SetEvent(event)), (FALSE, ERROR_INVALID_HANDLE));
        assert_eq!((SetEvent(copy), wait(copy), CloseHandle(copy)), (TRUE, WAIT_OBJECT_0, TRUE));
        assert_eq!(error(GetHandleInformation(copy, &raw mut flags)), (FALSE, ERROR_INVALID_HANDLE));
        assert_eq!(error(DuplicateHandle(copy, copy, me, null_mut(), 0, 0, 0)), (FALSE, ERROR_INVALID_HANDLE));
    }
}

#[test]
fn errors_of_the_system_are_those_of_win32() {
    let rows = [
        (STATUS_SUCCESS, 0),
        (STATUS_ACCESS_DENIED, ERROR_ACCESS_DENIED),
        (STATUS_INVALID_PARAMETER, ERROR_INVALID_PARAMETER),
        (STATUS_INVALID_HANDLE, ERROR_INVALID_HANDLE),
        (STATUS_BUFFER_TOO_SMALL, ERROR_INSUFFICIENT_BUFFER),
        (STATUS_MUTANT_NOT_OWNED, ERROR_NOT_OWNER),
        (STATUS_SEMAPHORE_LIMIT_EXCEEDED, ERROR_TOO_MANY_POSTS),
        (STATUS_CANCELLED, ERROR_OPERATION_ABORTED),
        (STATUS_CONNECTION_REFUSED, ERROR_CONNECTION_REFUSED),
        (STATUS_CONNECTION_RESET, ERROR_NETNAME_DELETED),
        (STATUS_CONNECTION_ABORTED, ERROR_CONNECTION_ABORTED),
        (STATUS_HOST_UNREACHABLE, ERROR_HOST_UNREACHABLE),
        (STATUS_IO_TIMEOUT, ERROR_SEM_TIMEOUT),
        (STATUS_LINK_TIMEOUT, ERROR_UNEXP_NET_ERR),
        (STATUS_INVALID_PARAMETER_12, ERROR_INVALID_PARAMETER),
        (0xC007_0002_u32 as i32, ERROR_FILE_NOT_FOUND),
        (0x1234_5678, ERROR_MR_MID_NOT_FOUND),
    ];
    for (status, expected) in rows {
        // SAFETY: no pointers.
        assert_eq!(unsafe { RtlNtStatusToDosError(status) }, expected, "{status:#x}");
    }
}

unsafe extern "system" fn asks_its_priority(_: *mut c_void) -> u32 {
    // SAFETY: no pointers.
    unsafe {
        let own = GetThreadPriority(GetCurrentThread());
        assert_eq!(SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_LOWEST), TRUE);
        own as u32
    }
}

#[test]
fn the_priority_of_a_thread_is_remembered() {
    // SAFETY: a thread, and what is none.
    unsafe {
        let suspended = CREATE_SUSPENDED;
        let thread = CreateThread(null(), 0, Some(asks_its_priority), null(), suspended, null_mut());
        assert_eq!(GetThreadPriority(thread), THREAD_PRIORITY_NORMAL);
        assert_eq!(error(SetThreadPriority(thread, 3)), (FALSE, ERROR_INVALID_PARAMETER));
        assert_eq!(SetThreadPriority(thread, THREAD_PRIORITY_ABOVE_NORMAL), TRUE);
        ResumeThread(thread);
        assert_eq!(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
        let mut exit = 0;
        assert_eq!(GetExitCodeThread(thread, &raw mut exit), TRUE);
        assert_eq!((exit as i32, GetThreadPriority(thread)), (THREAD_PRIORITY_ABOVE_NORMAL, THREAD_PRIORITY_LOWEST));
        assert_eq!(CloseHandle(thread), TRUE);
        assert_eq!(error(SetThreadPriority(thread, 0)), (FALSE, ERROR_INVALID_HANDLE));
        assert_eq!(error(GetThreadPriority(thread)), (i32::MAX, ERROR_INVALID_HANDLE));
        assert_eq!(GetThreadPriority(GetCurrentThread()), THREAD_PRIORITY_NORMAL);
    }
}

unsafe extern "system" fn initializes(_once: *mut INIT_ONCE, times: *mut c_void, context: *mut *mut c_void) -> i32 {
    // SAFETY: the test passes a counter.
    let times = unsafe { &*times.cast::<AtomicU32>() };
    let time = times.fetch_add(1, Ordering::SeqCst);
    // SAFETY: the caller gives a place for it.
    unsafe { context.write(16 as *mut c_void) };
    i32::from(time > 0)
}

#[test]
fn once_is_once_after_the_first_success() {
    let times = AtomicU32::new(0);
    let mut once = INIT_ONCE { Ptr: null_mut() };
    let (once, mut context) = ((&raw mut once) as usize, null_mut());
    let parameter = times.as_ptr() as usize;
    let call = move |context: *mut *mut c_void| {
        // SAFETY: both live until all threads have been joined.
        unsafe { InitOnceExecuteOnce(once as *mut INIT_ONCE, Some(initializes), parameter as *mut c_void, context) }
    };
    assert_eq!(call(&raw mut context), FALSE, "the function says no");
    let threads: Vec<_> = (0..4).map(|_| thread::spawn(move || call(null_mut()))).collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap() == TRUE));
    assert_eq!((call(&raw mut context), context.addr(), times.load(Ordering::SeqCst)), (TRUE, 16, 2));
}

#[test]
fn the_steps_of_once() {
    let mut once = INIT_ONCE { Ptr: null_mut() };
    let once = &raw mut once;
    let (mut pending, mut context) = (7, null_mut());
    // SAFETY: variables are written to.
    unsafe {
        let mut begin = |flags| error(InitOnceBeginInitialize(once, flags, &raw mut pending, &raw mut context));
        assert_eq!(begin(INIT_ONCE_CHECK_ONLY), (FALSE, ERROR_GEN_FAILURE));
        assert_eq!(begin(0).0, TRUE);
        assert_eq!(begin(INIT_ONCE_ASYNC), (FALSE, ERROR_INVALID_PARAMETER), "it has begun otherwise");
        assert_eq!(InitOnceComplete(once, INIT_ONCE_INIT_FAILED, null()), TRUE);
        assert_eq!([begin(INIT_ONCE_ASYNC).0, begin(INIT_ONCE_ASYNC).0], [TRUE; 2], "two may be at it");
        assert_eq!(error(InitOnceComplete(once, INIT_ONCE_ASYNC, 3 as *mut c_void)), (FALSE, ERROR_INVALID_PARAMETER));
        assert_eq!(InitOnceComplete(once, INIT_ONCE_ASYNC, 32 as *mut c_void), TRUE);
        assert_eq!(error(InitOnceComplete(once, INIT_ONCE_ASYNC, 64 as *mut c_void)), (FALSE, ERROR_GEN_FAILURE));
        assert_eq!(begin(INIT_ONCE_CHECK_ONLY).0, TRUE);
        assert_eq!((pending, context.addr()), (FALSE, 32));
    }
}

unsafe extern "system" fn adds(_instance: PTP_CALLBACK_INSTANCE, sum: *mut c_void) {
    // SAFETY: the test passes a counter.
    unsafe { &*sum.cast::<AtomicU32>() }.fetch_add(1, Ordering::SeqCst);
}

/// Waits for the event that the test passes, so that the pool is full.
unsafe extern "system" fn waits(_instance: PTP_CALLBACK_INSTANCE, event: *mut c_void) {
    // SAFETY: any value may be passed.
    unsafe { WaitForSingleObject(event, INFINITE) };
}

unsafe extern "system" fn canceled(_object: *mut c_void, sum: *mut c_void) {
    // SAFETY: the test passes a counter.
    unsafe { &*sum.cast::<AtomicU32>() }.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn a_pool_of_its_own_runs_so_many_at_a_time_and_its_group_ends_them_together() {
    let (sum, ended) = (AtomicU32::new(0), AtomicU32::new(0));
    // SAFETY: the counters outlive the callbacks, for which the group waits.
    unsafe {
        let pool = CreateThreadpool(null_mut());
        SetThreadpoolThreadMaximum(pool, 1);
        assert_eq!(SetThreadpoolThreadMinimum(pool, 1), TRUE);
        let group = CreateThreadpoolCleanupGroup();
        let environment = TP_CALLBACK_ENVIRON_V3 {
            Version: 3,
            Pool: pool,
            CleanupGroup: group,
            CleanupGroupCancelCallback: Some(canceled),
            ..Default::default()
        };
        let gate = CreateEventW(null(), TRUE, FALSE, null());
        let add = sum.as_ptr().cast();
        assert_eq!(TrySubmitThreadpoolCallback(Some(waits), gate, &raw const environment), TRUE);
        for _ in 0..3 {
            assert_eq!(TrySubmitThreadpoolCallback(Some(adds), add, &raw const environment), TRUE);
        }
        assert_eq!(sum.load(Ordering::SeqCst), 0, "the one thread is busy");
        assert_eq!(SetEvent(gate), TRUE);
        CloseThreadpoolCleanupGroupMembers(group, FALSE, null_mut());
        assert_eq!(sum.load(Ordering::SeqCst), 3);

        assert_eq!(ResetEvent(gate), TRUE);
        assert_eq!(TrySubmitThreadpoolCallback(Some(waits), gate, &raw const environment), TRUE);
        assert_eq!(TrySubmitThreadpoolCallback(Some(adds), add, &raw const environment), TRUE);
        let (value, group_value, ended_value) = (gate as usize, group, ended.as_ptr() as usize);
        let close = thread::spawn(move || {
            CloseThreadpoolCleanupGroupMembers(group_value, TRUE, ended_value as *mut c_void);
        });
        // The second callback does not begin before the first has ended, and is canceled unless it has begun: the gate
        // opens when the group's end is under way.
        while WaitForSingleObject(value as HANDLE, 1) == WAIT_TIMEOUT && !close.is_finished() {
            SetEvent(gate);
        }
        close.join().unwrap();
        let (made, told) = (sum.load(Ordering::SeqCst) - 3, ended.load(Ordering::SeqCst));
        assert_eq!(made + u32::from(told > 0), 1, "the second callback was made or canceled: {made} {told}");
        CloseThreadpoolCleanupGroup(group);
        CloseThreadpool(pool);
        assert_eq!(CloseHandle(gate), TRUE);
        let unknown = TP_CALLBACK_ENVIRON_V3 { Version: 3, Pool: pool, ..Default::default() };
        let answer = TrySubmitThreadpoolCallback(Some(adds), add, &raw const unknown);
        assert_eq!(error(answer), (FALSE, ERROR_INVALID_PARAMETER), "the pool is closed");
    }
}

/// What a wait of the pool told: how often the object was signalled, and how often the time was over.
#[derive(Default)]
struct Told {
    signalled: AtomicU32,
    over: AtomicU32,
}

unsafe extern "system" fn tells(_instance: PTP_CALLBACK_INSTANCE, told: *mut c_void, _wait: PTP_WAIT, result: u32) {
    // SAFETY: the test passes a `Told`.
    let told = unsafe { &*told.cast::<Told>() };
    let counter = if result == WAIT_OBJECT_0 { &told.signalled } else { &told.over };
    counter.fetch_add(1, Ordering::SeqCst);
}

/// SetThreadpoolWait: one callback each time; a wait that is set anew forgets the former one.
fn waits_of_the_pool() {
    let told = Told::default();
    let counts = || (told.signalled.load(Ordering::SeqCst), told.over.load(Ordering::SeqCst));
    let second = -10_000_000_i64;
    let second = FILETIME { dwLowDateTime: second as u32, dwHighDateTime: (second >> 32) as u32 };
    // SAFETY: what is told outlives the wait.
    unsafe {
        let event = CreateEventW(null(), FALSE, FALSE, null());
        let wait = CreateThreadpoolWait(Some(tells), (&raw const told).cast_mut().cast(), null());
        SetThreadpoolWait(wait, event, null());
        assert_eq!(SetEvent(event), TRUE);
        while counts().0 == 0 {
            Sleep(1);
        }
        WaitForThreadpoolWaitCallbacks(wait, FALSE);
        assert_eq!((SetEvent(event), counts()), (TRUE, (1, 0)), "a wait is for one time");
        assert_eq!(ResetEvent(event), TRUE);
        SetThreadpoolWait(wait, event, &raw const second);
        while counts().1 == 0 {
            Sleep(100);
        }
        SetThreadpoolWait(wait, event, &raw const second);
        SetThreadpoolWait(wait, null_mut(), null());
        assert_eq!(SetEvent(event), TRUE);
        Sleep(1);
        CloseThreadpoolWait(wait);
        assert_eq!((counts(), CloseHandle(event)), ((1, 1), TRUE));
    }
}

/// What has `at` with an address: one thread waits for another's value, with WaitOnAddress.
fn waits_for_a_value() {
    static VALUE: AtomicU32 = AtomicU32::new(0);
    unsafe extern "system" fn changes(_context: *mut c_void) -> u32 {
        VALUE.fetch_add(1, Ordering::SeqCst);
        // SAFETY: any address may be passed.
        unsafe { WakeByAddressAll(VALUE.as_ptr().cast()) };
        0
    }
    let before = VALUE.load(Ordering::SeqCst);
    let (address, compare) = (VALUE.as_ptr().cast::<c_void>(), (&raw const before).cast::<c_void>());
    // SAFETY: both are values of four bytes.
    unsafe {
        assert_eq!(error(WaitOnAddress(address, compare, 4, 1)), (FALSE, ERROR_TIMEOUT));
        assert_eq!(error(WaitOnAddress(address, compare, 3, 1)), (FALSE, ERROR_INVALID_PARAMETER));
        assert_eq!(QueueUserWorkItem(Some(changes), null(), 0), TRUE);
        while VALUE.load(Ordering::SeqCst) == before {
            WaitOnAddress(address, compare, 4, INFINITE);
        }
    }
}

#[test]
fn the_pool_waits_in_the_real_world() {
    waits_of_the_pool();
}

#[test]
fn a_value_in_memory_is_waited_for() {
    waits_for_a_value();
}

#[cfg(feature = "lab")]
#[test]
fn in_a_sim_all_of_this_is_virtual() {
    use portable_winhttp::lab::Sim;
    let sim = Sim::new();
    waits_of_the_pool();
    waits_for_a_value();
    // SAFETY: no names.
    unsafe {
        let semaphore = CreateSemaphoreW(null(), 0, 1, null());
        let before = sim.elapsed();
        assert_eq!(WaitForSingleObject(semaphore, 3_600_000), WAIT_TIMEOUT);
        assert_eq!((sim.elapsed() - before).as_secs(), 3600);
        let mutex = CreateMutexW(null(), FALSE, null());
        let thread = CreateThread(null(), 0, Some(takes), mutex, 0, null_mut());
        assert_eq!(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
        assert_eq!(wait(mutex), WAIT_ABANDONED);
        assert!([semaphore, mutex, thread].iter().all(|handle| CloseHandle(*handle) == TRUE));
    }
}
