//! What a relay tells of its nodes.

use super::*;

fn texts(addresses: &[&str]) -> Vec<String> {
    addresses.iter().map(|address| (*address).to_owned()).collect()
}

fn learned(store: &mut Store, told: &[String]) -> Vec<String> {
    let learn = |tx: &Tx| {
        tx.learn_nodes(told)?;
        tx.nodes()
    };
    store.transact::<_, StoreError>(learn).unwrap()
}

#[test]
fn what_was_told_last_counts_in_its_order() {
    let mut store = Store::in_memory().unwrap();
    assert!(store.read::<_, StoreError>(|tx| tx.nodes()).unwrap().is_empty());
    for told in [texts(&["b:1", "a:1", "[::1]:2"]), texts(&["a:1", "b:1"]), texts(&[])] {
        assert_eq!(learned(&mut store, &told), told);
    }
}

#[test]
fn what_is_no_address_or_comes_twice_or_is_too_much_is_left_out() {
    let mut store = Store::in_memory().unwrap();
    let odd = texts(&["a:1", "no address", "\x1b[2J:1", "a:1", "b:70000", "b:7"]);
    assert_eq!(learned(&mut store, &odd), ["a:1", "b:7"]);
    let many: Vec<String> = (0..100).map(|number| format!("n{number}:1")).collect();
    assert_eq!(learned(&mut store, &many), many[..32]);
}
