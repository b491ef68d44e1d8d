//! A network that breaks at random bytes while both sides send pipelined messages and renew their keys.

use super::common::*;
use super::evidence::evidence;
use aside_tests::{RelayOptions, rounds, wait_for};

/// Messages each side sends: several times what may be unanswered.
const EACH: usize = 200;
/// Cuts that the tests want to see at least.
const CUTS: usize = 8;

#[test]
fn pipelined_sends_survive_random_cuts_and_stale_answers() {
    let seeds = rounds(2, 12) as u64;
    let stale: usize = (0..seeds).map(pipelined_sends).sum();
    assert!(stale > 0, "no message on its way ever met a commit");
}

/// Returns how many messages and commits were refused as stale.
fn pipelined_sends(seed: u64) -> usize {
    let pair = Pair::restless(RelayOptions::proxied(), 5);
    let (mut alice, mut bob) = (pair.alice.talk("bob"), pair.bob.talk("alice"));
    let (alice_says, bob_says) = (texts("alice", 0..EACH), texts("bob", 0..EACH));
    alice.say(&alice_says[..1]);
    wait_heard(&bob, "alice", 1);
    let connections = pair.proxy().accepted();
    pair.proxy().cut_at_random(seed, 15_000..60_000);
    alice.say(&alice_says[1..]);
    bob.say(&bob_says);
    let done = || heard(&alice, "bob").len() == EACH && heard(&bob, "alice").len() == EACH;
    wait_for("many cuts", LONG, || done() || pair.proxy().accepted() >= connections + 4 * CUTS);
    pair.proxy().calm();
    let cuts = pair.proxy().accepted() - connections;
    wait_heard(&bob, "alice", EACH);
    wait_heard(&alice, "bob", EACH);
    assert_texts("what bob's talk printed", &heard(&bob, "alice"), &alice_says);
    assert_texts("what alice's talk printed", &heard(&alice, "bob"), &bob_says);
    leave(alice);
    leave(bob);
    let evidence = evidence(&pair.relay);
    assert!(cuts >= CUTS && evidence.commits >= 10, "{cuts} cuts, {evidence:?}");
    pair.prove(&alice_says, &bob_says);
    evidence.stale
}
