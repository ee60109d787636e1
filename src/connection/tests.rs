//! The engine by itself: what is asked, what happens, what is answered.

use std::time::Duration;

use super::engine::{Answer, ConnectionId, Demand, Effect, Engine};
use super::find::LOOKED;
use super::recent::REMEMBERED;
use super::rules::{Available, Decision, May, Wait, decide};
use crate::transport::{Http2, Tls, TransportRequest};

const NOW: Duration = Duration::from_secs(100);

fn request(change: impl FnOnce(&mut TransportRequest)) -> TransportRequest {
    let mut request = TransportRequest::to("host.test", 80);
    change(&mut request);
    request
}

/// An attempt, numbered by its request's handle.
struct Asker(u64, TransportRequest, Demand);

impl Asker {
    fn new(engine: &mut Engine, handle: usize, change: impl FnOnce(&mut TransportRequest)) -> Asker {
        let request = request(|request| {
            request.handle = handle;
            change(request);
        });
        let demand = engine.demand(&request);
        Asker(handle as u64, request, demand)
    }

    fn ask(&self, engine: &mut Engine) -> Answer {
        engine.ask(NOW, self.0, &self.2)
    }

    fn made(&self, engine: &mut Engine) -> ConnectionId {
        let Answer::Make(connection, _) = self.ask(engine) else { panic!("nothing to make") };
        engine.made(NOW, connection);
        connection
    }
}

fn limited(request: &mut TransportRequest) {
    request.pool_rules.limit = 1;
}

fn over_http2(request: &mut TransportRequest) {
    request.http2 = Some(Http2::default());
    request.tls = Some(Tls::plain());
}

fn effects(engine: &mut Engine) -> Vec<Effect> {
    engine.effects().collect()
}

#[test]
fn the_last_used_connection_is_taken_first_and_the_old_are_closed() {
    let mut engine = Engine::default();
    let asks: Vec<_> = (1..=3).map(|handle| Asker::new(&mut engine, handle, |_| {})).collect();
    let made: Vec<_> = asks.iter().map(|ask| ask.made(&mut engine)).collect();
    for (number, connection) in made.iter().enumerate() {
        assert!(engine.returned(NOW + Duration::from_secs(number as u64), *connection));
    }
    assert_eq!(engine.sweep(NOW + Duration::from_secs(60)), Some(NOW + Duration::from_secs(61)));
    assert_eq!(effects(&mut engine), [Effect::Close(made[0])], "m18: 60 s");
    assert_eq!(asks[0].ask(&mut engine), Answer::Reuse(made[2]));
    engine.expire(NOW, made[2]);
    assert!(!engine.returned(NOW, made[2]), "EXPIRE_CONNECTION");
    assert_eq!(engine.counts(), (1, 0));
}

/// What is learned of servers has a bound, and what was learned last stays: those that a server or a redirect names are as
/// many as it wants.
#[test]
fn servers_are_forgotten() {
    let mut engine = Engine::default();
    let name = |number: usize| {
        request(|request| {
            request.host = format!("{number}.test").into();
            request.pool_rules.limit_1_0 = 1;
            request.pool_rules.limit = 5;
            request.pool_rules.at_first = 2;
        })
    };
    for number in 0..REMEMBERED + 10 {
        let demand = engine.demand(&name(number));
        assert_eq!(demand.ahead, 1, "a server that is new");
        engine.learn(&name(number), true);
        engine.leave(&demand);
    }
    assert_eq!((engine.known.len(), engine.limits.old.len()), (REMEMBERED, REMEMBERED));
    for (number, ahead, limit) in [(REMEMBERED + 9, 0, 1), (10, 0, 1), (0, 1, 5)] {
        let demand = engine.demand(&name(number));
        assert_eq!((demand.ahead, demand.limit.map(|(_, limit)| limit)), (ahead, Some(limit)), "{number}");
    }
    engine.learn(&name(10), false);
    assert_eq!(engine.limits.old.len(), REMEMBERED - 1);
}

#[test]
fn keys_that_differ_share_nothing() {
    let differs: &[fn(&mut TransportRequest)] = &[
        |request| request.host = "other.test".into(),
        |request| request.port = 81,
        |request| request.tls = Some(Tls::plain()),
        |request| request.pool = 7,
        |request| request.network.resolve_as = Some("x".to_owned()),
    ];
    let mut engine = Engine::default();
    let connection = Asker::new(&mut engine, 1, |_| {}).made(&mut engine);
    engine.returned(NOW, connection);
    for differ in differs {
        let other = Asker::new(&mut engine, 2, differ);
        assert!(matches!(other.ask(&mut engine), Answer::Make(..)));
    }
    let same = Asker::new(&mut engine, 3, |request| request.host = "HOST.test".into());
    assert_eq!(same.ask(&mut engine), Answer::Reuse(connection));
}

#[test]
fn who_comes_late_waits_in_line_and_may_give_up() {
    let mut engine = Engine::default();
    let asks: Vec<_> = (1..=4).map(|handle| Asker::new(&mut engine, handle, limited)).collect();
    let connection = asks[0].made(&mut engine);
    for ask in &asks[1..] {
        assert_eq!(ask.ask(&mut engine), Answer::Wait);
    }
    engine.forget(NOW, asks[1].0);
    engine.returned(NOW, connection);
    assert_eq!(effects(&mut engine), [Effect::Answered(3, Answer::Reuse(connection))]);
    engine.gone(NOW, connection);
    let [Effect::Answered(4, Answer::Make(made, 0))] = effects(&mut engine)[..] else { panic!("the fourth is next") };
    engine.gone(NOW, made);
    asks.iter().for_each(|ask| engine.leave(&ask.2));
    assert_eq!(engine.counts(), (0, 0));
}

/// An idle connection that a waiter cannot use makes room, also one of HTTP/2 (issue: a wait of 29 s).
#[test]
fn an_idle_connection_yields_its_place() {
    let mut engine = Engine::default();
    let first = Asker::new(&mut engine, 1, |request| {
        limited(request);
        over_http2(request);
    });
    let Answer::Make(connection, _) = first.ask(&mut engine) else { panic!() };
    engine.made_shared(NOW, connection, 100, true);
    let other = Asker::new(&mut engine, 2, limited);
    assert_eq!(other.ask(&mut engine), Answer::Wait);
    engine.stream_over(NOW, connection);
    let [Effect::Close(closed), Effect::Answered(2, Answer::Make(..))] = effects(&mut engine)[..] else { panic!() };
    assert_eq!(closed, connection);
}

#[test]
fn streams_are_shared_up_to_the_servers_limit() {
    let mut engine = Engine::default();
    let asks: Vec<_> = (1..=4).map(|handle| Asker::new(&mut engine, handle, over_http2)).collect();
    let Answer::Make(connection, _) = asks[0].ask(&mut engine) else { panic!() };
    for ask in &asks[1..] {
        assert_eq!(ask.ask(&mut engine), Answer::Wait, "it may be shared");
    }
    engine.made_shared(NOW, connection, 2, true);
    assert_eq!(effects(&mut engine), [Effect::Answered(2, Answer::Share(connection))]);
    engine.room(NOW, connection, 3);
    assert_eq!(effects(&mut engine), [Effect::Answered(3, Answer::Share(connection))]);
    engine.expire(NOW, connection);
    let [Effect::Answered(4, Answer::Make(other, 0))] = effects(&mut engine)[..] else { panic!("GOAWAY") };
    (0..3).for_each(|_| engine.stream_over(NOW, connection));
    assert_eq!(effects(&mut engine), [Effect::Close(connection)]);
    engine.made(NOW, other);
}

/// A stream that was given away before it was known how many the server takes is given back, and then waited for.
#[test]
fn a_stream_too_many_is_given_back() {
    let mut engine = Engine::default();
    let asks: Vec<_> = (1..=3).map(|handle| Asker::new(&mut engine, handle, over_http2)).collect();
    let Answer::Make(connection, _) = asks[0].ask(&mut engine) else { panic!() };
    engine.made_shared(NOW, connection, 100, true);
    assert_eq!(asks[1].ask(&mut engine), Answer::Share(connection));
    assert!(!engine.bears(NOW, connection, 1));
    assert_eq!(engine.earlier(connection), 0, "it was given in vain");
    assert!(engine.bears(NOW, connection, 1), "the first");
    assert_eq!(asks[1].ask(&mut engine), Answer::Wait);
    assert_eq!(asks[2].ask(&mut engine), Answer::Wait);
    engine.stream_over(NOW, connection);
    assert_eq!(effects(&mut engine), [Effect::Answered(2, Answer::Share(connection))]);
}

/// Others do not wait one after the other for a server that speaks no HTTP/2, or is not there.
#[test]
fn what_turns_out_to_be_no_http_2_holds_nobody_up() {
    for fails in [true, false] {
        let mut engine = Engine::default();
        let asks: Vec<_> = (1..=3).map(|handle| Asker::new(&mut engine, handle, over_http2)).collect();
        let Answer::Make(connection, _) = asks[0].ask(&mut engine) else { panic!() };
        asks[1..].iter().for_each(|ask| assert_eq!(ask.ask(&mut engine), Answer::Wait));
        if fails {
            engine.failed(NOW, connection)
        } else {
            engine.made(NOW, connection)
        }
        let made = effects(&mut engine);
        assert!(matches!(made[..], [Effect::Answered(2, Answer::Make(..)), Effect::Answered(3, Answer::Make(..))]));
    }
}

/// w2: the next request of a handle goes out on the connection of its reply before, or fails with 12184.
#[test]
fn a_handle_waits_for_its_own_drain() {
    let mut engine = Engine::default();
    let before = Asker::new(&mut engine, 1, |_| {});
    let connection = before.made(&mut engine);
    let next = Asker(9, before.1.clone(), before.2.clone());
    assert_eq!(next.ask(&mut engine), Answer::Wait);
    assert!(matches!(Asker::new(&mut engine, 2, |_| {}).ask(&mut engine), Answer::Make(..)), "others do not");
    engine.returned(NOW, connection);
    assert_eq!(effects(&mut engine), [Effect::Answered(9, Answer::Reuse(connection))]);
    let again = Asker(10, before.1.clone(), before.2.clone());
    assert_eq!(again.ask(&mut engine), Answer::Wait);
    engine.overflowed(NOW, connection);
    let [Effect::Answered(10, Answer::Refuse(error))] = effects(&mut engine)[..] else { panic!() };
    assert_eq!(error.0, 12184);
}

/// w2: also if the next attempt asks only when the rest has turned out to be too long.
#[test]
fn a_drain_that_is_over_is_not_forgotten() {
    for (follows, comes, refused) in [(true, true, true), (false, true, false), (true, false, false)] {
        let mut engine = Engine::default();
        let before = Asker::new(&mut engine, 1, |_| {});
        let connection = before.made(&mut engine);
        let number = if follows { engine.follows(1) } else { None };
        engine.overflowed(NOW, connection);
        number.filter(|_| !comes).into_iter().for_each(|number| engine.follows_not(1, number));
        let next = Asker(9, before.1.clone(), before.2.clone());
        let answer = next.ask(&mut engine);
        assert_eq!(matches!(answer, Answer::Refuse(_)), refused, "{answer:?}");
        let again = Asker(10, before.1.clone(), before.2.clone());
        assert!(matches!(again.ask(&mut engine), Answer::Make(..) | Answer::Wait), "once");
    }
}

/// DISABLE_GLOBAL_POOLING: what is idle closes with its session, what is used when it is over.
#[test]
fn a_pool_ends_with_its_session() {
    let mut engine = Engine::default();
    let own = |request: &mut TransportRequest| request.pool = 7;
    let (idle, busy) = (Asker::new(&mut engine, 1, own), Asker::new(&mut engine, 2, own));
    let (idle, busy) = (idle.made(&mut engine), busy.made(&mut engine));
    let other = Asker::new(&mut engine, 3, |_| {}).made(&mut engine);
    engine.returned(NOW, idle);
    engine.end_pool(NOW, 7);
    assert_eq!(effects(&mut engine), [Effect::Close(idle)]);
    assert!(!engine.returned(NOW, busy));
    assert!(engine.returned(NOW, other));
}

/// MATCH_CONNECTION_GUID. m11: with "required" and none that is marked so, a new one gets the mark.
#[test]
fn marks() {
    let (one, two) = ([1; 16], [2; 16]);
    let mut engine = Engine::default();
    let marked = Asker::new(&mut engine, 1, |request| request.pool_rules.mark = Some(one)).made(&mut engine);
    engine.returned(NOW, marked);
    let plain = Asker::new(&mut engine, 2, |request| request.pool_rules.wanted = Some((two, false)));
    assert!(matches!(plain.ask(&mut engine), Answer::Make(..)));
    let required =
        Asker::new(&mut engine, 3, |request| request.pool_rules.wanted = Some((two, true))).made(&mut engine);
    engine.returned(NOW, required);
    let wants = Asker::new(&mut engine, 4, |request| request.pool_rules.wanted = Some((one, true)));
    assert_eq!(wants.ask(&mut engine), Answer::Reuse(marked));
    let wants = Asker::new(&mut engine, 5, |request| request.pool_rules.wanted = Some((two, true)));
    assert_eq!(wants.ask(&mut engine), Answer::Reuse(required));
    assert_eq!(engine.marked("host.test", 80, false, None), [(one, 1), (two, 1)]);
}

/// Whoever waited makes a connection of its server's like others.
#[test]
fn what_is_made_after_a_wait_has_its_mark() {
    let mut engine = Engine::default();
    let first = Asker::new(&mut engine, 1, limited).made(&mut engine);
    let second = Asker::new(&mut engine, 2, |request| {
        limited(request);
        request.pool_rules.mark = Some([1; 16]);
    });
    assert_eq!(second.ask(&mut engine), Answer::Wait);
    engine.gone(NOW, first);
    let [Effect::Answered(2, Answer::Make(made, 0))] = effects(&mut engine)[..] else { panic!("it is next") };
    engine.made(NOW, made);
    assert_eq!(engine.marked("host.test", 80, false, None), [([1; 16], 1)]);
}

fn bits(number: u32) -> impl FnMut() -> bool {
    let mut left = number;
    move || {
        let bit = left & 1 == 1;
        left >>= 1;
        bit
    }
}

/// Every line of the table, for everything that an attempt can meet.
#[test]
fn the_table_keeps_its_promises() {
    for number in 0..1 << 10 {
        let mut bit = bits(number);
        let may = May { take: bit(), share: bit(), queue: bit() };
        let available = Available {
            draining: bit(),
            stream: bit(),
            full: bit(),
            idle: bit(),
            making: bit(),
            room: bit(),
            useless: bit(),
        };
        let shares = may.take && may.share;
        let holds = match decide(available, may) {
            Decision::Share => available.stream && shares && !available.draining,
            Decision::Reuse => available.idle && may.take && !available.draining && !(shares && available.stream),
            Decision::Make => available.room && !(may.take && available.idle),
            Decision::Displace => available.useless && !available.room && !(may.take && available.idle),
            Decision::Wait(Wait::Drain) => available.draining && may.take,
            Decision::Wait(Wait::Stream) => available.full && shares && may.queue,
            Decision::Wait(Wait::Making) => available.making && shares,
            // It waits only if nothing can be had, and nothing made.
            Decision::Wait(Wait::Limit) => !(available.room || available.useless || may.take && available.idle),
        };
        assert!(holds, "{available:?} {may:?} -> {:?}", decide(available, may));
        assert!(
            !(may.take && available.draining) || decide(available, may) == Decision::Wait(Wait::Drain),
            "w2: {available:?}"
        );
    }
}

/// What can happen to an attempt and its connection.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Ask,
    Made,
    Fails,
    Returned,
    Gone,
    Expires,
    Forgets,
}

const HAPPENS: [Happens; 7] =
    [Happens::Ask, Happens::Made, Happens::Fails, Happens::Returned, Happens::Gone, Happens::Expires, Happens::Forgets];

/// Where an attempt of the walk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Out,
    Waits,
    Makes(ConnectionId),
    Has(ConnectionId),
}

/// Three attempts at a server that may have two connections, and whatever happens to them.
struct Walk {
    engine: Engine,
    askers: Vec<Asker>,
    stand: [Stands; 3],
}

impl Walk {
    fn new() -> Walk {
        let mut engine = Engine::default();
        let limited = |request: &mut TransportRequest| request.pool_rules.limit = 2;
        let askers = (1..=3).map(|handle| Asker::new(&mut engine, handle, limited)).collect();
        Walk { engine, askers, stand: [Stands::Out; 3] }
    }

    fn answered(&mut self, number: usize, answer: Answer) {
        self.stand[number] = match answer {
            Answer::Make(connection, _) => Stands::Makes(connection),
            Answer::Reuse(connection) => Stands::Has(connection),
            Answer::Wait => Stands::Waits,
            other => panic!("{other:?} to HTTP/1"),
        };
    }

    /// Whether that can happen now.
    fn happens(&mut self, number: usize, what: Happens) -> bool {
        let engine = &mut self.engine;
        let next = match (what, self.stand[number]) {
            (Happens::Ask, Stands::Out) => {
                let answer = self.askers[number].ask(engine);
                self.answered(number, answer);
                self.stand[number]
            }
            (Happens::Made, Stands::Makes(connection)) => {
                engine.made(NOW, connection);
                Stands::Has(connection)
            }
            (Happens::Fails, Stands::Makes(connection)) => {
                engine.failed(NOW, connection);
                Stands::Out
            }
            (Happens::Returned, Stands::Has(connection)) => {
                engine.returned(NOW, connection);
                Stands::Out
            }
            (Happens::Gone, Stands::Has(connection)) => {
                engine.gone(NOW, connection);
                Stands::Out
            }
            (Happens::Expires, Stands::Has(connection)) => {
                engine.expire(NOW, connection);
                Stands::Has(connection)
            }
            (Happens::Forgets, Stands::Waits) => {
                engine.forget(NOW, self.askers[number].0);
                Stands::Out
            }
            _ => return false,
        };
        self.stand[number] = next;
        for effect in effects(&mut self.engine) {
            if let Effect::Answered(attempt, answer) = effect {
                let waited = attempt as usize - 1;
                assert_eq!(self.stand[waited], Stands::Waits, "an answer to none that waits");
                self.answered(waited, answer);
            }
        }
        true
    }

    fn check(&self, path: &[(usize, Happens)]) {
        let (connections, waiters) = self.engine.counts();
        let has = |stands: &&Stands| matches!(stands, Stands::Makes(_) | Stands::Has(_));
        let used = self.stand.iter().filter(has).count();
        let waiting = self.stand.iter().filter(|stands| **stands == Stands::Waits).count();
        assert!((used..=2).contains(&connections), "{path:?}: {connections} connections, {used} used");
        assert_eq!(waiters, waiting, "{path:?}");
        assert!(waiting == 0 || used == 2, "{path:?}: one waits for nothing");
        let mut carried: Vec<_> = self.stand.iter().filter(has).collect();
        carried.dedup();
        assert_eq!(carried.len(), used, "{path:?}: two have the same");
    }
}

/// Every order of so many things: nobody waits in vain, no limit is passed, no connection carries two.
#[test]
fn whatever_happens_in_whatever_order() {
    fn walk(path: &mut Vec<(usize, Happens)>, left: usize) {
        for number in 0..3 {
            for what in HAPPENS {
                let mut here = Walk::new();
                for (number, what) in path.iter() {
                    here.happens(*number, *what);
                }
                if here.happens(number, what) {
                    path.push((number, what));
                    here.check(path);
                    if left > 1 {
                        walk(path, left - 1);
                    }
                    path.pop();
                }
            }
        }
    }
    walk(&mut Vec::new(), 6);
}

/// Which idle connection is taken: one with the mark that is wanted before one that was used later, and none that was idle for
/// too long.
#[test]
fn the_idle_connection_of_a_mark() {
    let (one, two) = ([1; 16], [2; 16]);
    let rows = [
        ("whatever its mark", None, 3),
        ("the mark that was used last", Some((one, false)), 2),
        ("and no other", Some((one, true)), 2),
        ("none has it", Some(([9; 16], false)), 3),
        ("it is too old", Some((two, false)), 3),
    ];
    for (what, wanted, expected) in rows {
        let mut engine = Engine::default();
        let marks = [Some(two), Some(one), Some(one), None, None];
        let askers: Vec<_> = marks
            .into_iter()
            .enumerate()
            .map(|(number, mark)| {
                Asker::new(&mut engine, number + 1, |request| {
                    request.pool_rules.mark = mark;
                    request.pool_rules.idle = if mark == Some(two) { 1000 } else { 60_000 };
                })
            })
            .collect();
        let made: Vec<_> = askers.iter().map(|asker| asker.made(&mut engine)).collect();
        for number in [0, 4, 1, 2, 3] {
            assert!(engine.returned(NOW - Duration::from_secs(2), made[number]));
        }
        // A connection that is marked while it is idle.
        engine.mark(made[4], one);
        let again = Asker::new(&mut engine, 9, |request| request.pool_rules.wanted = wanted);
        assert_eq!(again.ask(&mut engine), Answer::Reuse(made[expected]), "{what}");
    }
}

/// A connection counts the requests that went over it, and none that it was only offered to.
#[test]
fn what_a_connection_has_carried() {
    let mut engine = Engine::default();
    let asks: Vec<_> = (1..=4).map(|handle| Asker::new(&mut engine, handle, |_| {})).collect();
    let connection = asks[0].made(&mut engine);
    let mut earlier = vec![engine.earlier(connection)];
    engine.returned(NOW, connection);
    for (number, declines) in [(1, true), (2, false), (3, true), (3, false)] {
        let answer = asks[number].ask(&mut engine);
        assert_eq!(answer, Answer::Reuse(connection));
        earlier.push(engine.earlier(connection));
        if declines {
            engine.declined(NOW, answer);
        } else {
            engine.returned(NOW, connection);
        }
    }
    assert_eq!(earlier, [0, 1, 1, 2, 2]);
    let shares: Vec<_> = (5..=7).map(|handle| Asker::new(&mut engine, handle, over_http2)).collect();
    let Answer::Make(shared, _) = shares[0].ask(&mut engine) else { panic!() };
    engine.made_shared(NOW, shared, 100, true);
    for (number, declines) in [(1, true), (2, false)] {
        let answer = shares[number].ask(&mut engine);
        assert_eq!((answer, engine.earlier(shared)), (Answer::Share(shared), 1));
        if declines {
            engine.declined(NOW, answer);
        }
    }
}

/// Finding a connection looks at as many whether ten are idle or ten thousand (issue: every find walked all).
#[test]
fn finding_is_flat() {
    type Change = fn(&mut TransportRequest, usize);
    let looked = |idle: usize, made: Change, asks: Change| {
        let mut engine = Engine::default();
        let askers: Vec<_> =
            (1..=idle).map(|number| Asker::new(&mut engine, number, |request| made(request, number))).collect();
        let made: Vec<_> = askers.iter().map(|asker| asker.made(&mut engine)).collect();
        made.into_iter().for_each(|connection| assert!(engine.returned(NOW, connection)));
        let before = LOOKED.with(|looked| looked.get());
        let again = Asker::new(&mut engine, idle + 1, |request| asks(request, idle));
        let answer = again.ask(&mut engine);
        (LOOKED.with(|looked| looked.get()) - before, matches!(answer, Answer::Reuse(_)))
    };
    fn mark(number: usize) -> [u8; 16] {
        (number as u128).to_be_bytes()
    }
    fn marked(request: &mut TransportRequest, number: usize) {
        request.pool_rules.mark = Some(mark(number));
    }
    let plain: Change = |_, _| {};
    let to_many: Change = |request, number| request.host = format!("host{number}.test").into();
    let limit: Change = |request, _| request.pool_rules.limit = 100_000;
    // Each session has one connection, and may have no other.
    let one_each: Change = |request, number| {
        request.pool_rules.owner = number;
        limited(request);
    };
    fn first_again(request: &mut TransportRequest) {
        request.pool_rules.owner = 1;
        limited(request);
    }
    fn wants(request: &mut TransportRequest, number: usize, required: bool) {
        request.pool_rules.wanted = Some((mark(number), required));
    }
    let rows: [(&str, Change, Change, bool); 11] = [
        ("to one server", plain, plain, true),
        ("to many", to_many, to_many, true),
        ("to one, with a limit", limit, limit, true),
        ("with a limit that is reached", one_each, |request, _| first_again(request), true),
        ("a mark that is wanted", marked, |request, _| wants(request, 1, false), true),
        ("a mark that is required", marked, |request, _| wants(request, 1, true), true),
        ("a mark that no other has", marked, |request, _| wants(request, 0, false), false),
        ("a mark that is required, and no other has", marked, |request, _| wants(request, 0, true), false),
        ("a mark, and none is marked", plain, |request, _| wants(request, 1, false), true),
        ("a mark that is required, and none is marked", plain, |request, _| wants(request, 1, true), false),
        ("any mark", marked, plain, true),
    ];
    for (what, made, asks, reuses) in rows {
        let (few, many) = (looked(10, made, asks), looked(10_000, made, asks));
        assert_eq!(many, few, "{what}");
        assert_eq!(few.1, reuses, "{what}");
    }
}

/// The same of connections of HTTP/2, none of which carries anything; one that was idle for too long is not taken.
#[test]
fn finding_a_stream_is_flat() {
    let looked = |idle: usize, now: Duration| {
        let mut engine = Engine::default();
        let asker = |engine: &mut Engine, number| {
            Asker::new(engine, number, |request| {
                over_http2(request);
                request.http2 = Some(Http2 { queue: false, ..Http2::default() });
            })
        };
        let askers: Vec<_> = (1..=idle).map(|number| asker(&mut engine, number)).collect();
        let made = |asker: &Asker| {
            let Answer::Make(connection, _) = asker.ask(&mut engine) else { panic!("all are full") };
            engine.made_shared(NOW, connection, 1, true);
            connection
        };
        let made: Vec<_> = askers.iter().map(made).collect();
        made.iter().for_each(|connection| engine.stream_over(NOW, *connection));
        let before = LOOKED.with(|looked| looked.get());
        let again = asker(&mut engine, idle + 1);
        let answer = engine.ask(now, again.0, &again.2);
        let shares = matches!(answer, Answer::Share(_));
        (LOOKED.with(|looked| looked.get()) - before, shares, effects(&mut engine).len())
    };
    let (few, many) = (looked(10, NOW), looked(300, NOW));
    assert_eq!(few, many);
    assert!(few.1 && few.2 == 0);
    let (_, shares, closed) = looked(3, NOW + Duration::from_secs(61));
    assert_eq!((shares, closed), (false, 3), "m18: 60 s");
}
