//! The delivery queue of a handle: what waits to be delivered, and which thread may deliver it.
//!
//! Callbacks of one handle never run on two threads at once, but they may nest on one. Whoever holds the queue, or is
//! nested in it, delivers; everybody else enqueues and goes on.

use std::time::Duration;

use smallvec::SmallVec;

use super::Steps;
use crate::observe::waits;
use crate::record::{Api, Notification, Operation};
use crate::sync::thread::{self, ThreadId};
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::win32::Win32Error;

/// How many callbacks of a handle may be active when one more is delivered inside a call (source inline.limit).
const NESTED_AT_MOST: u32 = 5;

/// How long a call waits for the holder's callback to return. Long enough for one that has just signalled the caller;
/// short, because one may wait for a lock that the caller holds.
const MOMENT: Duration = Duration::from_millis(5);

/// One thing that is done in a handle's order.
#[derive(Debug)]
pub enum Item {
    /// Notify the application.
    Notify(Notification),
    /// The callbacks before it have returned: this attempt of the request may go out.
    Proceed(u64),
    /// The callbacks before it have returned: the redirect may be followed.
    FollowRedirect,
    /// HANDLE_CLOSING; nothing comes after it.
    Closing,
}

impl Item {
    /// Whether it runs the application's code.
    pub fn calls_back(&self) -> bool {
        matches!(self, Item::Notify(_) | Item::Closing)
    }
}

/// The number of a synchronous operation among those of its place: two threads may call on one handle, one after the
/// other, and each waits for its own ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

/// How many operations of one handle may be pending at once.
const PLACES: usize = 4;

/// How an operation of a synchronous handle ended.
pub type Outcome = Result<Notification, Win32Error>;

#[derive(Debug, Default)]
struct State {
    /// Mostly one or two.
    queue: SmallVec<[Item; 2]>,
    holder: Option<ThreadId>,
    /// Callbacks active on the holder.
    depth: u32,
    /// How many callbacks were active when the REDIRECT was taken whose redirect is still to be followed.
    redirect_above: Option<u32>,
    /// The holder's callback took longer than a moment: nobody waits for it again.
    blocked: bool,
    /// A worker is on its way.
    scheduled: bool,
    /// Calls that are about to acquire the queue: whoever holds it leaves the rest to them.
    reservations: usize,
    /// HANDLE_CLOSING was pushed: nothing comes behind it.
    closed: bool,
    /// Threads that wait for `changed`.
    waiting: usize,
    /// Synchronous operations that began and that ended, each in its place: they end in the order in which they began.
    begun: [u64; PLACES],
    ended: [u64; PLACES],
    /// Endings that synchronous calls wait for.
    outcomes: Vec<(usize, Ticket, Outcome)>,
}

impl State {
    fn pop(&mut self) -> Option<Item> {
        let item = (!self.queue.is_empty()).then(|| self.queue.remove(0))?;
        match &item {
            Item::Notify(told) if told.is_redirect() => self.redirect_above = Some(self.depth),
            Item::FollowRedirect => self.redirect_above = None,
            _ => {}
        }
        Some(item)
    }

    fn release(&mut self) {
        self.holder = None;
        self.blocked = false;
    }

    /// What a synchronous call of `operation` on thread `me` waits for, if it is there.
    fn found(&mut self, operation: Operation, ticket: Ticket, me: ThreadId) -> Option<Result<Item, Outcome>> {
        if self.holder.is_some_and(|holder| holder != me) {
            return None;
        }
        // A call inside another callback, one before REDIRECT, is what the redirect brings on.
        if !self.waits_for_redirect(self.redirect_above.unwrap_or(u32::MAX)) {
            if let Some(item) = self.pop() {
                self.holder = Some(me);
                self.depth += 1;
                return Some(Ok(item));
            }
        }
        let place = place(operation);
        let at = self.outcomes.iter().position(|(of, with, _)| (*of, *with) == (place, ticket))?;
        Some(Err(self.outcomes.swap_remove(at).2))
    }

    /// Whether what comes next follows a redirect while more than so many callbacks have not returned: calls inside that of
    /// REDIRECT do not bring it about.
    fn waits_for_redirect(&self, callbacks: u32) -> bool {
        self.depth > callbacks && matches!(self.queue.first(), Some(Item::FollowRedirect))
    }

    /// Whether a call delivers its `own` items nested in a callback of this handle on its thread.
    fn nests(&self, mine: bool, own: usize) -> bool {
        mine && self.queue.len() == own && self.depth <= NESTED_AT_MOST
    }

    fn push(&mut self, item: Item) {
        if !self.closed {
            self.closed = matches!(item, Item::Closing);
            self.queue.push(item);
        }
    }

    /// Acquires the queue if nobody holds it.
    fn try_acquire(&mut self) -> bool {
        let free = self.holder.is_none();
        if free {
            self.holder = Some(thread::current().id());
        }
        free
    }

    /// [`DeliveryQueue::wants_worker`]
    fn wants_worker(&mut self) -> bool {
        let wants = !self.queue.is_empty() && self.holder.is_none() && !self.scheduled;
        self.scheduled |= wants;
        wants
    }

    fn closing(&self) -> bool {
        matches!(self.queue.last(), Some(Item::Closing))
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct DeliveryQueue {
    state: Mutex<State>,
    changed: Condvar,
}

/// What a thread does next with a queue.
#[derive(Debug)]
pub enum Next {
    /// Do this, then ask again.
    Do(Item),
    /// Nothing is left for this thread.
    Done,
    /// A worker must be sent for the rest.
    Send,
}

/// Which items a thread that holds the queue delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainBudget {
    /// So many: those of its own call. If the handle is closing, all.
    Own(usize),
    /// Everything.
    All,
    /// Only what runs no code of the application.
    InternalOnly,
}

/// The place of an operation among those that can be pending on one handle: of a request one on the write side and two on
/// the read side, where reads of a redirect's body stand inside ReceiveResponse (source m10); of a web socket one of each
/// kind.
fn place(operation: Operation) -> usize {
    match operation {
        Operation::Api(Api::SEND_REQUEST | Api::WRITE_DATA) => 1,
        Operation::Api(Api::RECEIVE_RESPONSE) => 2,
        Operation::Api(_) => 0,
        Operation::WebSocket(operation) => operation as usize,
    }
}

impl DeliveryQueue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Appends an item, unless HANDLE_CLOSING was there before.
    pub fn push(&self, item: Item) {
        self.lock().push(item);
    }

    /// A call pushes an item that it may deliver: [`DeliveryQueue::reserve`] and [`DeliveryQueue::push`].
    pub fn offer(&self, item: Item) {
        let mut state = self.lock();
        state.reservations += 1;
        state.push(item);
    }

    /// A synchronous operation has begun: what [`DeliveryQueue::wait`] waits for its ending with.
    pub fn await_end(&self, operation: Operation) -> Ticket {
        let begun = &mut self.lock().begun[place(operation)];
        *begun += 1;
        Ticket(*begun)
    }

    /// Keeps the ending of an operation for the synchronous call that waits for it.
    pub fn complete(&self, operation: Operation, outcome: Outcome) {
        let mut state = self.lock();
        let place = place(operation);
        if state.ended[place] == state.begun[place] {
            // Nobody waits.
            return;
        }
        state.ended[place] += 1;
        let ticket = Ticket(state.ended[place]);
        state.outcomes.push((place, ticket, outcome));
    }

    /// Wakes whoever waits in [`DeliveryQueue::wait`].
    pub fn wake(&self) {
        self.notify(&self.lock());
    }

    fn notify(&self, state: &State) {
        if state.waiting > 0 {
            self.changed.notify_all();
        }
    }

    /// A call that may deliver what it brings about comes: whoever holds the queue leaves the rest to it. Followed by
    /// [`DeliveryQueue::acquire`], [`DeliveryQueue::acquire_to_close`] or [`DeliveryQueue::cancel_reservation`].
    pub fn reserve(&self) {
        self.lock().reservations += 1;
    }

    /// The call with a reservation has nothing to deliver.
    pub fn cancel_reservation(&self) {
        self.lock().reservations -= 1;
    }

    /// Acquires the queue for a call that reserved it and pushed its `own` items: what it does first, and the budget that it
    /// delivers before it returns; or `None` if somebody else will.
    ///
    /// Nested in a callback of this handle, a call delivers only if nothing waits before its own items, and only up to
    /// the nesting bound.
    pub fn acquire(&self, own: usize, steps: Option<&dyn Steps>) -> Option<(Next, DrainBudget)> {
        let me = thread::current().id();
        let mut state = self.wait_for_holder(me, steps);
        let mut budget = match state.holder {
            None => {
                state.holder = Some(me);
                DrainBudget::Own(state.queue.len())
            }
            Some(holder) if state.nests(holder == me, own) => DrainBudget::Own(own),
            Some(_) => return None,
        };
        Some((self.next_of(&mut state, &mut budget), budget))
    }

    /// Whether [`DeliveryQueue::acquire`] would let a call deliver its `own` items now.
    pub fn lets(&self, own: usize) -> bool {
        let state = self.lock();
        state.holder.is_none_or(|holder| state.nests(holder == thread::current().id(), own))
    }

    /// Whether somebody who closes the handle would run code of the application; HANDLE_CLOSING does if it is `told`.
    pub fn lets_close(&self, told: bool) -> bool {
        let state = self.lock();
        let calls_back = |item: &Item| matches!(item, Item::Notify(_)) || (told && matches!(item, Item::Closing));
        state.holder.is_none() && state.queue.iter().any(calls_back)
    }

    /// Acquires the queue for a call that reserved it to close the handle, and answers what it does first; never nested: the
    /// holder goes on after its callback.
    pub fn acquire_to_close(&self, steps: Option<&dyn Steps>) -> Option<Next> {
        let mut state = self.wait_for_holder(thread::current().id(), steps);
        state.try_acquire().then(|| self.next_of(&mut state, &mut DrainBudget::All))
    }

    /// Gives a callback on another thread that is about to return a moment, once. In a world of steps nobody is.
    fn wait_for_holder(&self, me: ThreadId, steps: Option<&dyn Steps>) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        state.blocked |= steps.is_some();
        while !state.blocked && state.holder.is_some_and(|holder| holder != me) {
            state.waiting += 1;
            let waited = self.changed.wait_for(&mut state, MOMENT);
            state.waiting -= 1;
            // Between callbacks the holder runs our own code, which does not block.
            state.blocked |= waited.timed_out() && state.depth > 0;
        }
        state.reservations -= 1;
        state
    }

    /// A worker arrived: acquires the queue if nobody holds it. What it does first.
    pub fn worker_arrived(&self) -> Next {
        let mut state = self.lock();
        state.scheduled = false;
        if state.try_acquire() { self.next_of(&mut state, &mut DrainBudget::All) } else { Next::Done }
    }

    /// Whether a worker must be sent: there is something to do and nobody is there or on his way.
    pub fn wants_worker(&self) -> bool {
        self.lock().wants_worker()
    }

    /// Something happened without a call. What runs no code of the application is done at once, by whoever acquires the
    /// queue for that ([`DrainBudget::InternalOnly`]); else a worker comes.
    pub fn next_internal(&self) -> Next {
        let mut state = self.lock();
        let internal = state.queue.first().is_some_and(|item| !item.calls_back());
        if internal && state.try_acquire() {
            return state.pop().map_or(Next::Done, Next::Do);
        }
        if state.wants_worker() { Next::Send } else { Next::Done }
    }

    /// What the holder does next with its `budget`, once the callback that it was handed last has `returned`, if it was one.
    /// Releases the queue when the outermost has nothing left.
    pub fn next(&self, budget: &mut DrainBudget, returned: bool) -> Next {
        let mut state = self.lock();
        state.depth -= u32::from(returned);
        self.next_of(&mut state, budget)
    }

    fn next_of(&self, state: &mut State, budget: &mut DrainBudget) -> Next {
        if state.waits_for_redirect(0) {
            return Next::Done;
        }
        let mine = match budget {
            DrainBudget::All => state.reservations == 0 || state.depth > 0,
            DrainBudget::InternalOnly => state.queue.first().is_some_and(|item| !item.calls_back()),
            DrainBudget::Own(0) => state.depth == 0 && state.closing(),
            DrainBudget::Own(left) => {
                *left -= 1;
                true
            }
        };
        if let Some(item) = if mine { state.pop() } else { None } {
            state.depth += u32::from(item.calls_back());
            return Next::Do(item);
        }
        self.leave(state)
    }

    /// The holder lost the item that it was handed last, which was `counted` as a callback: doing it panicked. It does nothing
    /// more; whether a worker must be sent for the rest.
    pub fn lose(&self, counted: bool) -> bool {
        let mut state = self.lock();
        state.depth -= u32::from(counted);
        matches!(self.leave(&mut state), Next::Send)
    }

    /// Nothing is left for the holder.
    fn leave(&self, state: &mut State) -> Next {
        if state.depth > 0 {
            return Next::Done;
        }
        state.release();
        self.notify(state);
        let send = !state.queue.is_empty() && !state.scheduled && state.reservations == 0;
        state.scheduled |= send;
        if send { Next::Send } else { Next::Done }
    }

    /// The thread that holds it.
    pub fn held_by(&self) -> Option<ThreadId> {
        self.lock().holder
    }

    /// Waits until there is an item for this thread to deliver, or the ending of `operation`.
    ///
    /// Only calls on synchronous handles wait, and they wait here, blocked on our own primitive.
    pub fn wait(&self, operation: Operation, ticket: Ticket, steps: Option<&dyn Steps>) -> Result<Item, Outcome> {
        let me = thread::current().id();
        if let Some(steps) = steps {
            let mut found = self.lock().found(operation, ticket, me);
            if found.is_none() {
                waits("in a synchronous call");
            }
            loop {
                if let Some(found) = found {
                    return found;
                }
                steps.wait(&format!("the end of {operation}"), None, &mut || {
                    found = self.lock().found(operation, ticket, me);
                    found.is_some()
                });
            }
        }
        let mut state = self.lock();
        let mut told = false;
        loop {
            if let Some(found) = state.found(operation, ticket, me) {
                return found;
            }
            if !std::mem::replace(&mut told, true) {
                waits("in a synchronous call");
            }
            state.waiting += 1;
            self.changed.wait(&mut state);
            state.waiting -= 1;
        }
    }

    /// The item that [`DeliveryQueue::wait`] handed out is done.
    pub fn finish_waited(&self) {
        let mut state = self.lock();
        state.depth -= 1;
        if state.depth == 0 {
            state.release();
            self.notify(&state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a thread loses by a panic is one item: another thread is sent for the rest, unless a callback of the thread
    /// has not returned, which goes on.
    #[test]
    fn a_lost_item_keeps_nothing_behind_it() {
        let queue = DeliveryQueue::default();
        let items = [Notification::SendingRequest, Notification::ReceivingResponse];
        items.into_iter().map(Item::Notify).chain([Item::Proceed(1), Item::Closing]).for_each(|item| queue.push(item));
        for left in (0..4).rev() {
            let Next::Do(item) = queue.worker_arrived() else { panic!("{left}") };
            assert_eq!(queue.lose(item.calls_back()), left > 0, "{left}: {item:?}");
        }
        assert_eq!(queue.held_by(), None);

        let queue = DeliveryQueue::default();
        (0..2).for_each(|_| queue.push(Item::Notify(Notification::SendingRequest)));
        assert!(matches!(queue.worker_arrived(), Next::Do(_)));
        queue.offer(Item::Notify(Notification::ReceivingResponse));
        let mut budget = DrainBudget::All;
        assert!(matches!(queue.next(&mut budget, true), Next::Done), "a call is about to come");
        assert!(matches!(queue.acquire(1, None), Some((Next::Do(_), _))));
        assert!(queue.lose(true), "the rest");
    }
}
