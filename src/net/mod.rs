//! The real transport: tokio, hyper and rustls, glued.
//!
//! hyper's `client::conn` carries HTTP/1.1. Under it lies a [`wire::Wire`] that puts the exact head on the wire, which
//! hyper's header map cannot express, and keeps the bytes of the reply's head as they came.
#![forbid(unsafe_code)]

mod connect;
mod control;
mod exchange;
mod failure;
mod leg;
mod pool;
mod tls;
mod upload;
mod wire;

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};

use crate::transport::{Event, Failure, Leg, Order, Sink, Transport};
use crate::win32::ERROR_WINHTTP_INTERNAL_ERROR;
use control::Control;

/// The network of the process.
pub struct Net {
    runtime: OnceLock<Option<Runtime>>,
    pool: Arc<pool::Pool>,
    began: Instant,
}

impl Net {
    /// A network whose clock began at this time. Its threads are started by the first request.
    pub fn new(began: Instant) -> Net {
        Net { runtime: OnceLock::new(), pool: Arc::default(), began }
    }

    fn runtime(&self) -> Option<&Runtime> {
        let start =
            || Builder::new_multi_thread().worker_threads(2).thread_name("winhttp net").enable_all().build().ok();
        self.runtime.get_or_init(start).as_ref()
    }
}

impl Transport for Net {
    fn start(&self, order: Order, sink: Arc<dyn Sink>) -> Box<dyn Leg> {
        let control = Arc::new(Control::default());
        match self.runtime() {
            Some(runtime) => {
                let leg = leg::Running::new(order, Arc::clone(&control), sink, Arc::clone(&self.pool), self.began);
                runtime.spawn(leg.run());
            }
            // The caller holds its handle's lock: the failure has to come from another thread.
            None => {
                let fail = move || sink.event(Event::Failed(Failure::from(ERROR_WINHTTP_INTERNAL_ERROR)));
                drop(std::thread::Builder::new().spawn(fail));
            }
        }
        Box::new(control::Held(control))
    }

    fn running(&self) -> usize {
        let running = self.runtime.get().and_then(Option::as_ref);
        // The pool's sweeper is a task too.
        running.map_or(0, |runtime| runtime.metrics().num_alive_tasks() - usize::from(self.pool.swept()))
    }
}
