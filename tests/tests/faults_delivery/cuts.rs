//! A network that breaks at random bytes while both sides send pipelined messages and renew their keys.

use super::common::*;
use super::evidence::evidence;
use aside_tests::{RelayOptions, rounds};

/// Messages each side sends at once: several times what may be unanswered.
const EACH: usize = 200;
/// Messages each side sends at a time after that, while there was not enough of what the test is about.
const MORE: usize = 80;
/// Messages each side sends at most; there is enough long before, unless something keeps it from happening.
const MOST: usize = EACH + 20 * MORE;
/// Cuts and commits that there must be at least, beside a message or commit that was refused as stale.
const CUTS: usize = 8;
const COMMITS: usize = 10;

#[test]
fn pipelined_sends_survive_random_cuts_and_stale_answers() {
    for seed in 0..rounds(2, 12) as u64 {
        pipelined_sends(seed);
    }
}

/// When connections break, and which messages meet a commit, is a matter of chance and of how busy the machine is. So
/// both go on writing until it has happened.
fn pipelined_sends(seed: u64) {
    let pair = Pair::restless(RelayOptions::proxied(), 5);
    let (mut alice, mut bob) = (pair.alice.talk("bob"), pair.bob.talk("alice"));
    let (alice_says, bob_says) = (texts("alice", 0..MOST), texts("bob", 0..MOST));
    alice.say(&alice_says[..1]);
    bob.say(&bob_says[..1]);
    wait_heard(&bob, "alice", 1);
    wait_heard(&alice, "bob", 1);
    let connections = pair.proxy().accepted();
    pair.proxy().cut_at_random(seed, 15_000..60_000);
    let (mut said, mut upto) = (1, EACH);
    while said < upto {
        alice.say(&alice_says[said..upto]);
        bob.say(&bob_says[said..upto]);
        wait_heard(&bob, "alice", upto);
        wait_heard(&alice, "bob", upto);
        said = upto;
        let (cuts, found) = (pair.proxy().accepted() - connections, evidence(&pair.relay));
        if cuts < CUTS || found.commits < COMMITS || found.stale == 0 {
            upto += MORE;
            assert!(upto <= MOST, "{said} texts each brought no more than {cuts} cuts and {found:?}");
        }
    }
    pair.proxy().calm();
    let (alice_says, bob_says) = (&alice_says[..said], &bob_says[..said]);
    assert_texts("what bob's talk printed", &heard(&bob, "alice"), alice_says);
    assert_texts("what alice's talk printed", &heard(&alice, "bob"), bob_says);
    leave(alice);
    leave(bob);
    pair.prove(alice_says, bob_says);
}
