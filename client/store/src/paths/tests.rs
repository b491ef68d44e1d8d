#![allow(clippy::unwrap_used)]

use super::*;
use crate::Store;

const NOW: Millis = Millis(1_800_000_000_000);

fn learn(store: &mut Store, network: u8, kind: PathKind, at: Millis) {
    store.transact::<_, StoreError>(|tx| tx.learn_path(&Hash([network; 32]), kind, at)).unwrap();
}

fn known(store: &mut Store, at: Millis) -> Vec<(Hash, PathKind)> {
    store.read::<_, StoreError>(|tx| tx.paths(at)).unwrap()
}

#[test]
fn the_last_thing_learned_about_a_network_counts_for_a_day() {
    let mut store = Store::in_memory().unwrap();
    learn(&mut store, 1, PathKind::Quic, Millis(NOW.0 - 1));
    learn(&mut store, 1, PathKind::WebSocket, NOW);
    assert_eq!(known(&mut store, NOW), [(Hash([1; 32]), PathKind::WebSocket)]);
    assert_eq!(known(&mut store, Millis(NOW.0 + GOOD_MS - 1)).len(), 1);
    assert_eq!(known(&mut store, Millis(NOW.0 + GOOD_MS)), []);
    assert_eq!(known(&mut store, Millis(NOW.0 - 1)), [], "learned in the future");
}

#[test]
fn only_so_many_networks_are_remembered() {
    let mut store = Store::in_memory().unwrap();
    for network in 0..100 {
        learn(&mut store, network, PathKind::WebSocket, Millis(NOW.0 + u64::from(network)));
    }
    let known = known(&mut store, Millis(NOW.0 + 100));
    assert_eq!(known.len(), MOST as usize);
    assert!(known.iter().all(|(network, _)| network.0[0] >= 36), "the newest");
}
