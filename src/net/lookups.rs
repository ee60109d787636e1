//! Look-ups of names by the system, which cannot be stopped: each has a thread. How many there may be is bounded; equal
//! names are asked for once; whoever goes away gives the place back, though the thread stays until the system answers.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use crate::http::system_name;
use crate::sync::{Mutex, MutexGuard};
use crate::win32::ERROR_NOT_ENOUGH_MEMORY;

/// How many look-ups that somebody waits for run at once.
const PLACES: usize = 32;
/// How many threads there are at most, with those that nobody waits for any more.
const THREADS: usize = 256;
/// How many there are at most when one who goes away lets the next begin: many may be about to go away together, and must
/// not leave all threads behind.
const FREED: usize = 64;

type Answer = Result<Vec<SocketAddr>, (io::ErrorKind, String)>;

/// Who answers; may block.
type Ask = fn(&str) -> io::Result<Vec<SocketAddr>>;

fn ask_system(name: &str) -> io::Result<Vec<SocketAddr>> {
    Ok((system_name(name), 0).to_socket_addrs()?.collect())
}

#[derive(Default)]
struct Lookup {
    /// Numbers of those who wait, and how they are woken.
    waiting: HashMap<u64, Waker>,
    /// Whether a thread asks.
    asked: bool,
}

#[derive(Default)]
struct State {
    /// By name.
    lookups: HashMap<Arc<str>, Lookup>,
    /// Answers for those who have not taken them yet.
    answers: HashMap<u64, Answer>,
    /// Names that no thread asks for yet.
    queue: VecDeque<Arc<str>>,
    threads: usize,
    waited: u64,
}

impl State {
    /// Look-ups that have a thread and somebody who waits.
    fn places(&self) -> usize {
        self.lookups.values().filter(|lookup| lookup.asked && !lookup.waiting.is_empty()).count()
    }
}

/// See the module.
pub struct Lookups {
    state: Mutex<State>,
    ask: Ask,
}

impl Default for Lookups {
    fn default() -> Lookups {
        Lookups { state: Mutex::default(), ask: ask_system }
    }
}

impl Lookups {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// The addresses of a name, whose port is 0. Dropped, it gives its place to another.
    pub fn ask(self: &Arc<Self>, name: &str) -> Asking {
        let mut state = self.lock();
        state.waited += 1;
        Asking { lookups: Arc::clone(self), name: name.into(), number: state.waited, begun: false }
    }

    /// Starts threads while there are names and places, up to so many.
    fn start(self: &Arc<Self>, state: &mut State, most: usize) -> io::Result<()> {
        while !state.queue.is_empty() && state.places() < PLACES && state.threads < most {
            let Some(name) = state.queue.pop_front() else { break };
            let (lookups, asked) = (Arc::clone(self), Arc::clone(&name));
            let started = thread::Builder::new().name("winhttp name".to_owned()).spawn(move || lookups.run(asked));
            if let Err(error) = started {
                if state.threads == 0 {
                    // Nobody would come back to it.
                    state.lookups.remove(&name);
                    return Err(error);
                }
                state.queue.push_front(name);
                break;
            }
            state.threads += 1;
            if let Some(lookup) = state.lookups.get_mut(&name) {
                lookup.asked = true;
            }
        }
        Ok(())
    }

    /// Asks for a name, and then for those that wait.
    fn run(self: &Arc<Self>, mut name: Arc<str>) {
        loop {
            let answer = (self.ask)(&name).map_err(|error| (error.kind(), error.to_string()));
            let mut state = self.lock();
            if let Some(lookup) = state.lookups.remove(&name) {
                for (number, waker) in lookup.waiting {
                    state.answers.insert(number, answer.clone());
                    waker.wake();
                }
            }
            let next = if state.places() < PLACES { state.queue.pop_front() } else { None };
            let Some(next) = next else {
                state.threads -= 1;
                return;
            };
            if let Some(lookup) = state.lookups.get_mut(&next) {
                lookup.asked = true;
            }
            name = next;
        }
    }
}

/// Somebody who waits for an answer.
pub struct Asking {
    lookups: Arc<Lookups>,
    name: Arc<str>,
    number: u64,
    begun: bool,
}

impl Future for Asking {
    type Output = io::Result<Vec<SocketAddr>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let lookups = Arc::clone(&self.lookups);
        let mut state = lookups.lock();
        if let Some(answer) = state.answers.remove(&self.number) {
            return Poll::Ready(answer.map_err(|(kind, text)| io::Error::new(kind, text)));
        }
        let (name, number) = (Arc::clone(&self.name), self.number);
        let known = state.lookups.contains_key(&name);
        state.lookups.entry(Arc::clone(&name)).or_default().waiting.insert(number, cx.waker().clone());
        if !std::mem::replace(&mut self.begun, true) && !known {
            state.queue.push_back(name);
            if lookups.start(&mut state, THREADS).is_err() {
                return Poll::Ready(Err(io::Error::other(ERROR_NOT_ENOUGH_MEMORY)));
            }
        }
        Poll::Pending
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if !self.begun {
            return;
        }
        let lookups = Arc::clone(&self.lookups);
        let mut state = lookups.lock();
        state.answers.remove(&self.number);
        let Some(lookup) = state.lookups.get_mut(&self.name) else { return };
        lookup.waiting.remove(&self.number);
        if lookup.waiting.is_empty() && !lookup.asked {
            state.lookups.remove(&self.name);
            state.queue.retain(|name| *name != self.name);
        }
        // What cannot be started goes on when a thread comes back.
        let _ = lookups.start(&mut state, FREED);
    }
}

#[cfg(test)]
mod tests {
    use crate::sync::Condvar;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// Names that begin with `slow` are answered when this opens.
    static OPEN: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());
    static ASKED: AtomicUsize = AtomicUsize::new(0);

    fn ask(name: &str) -> io::Result<Vec<SocketAddr>> {
        ASKED.fetch_add(1, Ordering::SeqCst);
        if name.starts_with("slow") {
            OPEN.1.wait_while(&mut OPEN.0.lock(), |open| !*open);
        }
        if name == "unknown" { Err(io::ErrorKind::NotFound.into()) } else { Ok(vec!["127.0.0.1:0".parse().unwrap()]) }
    }

    #[test]
    fn slow_names_hold_up_nobody_for_ever() {
        let lookups = Arc::new(Lookups { state: Mutex::default(), ask });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let patience = Duration::from_secs(20);
        runtime.block_on(async {
            // As many as are closed before they are answered: the system is still asked for some.
            let mut slow: Vec<_> = (0..512).map(|number| Box::pin(lookups.ask(&format!("slow{number}")))).collect();
            std::future::poll_fn(|cx| {
                assert!(slow.iter_mut().all(|asking| asking.as_mut().poll(cx).is_pending()));
                Poll::Ready(())
            })
            .await;
            let counts = || {
                let state = lookups.lock();
                (state.places(), state.threads, state.queue.len())
            };
            assert_eq!(counts(), (PLACES, PLACES, 512 - PLACES));
            slow.clear();
            assert_eq!(counts(), (0, FREED, 0), "their places are free");
            for _ in 0..3 {
                let found = tokio::time::timeout(patience, lookups.ask("localhost")).await;
                assert!(found.is_ok_and(|found| found.is_ok_and(|found| found.len() == 1)), "nobody waits for them");
            }
            // Equal names are asked for once, also by who comes while nobody waited.
            let before = ASKED.load(Ordering::SeqCst);
            let mut same: Vec<_> = (0..100).map(|_| Box::pin(lookups.ask("slow0"))).collect();
            std::future::poll_fn(|cx| {
                assert!(same.iter_mut().all(|asking| asking.as_mut().poll(cx).is_pending()));
                Poll::Ready(())
            })
            .await;
            assert!(lookups.lock().queue.is_empty());
            assert_eq!(ASKED.load(Ordering::SeqCst), before);
            *OPEN.0.lock() = true;
            OPEN.1.notify_all();
            for asking in same {
                assert!(tokio::time::timeout(patience, asking).await.is_ok_and(|found| found.is_ok()));
            }
            let unknown = tokio::time::timeout(patience, lookups.ask("unknown")).await.unwrap();
            assert_eq!(unknown.unwrap_err().kind(), io::ErrorKind::NotFound);
            assert!(lookups.lock().answers.is_empty());
        });
        // The threads leave.
        while lookups.lock().threads > 0 {
            thread::yield_now();
        }
        assert!(lookups.lock().lookups.is_empty());
    }
}
