#![allow(clippy::unwrap_used)]

use super::*;

/// Looks one after another; which of them found the path dead.
fn looks(seen: &[(u64, u64)]) -> Vec<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _inside = runtime.enter();
    let mut watch = Watch::new(SocketAddr::from(([127, 0, 0, 1], 1)), Duration::from_secs(1));
    seen.iter().map(|(asked, answers)| watch.is_dead(*asked, *answers)).collect()
}

#[test]
fn a_path_that_answers_nothing_is_dead_after_some_looks() {
    let answers = looks(&[(3, 2), (4, 2), (4, 2), (5, 2), (5, 2), (6, 2), (6, 2)]);
    assert_eq!(answers, [false, false, false, false, false, true, true]);
}

#[test]
fn a_quiet_path_is_never_dead() {
    assert_eq!(looks(&[(3, 2); 100]), [false; 100]);
}

#[test]
fn an_answer_begins_the_count_anew() {
    let mut seen = vec![(3, 2), (4, 2), (4, 2), (4, 2), (4, 2), (4, 3)];
    seen.extend([(5, 3), (5, 3), (5, 3), (5, 3), (5, 4), (5, 4)]);
    assert!(looks(&seen).iter().all(|dead| !dead));
}

#[test]
fn an_address_that_did_not_change_is_no_move() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _inside = runtime.enter();
    let mut watch = Watch::new(SocketAddr::from(([127, 0, 0, 1], 1)), Duration::from_secs(1));
    assert!(!watch.moved());
    watch.local = Some(IpAddr::from([192, 0, 2, 7]));
    assert!(watch.moved() && !watch.moved());
}
