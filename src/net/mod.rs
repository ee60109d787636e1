//! The real transport: tokio, hyper and rustls, glued.
//!
//! hyper's `client::conn` carries HTTP/1.1. Under it lies a [`wire::Wire`] that puts the exact head on the wire, which
//! hyper's header map cannot express, and keeps the bytes of the reply's head as they came.
#![forbid(unsafe_code)]

mod connect;
mod control;
mod exchange;
mod failure;
mod http1;
mod leg;
mod pool;
mod stream;
mod tls;
mod upload;
mod wire;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::{Builder, Handle, Runtime};

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
    fn start(&self, order: Order, sink: Arc<dyn Sink>) -> Arc<dyn Leg> {
        let control = Arc::new(Control::default());
        let leg = leg::Running::new(order, Arc::clone(&control), Arc::clone(&sink), Arc::clone(&self.pool), self.began);
        let runtime = self.runtime().map(|runtime| runtime.handle().clone());
        Arc::new(Started { control, sink, runtime, task: Mutex::new(Some(Box::pin(leg.run()))) })
    }

    fn running(&self) -> usize {
        let running = self.runtime.get().and_then(Option::as_ref);
        // The pool's sweeper is a task too.
        running.map_or(0, |runtime| runtime.metrics().num_alive_tasks() - usize::from(self.pool.swept()))
    }
}

/// A leg before and after it went to the runtime.
struct Started {
    control: Arc<Control>,
    sink: Arc<dyn Sink>,
    runtime: Option<Handle>,
    task: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
}

impl Leg for Started {
    fn go(&self) {
        let Some(mut task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let Some(runtime) = &self.runtime else {
            return self.sink.event(Event::Failed(Failure::from(ERROR_WINHTTP_INTERNAL_ERROR)));
        };
        // The first step is taken here: on a connection from the pool the head is out before the call returns, and no
        // other thread has to wake up first. The runtime goes on from there.
        let pending = {
            let _context = runtime.enter();
            task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
        };
        if pending {
            runtime.spawn(task);
        }
    }

    fn proceed(&self) {
        self.control.tell(|told| told.proceed = true);
    }

    fn write(&self, bytes: Bytes) {
        self.control.tell(|told| told.writes.push_back(bytes));
    }

    fn finish(&self) {
        self.control.tell(|told| told.finish = true);
    }

    fn taken(&self, bytes: usize) {
        self.control.tell(|told| told.taken += bytes);
    }

    fn wake_at(&self, time: Option<Duration>) {
        self.control.tell(|told| told.wake_at = time);
    }

    fn release(&self) {
        self.control.tell(|told| told.dropped = true);
    }
}
