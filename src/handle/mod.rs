//! Handles: what a value stands for, who its parent is, what it inherits, and when HANDLE_CLOSING comes
//! (source handle.closing-last).
#![forbid(unsafe_code)]

mod borrowed;
mod commit;
mod driver;
mod lifetime;
mod listener;
mod references;
mod request;
mod resolver;
mod spare;
mod table;
mod waiting;
mod web_socket;
mod worker_task;

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use bytestring::ByteString;
use rustc_hash::FxHashMap;

pub(crate) use borrowed::BorrowedBuffer;
pub(crate) use driver::{CallOutcome, Driver};
use lifetime::Reference;
pub(crate) use listener::Listener;
use listener::Listening;
use references::References;
pub(crate) use request::Request;
pub(crate) use resolver::Resolver;
pub use resolver::decided;
use table::{SHARDS, Shard, Table};
pub(crate) use web_socket::WebSocket;
pub(crate) use worker_task::detect;

use crate::delivery::{DeliveryQueue, DrainBudget, Item, Job, Next, Policy};
use crate::http::cookies::Jar;
use crate::machine::Settings;
use crate::observe::{CheckEvent, RunningCallback, Watch};
use crate::record::Notification;
use crate::sync::{Mutex, RwLock};
use crate::win32::{
    ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE, StatusCallback, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING,
    WINHTTP_CALLBACK_STATUS_HANDLE_CREATED, WINHTTP_HANDLE_TYPE_CONNECT, WINHTTP_HANDLE_TYPE_PROXY_RESOLVER,
    WINHTTP_HANDLE_TYPE_REQUEST, WINHTTP_HANDLE_TYPE_SESSION, WINHTTP_HANDLE_TYPE_WEBSOCKET, Win32Error,
    set_extended_error,
};
use crate::world::World;

/// The handles of the process.
static TABLE: Table = Table([const { RwLock::new(Shard::new()) }; SHARDS]);

/// How many handles of the process are open.
pub(crate) fn open_handles() -> usize {
    TABLE.len()
}

/// A handle whose world is gone is none any more; nobody is told.
#[cfg(feature = "lab")]
pub(crate) fn forget(value: usize) {
    drop(TABLE.remove(value));
}

/// A session: the root of a tree of handles.
pub(crate) struct Session {
    pub agent: Mutex<Option<ByteString>>,
    pub settings: Mutex<Arc<Settings>>,
    pub cookies: Arc<Mutex<Jar>>,
    /// UNLOAD_NOTIFY_EVENT: called after the last HANDLE_CLOSING of the tree.
    pub unloaded: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// The requests and web sockets of its tree.
    machines: Mutex<FxHashMap<u32, Weak<Handle>>>,
    /// How many there have been.
    machines_made: AtomicU32,
    closed: std::sync::atomic::AtomicBool,
}

/// A connection: a server, not a socket.
pub(crate) struct Connection {
    pub host: ByteString,
    pub port: u16,
}

/// What a handle is. Most are requests, which lie in their handle.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Kind {
    Session(Box<Session>),
    Connection(Connection),
    Request(Request),
    Resolver(Box<Resolver>),
    WebSocket(Box<WebSocket>),
}

/// What a handle value stands for.
pub struct Handle {
    value: usize,
    parent: Option<Arc<Handle>>,
    world: Arc<World>,
    policy: Policy,
    asynchronous: bool,
    /// Of a request, resolver or web socket: its place among those of its session, from 1; 0 before it has one.
    number: AtomicU32,
    context: AtomicUsize,
    listening: Listening,
    /// The open handle itself, each child whose HANDLE_CLOSING was not delivered, and calls that hold it open.
    references: References,
    queue: DeliveryQueue,
    kind: Kind,
}

impl Handle {
    /// The open handle with this value, of any type.
    pub(crate) fn find(value: usize) -> Result<Arc<Handle>, Win32Error> {
        TABLE.get(value).ok_or(ERROR_INVALID_HANDLE)
    }

    /// Opens a session.
    pub(crate) fn session(
        world: Arc<World>,
        policy: Policy,
        asynchronous: bool,
        agent: Option<ByteString>,
        settings: Settings,
    ) -> Arc<Handle> {
        TABLE.insert(|value| Handle {
            value,
            parent: None,
            world,
            policy,
            asynchronous,
            number: AtomicU32::new(0),
            context: AtomicUsize::new(0),
            listening: Listening::default(),
            references: References::default(),
            queue: DeliveryQueue::default(),
            kind: Kind::Session(Box::new(Session {
                agent: Mutex::new(agent),
                settings: Mutex::new(Arc::new(settings)),
                cookies: Arc::default(),
                unloaded: Mutex::default(),
                machines: Mutex::default(),
                machines_made: AtomicU32::new(0),
                closed: false.into(),
            })),
        })
    }

    /// Opens a child: it inherits the world, the mode, the context, the callback and its mask.
    fn child(self: &Arc<Handle>, kind: Kind) -> Result<Arc<Handle>, Win32Error> {
        self.child_with(kind, self.context(), self.listener())
    }

    /// Opens a child with its own context, callback and mask.
    fn child_with(
        self: &Arc<Handle>,
        kind: Kind,
        context: usize,
        listener: Listener,
    ) -> Result<Arc<Handle>, Win32Error> {
        self.child_of_mode(kind, context, listener, self.asynchronous)
    }

    fn child_of_mode(
        self: &Arc<Handle>,
        kind: Kind,
        context: usize,
        listener: Listener,
        asynchronous: bool,
    ) -> Result<Arc<Handle>, Win32Error> {
        // The reference is the child's: it ends with the child's HANDLE_CLOSING.
        let reference = Reference::of(self)?;
        let child = TABLE.insert(|value| Handle {
            value,
            parent: Some(Arc::clone(self)),
            world: Arc::clone(&self.world),
            policy: self.policy,
            asynchronous,
            number: AtomicU32::new(0),
            context: AtomicUsize::new(context),
            listening: Listening::new(listener),
            references: References::default(),
            queue: DeliveryQueue::default(),
            kind,
        });
        reference.keep();
        self.tell(&CheckEvent::Child { handle: child.value, context });
        Ok(child)
    }

    /// Opens a connection of this session. HANDLE_CREATED comes through the session (source notify.created).
    pub(crate) fn connection(self: &Arc<Handle>, connection: Connection) -> Result<Arc<Handle>, Win32Error> {
        let child = self.child(Kind::Connection(connection))?;
        self.tell_created(&child);
        Ok(child)
    }

    /// Opens a request of this connection. HANDLE_CREATED comes through the request.
    pub(crate) fn request(self: &Arc<Handle>, request: Request) -> Result<Arc<Handle>, Win32Error> {
        let child = self.child(Kind::Request(request))?;
        child.register();
        child.tell_created(&child);
        Ok(child)
    }

    /// HANDLE_CREATED of `child`, through this handle: before the call returns, unless a callback of this handle runs on
    /// another thread, which then tells it.
    fn tell_created(self: &Arc<Handle>, child: &Arc<Handle>) {
        if !self.wants(WINHTTP_CALLBACK_STATUS_HANDLE_CREATED) {
            return;
        }
        self.queue.offer(Item::Notify(Notification::HandleCreated { handle: child.value }));
        match self.queue.acquire(1, self.world.steps()) {
            Some((next, budget)) => self.deliver(next, budget),
            None => self.send_worker(),
        }
    }

    /// Whether handles were made from it whose HANDLE_CLOSING was not delivered.
    pub(crate) fn has_children(&self) -> bool {
        self.references.shared()
    }

    /// Its operations end with its session.
    fn register(self: &Arc<Handle>) {
        if let Some(session) = self.session_part() {
            let number = session.machines_made.fetch_add(1, Ordering::Relaxed) + 1;
            self.number.store(number, Ordering::Relaxed);
            session.machines.lock().insert(number, Arc::downgrade(self));
            if session.closed.load(Ordering::SeqCst) {
                self.cancel();
            }
        }
    }

    /// The value that the application knows.
    pub(crate) fn value(&self) -> usize {
        self.value
    }

    pub(crate) fn parent(&self) -> Option<&Arc<Handle>> {
        self.parent.as_ref()
    }

    /// Whether it belongs to an asynchronous session.
    pub(crate) fn asynchronous(&self) -> bool {
        self.asynchronous
    }

    pub(crate) fn world(&self) -> &Arc<World> {
        &self.world
    }

    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// WINHTTP_HANDLE_TYPE_*
    pub(crate) fn type_number(&self) -> u32 {
        match self.kind {
            Kind::Session(_) => WINHTTP_HANDLE_TYPE_SESSION,
            Kind::Connection(_) => WINHTTP_HANDLE_TYPE_CONNECT,
            Kind::Request(_) => WINHTTP_HANDLE_TYPE_REQUEST,
            Kind::Resolver(_) => WINHTTP_HANDLE_TYPE_PROXY_RESOLVER,
            Kind::WebSocket(_) => WINHTTP_HANDLE_TYPE_WEBSOCKET,
        }
    }

    pub(crate) fn as_session(&self) -> Result<&Session, Win32Error> {
        match &self.kind {
            Kind::Session(session) => Ok(session),
            _ => Err(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE),
        }
    }

    pub(crate) fn as_connection(&self) -> Result<&Connection, Win32Error> {
        match &self.kind {
            Kind::Connection(connection) => Ok(connection),
            _ => Err(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE),
        }
    }

    pub(crate) fn as_request(&self) -> Result<&Request, Win32Error> {
        match &self.kind {
            Kind::Request(request) => Ok(request),
            _ => Err(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE),
        }
    }

    pub(crate) fn as_resolver(&self) -> Result<&Resolver, Win32Error> {
        match &self.kind {
            Kind::Resolver(resolver) => Ok(resolver),
            _ => Err(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE),
        }
    }

    pub(crate) fn as_web_socket(&self) -> Result<&WebSocket, Win32Error> {
        match &self.kind {
            Kind::WebSocket(socket) => Ok(socket),
            _ => Err(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE),
        }
    }

    /// The session at the root of this handle's tree.
    pub(crate) fn session_part(&self) -> Option<&Session> {
        let mut handle = self;
        while let Some(parent) = &handle.parent {
            handle = parent;
        }
        handle.as_session().ok()
    }

    pub(crate) fn context(&self) -> usize {
        self.context.load(Ordering::SeqCst)
    }

    pub(crate) fn set_context(&self, context: usize) {
        self.context.store(context, Ordering::SeqCst);
        self.tell(&CheckEvent::Bound(context));
    }

    /// Tells whoever looks for mistakes.
    pub(crate) fn tell(&self, event: &CheckEvent) {
        self.world.observers.check(self.value, event);
    }

    /// Does what is done for the observers of its world alone.
    fn for_observers<R: Default>(&self, act: impl FnOnce() -> R) -> R {
        self.world.observers.only(act)
    }

    fn tell_all(&self, events: Vec<CheckEvent>) {
        for event in events {
            self.tell(&event);
        }
    }

    /// What of the memory that is lent to this handle's operations is watched.
    pub(crate) fn watch(&self) -> Watch {
        if self.asynchronous { self.world.observers.watch() } else { Watch::default() }
    }

    pub(crate) fn listener(&self) -> Listener {
        self.listening.get()
    }

    /// Sets the callback; answers the former one.
    pub(crate) fn listen(&self, listener: Listener) -> Option<StatusCallback> {
        self.listening.replace(listener)
    }

    /// Whether the application wants this status.
    fn wants(&self, status: u32) -> bool {
        self.listening.wants(status)
    }

    /// Runs the application's callback on this thread.
    fn notify(&self, notification: &Notification) {
        let status = notification.status();
        let wanted = self.listening.wanted(status);
        let context = self.context();
        let _running = wanted.and_then(|_| {
            self.world.choices.delivers(self.value, notification);
            RunningCallback::begin(&self.world.observers, self.value, context, notification)
        });
        self.give_back(notification);
        if let (Notification::RequestError(_), Kind::Request(request)) = (notification, &self.kind) {
            set_extended_error(request.with(|machine| machine.extended_error()));
        }
        if let Some(callback) = wanted.filter(|_| self.world.choices.calls_back(self.value)) {
            callback.call(self.value, context, status, &notification.payload());
        }
    }

    /// WinHttpCloseHandle. Never waits.
    pub(crate) fn close(value: usize) -> Result<(), Win32Error> {
        let handle = TABLE.remove(value).ok_or(ERROR_INVALID_HANDLE)?;
        let told = handle.wants(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
        handle.tell(&CheckEvent::Closes { told });
        handle.queue.reserve();
        match &handle.kind {
            Kind::Session(session) => {
                session.closed.store(true, Ordering::SeqCst);
                let mut machines: Vec<_> = session.machines.lock().values().filter_map(Weak::upgrade).collect();
                // The oldest first, in each run; values say nothing of that.
                machines.sort_unstable_by_key(|handle| handle.number.load(Ordering::Relaxed));
                for handle in machines {
                    handle.cancel();
                }
                handle.world.transport.end_pool(value);
            }
            Kind::Connection(_) => {}
            Kind::Request(_) | Kind::Resolver(_) | Kind::WebSocket(_) => {
                if let Some(session) = handle.session_part() {
                    session.machines.lock().remove(&handle.number.load(Ordering::Relaxed));
                }
                handle.close_exchange();
            }
        }
        handle.release_reserved();
        Ok(())
    }

    /// Does what is next, and delivers what waits then, within a budget; the thread holds the queue.
    fn deliver(self: &Arc<Handle>, mut next: Next, mut budget: DrainBudget) {
        loop {
            match next {
                Next::Do(item) => {
                    let calls_back = item.calls_back();
                    self.execute(item, calls_back);
                    next = self.queue.next(&mut budget, calls_back);
                }
                Next::Done => return,
                Next::Send => return self.world.spawner.run(Arc::clone(self) as Arc<dyn Job>),
            }
        }
    }

    /// Does it; `counted`: as a callback that has not returned.
    fn execute(self: &Arc<Handle>, item: Item, counted: bool) {
        let lost = Lost { handle: self, counted };
        match item {
            Item::Notify(notification) => self.notify(&notification),
            Item::Closing => self.closed(),
            Item::Proceed(attempt) => self.proceed(attempt),
            Item::FollowRedirect => self.follow_redirect(),
        }
        std::mem::forget(lost);
    }
}

/// What is done for a handle when the doing of an item panics: the item is lost, those behind it are not.
struct Lost<'a> {
    handle: &'a Arc<Handle>,
    counted: bool,
}

impl Drop for Lost<'_> {
    fn drop(&mut self) {
        if self.handle.queue.lose(self.counted) {
            self.handle.world.spawner.run(Arc::clone(self.handle) as Arc<dyn Job>);
        }
    }
}

impl Job for Handle {
    fn run(self: Arc<Handle>) {
        self.deliver(self.queue.worker_arrived(), DrainBudget::All);
    }

    fn handle(&self) -> usize {
        self.value
    }
}
