//! Attempts that wait: who is next when something becomes free.

use std::time::Duration;

use super::engine::{AttemptId, Demand, Effect, Engine, Waiter};
use super::places::Server;
use super::rules::Wait;

impl Engine {
    /// Who waits may have what it waits for.
    pub(super) fn serve(&mut self, now: Duration, group: usize, server: Option<Server>) {
        let waiting: Vec<_> = self.groups.get(group).map(|group| group.waiting.drain(..).collect()).unwrap_or_default();
        let mut stuck = false;
        for attempt in waiting {
            let Some(waiter) = self.waiters.get(&attempt) else { continue };
            // One that waits for a stream cannot have what the one before it could not.
            if stuck && waiter.wait == Wait::Stream {
                if let Some(group) = self.groups.get(group) {
                    group.waiting.push_back(attempt);
                }
                continue;
            }
            stuck |= !self.retry(now, attempt, false);
        }
        let Some(server) = server else { return };
        while let Some(attempt) = self.limits.get(&server).waiting.pop_front() {
            if self.waiters.contains_key(&attempt) && !self.retry(now, attempt, true) {
                break;
            }
        }
        self.limits.tidy(&server);
    }

    /// Answers one that waits, if it can be: else it is back in its line.
    fn retry(&mut self, now: Duration, attempt: AttemptId, first: bool) -> bool {
        let Some(waiter) = self.waiters.remove(&attempt) else { return true };
        match self.consider(now, &waiter.demand, first) {
            Ok(answer) => {
                self.effects.push(Effect::Answered(attempt, answer));
                true
            }
            Err(wait) => {
                if first && wait == Wait::Limit {
                    if let Some((server, _)) = &waiter.demand.limit {
                        self.limits.get(server).waiting.push_front(attempt);
                    }
                } else {
                    self.line_up(attempt, &waiter.demand, wait);
                }
                self.waiters.insert(attempt, Waiter { wait, ..waiter });
                false
            }
        }
    }

    pub(super) fn line_up(&mut self, attempt: AttemptId, demand: &Demand, wait: Wait) {
        match (&demand.limit, wait) {
            (Some((server, _)), Wait::Limit) => self.limits.get(server).waiting.push_back(attempt),
            _ => {
                if let Some(group) = self.groups.get(demand.group) {
                    group.waiting.push_back(attempt);
                }
            }
        }
    }
}
