#![allow(clippy::unwrap_used)]

use super::*;
use aside_protocol::Hash;
use aside_store::Store;

const HERE: Network = Network(Hash([1; 32]));
const THERE: Network = Network(Hash([2; 32]));

fn way(transport: Transport) -> Way {
    Way { transport, network: Some(HERE) }
}

#[test]
fn what_is_learned_is_known_afterwards_and_no_news_any_more() {
    let mut store = Store::in_memory().unwrap();
    let known_now = |store: &mut Store| store.read::<_, EngineError>(known).unwrap();
    let (auto, websocket) = (Choice::Auto, way(Transport::WebSocket));
    let learned = news(auto, &known_now(&mut store), websocket).unwrap();
    store.transact::<_, EngineError>(|tx| learn(tx, learned)).unwrap();
    let after = known_now(&mut store);
    assert_eq!((after.get(&HERE), after.get(&THERE)), (Some(Transport::WebSocket), None));
    assert_eq!(news(auto, &after, websocket), None);
    assert_eq!(news(auto, &after, way(Transport::Quic)), Some((HERE, Transport::Quic)));
}

#[test]
fn that_quic_works_or_was_asked_for_is_no_news() {
    assert_eq!(news(Choice::Auto, &Known::default(), way(Transport::Quic)), None);
    let only = Choice::Only(Transport::WebSocket);
    assert_eq!(news(only, &Known::default(), way(Transport::WebSocket)), None);
}

#[test]
fn a_way_that_died_makes_the_other_transport_go_first_there() {
    let plan = plan(Choice::Auto, Known::default(), Some(way(Transport::Quic)));
    assert_eq!((plan.known.get(&HERE), plan.known.get(&THERE)), (Some(Transport::WebSocket), None));
}
