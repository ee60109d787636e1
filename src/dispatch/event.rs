//! stub
pub(crate) fn signal(_handle: usize) -> bool {
    false
}
