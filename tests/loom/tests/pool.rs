//! Attempts that share the connections of a pool: whoever may have one gets it, however the others go.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::cell::UnsafeCell;
use loom::future::block_on;
use loom::thread;
use winhttp_models::net::Net;
use winhttp_models::net::connect::Connection;
use winhttp_models::net::http2::{Entry, Multiplexed};
use winhttp_models::net::pool::{Got, Lease, PoolClient, Slot};
use winhttp_models::transport::{Http2, PoolRules, Tls, TransportRequest};

/// A thread may be interrupted twice where it need not be.
fn model(run: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(run);
}

/// A request to a server that may have one connection.
fn alone() -> TransportRequest {
    let pool_rules = PoolRules { limit: 1, ..PoolRules::default() };
    TransportRequest { host: "host".into(), keep_alive: true, pool_rules, ..TransportRequest::default() }
}

/// One that shares a connection of HTTP/2.
fn shares() -> TransportRequest {
    let http2 = Http2 { queue: true, require_end: false, window: 1 };
    TransportRequest { http2: Some(http2), tls: Some(Tls::default()), pool_rules: PoolRules::default(), ..alone() }
}

/// What an attempt gets, sooner or later.
fn get(net: &Arc<Net>, request: &TransportRequest) -> Got {
    let mut client = PoolClient::new(net, false);
    let got = client.ask(request).unwrap_or_else(|| block_on(client.wait()));
    got.ok().expect("no attempt is refused")
}

fn counts(net: &Net) -> (usize, usize) {
    net.known(|engine| engine.counts())
}

/// The one connection of a server.
#[derive(Default)]
struct Wire {
    made: AtomicUsize,
    /// Touched by one exchange after the other, or loom complains: nothing but the pool keeps them apart.
    carried: UnsafeCell<usize>,
}

// SAFETY: loom looks at every access to the cell.
unsafe impl Sync for Wire {}
// SAFETY: as above.
unsafe impl Send for Wire {}

impl Wire {
    fn carry(&self) {
        // SAFETY: loom complains if another exchange is here.
        self.carried.with_mut(|carried| unsafe { *carried += 1 });
    }

    fn carried(&self) -> usize {
        // SAFETY: all threads have ended.
        self.carried.with(|carried| unsafe { *carried })
    }

    /// An exchange; its connection goes back to the pool if it is `kept`.
    fn exchange(&self, net: &Arc<Net>, kept: bool) {
        let (lease, connection) = match get(net, &alone()) {
            Got::Idle(lease, connection) => (lease, connection),
            Got::Make(lease, _) => {
                lease.made();
                (lease, Box::new(Connection(self.made.fetch_add(1, Ordering::Relaxed))))
            }
            _ => panic!("HTTP/1 has no streams"),
        };
        self.carry();
        if kept {
            lease.give_back(connection);
        }
    }
}

/// Of the connection that a server may have, each exchange has its turn, whether the ones before it keep or lose it.
#[test]
fn one_connection_carries_one_exchange_at_a_time() {
    for kept in [[true, true], [true, false], [false, false]] {
        model(move || {
            let (net, wire) = (Net::new(), Arc::new(Wire::default()));
            let threads = kept.map(|kept| {
                let (net, wire) = (Arc::clone(&net), Arc::clone(&wire));
                thread::spawn(move || wire.exchange(&net, kept))
            });
            wire.exchange(&net, true);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(wire.carried(), 3);
            let lost = kept.iter().filter(|kept| !**kept).count();
            assert!(wire.made.load(Ordering::Relaxed) <= 1 + lost);
            assert_eq!(counts(&net).1, 0, "nobody waits");
        });
    }
}

/// An attempt gives up while it waits: what it was given at that moment is the next one's.
#[test]
fn what_nobody_takes_is_the_next_ones() {
    model(|| {
        let (net, wire) = (Net::new(), Arc::new(Wire::default()));
        let Got::Make(lease, _) = get(&net, &alone()) else { panic!("there is none yet") };
        lease.made();
        let mut gives_up = PoolClient::new(&net, false);
        assert!(gives_up.ask(&alone()).is_none());
        let (others, next) = (Arc::clone(&net), Arc::clone(&wire));
        let next = thread::spawn(move || next.exchange(&others, true));
        let given_up = thread::spawn(move || drop(gives_up));
        wire.carry();
        lease.give_back(Box::new(Connection(0)));
        next.join().unwrap();
        given_up.join().unwrap();
        assert_eq!((wire.carried(), counts(&net)), (2, (1, 0)));
    });
}

/// What becomes of a connection that is being made.
type Becomes = fn(&Arc<Net>, Lease) -> Option<Slot>;

fn speaks_http2(_net: &Arc<Net>, lease: Lease) -> Option<Slot> {
    let connection = Multiplexed { entry: Entry(lease.id()), streams: 1 };
    lease.made_shared(&Arc::new(connection), true)
}

fn speaks_http1(_net: &Arc<Net>, lease: Lease) -> Option<Slot> {
    lease.made();
    lease.give_back(Box::new(Connection(0)));
    None
}

fn fails(_net: &Arc<Net>, lease: Lease) -> Option<Slot> {
    lease.failed();
    None
}

fn is_given_up(_net: &Arc<Net>, lease: Lease) -> Option<Slot> {
    drop(lease);
    None
}

/// Who waits for what another attempt's connection turns out to be learns it, whatever that is.
#[test]
fn whoever_waits_for_a_connection_hears_of_it() {
    let rows: [(&str, Becomes); 4] =
        [("HTTP/2", speaks_http2), ("HTTP/1", speaks_http1), ("failed", fails), ("given up", is_given_up)];
    for (what, becomes) in rows {
        model(move || {
            let net = Net::new();
            let Got::Make(lease, _) = get(&net, &shares()) else { panic!("there is none yet") };
            let others = Arc::clone(&net);
            let thread = thread::spawn(move || match get(&others, &shares()) {
                Got::Make(lease, _) => drop(lease),
                Got::Idle(lease, connection) => lease.give_back(connection),
                Got::Stream(slot) => drop(slot),
                Got::TooMany => panic!("{what}: the engine knows how many there may be"),
            });
            drop(becomes(&net, lease));
            thread.join().unwrap();
            assert_eq!(counts(&net).1, 0, "{what}");
        });
    }
}

/// A stream that is over is the next one's, and the connection is never given away twice at once.
#[test]
fn a_stream_is_given_on() {
    model(|| {
        let (net, wire) = (Net::new(), Arc::new(Wire::default()));
        let Got::Make(lease, _) = get(&net, &shares()) else { panic!("there is none yet") };
        let first = speaks_http2(&net, lease);
        let threads = [(); 2].map(|()| {
            let (net, wire) = (Arc::clone(&net), Arc::clone(&wire));
            thread::spawn(move || {
                let Got::Stream(slot) = get(&net, &shares()) else { panic!("there is a connection") };
                wire.carry();
                drop(slot);
            })
        });
        wire.carry();
        drop(first);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((wire.carried(), counts(&net)), (3, (1, 0)));
    });
}

/// The models find what they are for: a connection that is used beside its lease.
#[test]
#[should_panic]
fn two_exchanges_at_once_are_found() {
    model(|| {
        let (net, wire) = (Net::new(), Arc::new(Wire::default()));
        let (others, other) = (Arc::clone(&net), Arc::clone(&wire));
        let thread = thread::spawn(move || other.exchange(&others, true));
        wire.carry();
        thread.join().unwrap();
    });
}
