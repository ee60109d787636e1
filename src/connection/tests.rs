//! The engine by itself: what is asked, what happens, what is answered.

use std::time::Duration;

use super::engine::{Answer, ConnectionId, Demand, Effect, Engine};
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
        engine.ask(NOW, self.0, &self.1, &self.2)
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
