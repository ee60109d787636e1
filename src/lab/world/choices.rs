//! What happens in a Sim where something may go wrong or Windows leaves it open, and what it sees of calls.

use std::io::Write;

use super::SimWorld;
use crate::lab::explore::footprint::Thing;
use crate::lab::fault::{FaultKind, FaultTrigger};
use crate::lab::scheduler::{About, Limit, asked, has_told};
use crate::observe::{CheckEvent, Observer, Returned, TrafficEvent};
use crate::record::{Notification, Status};
use crate::transport::Event;
use crate::win32::{WINHTTP_CALLBACK_STATUS_HANDLE_CREATED, Win32Error};
use crate::world::{Choices, Requested, Unspecified};

impl Choices for SimWorld {
    fn enters(&self, function: &'static str, handle: usize) -> Option<Win32Error> {
        asked();
        self.scheduler.enters(self.about(function, handle), !self.offers.whole);
        let struck = self.faults.call(function, || self.name(handle));
        for what in &struck {
            if let FaultKind::WaitAtEntry(gate) = what {
                gate.wait();
            }
        }
        self.touch_handle(function, handle);
        struck.iter().find_map(|what| if let FaultKind::Refuse(error) = what { Some(*error) } else { None })
    }

    fn leaves(&self, _function: &'static str, returned: Returned, last_error: Win32Error) -> Win32Error {
        let mut leaves = last_error;
        for what in self.faults.end_call() {
            match what {
                FaultKind::SettleAtReturn => {
                    self.scheduler.wait("everything else", Limit::Settled, &mut || false);
                }
                FaultKind::WaitAtReturn(gate) => gate.wait(),
                FaultKind::LastError(error) if returned.succeeded() => leaves = error,
                _ => {}
            }
        }
        leaves
    }

    fn delivers(&self, handle: usize, notification: &Notification) {
        // A call that is whole is that with all that it tells.
        let between = self.offers.between && has_told() && !(self.offers.whole && self.faults.in_call());
        if self.offers.notifications || between {
            self.scheduler.preempt(About::Same, true);
        }
        let when = FaultTrigger::Callback(Status(notification.status()));
        for what in self.faults.strikes(&when, || self.name(handle)) {
            match what {
                FaultKind::Wait(gate) => gate.wait(),
                FaultKind::Settle => {
                    self.scheduler.wait("everything else", Limit::Settled, &mut || false);
                }
                _ => {}
            }
        }
        if handle != 0 {
            let progress = notification.status() < WINHTTP_CALLBACK_STATUS_HANDLE_CREATED;
            self.scheduler.calls_back(&self.lineage(handle), progress);
        }
    }

    /// What a callback with a freed context touches is gone. A run of an exploration has failed with that, and goes on without
    /// the callback, so that it can be told; anywhere else it is called, as Windows does, and this may be the last that is said.
    fn calls_back(&self, handle: usize) -> bool {
        if !self.mistakes.verifier.has_freed_context(handle) {
            return true;
        }
        if !self.explored {
            let said = self.mistakes.last().unwrap_or_default();
            let _ = writeln!(std::io::stderr(), "{said}; it is called all the same");
        }
        !self.explored
    }

    fn newer_digest(&self) -> bool {
        self.profile.newer_digest()
    }

    fn ansi_code_page(&self) -> u32 {
        self.profile.ansi_code_page()
    }

    fn known_secure_protocols(&self) -> u32 {
        self.profile.known_secure_protocols()
    }

    fn known_protocols(&self) -> u32 {
        self.profile.known_protocols()
    }

    fn has_function(&self, name: &str) -> bool {
        self.profile.has_function(name)
    }

    fn refuse(&self, _handle: usize, asked: Requested) -> Option<Win32Error> {
        if let Requested::Operation(operation) = asked {
            return self.faults.injected_error(operation);
        }
        self.profile.refuses(asked)
    }

    fn choose(&self, _handle: usize, open: Unspecified, usual: bool) -> bool {
        self.faults.forced(open).unwrap_or_else(|| self.scheduler.open(open, usual))
    }
}

/// The first of the observers: the last to see a call return.
impl Observer for SimWorld {
    fn returned(&self, function: &'static str, handle: usize, returned: Returned, _last_error: Win32Error) {
        match returned {
            Returned::Handle(made) if made != 0 => {
                self.lock().open.insert(made);
                self.made(made);
            }
            Returned::Boolean(true) if function == "WinHttpCloseHandle" => {
                self.lock().open.remove(&handle);
            }
            _ => {}
        }
        self.scheduler.leaves(self.about(function, handle), !self.offers.whole);
        if !self.faults.in_call() {
            self.scheduler.leave_if_outside();
        }
    }

    fn check(&self, handle: usize, event: &CheckEvent) {
        match event {
            CheckEvent::Child { handle: child, .. } => drop(self.made(*child)),
            CheckEvent::Stepped { silent } => self.stepped(handle, *silent),
            CheckEvent::Released => self.touch(handle, true),
            CheckEvent::Impossible(what) => self.complain(format!("a machine has no answer to {what}")),
            _ => {}
        }
    }

    /// What is sent depends on the session's cookies, and what comes may change them.
    fn on_traffic(&self, handle: usize, what: &TrafficEvent<'_>) {
        let Some(session) = self.lineage(handle).last().copied() else { return };
        match what {
            TrafficEvent::Request(_) => self.scheduler.touch(|print| print.sees(Thing::Cookies(session))),
            TrafficEvent::Event(Event::Head { head, .. }) if head.headers.get("set-cookie", 0).is_some() => {
                self.scheduler.touch(|print| print.changes(Thing::Cookies(session)));
            }
            _ => {}
        }
    }

    fn stopped(&self, panic: &str) {
        if !self.scheduler.not_heard() {
            self.complain(format!("a panic inside a call: {panic}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use crate::lab::Sim;
    use crate::observe::{CheckEvent, Observer};

    /// What the table of a machine misses fails the Sim.
    #[test]
    fn a_lost_input_is_a_complaint() {
        let sim = Sim::new();
        sim.world().check(1, &CheckEvent::Impossible("Data in Closed".to_owned()));
        let said = catch_unwind(AssertUnwindSafe(|| drop(sim))).unwrap_err();
        let said = said.downcast_ref::<String>().unwrap();
        assert!(said.contains("a machine has no answer to Data in Closed"), "{said}");
    }
}
