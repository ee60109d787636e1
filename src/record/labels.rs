//! What threads are called: one label a thread of the operating system, whatever it does.

use std::collections::BTreeMap;

use super::{Thread, ThreadRole};

/// The labels of the threads of a trace, in the order in which they are asked for.
#[derive(Debug, Default)]
pub(super) struct Labels(BTreeMap<u32, String>);

impl Labels {
    /// The thread's own name, if it has one and no other thread has it; else what it was first seen as, and its number.
    pub fn of(&mut self, thread: &Thread) -> &str {
        let taken = |name: &str| self.0.iter().any(|(number, known)| *number != thread.number && known == name);
        let label = match (&thread.name, thread.role) {
            (_, ThreadRole::Network) => thread.role.to_string(),
            (Some(name), _) if taken(name) => format!("{name} {}", thread.number),
            (Some(name), _) => name.clone(),
            (None, role) => format!("{role} {}", thread.number),
        };
        self.0.entry(thread.number).or_insert(label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_its_label() {
        let thread = |role, number, name: Option<&str>| Thread { role, number, name: name.map(str::to_owned) };
        let mut labels = Labels::default();
        for (seen, expected) in [
            (thread(ThreadRole::Caller, 1, None), "caller 1"),
            (thread(ThreadRole::Worker, 2, None), "worker 2"),
            (thread(ThreadRole::Caller, 2, None), "worker 2"),
            (thread(ThreadRole::Caller, 3, Some("cancel")), "cancel"),
            (thread(ThreadRole::Caller, 4, Some("cancel")), "cancel 4"),
            (thread(ThreadRole::Worker, 3, Some("cancel")), "cancel"),
            (thread(ThreadRole::Network, 0, None), "network"),
        ] {
            assert_eq!(labels.of(&seen), expected);
        }
    }
}
