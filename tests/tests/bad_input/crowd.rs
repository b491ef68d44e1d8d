//! Hundreds of connections that mean no good: people are served meanwhile, memory stays bounded, all of it ends.

use aside_protocol::limits::{LOGIN_MS, MAX_FRAME};
use aside_tests::raw::{Raw, tls};
use aside_tests::{Client, Relay, RelayOptions, wait_for};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Of each sort.
const CROWD: usize = 120;
/// The most a relay may hold under such a crowd, in KiB: idle it holds about 13 MiB, each connection a few dozen KiB.
const MOST_RSS_KIB: u64 = 64 << 10;
/// What is slow ends within this: the deadline, the relay's tick, and a busy machine.
const SLOW_ENDS: Duration = Duration::from_millis(LOGIN_MS + 20_000);

/// Reads until the relay closes; how long that took.
async fn until_closed(mut stream: impl AsyncReadExt + Unpin) -> Duration {
    let began = Instant::now();
    let _ = timeout(SLOW_ENDS, stream.read_to_end(&mut Vec::new())).await.expect("closed in time");
    began.elapsed()
}

/// Some say nothing at all, some stop in the middle of TLS.
async fn silent(relay: &Relay, all: &mut JoinSet<Duration>) {
    for i in 0..CROWD {
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        if i % 2 == 0 {
            stream.write_all(&[0x16, 3, 1, 0, 200, 1]).await.unwrap();
        }
        all.spawn(until_closed(stream));
    }
}

/// Some stop after TLS, some in the middle of a request.
async fn stuck(relay: &Relay, all: &mut JoinSet<Duration>) {
    for i in 0..CROWD {
        let mut stream = tls(relay).await;
        if i % 2 == 0 {
            stream.write_all(b"GET /v1/ws HTTP/1.1\r\nHost").await.unwrap();
        }
        all.spawn(until_closed(stream));
    }
}

/// These announce the largest frame there is and send a little of it.
async fn promising(relay: &Relay, all: &mut JoinSet<Duration>) {
    for _ in 0..CROWD {
        let mut stream = Raw::connect(relay).await.socket.into_inner();
        let mut head = vec![0x82, 0xff];
        head.extend((MAX_FRAME as u64).to_be_bytes());
        head.extend([1, 2, 3, 4, 5, 6, 7, 8]);
        stream.write_all(&head).await.unwrap();
        all.spawn(until_closed(stream));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_costs_little_and_is_gone_after_the_deadline() {
    let mut relay = Relay::start(RelayOptions::default());
    let (alice, bob) = (Client::registered("alice", relay.first_invite()), Client::new("bob"));
    bob.register(relay.first_invite()).ok();
    let mut all = JoinSet::new();
    silent(&relay, &mut all).await;
    stuck(&relay, &mut all).await;
    promising(&relay, &mut all).await;
    // People talk meanwhile.
    alice.send("bob", "through the crowd", &["--timeout", "60s"]).ok();
    let rss = relay.rss_kib().expect("Linux");
    assert!(rss < MOST_RSS_KIB, "{rss} KiB");
    assert_eq!(bob.recv(&["--timeout", "10s"]).ok().one()["text"], "through the crowd");
    while let Some(ended) = all.join_next().await {
        ended.expect("each ends within the deadline");
    }
    assert!(!relay.process().log().contains("panicked"));
    relay.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_silent_connections_than_handshakes_only_delay_others() {
    let relay = Relay::start(RelayOptions::default());
    let alice = Client::registered("alice", relay.first_invite());
    let bob = Client::registered("bob", relay.first_invite());
    let mut silent = Vec::new();
    for _ in 0..400 {
        silent.push(TcpStream::connect(relay.address()).await.unwrap());
    }
    alice.send("bob", "late but there", &["--timeout", "90s"]).ok();
    drop(silent);
    assert_eq!(bob.recv(&["--timeout", "30s"]).ok().one()["text"], "late but there");
    relay.finish();
}

#[tokio::test]
async fn junk_by_the_hundred_leaves_nothing_behind() {
    let mut relay = Relay::start(RelayOptions::default());
    let alice = Client::registered("alice", relay.first_invite());
    let descriptors = format!("/proc/{}/fd", relay.process().pid());
    let files = || std::fs::read_dir(&descriptors).expect("Linux").count();
    let (rss, open) = (relay.rss_kib().expect("Linux"), files());
    for i in 0..300usize {
        let mut connection = Raw::connect(&relay).await;
        connection.bytes(vec![(i % 256) as u8; 1 + i * 37]).await;
        // Some wait for the fault, some just go.
        if i % 3 == 0 {
            let _ = connection.hear().await;
        }
    }
    wait_for("the relay to close them all", Duration::from_secs(30), || files() <= open + 2);
    let after = relay.rss_kib().expect("Linux");
    assert!(after < rss + (48 << 10), "{rss} KiB before, {after} KiB after");
    assert_eq!(alice.whoami().ok().one()["name"], "alice");
    assert!(alice.recv(&["--timeout", "1s"]).ok().stdout.is_empty());
    relay.finish();
}
