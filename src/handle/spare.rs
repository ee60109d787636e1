//! The list in which a step gathers what is to be done: one a thread, so that a step needs no room on the heap and a handle
//! at rest keeps none.

use std::cell::Cell;

use crate::machine::Output;

/// A list that one step made longer than this is not kept.
const KEPT: usize = 64;

thread_local! {
    static SPARE: Cell<Vec<Output>> = const { Cell::new(Vec::new()) };
}

/// An empty list, with room if there is one.
pub(super) fn take() -> Vec<Output> {
    // A thread that ends has none.
    SPARE.try_with(Cell::take).unwrap_or_default()
}

/// Keeps a list for the next step.
pub(super) fn keep(list: Vec<Output>) {
    if list.is_empty() && list.capacity() <= KEPT {
        let _ = SPARE.try_with(|spare| spare.set(list));
    }
}
