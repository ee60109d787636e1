//! The words of the record that the queue knows.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Api(u32);

impl Api {
    pub const RECEIVE_RESPONSE: Api = Api(1);
    pub const QUERY_DATA_AVAILABLE: Api = Api(2);
    pub const WRITE_DATA: Api = Api(4);
    pub const SEND_REQUEST: Api = Api(5);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebSocketOperation {
    Send,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Api(Api),
    WebSocket(WebSocketOperation),
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// A notification that is only a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification(pub usize);

/// That of REDIRECT.
pub const REDIRECT: usize = usize::MAX;

impl Notification {
    pub fn is_redirect(&self) -> bool {
        self.0 == REDIRECT
    }
}
