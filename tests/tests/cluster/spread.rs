//! Partitions are spread over the nodes by themselves, move when a node goes and comes, and are where the host wants them.

use super::common::*;
use super::placing::*;
use aside_tests::cluster::{NODES, PARTITIONS};
use aside_tests::{Background, Client, Cluster, wait_for};
use std::time::Duration;

const MANY: u16 = 16;
/// Nodes notice each other, and what is to be elsewhere is handed over.
const SPREAD: Duration = Duration::from_secs(30);

/// Two people at different nodes, one of whom writes to the other.
struct Pair {
    from: Client,
    to: Client,
    place: u16,
    talk: Background,
    follow: Background,
}

impl Pair {
    fn new(cluster: &Cluster, number: usize) -> Self {
        let person = |role: &str, node: usize| {
            Client::registered(&format!("{role}{number}"), &cluster.new_invite((number + node) % NODES))
        };
        let (from, to) = (person("from", 0), person("to", 1));
        let place = between(MANY, &from, &to);
        let (talk, follow) = (from.talk(to.name()), to.follow());
        Self { from, to, place, talk, follow }
    }
}

#[track_caller]
fn spread(cluster: &Cluster, there: &[usize]) {
    let wanted = chosen(MANY, there);
    wait_for("the partitions to be where they belong", SPREAD, || cluster.owners().is_some_and(|now| now == wanted));
}

#[test]
fn partitions_are_spread_and_only_those_of_a_node_that_is_away_move_until_it_is_back() {
    let mut cluster = Cluster::start_over(MANY);
    spread(&cluster, &all());
    let before = chosen(MANY, &all());
    assert!((0..NODES).all(|node| before.contains(&node)), "a node appends to nothing: {before:?}");
    shows(&cluster, &before);
    let mut pairs: Vec<Pair> = (0..4).map(|number| Pair::new(&cluster, number)).collect();
    let say = |pairs: &mut [Pair], from: usize| pairs.iter_mut().for_each(|pair| say(&mut pair.talk, from..from + 10));
    say(&mut pairs, 0);
    pairs.iter().for_each(|pair| hears(&pair.follow, 1));
    let away = before[usize::from(pairs[0].place)];
    cluster.stop_node(away);
    say(&mut pairs, 10);
    spread(&cluster, &without(away));
    let after = chosen(MANY, &without(away));
    assert!(before.iter().zip(&after).all(|(before, after)| *before == away || before == after), "others have moved");
    cluster.start_node(away);
    say(&mut pairs, 20);
    spread(&cluster, &all());
    say(&mut pairs, 30);
    for Pair { from, to, mut talk, mut follow, .. } in pairs {
        hears(&follow, 40);
        talk.hush();
        assert_eq!(talk.wait(SOON), Some(0), "{}", talk.log());
        follow.kill();
        has_all(&to, from.name(), 40);
    }
    cluster.agree(NODES);
}

/// Everybody can see where partitions are, and how far the nodes are that would take over.
fn shows(cluster: &Cluster, owners: &[usize]) {
    let status = cluster.status().unwrap();
    for (partition, owner) in status["partitions"].as_array().unwrap().iter().zip(owners) {
        assert_eq!(partition["owner"], format!("node-{owner}"), "{status}");
        let standbys = partition["standbys"].as_array().unwrap();
        let names: Vec<_> = standbys.iter().map(|standby| standby["node"].as_str().unwrap().to_owned()).collect();
        assert_eq!(names, without(*owner).iter().map(|node| format!("node-{node}")).collect::<Vec<_>>(), "{status}");
        assert!(
            standbys.iter().all(|standby| standby["behind"].as_u64().is_some_and(|behind| behind < 100)),
            "{status}"
        );
        assert!(partition["named"].is_null(), "{status}");
    }
    let text = cluster.tool(&["status"]).ok().stdout;
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<_> = text.lines().map(words).filter(|words| words[0] == "partition").collect();
    assert_eq!(lines.len(), owners.len(), "{text}");
    for (number, (line, owner)) in lines.iter().zip(owners).enumerate() {
        assert_eq!(line[1..3], [number.to_string(), format!("node-{owner};")], "{text}");
        assert_eq!(line.iter().filter(|word| word.starts_with("behind")).count(), NODES - 1, "{text}");
    }
}

#[test]
fn a_partition_stays_at_the_node_that_the_host_has_named_until_the_host_frees_it() {
    let mut cluster = Cluster::start();
    let (alice, bob) = two(&cluster, 0, 1);
    let number = between(PARTITIONS, &alice, &bob);
    let (mut talk, follow) = (stream(&alice, "bob"), bob.follow());
    let home = chosen(PARTITIONS, &all())[usize::from(number)];
    let at = |cluster: &Cluster, node: usize| {
        wait_for("the partition to be there", SPREAD, || partition(cluster, number)["owner"] == format!("node-{node}"));
    };
    at(&cluster, home);
    let named = (home + 1) % NODES;
    let (text, name) = (number.to_string(), format!("node-{named}"));
    say(&mut talk, 0..10);
    cluster.tool(&["move", &text, &name]).ok();
    assert_eq!(partition(&cluster, number)["owner"], *name);
    say(&mut talk, 10..20);
    cluster.stop_node(named);
    at(&cluster, chosen(PARTITIONS, &without(named))[usize::from(number)]);
    assert_eq!(partition(&cluster, number)["named"], *name, "it is expected back");
    say(&mut talk, 20..30);
    cluster.start_node(named);
    at(&cluster, named);
    say(&mut talk, 30..40);
    cluster.tool(&["move", &text]).ok();
    assert!(partition(&cluster, number)["named"].is_null());
    at(&cluster, home);
    say(&mut talk, 40..50);
    hears(&follow, 50);
    drop((talk, follow));
    has_all(&bob, "alice", 50);
    cluster.agree(NODES);
}
