//! Connections that are cut, a relay that is killed, and a transfer that nobody wants any more.

use aside_store::transfers::Direction;
use aside_tests::files::{Person, completed, content, fetch, got_to, of, run, upload};
use aside_tests::{Relay, RelayOptions};
use std::fs;
use std::time::Duration;

#[test]
fn both_ways_get_through_a_network_that_cuts_every_connection() {
    run(async {
        let relay = Relay::start(RelayOptions::proxied());
        let alice = Person::new(&relay.invite(1), "alice");
        let bytes = content(4_000_000);
        alice.put("file", &bytes);
        let agent = alice.agent();
        let handle = agent.handle();
        relay.proxy().cut_at_random(7, 600_000..1_200_000);
        upload(&handle, of(&bytes), "file").await;
        completed(&handle, of(&bytes), Direction::Up).await;
        fetch(&handle, of(&bytes)).await;
        completed(&handle, of(&bytes), Direction::Down).await;
        assert!(fs::read(alice.blobs().join(of(&bytes).id.to_hex())).unwrap() == bytes);
        relay.proxy().calm();
        agent.close(Duration::from_secs(5)).await;
        relay.finish();
    });
}

#[test]
fn an_upload_goes_on_after_the_relay_was_killed() {
    run(async {
        let mut relay = Relay::start(RelayOptions::proxied());
        let alice = Person::new(&relay.invite(1), "alice");
        let bytes = content(24_000_000);
        alice.put("file", &bytes);
        let agent = alice.agent();
        let handle = agent.handle();
        // No connection carries all of it, so that the relay is killed in the middle.
        relay.proxy().cut_at_random(3, 12_000_000..16_000_000);
        upload(&handle, of(&bytes), "file").await;
        got_to(&handle, of(&bytes), Direction::Up, 4_000_000).await;
        relay.kill();
        relay.restart();
        relay.proxy().calm();
        completed(&handle, of(&bytes), Direction::Up).await;
        fetch(&handle, of(&bytes)).await;
        completed(&handle, of(&bytes), Direction::Down).await;
        assert!(fs::read(alice.blobs().join(of(&bytes).id.to_hex())).unwrap() == bytes);
        agent.close(Duration::from_secs(5)).await;
        relay.finish();
    });
}

#[test]
fn one_that_nobody_wants_any_more_ends() {
    run(async {
        let relay = Relay::start(RelayOptions::proxied());
        let alice = Person::new(&relay.invite(1), "alice");
        let bytes = content(8_000_000);
        alice.put("file", &bytes);
        let agent = alice.agent();
        let handle = agent.handle();
        let blob = of(&bytes);
        // It never comes to its end by itself.
        relay.proxy().cut_at_random(3, 200_000..300_000);
        upload(&handle, blob, "file").await;
        got_to(&handle, blob, Direction::Up, 100_000).await;
        handle.step(move |step| step.forget_blob(&blob.id, Direction::Up)).await.unwrap();
        let mut transfers = handle.transfers();
        let gone = transfers.wait_for(|all| all.is_empty());
        tokio::time::timeout(aside_tests::files::PATIENCE, gone).await.expect("it ended").unwrap();
        agent.close(Duration::from_secs(5)).await;
        relay.finish();
    });
}
