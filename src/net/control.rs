//! What the machine tells a running leg, kept until the leg's task looks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;

use crate::transport::Leg;

/// What was told so far.
#[derive(Debug, Default)]
pub struct Told {
    pub proceed: bool,
    pub writes: VecDeque<Bytes>,
    pub finish: bool,
    /// Body bytes that the machine took since the leg looked last.
    pub taken: usize,
    pub wake_at: Option<Duration>,
    pub dropped: bool,
    waker: Option<Waker>,
}

#[derive(Debug, Default)]
pub struct Control(Mutex<Told>);

impl Control {
    pub fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was told; the task is woken by what comes later.
    pub fn look(&self, cx: &Context<'_>) -> MutexGuard<'_, Told> {
        let mut told = self.lock();
        match &mut told.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        told
    }

    fn tell(&self, what: impl FnOnce(&mut Told)) {
        let mut told = self.lock();
        what(&mut told);
        let waker = told.waker.take();
        drop(told);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The machine's end. Dropping it lets the order go.
pub struct Held(pub Arc<Control>);

impl Leg for Held {
    fn proceed(&self) {
        self.0.tell(|told| told.proceed = true);
    }

    fn write(&self, bytes: Bytes) {
        self.0.tell(|told| told.writes.push_back(bytes));
    }

    fn finish(&self) {
        self.0.tell(|told| told.finish = true);
    }

    fn taken(&self, bytes: usize) {
        self.0.tell(|told| told.taken += bytes);
    }

    fn wake_at(&self, time: Option<Duration>) {
        self.0.tell(|told| told.wake_at = time);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.tell(|told| told.dropped = true);
    }
}
