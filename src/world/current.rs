//! Which world a thread is in.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use super::World;
use crate::delivery::Policy;
use crate::sync::Mutex;

thread_local! {
    /// The worlds that this thread has entered, innermost last.
    static ENTERED: RefCell<Vec<(Arc<World>, Policy)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the calling thread in a world until it is dropped.
pub struct Entered(());

impl Drop for Entered {
    fn drop(&mut self) {
        ENTERED.with_borrow_mut(|worlds| worlds.pop());
    }
}

/// Sessions that this thread opens belong to this world while the answer lives.
pub fn enter(world: Arc<World>, policy: Policy) -> Entered {
    ENTERED.with_borrow_mut(|worlds| worlds.push((world, policy)));
    Entered(())
}

/// The world that the thread has entered; none while its thread-locals are dropped.
pub fn entered() -> Option<(Arc<World>, Policy)> {
    ENTERED.try_with(|worlds| worlds.borrow().last().cloned()).ok().flatten()
}

/// The worlds whose threads wait by letting them go on.
static STEPPED: Mutex<Vec<Weak<World>>> = Mutex::new(Vec::new());
/// Whether there was ever one.
static EVER: AtomicBool = AtomicBool::new(false);

/// A world is woken while this lives.
pub struct Registered(Weak<World>);

/// This world is to be woken while the answer lives.
pub fn register(world: Weak<World>) -> Registered {
    EVER.store(true, Ordering::SeqCst);
    STEPPED.lock().push(world.clone());
    Registered(world)
}

impl Drop for Registered {
    fn drop(&mut self) {
        STEPPED.lock().retain(|world| !world.ptr_eq(&self.0));
    }
}

/// The worlds that live and move only when threads wait in them.
pub fn stepped() -> Vec<Arc<World>> {
    if !EVER.load(Ordering::SeqCst) {
        return Vec::new();
    }
    let worlds = STEPPED.lock();
    worlds.iter().filter_map(Weak::upgrade).collect()
}

/// Something was done that threads may wait for: tells the worlds that cannot see it.
pub fn wake() {
    if entered().is_none() {
        stepped().iter().filter_map(|world| world.steps()).for_each(|steps| steps.happened());
    }
}
