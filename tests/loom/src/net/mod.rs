//! The pool of connections, of a network whose time stands still.

#[path = "../../../../src/net/pool.rs"]
pub mod pool;

use std::sync::Arc;

use pool::Pool;

#[derive(Default)]
pub struct Net {
    runtime: runtime::Runtime,
    pool: Pool,
}

impl Net {
    pub fn new() -> Arc<Net> {
        Arc::default()
    }
}

mod runtime {
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    #[derive(Default)]
    pub struct Runtime;

    impl Runtime {
        pub fn now(&self) -> Duration {
            Duration::ZERO
        }

        pub fn timer(&self) -> Timer {
            Timer
        }

        /// Nothing lies idle for too long.
        pub fn spawn(&self, _task: Pin<Box<dyn Future<Output = ()> + Send>>) {}
    }

    pub struct Timer;

    impl Timer {
        pub fn set_idle(&mut self, _time: Duration) {}

        pub fn poll(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
            Poll::Pending
        }
    }
}

pub mod connect {
    /// A connection that is only its number.
    #[derive(Debug)]
    pub struct Connection(pub usize);
}

pub mod http2 {
    use crate::connection::ConnectionId;

    /// A connection of HTTP/2 that takes so many streams.
    #[derive(Debug)]
    pub struct Multiplexed {
        pub entry: Entry,
        pub streams: usize,
    }

    #[derive(Debug)]
    pub struct Entry(pub ConnectionId);

    impl Entry {
        pub fn id(&self) -> ConnectionId {
            self.0
        }
    }

    impl Multiplexed {
        pub fn room(&self) -> usize {
            self.streams
        }
    }
}
