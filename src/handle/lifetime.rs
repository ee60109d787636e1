//! How long a handle lives: its references, and HANDLE_CLOSING, the last that is heard of it (source handle.closing-last).

use std::sync::Arc;

use super::{Handle, Kind};
use crate::delivery::{DrainBudget, Item};
use crate::observe::CheckEvent;
use crate::record::Notification;
use crate::win32::{ERROR_INVALID_HANDLE, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, Win32Error};
use crate::world::Unspecified;

/// Holds HANDLE_CLOSING of a handle back until it is dropped, or for the child that keeps it.
pub(super) struct Reference<'a>(Option<&'a Arc<Handle>>);

impl Reference<'_> {
    /// ERROR_INVALID_HANDLE when the handle and all of its children are closed.
    pub fn of(handle: &Arc<Handle>) -> Result<Reference<'_>, Win32Error> {
        if handle.references.acquire() { Ok(Reference(Some(handle))) } else { Err(ERROR_INVALID_HANDLE) }
    }

    /// It is a child's from now on.
    pub fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Reference<'_> {
    fn drop(&mut self) {
        if let Some(handle) = self.0 {
            handle.release();
        }
    }
}

impl Handle {
    /// One reference less. The last one brings HANDLE_CLOSING: on this thread, unless a callback of the handle runs; then
    /// after it, on its thread.
    pub(super) fn release(self: &Arc<Handle>) {
        let last = self.references.release();
        if last {
            self.queue.offer(Item::Closing);
        }
        self.tell(&CheckEvent::Released);
        if last {
            self.deliver_closing();
        }
    }

    /// The same for a thread that reserved the queue, and delivers what it brought about before.
    pub(super) fn release_reserved(self: &Arc<Handle>) {
        if self.references.release() {
            self.queue.push(Item::Closing);
        }
        self.tell(&CheckEvent::Released);
        self.deliver_closing();
    }

    /// Delivers for a thread that reserved the queue.
    fn deliver_closing(self: &Arc<Handle>) {
        if !self.closing_inside() {
            self.queue.cancel_reservation();
        } else if let Some(next) = self.queue.acquire_to_close(self.world.steps()) {
            return self.deliver(next, DrainBudget::All);
        }
        self.send_worker();
    }

    /// Whether this thread delivers what waits. Where it could not, or nothing waits, that is no question.
    fn closing_inside(&self) -> bool {
        let usual = self.policy.closing_inside();
        let told = self.wants(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
        match self.world.steps().is_some() && !self.queue.lets_close(told) {
            true => usual,
            false => self.world.choices.choose(self.value, Unspecified::ClosingInside, usual),
        }
    }

    /// HANDLE_CLOSING, the last that is heard of this handle; then the parent has one child less.
    pub(super) fn closed(self: &Arc<Handle>) {
        self.notify(&Notification::HandleClosing { handle: self.value });
        match (&self.parent, &self.kind) {
            (Some(parent), _) => {
                parent.release();
            }
            (None, Kind::Session(session)) => {
                let unloaded = session.unloaded.lock().take();
                unloaded.into_iter().for_each(|tell| tell());
            }
            (None, _) => {}
        }
    }
}
