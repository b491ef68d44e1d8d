//! QUIC through a network that treats datagrams badly: nothing lost, nothing twice, order kept, and no new login where
//! none is needed.

use super::common::*;
use aside_tests::{Background, Relay, RelayOptions, Weather, rounds, wait_for};

/// Texts each of the two says.
const EACH: usize = 60;

/// How a client logs that it is logged in by a transport, and by which it begins.
const BY_QUIC: &str = "transport=QUIC";
const BY_WEBSOCKET: &str = "transport=WebSocket";
const QUIC_FIRST: &str = "first=QUIC";
const WEBSOCKET_FIRST: &str = "first=WebSocket";

/// Two people whose clients log what the transport does, on a relay behind both proxies. So far they know it by QUIC
/// alone: on a busy machine the WebSocket might be answered first, and be what they begin with from then on.
fn logging_pair() -> Pair {
    let relay = Relay::start(RelayOptions::both_proxied());
    relay.proxy().refuse(true);
    let mut pair = Pair::at(relay);
    for client in [&mut pair.alice, &mut pair.bob] {
        client.set_env("ASIDE_LOG", "aside_transport=debug");
        client.set_env("NO_COLOR", "1");
    }
    pair
}

/// How often a client logged this.
fn logged(client: &Background, what: &str) -> usize {
    client.log().lines().filter(|line| line.contains(what)).count()
}

/// Both talk and have heard each other, by QUIC. From here on there is the WebSocket too.
fn talking(pair: &Pair, alice_says: &[String], bob_says: &[String]) -> (Background, Background) {
    let (mut alice, mut bob) = (pair.alice.talk("bob"), pair.bob.talk("alice"));
    alice.say(&alice_says[..1]);
    wait_heard(&bob, "alice", 1);
    bob.say(&bob_says[..1]);
    wait_heard(&alice, "bob", 1);
    for client in [&alice, &bob] {
        wait_for("QUIC", LONG, || logged(client, BY_QUIC) == 1);
    }
    pair.proxy().refuse(false);
    (alice, bob)
}

/// Ends both, and proves what was said and heard.
fn done(pair: Pair, talks: (Background, Background), alice_says: &[String], bob_says: &[String]) {
    let (alice, bob) = talks;
    assert_texts("what bob's talk printed", &heard(&bob, "alice"), alice_says);
    assert_texts("what alice's talk printed", &heard(&alice, "bob"), bob_says);
    leave(alice);
    leave(bob);
    pair.prove(alice_says, bob_says);
}

#[test]
fn lost_doubled_and_overtaking_datagrams_change_nothing() {
    for seed in 0..rounds(1, 10) {
        let pair = logging_pair();
        let (alice_says, bob_says) = (texts("alice", 0..EACH), texts("bob", 0..EACH));
        let (mut alice, mut bob) = talking(&pair, &alice_says, &bob_says);
        let weather = Weather { lost: 100, twice: 100, late: 0..40 };
        pair.relay.udp().weather(seed as u64, weather);
        alice.say(&alice_says[1..]);
        bob.say(&bob_says[1..]);
        wait_heard(&bob, "alice", EACH);
        wait_heard(&alice, "bob", EACH);
        let counts = pair.relay.udp().counts();
        assert!(counts.lost > 5 && counts.twice > 5, "the weather was bad: {counts:?}");
        for client in [&alice, &bob] {
            assert_eq!(logged(client, "connected"), 1, "the same connection all along:\n{}", client.log());
        }
        pair.relay.udp().calm();
        done(pair, (alice, bob), &alice_says, &bob_says);
    }
}

/// By TCP nobody could come back: the relay is only there for QUIC.
#[test]
fn a_nat_that_gives_out_another_port_keeps_the_session() {
    let pair = logging_pair();
    let (alice_says, bob_says) = (texts("alice", 0..EACH), texts("bob", 0..EACH));
    let (mut alice, mut bob) = talking(&pair, &alice_says, &bob_says);
    pair.proxy().refuse(true);
    for at in (1..EACH).step_by(10) {
        pair.relay.udp().rebind();
        let upto = EACH.min(at + 10);
        alice.say(&alice_says[at..upto]);
        // Who only hears is found at the new port by what it sends itself, acknowledgements at least.
        wait_heard(&bob, "alice", upto);
        bob.say(&bob_says[at..upto]);
        wait_heard(&alice, "bob", upto);
    }
    for client in [&alice, &bob] {
        assert_eq!(logged(client, "connected"), 1, "no new login:\n{}", client.log());
    }
    pair.proxy().refuse(false);
    done(pair, (alice, bob), &alice_says, &bob_says);
}

#[test]
fn without_udp_a_websocket_is_found_and_the_next_process_begins_with_it() {
    let relay = Relay::start(RelayOptions::both_proxied());
    relay.udp().swallow(true);
    let mut alice = aside_tests::Client::new("alice");
    alice.set_env("ASIDE_LOG", "aside_transport=debug");
    alice.set_env("NO_COLOR", "1");
    let log = alice.register(relay.first_invite()).ok().stderr;
    assert!(log.contains(QUIC_FIRST) && log.contains(BY_WEBSOCKET) && !log.contains(BY_QUIC), "{log}");
    assert!(relay.udp().counts().lost > 0, "QUIC was tried");
    let log = alice.recv(&["--timeout", "1s"]).ok().stderr;
    assert!(log.contains(WEBSOCKET_FIRST) && !log.contains(QUIC_FIRST), "{log}");
    // What is asked for outdoes what is remembered.
    relay.udp().swallow(false);
    let log = alice.recv(&["--timeout", "1s", "--transport", "quic"]).ok().stderr;
    assert!(log.contains(BY_QUIC), "{log}");
    relay.finish();
}

#[test]
fn a_path_that_swallows_everything_is_left_and_nothing_is_lost() {
    let pair = logging_pair();
    let (alice_says, bob_says) = (texts("alice", 0..EACH), texts("bob", 0..EACH));
    let (mut alice, mut bob) = talking(&pair, &alice_says, &bob_says);
    let half = EACH / 2;
    alice.say(&alice_says[1..half]);
    bob.say(&bob_says[1..half]);
    pair.relay.udp().swallow(true);
    alice.say(&alice_says[half..]);
    bob.say(&bob_says[half..]);
    wait_heard(&bob, "alice", EACH);
    wait_heard(&alice, "bob", EACH);
    for client in [&alice, &bob] {
        let log = client.log();
        assert!(log.contains("given up") && log.contains(WEBSOCKET_FIRST) && log.contains(BY_WEBSOCKET), "{log}");
    }
    done(pair, (alice, bob), &alice_says, &bob_says);
}

/// The hello is answered, the login is not. Datagrams are so late that there is time to see the one before the other.
#[test]
fn a_path_that_dies_before_the_login_is_left_too() {
    let pair = logging_pair();
    pair.relay.udp().weather(1, Weather { lost: 0, twice: 0, late: 300..301 });
    let mut alice = pair.alice.talk("bob");
    wait_for("the hello", LONG, || logged(&alice, "connected") == 1);
    pair.relay.udp().swallow(true);
    pair.proxy().refuse(false);
    wait_for("another way", LONG, || logged(&alice, BY_WEBSOCKET) == 1);
    assert_eq!(logged(&alice, WEBSOCKET_FIRST), 1, "{}", alice.log());
    pair.relay.udp().calm();
    pair.relay.udp().swallow(false);
    let (mut bob, texts) = (pair.bob.talk("alice"), (texts("alice", 0..1), texts("bob", 0..1)));
    alice.say(&texts.0);
    wait_heard(&bob, "alice", 1);
    bob.say(&texts.1);
    wait_heard(&alice, "bob", 1);
    done(pair, (alice, bob), &texts.0, &texts.1);
}
