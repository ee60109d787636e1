//! What the machine tells a running attempt, kept until the attempt's task looks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;

use super::http2::Silence;
use super::registry::PoolEntry;
use crate::http::RequestHead;
use crate::sync::{Mutex, MutexGuard};
use crate::transport::Sink;

/// What was told so far.
#[derive(Default)]
pub struct Commands {
    pub proceed: bool,
    /// What follows after a refused CONNECT: another one, or its answer.
    pub tunnel: Option<Option<RequestHead>>,
    pub writes: VecDeque<Bytes>,
    pub finish: bool,
    /// Body bytes that the machine took since the attempt looked last.
    pub taken: usize,
    pub wake_at: Option<Duration>,
    /// Whether nobody waits for that.
    pub idle: bool,
    /// What the alarm of the attempt is set for, in the same terms. One that rings too early is set anew then.
    alarm: Option<(Duration, bool)>,
    /// The present attempt at an address is given up.
    pub next_address: bool,
    /// The connection that carries the request, and how many it carried before.
    pub connection: Option<(Arc<PoolEntry>, u32)>,
    /// Of a connection that others share: whether it has been silent since the request began.
    pub silence: Option<Silence>,
    /// The machine hears that its time has come.
    pub ringing: bool,
    pub dropped: bool,
    /// After a 101: who listens from now on, and how many bytes may wait there.
    pub upgrade: Option<(Arc<dyn Sink>, usize)>,
    waker: Option<Waker>,
}

impl Commands {
    /// What the alarm must be set for, if it would ring too late. Whoever asks sets it.
    pub fn set_alarm(&mut self) -> Option<(Duration, bool)> {
        let wanted = self.late()?;
        self.alarm = Some(wanted);
        Some(wanted)
    }

    /// The alarm has rung: whether at the time that was asked for.
    pub fn rang(&mut self) -> bool {
        let time = self.alarm.take().map(|(time, _)| time);
        self.ringing = self.wake_at.take_if(|asked| Some(*asked) == time).is_some();
        self.ringing
    }

    /// What is asked for, if the alarm does not ring by then.
    fn late(&self) -> Option<(Duration, bool)> {
        let time = self.wake_at?;
        let in_time = self.alarm.is_some_and(|(set, idle)| set <= time && idle == self.idle);
        (!in_time).then_some((time, self.idle))
    }
}

#[derive(Default)]
pub struct Mailbox(Mutex<Commands>);

impl Mailbox {
    pub fn lock(&self) -> MutexGuard<'_, Commands> {
        self.0.lock()
    }

    /// What was told; the task is woken by what comes later.
    pub fn look(&self, cx: &Context<'_>) -> MutexGuard<'_, Commands> {
        let mut commands = self.lock();
        match &mut commands.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        commands
    }

    /// Changes what was told, and wakes the task.
    pub fn tell(&self, what: impl FnOnce(&mut Commands)) {
        let mut commands = self.lock();
        what(&mut commands);
        Mailbox::wake(commands);
    }

    /// The machine asks for a time, or for none: the task need not hear of that while its alarm rings early enough.
    pub fn wake_at(&self, time: Option<Duration>, idle: bool) {
        let mut commands = self.lock();
        (commands.wake_at, commands.idle) = (time, idle);
        if commands.late().is_some() {
            Mailbox::wake(commands);
        }
    }

    fn wake(mut commands: MutexGuard<'_, Commands>) {
        let waker = commands.waker.take();
        drop(commands);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
