//! The handle table, the references, and the calls inside callbacks.

use crate::delivery::queue::DeliveryQueue;

/// A handle: its value and its queue.
pub struct Handle {
    pub value: usize,
    pub queue: DeliveryQueue,
}

impl Handle {
    pub fn new(value: usize) -> Handle {
        Handle { value, queue: DeliveryQueue::default() }
    }
}

#[path = "../../../../src/handle/references.rs"]
pub mod references;
#[path = "../../../../src/handle/table.rs"]
pub mod table;
#[path = "../../../../src/handle/waiting.rs"]
pub mod waiting;
