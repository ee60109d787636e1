//! Futures that a Sim polls: its steps are their executor.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::scheduler::Plan;
use super::world::SimWorld;
use crate::net::runtime::{Boxed, Timer};
use crate::sync::{Mutex, MutexGuard};

/// A future and its place in the Sim's agenda.
pub struct Task {
    world: Weak<SimWorld>,
    sequence: usize,
    future: Mutex<Option<Boxed<'static, ()>>>,
    /// Whether it will be polled anyway.
    planned: AtomicBool,
    over: AtomicBool,
}

impl Task {
    pub fn new(world: &Arc<SimWorld>, future: Boxed<'static, ()>) -> Arc<Task> {
        let (sequence, future) = (world.next_sequence(), Mutex::new(Some(future)));
        Arc::new(Task {
            world: Arc::downgrade(world),
            sequence,
            future,
            planned: AtomicBool::new(false),
            over: AtomicBool::new(false),
        })
    }

    /// Takes a step.
    pub fn poll(self: &Arc<Self>) {
        self.planned.store(false, Ordering::SeqCst);
        // Not polled under the lock: it may make the Sim go on, and that may wake it.
        let Some(mut future) = self.take() else { return };
        let waker = Waker::from(Arc::clone(self));
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            *self.lock() = Some(future);
        } else {
            self.over.store(true, Ordering::SeqCst);
        }
    }

    /// Whether it has nothing more to do.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// It is not polled any more.
    pub fn end(&self) {
        drop(self.take());
    }

    fn lock(&self) -> MutexGuard<'_, Option<Boxed<'static, ()>>> {
        self.future.lock()
    }

    fn take(&self) -> Option<Boxed<'static, ()>> {
        self.lock().take()
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let Some(world) = self.world.upgrade() else { return };
        if !self.planned.swap(true, Ordering::SeqCst) {
            let sequence = self.sequence;
            world.after(Duration::ZERO, sequence, move || self.poll());
        }
    }
}

#[derive(Default)]
struct Alarm {
    time: Option<Duration>,
    waker: Option<Waker>,
}

/// A timer in the Sim's time.
pub struct SimTimer {
    world: Weak<SimWorld>,
    sequence: usize,
    alarm: Arc<Mutex<Alarm>>,
}

impl SimTimer {
    pub fn new(world: &Arc<SimWorld>) -> SimTimer {
        SimTimer { world: Arc::downgrade(world), sequence: world.next_sequence(), alarm: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Alarm> {
        self.alarm.lock()
    }
}

impl Timer for SimTimer {
    fn set(&mut self, time: Duration) {
        self.plan(time, false);
    }

    fn set_idle(&mut self, time: Duration) {
        self.plan(time, true);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(world) = self.world.upgrade() else { return Poll::Pending };
        let mut alarm = self.lock();
        if alarm.time.is_some_and(|time| time <= world.time()) {
            return Poll::Ready(());
        }
        alarm.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl SimTimer {
    fn plan(&mut self, time: Duration, idle: bool) {
        self.lock().time = Some(time);
        let Some(world) = self.world.upgrade() else { return };
        let alarm = Arc::clone(&self.alarm);
        let act = move || {
            let mut alarm = alarm.lock();
            // One that was set anew in the meantime rings at its own time.
            let waker = if alarm.time == Some(time) { alarm.waker.take() } else { None };
            drop(alarm);
            if let Some(waker) = waker {
                waker.wake();
            }
        };
        world.plan(time, Plan { idle, ..Plan::new(self.sequence, Box::new(act)) });
    }
}

/// Waits in the Sim's time.
pub fn sleep(world: &Arc<SimWorld>, time: Duration) -> Boxed<'static, ()> {
    let mut timer = SimTimer::new(world);
    timer.set(world.time() + time);
    Box::pin(poll_fn(move |cx| timer.poll(cx)))
}
