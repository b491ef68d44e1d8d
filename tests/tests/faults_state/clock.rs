//! One client's clock a day off: order is by `seq`, and everything is delivered.

use super::common::*;
use aside_tests::{Relay, RelayOptions};

const DAY_MS: i64 = 24 * 3600 * 1000;

fn a_day_off(offset: i64) {
    let relay = Relay::start(RelayOptions::default());
    let mut alice = aside_tests::Client::new("alice");
    alice.set_env("ASIDE_WELCOME_PATIENCE_SECONDS", "1");
    alice.set_env("ASIDE_CLOCK_OFFSET_MS", &offset.to_string());
    alice.register(relay.first_invite()).ok();
    let bob = impatient("bob", relay.first_invite());
    for round in 0..3 {
        let (there, back) = (format!("alice {round}"), format!("bob {round}"));
        say(&alice, &bob, &there);
        hear(&bob, &[&there]);
        say(&bob, &alice, &back);
        hear(&alice, &[&back]);
    }
    let mixed = ["alice 0", "bob 0", "alice 1", "bob 1", "alice 2", "bob 2"];
    for (person, peer) in [(&alice, "bob"), (&bob, "alice")] {
        let shown = history(person, peer);
        assert_eq!(texts_of(&shown), mixed);
        in_order(&shown);
    }
    // Receipts do not depend on the clock either.
    deliver(&alice, &bob, "delivered");
    deliver(&bob, &alice, "delivered too");
    // Nor does coming back to the right time: the clock that was ahead is behind now, and the other way round.
    alice.set_env("ASIDE_CLOCK_OFFSET_MS", "0");
    deliver(&alice, &bob, "corrected");
    deliver(&bob, &alice, "corrected too");
    assert_eq!(told(&history(&bob, "alice"), false), ["alice 0", "alice 1", "alice 2", "delivered", "corrected"]);
    finish(relay);
}

#[test]
fn a_clock_a_day_ahead() {
    a_day_off(DAY_MS);
}

#[test]
fn a_clock_a_day_behind() {
    a_day_off(-DAY_MS);
}
