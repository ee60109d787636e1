//! Peers on real sockets, in the real world.

use std::cell::Cell;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use super::authority::{Authority, Issued};
use super::fault::{Armed, FaultKind, FaultTrigger, Stage};
use super::gate::Gate;
use super::peer::{Handler, Peer};
use super::raw::{RawConnection, RawPipe};
use super::served::{BytesMeet, Io, ServerHost, bridge, receive};
use super::world::Origin;
use crate::net::failure::Injected;
use crate::net::mapped::{Before, Mapped, map};
use crate::net::runtime::Boxed;
use crate::real::open_openly;
use crate::sync::{Mutex, MutexGuard};
use crate::win32::Win32Error;

/// One plays at a time in a process; others wait.
static PLAYING: Mutex<()> = Mutex::new(());

thread_local! {
    static MINE: Cell<bool> = const { Cell::new(false) };
}

/// Peers on loopback sockets, for programs that cannot run in a [`Sim`](super::Sim), for example because they bring their own
/// executor. Threads, sockets and time are real.
///
/// While it lives, every thread of the process finds the hosts of its peers: `https://api.test` leads to a port of this machine, with
/// a certificate that is trusted for this host alone. Other hosts are found as always. Dropping it checks the expectations of its
/// peers, as a Sim does.
///
/// Only one exists at a time in a process: making another one waits, so that parallel tests may use the same hosts.
///
/// Faults at [`Stage::Resolve`] and [`Stage::Connect`] strike as in a Sim. At [`Stage::Tls`] only 12030 and 12175 are possible, and
/// later only a connection that closes or breaks (12030). Other errors, and faults at [`Stage::Send`] and [`Stage::Write`], are not
/// possible on sockets: they are complaints at the end. Use gates from [`Live::gate`].
///
/// ```
/// use portable_winhttp::lab::{Live, Reply, get};
///
/// let live = Live::new();
/// live.peer("https://api.test").on(get("/items")).reply(Reply::ok().body("hello")).expect(0);
/// // ... the code under test, on any threads ...
/// ```
pub struct Live {
    /// Before the sockets: nobody is led to one that is gone.
    mapped: Mutex<Vec<Mapped>>,
    peers: Mutex<Vec<Peer>>,
    place: Arc<OnSockets>,
    runtime: Option<Runtime>,
    _playing: MutexGuard<'static, ()>,
}

struct OnSockets {
    handle: Handle,
    authority: Authority,
    issued: Mutex<HashMap<(String, u32), Issued>>,
    /// Whom proxies connect to.
    servers: Mutex<Vec<(Origin, Peer)>>,
    /// What threads that play peers byte by byte have failed with, and what faults could not do.
    failures: Arc<Mutex<Vec<String>>>,
}

impl Default for Live {
    fn default() -> Live {
        Live::new()
    }
}

impl Live {
    /// Starts without peers. Waits while another thread has one.
    ///
    /// # Panics
    /// If this thread has one already, or no thread can be started.
    pub fn new() -> Live {
        assert!(!MINE.get(), "this thread has a Live already: it would wait for ever");
        let playing = PLAYING.lock();
        MINE.set(true);
        open_openly();
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("lab live").enable_all().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("no thread can be started: {error}"));
        let (handle, authority) = (runtime.handle().clone(), Authority::new());
        let place = Arc::new(OnSockets {
            handle,
            authority,
            issued: Mutex::default(),
            servers: Mutex::default(),
            failures: Arc::default(),
        });
        Live { mapped: Mutex::default(), peers: Mutex::default(), place, runtime: Some(runtime), _playing: playing }
    }

    /// Adds a scripted server at an origin like `https://api.test`. At an origin that has a server already, this is that server.
    ///
    /// # Panics
    /// If the text is not an http or https origin, or another `Live` has a peer at it.
    #[track_caller]
    pub fn peer(&self, origin: &str) -> Peer {
        let place = super::peer::origin(origin);
        let known = self.place.servers.lock().iter().find(|(known, _)| *known == place).map(|(_, peer)| peer.clone());
        if let Some(peer) = known {
            return peer;
        }
        let (secure, host, port) = place;
        let peer = Peer::new(origin);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = listener.unwrap_or_else(|error| panic!("no socket can listen on 127.0.0.1: {error}"));
        let real = listener.local_addr().unwrap_or_else(|error| panic!("a socket has no address: {error}"));
        let mut peers = self.peers.lock();
        // A name gets an address of the loopback network for itself; an address is itself.
        let named = || IpAddr::from([127, 88, (peers.len() / 250) as u8, 1 + (peers.len() % 250) as u8]);
        let shown = host.parse().unwrap_or_else(|_| named());
        let mapped = map((&host, port), shown, real, self.place.authority.der(), self.before(&peer));
        let Some(mapped) = mapped else { panic!("there is a peer at {origin} already") };
        self.mapped.lock().push(mapped);
        peers.push(peer.clone());
        self.place.servers.lock().push(((secure, host.clone(), port), peer.clone()));
        self.place.handle.spawn(listen(Arc::clone(&self.place), listener, peer.clone(), (secure, host, port)));
        peer
    }

    /// A new gate, closed. The name is for reports.
    pub fn gate(&self, name: &str) -> Gate {
        Gate::live(name)
    }

    /// The certificate of the authority that issued the certificates of all peers (DER).
    pub fn authority(&self) -> Vec<u8> {
        self.place.authority.der()
    }

    /// What a connection meets with before it is made.
    fn before(&self, peer: &Peer) -> Before {
        let (place, peer) = (Arc::clone(&self.place), peer.clone());
        Box::new(move || {
            let (place, peer) = (Arc::clone(&place), peer.clone());
            Box::pin(async move {
                for stage in [Stage::Resolve, Stage::Connect] {
                    super::served::stage(&*place, stage, &peer).await?;
                }
                Ok(())
            })
        })
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.mapped.lock().clear();
        if let Some(runtime) = self.runtime.take() {
            // Its sockets close with its tasks. This thread may be one of another runtime, which must not wait here itself.
            drop(std::thread::spawn(move || runtime.shutdown_timeout(Duration::from_secs(1))).join());
        }
        MINE.set(false);
        let mut complaints: Vec<String> = self.peers.lock().iter().flat_map(Peer::complaints).collect();
        complaints.extend(self.peers.lock().iter().flat_map(|peer| peer.cannot_meet(&[Stage::Send, Stage::Write])));
        complaints.append(&mut self.place.failures.lock());
        if !complaints.is_empty() && !std::thread::panicking() {
            panic!("the peers have complaints:\n  {}", complaints.join("\n  "));
        }
    }
}

async fn listen(place: Arc<OnSockets>, listener: TcpListener, peer: Peer, (secure, host, _): Origin) {
    let listening = listener.set_nonblocking(true).and_then(|()| tokio::net::TcpListener::from_std(listener));
    let Ok(listener) = listening else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, say: others may be given back meanwhile.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (place, peer, host) = (Arc::clone(&place), peer.clone(), secure.then(|| host.clone()));
        place.handle.clone().spawn(async move { receive(place, peer, stream, host).await });
    }
}

impl ServerHost for OnSockets {
    fn sleep(&self, time: Duration) -> Boxed<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn gate(&self, gate: &Gate) -> Boxed<'static, ()> {
        super::served::at_gate(gate, 0)
    }

    fn spawn(&self, task: Boxed<'static, ()>) {
        self.handle.spawn(task);
    }

    fn meets(&self, when: &FaultTrigger, peer: &Peer, of_reply: &mut [Armed]) -> Option<FaultKind> {
        let mut always = |_: &str| true;
        let of_reply = super::fault::first(of_reply, when, "", &mut always);
        of_reply.or(peer.meets(when, &mut always))
    }

    fn in_vain(&self, when: &FaultTrigger, peer: &Peer, of_reply: &mut [Armed]) -> Option<FaultKind> {
        self.meets(when, peer, of_reply)
    }

    fn server(&self, host: &str, port: u16) -> Option<(Peer, Option<String>)> {
        let servers = self.servers.lock();
        let named = |(_, of, at): &Origin| of.eq_ignore_ascii_case(host) && *at == port;
        let ((secure, host, _), peer) = servers.iter().find(|(origin, _)| named(origin))?;
        Some((peer.clone(), secure.then(|| host.clone())))
    }

    /// Nobody chooses here: half of them.
    fn length(&self, bytes: usize) -> usize {
        bytes.div_ceil(2)
    }

    fn brings(&self, Injected(wanted): Injected, peer: &Peer, error: Win32Error) {
        if wanted.error != error {
            let said =
                format!("{}: over a socket a fault cannot bring {}, but {}", peer.origin(), wanted.error.0, error.0);
            self.failures.lock().push(said);
        }
    }

    fn certificate(&self, host: &str, faults: u32) -> Issued {
        super::served::certificate(&self.authority, &mut self.issued.lock(), host, faults)
    }

    fn complain(&self, what: String) {
        self.failures.lock().push(what);
    }

    fn play(&self, handler: Handler, io: Box<dyn Io>, early: Vec<u8>, meets: BytesMeet) {
        let pipe = RawPipe::live();
        self.handle.spawn(bridge(Arc::clone(&pipe), io, &early, meets));
        let failures = Arc::clone(&self.failures);
        std::thread::spawn(move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| handler(RawConnection(pipe)))) {
                failures.lock().push(format!("a raw peer panicked: {}", super::raw::words(&*panic)));
            }
        });
    }
}
