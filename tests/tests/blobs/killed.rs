//! A client that is killed in the middle: this same test program as a process of its own, killed without a warning.

use aside::agent::{Agent, Choice};
use aside_engine::Config;
use aside_protocol::Hash;
use aside_protocol::request::BlobRef;
use aside_store::ProfileFolder;
use aside_store::transfers::Direction;
use aside_tests::files::{PATIENCE, Person, completed, content, fetch, of, run, upload};
use aside_tests::{Relay, RelayOptions};
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PROFILE: &str = "ASIDE_TEST_BLOBS_PROFILE";
const BLOB: &str = "ASIDE_TEST_BLOBS_BLOB";

/// Not a test by itself: what the other process does.
#[test]
fn fetching_process() {
    run(async {
        let Ok(folder) = env::var(PROFILE) else { return };
        let blob = env::var(BLOB).unwrap();
        let (id, size) = blob.split_once(' ').unwrap();
        let blob = BlobRef { id: Hash::from_hex(id).unwrap(), size: size.parse().unwrap() };
        let agent = Agent::open(&ProfileFolder::new(folder), Config::default(), Choice::Auto).unwrap();
        fetch(&agent.handle(), blob).await;
        completed(&agent.handle(), blob, Direction::Down).await;
        // It is killed before; if it is not, the other side fails.
        tokio::time::sleep(PATIENCE).await;
    });
}

fn start(person: &Person, blob: BlobRef) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "killed::fetching_process", "--nocapture"])
        .env(PROFILE, person.folder.path())
        .env(BLOB, format!("{} {}", blob.id.to_hex(), blob.size))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until some of it is there.
fn wait_for_some(part: &Path) -> u64 {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match fs::metadata(part) {
            Ok(file) if file.len() > 0 => return file.len(),
            _ => assert!(Instant::now() < deadline, "nothing arrives"),
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_download_goes_on_in_the_next_process() {
    run(async {
        let relay = Relay::start(RelayOptions::proxied());
        let (alice, bob) = (Person::new(&relay.invite(1), "alice"), Person::new(&relay.invite(1), "bob"));
        let bytes = content(20_000_000);
        let blob = of(&bytes);
        alice.put("file", &bytes);
        let from = alice.agent();
        upload(&from.handle(), blob, "file").await;
        completed(&from.handle(), blob, Direction::Up).await;
        from.close(Duration::from_secs(5)).await;
        // No connection carries all of it, and after the first none is made: it is killed in the middle.
        relay.proxy().cut_at_random(5, 6_000_000..9_000_000);
        let mut process = start(&bob, blob);
        let part = bob.blobs().join(format!("{}.part", blob.id.to_hex()));
        wait_for_some(&part);
        relay.proxy().refuse(true);
        process.kill().unwrap();
        process.wait().unwrap();
        let before = fs::metadata(&part).unwrap().len();
        assert!(before > 0 && before < blob.size, "in the middle, at {before}");
        relay.proxy().refuse(false);
        relay.proxy().calm();
        relay.proxy().start_capture();
        let to = bob.agent();
        completed(&to.handle(), blob, Direction::Down).await;
        assert!(fs::read(bob.blobs().join(blob.id.to_hex())).unwrap() == bytes);
        let crossed = relay.proxy().captured().len() as u64;
        assert!(crossed < blob.size, "only the rest came: {crossed} bytes of {} after {before}", blob.size);
        to.close(Duration::from_secs(5)).await;
        relay.finish();
    });
}
