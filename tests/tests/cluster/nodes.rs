//! Clients are told where the nodes are (rules `NOD-1` to `NOD-4`): they spread over them, and go on to the next when one is
//! gone, although their invite names one alone.

use super::common::*;
use aside_tests::cluster::NODES;
use aside_tests::{Background, Client, Cluster, wait_for};
use std::collections::BTreeMap;

/// What `whoami` says the relay told, in order.
fn told(client: &Client) -> Vec<String> {
    addresses(client, "nodes")
}

fn addresses(client: &Client, of: &str) -> Vec<String> {
    let me = client.whoami().ok().one();
    let all = me[of].as_array().expect("a list").iter();
    all.map(|address| address.as_str().expect("a text").to_owned()).collect()
}

/// Waits until a client that is not running now was told of these nodes, whatever the order.
#[track_caller]
fn knows(cluster: &Cluster, client: &Client, nodes: &[usize]) {
    let mut wanted: Vec<String> = nodes.iter().map(|&node| cluster.address(node).to_string()).collect();
    wanted.sort();
    wait_for("the client to know the nodes", SOON, || {
        let mut known = told(client);
        known.sort();
        known == wanted || {
            client.recv(&["--timeout", "1s"]);
            false
        }
    });
}

/// The node a client goes to first.
fn home(cluster: &Cluster, client: &Client) -> usize {
    let first = told(client).remove(0);
    (0..NODES).find(|&node| cluster.address(node).to_string() == first).expect("a node")
}

/// How many devices each node has, by its number; none while that cannot be had.
fn connected(cluster: &Cluster) -> Option<BTreeMap<usize, u64>> {
    let status = cluster.status()?;
    let of = |node: &serde_json::Value| {
        Some((node["node"].as_str()?.strip_prefix("node-")?.parse().ok()?, node["connected"].as_u64()?))
    };
    status["nodes"].as_array()?.iter().map(of).collect()
}

#[test]
fn a_client_whose_invite_names_one_node_goes_on_when_that_is_killed() {
    let mut cluster = Cluster::telling(NODES);
    let alice = Client::registered("alice", cluster.invite(0));
    let bob = Client::registered("bob", cluster.invite(0));
    assert_eq!(addresses(&alice, "relay"), [cluster.address(0).to_string()], "the invite names one node");
    for client in [&alice, &bob] {
        knows(&cluster, client, &[0, 1, 2]);
    }
    alice.send("bob", "hello", &["--timeout", "60s"]).ok();
    bob.recv(&["--limit", "1", "--follow", "--timeout", "60s"]).ok();
    cluster.kill_node(0);
    alice.send("bob", "line 0", &["--timeout", "60s"]).ok();
    has_all(&bob, "alice", 1);
    cluster.start_node(0);
    // Now the one where alice is, while she writes.
    let at = home(&cluster, &alice);
    let mut talk = stream(&alice, "bob");
    wait_for("alice to be at home", SOON, || connected(&cluster).is_some_and(|all| all.get(&at) == Some(&1)));
    say(&mut talk, 1..10);
    cluster.kill_node(at);
    say(&mut talk, 10..30);
    talk.hush();
    has_all(&bob, "alice", 30);
    cluster.start_node(at);
    cluster.agree(NODES);
}

#[test]
fn who_is_connected_hears_of_a_node_that_joins_and_needs_no_other() {
    let mut cluster = Cluster::telling(2);
    let alice = Client::registered("alice", cluster.invite(0));
    let bob = Client::registered("bob", cluster.invite(0));
    bob.send("alice", "line 0", &["--timeout", "60s"]).ok();
    let follow = alice.follow();
    let has = |count: usize| follow.lines().iter().filter(|line| line.contains("\"line ")).count() >= count;
    wait_for("the first line", SOON, || has(1));
    knows(&cluster, &bob, &[0, 1]);
    cluster.start_node(2);
    wait_for("the nodes to know of the new one", SOON, || {
        (0..2).all(|node| cluster.log_of(node).contains("told of 3 nodes"))
    });
    // What was told before these is told by then.
    for number in 1..3 {
        bob.send("alice", &format!("line {number}"), &["--timeout", "60s"]).ok();
        wait_for("the next line", SOON, || has(number + 1));
    }
    cluster.kill_node(0);
    cluster.kill_node(1);
    bob.send("alice", "line 3", &["--timeout", "90s"]).ok();
    wait_for("the line by the new node", SOON, || has(4));
    drop(follow);
    assert_eq!(lines(&alice, "bob"), ["line 0", "line 1", "line 2", "line 3"]);
}

#[test]
fn accounts_spread_over_the_nodes_and_leave_one_that_is_drained() {
    let mut cluster = Cluster::telling(NODES);
    let clients: Vec<Client> =
        (0..12).map(|number| Client::registered(&format!("person{number}"), &cluster.new_invite(0))).collect();
    clients.iter().for_each(|client| knows(&cluster, client, &[0, 1, 2]));
    let mut homes: BTreeMap<usize, u64> = (0..NODES).map(|node| (node, 0)).collect();
    clients.iter().for_each(|client| *homes.entry(home(&cluster, client)).or_default() += 1);
    assert!(homes.values().filter(|count| **count > 0).count() > 1, "all at one node: {homes:?}");
    let running: Vec<Background> = clients.iter().map(Client::follow).collect();
    let mut seen = None;
    wait_for("all to be at home", SOON, || {
        seen = connected(&cluster);
        seen.as_ref() == Some(&homes)
    });
    let (&drained, _) = homes.iter().max_by_key(|(_, count)| **count).unwrap();
    cluster.tool(&["drain", &format!("node-{drained}")]).ok();
    wait_for("all to be elsewhere", SOON, || {
        connected(&cluster).is_some_and(|all| all[&drained] == 0 && all.values().sum::<u64>() == 12)
    });
    drop(running);
    let others: Vec<usize> = (0..NODES).filter(|&node| node != drained).collect();
    clients.iter().for_each(|client| knows(&cluster, client, &others));
    cluster.stop_node(drained);
    cluster.start_node(drained);
    clients.iter().for_each(|client| knows(&cluster, client, &[0, 1, 2]));
    cluster.agree(NODES);
}

/// A client takes a relay that knows less than itself for one that has lost something, and sets all chats up again (rule
/// `GAP-4`). So a node that is behind must not answer a login before it has read what the client has.
#[test]
fn a_node_that_is_behind_shows_nobody_the_past() {
    let cluster = Cluster::start();
    let (alice, bob) = two(&cluster, 2, 0);
    for round in 0..3 {
        cluster.signal_node(2, "STOP");
        let text = format!("line {round}");
        bob.send("alice", &text, &["--timeout", "60s"]).ok();
        // At another node: hers does not answer.
        alice.recv(&["--limit", "1", "--follow", "--timeout", "60s"]).ok();
        cluster.signal_node(2, "CONT");
        // At hers, which has not heard of anything since.
        alice.recv(&["--timeout", "2s"]);
        let texts = lines(&alice, "bob");
        assert_eq!(texts.last(), Some(&text), "{texts:?}");
    }
    let history = alice.history("bob", &[]);
    assert!(!history.stdout.contains("lost") && !history.stdout.contains("anew"), "{}", history.stdout);
    cluster.agree(NODES);
}
