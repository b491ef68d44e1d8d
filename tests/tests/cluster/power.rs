//! Power is lost everywhere at once, after the log was cut off: what was not synced at the replicas is gone, and everything
//! that was acknowledged is there.

use super::common::*;
use aside_relay_core::{Core, Location};
use aside_tests::cluster::NODES;
use aside_tests::{Client, Cluster, rounds, search};
use serde_json::Value;
use std::fs::{OpenOptions, remove_file};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What becomes of what a replica has written since it was last stopped in order, none of which is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// All of it is gone.
    All,
    /// The disk has half of it, up to the middle of a page.
    Half,
}

impl Loss {
    fn befalls(self, cluster: &Cluster, node: usize) {
        cluster.databases(node).iter().for_each(|database| self.befalls_one(database));
    }

    fn befalls_one(self, database: &Path) {
        let [wal, shm] = ["db-wal", "db-shm"].map(|extension| database.with_extension(extension));
        remove_file(shm).unwrap();
        if self == Self::All {
            return remove_file(wal).unwrap();
        }
        let wal = OpenOptions::new().write(true).open(wal).unwrap();
        let length = wal.metadata().unwrap().len();
        wal.set_len(length / 2 + 1_000).unwrap();
    }
}

/// How far the logs are applied in what is left of a replica, all partitions together. Looks at a copy.
fn applied(cluster: &Cluster, node: usize) -> u64 {
    let copy = tempfile::tempdir().unwrap();
    search::copy_folder(&cluster.data(node), copy.path());
    let copied = |database: &PathBuf| copy.path().join(database.file_name().unwrap());
    let core = |database: &PathBuf| Core::open(&Location::File(copied(database))).unwrap();
    cluster.databases(node).iter().map(|database| core(database).view().applied().unwrap()).sum()
}

/// All partitions together.
fn sum(of: &Value) -> u64 {
    of.as_array().unwrap().iter().map(|one| one.as_u64().unwrap()).sum()
}

/// Each tells the other these lines, and knows that they are accepted.
fn both_say(alice: &Client, bob: &Client, numbers: Range<usize>) {
    let mut talks = [(alice, "bob"), (bob, "alice")].map(|(from, to)| {
        let mut talk = from.talk(to);
        talk.say(numbers.clone().map(|number| format!("line {number} of {}", from.name())));
        talk
    });
    for talk in &mut talks {
        talk.hush();
        // It ends in order once the relay has accepted everything.
        assert_eq!(talk.wait(SOON), Some(0), "{}", talk.log());
    }
}

/// Both have all lines of the other, once and in order.
fn both_have(alice: &Client, bob: &Client, count: usize) {
    for (reader, from) in [(bob, "alice"), (alice, "bob")] {
        let wanted: Vec<String> = (0..count).map(|number| format!("line {number} of {from}")).collect();
        let theirs = || -> Vec<String> {
            let all = lines(reader, from).into_iter();
            all.filter(|line| line.ends_with(&format!("of {from}"))).collect()
        };
        aside_tests::wait_for("all lines to arrive", SOON, || {
            reader.recv(&["--timeout", "1s", "--follow"]);
            theirs().len() >= count
        });
        assert_eq!(theirs(), wanted, "lost, doubled or out of order");
    }
}

fn restart(cluster: &mut Cluster, node: usize) {
    cluster.stop_node(node);
    cluster.start_node(node);
}

#[test]
fn everything_acknowledged_survives_a_loss_of_power_at_all_replicas_after_a_purge() {
    let mut cluster = Cluster::start();
    let (alice, bob) = two(&cluster, 0, 1);
    let mut said = 0;
    let mut go_on = |count: usize| {
        both_say(&alice, &bob, said..said + count);
        said += count;
        said
    };
    for turn in 0..rounds(1, NODES) {
        let [bare, all, half] = [turn, turn + 1, turn + 2].map(|node| node % NODES);
        go_on(5);
        let cut = sum(&cluster.tool(&["snapshot", "--json"]).ok().one()["positions"]);
        go_on(3);
        // What these two have now is synced; the first one has synced nothing since the snapshot.
        restart(&mut cluster, all);
        restart(&mut cluster, half);
        let total = go_on(6);
        let partitions = cluster.status().unwrap()["partitions"].clone();
        let last = partitions.as_array().unwrap().iter().map(|one| one["last"].as_u64().unwrap()).sum();
        cluster.lose_power();
        Loss::All.befalls(&cluster, bare);
        Loss::All.befalls(&cluster, all);
        Loss::Half.befalls(&cluster, half);
        let [bare_at, all_at, half_at] = [bare, all, half].map(|node| applied(&cluster, node));
        println!("cut off at {cut}, written up to {last}; left are {bare_at}, {all_at} and {half_at}");
        assert!(bare_at < cut && cut <= all_at && all_at < half_at && half_at < last, "each loses something else");
        cluster.power_returns();
        both_have(&alice, &bob, total);
        cluster.agree(NODES);
    }
    let total = go_on(1);
    both_have(&alice, &bob, total);
}
