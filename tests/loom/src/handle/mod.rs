//! The handle table and the references.

/// A handle that is only its value.
pub struct Handle(pub usize);

#[path = "../../../../src/handle/references.rs"]
pub mod references;
#[path = "../../../../src/handle/table.rs"]
pub mod table;
