//! Where a callback runs: the one object that every function asks.

use crate::record::{Api, Operation};

/// Where the callbacks that a call causes may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Delivery {
    /// As measured on Windows: ReceiveResponse, QueryDataAvailable, ReadData and the operations of web sockets end
    /// inside the call when they can, SendRequest and WriteData on a worker (sources inline.measured, ws.inside).
    #[default]
    Windows,
    /// Always on a worker thread.
    Worker,
    /// Inside the call whenever that is possible.
    Inside,
}

/// The delivery policy of a session and of everything made from it. `Policy::default` is what was measured on Windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Where callbacks run.
    pub delivery: Delivery,
    /// Whether SENDREQUEST_COMPLETE of a request whose whole body was given to SendRequest waits until the head of the
    /// reply is there or its time is up; ReceiveResponse then ends inside the call (source send.held).
    pub hold_send: bool,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy { delivery: Delivery::Windows, hold_send: true }
    }
}

impl Policy {
    /// Whether what the call that starts `operation` brings about may be delivered before it returns.
    pub fn inside(self, operation: Operation) -> bool {
        match self.delivery {
            Delivery::Windows => !matches!(operation, Operation::Api(Api::SEND_REQUEST | Api::WRITE_DATA)),
            Delivery::Worker => false,
            Delivery::Inside => true,
        }
    }

    /// Whether HANDLE_CLOSING may be delivered inside WinHttpCloseHandle.
    pub fn closing_inside(self) -> bool {
        self.delivery != Delivery::Worker
    }
}
