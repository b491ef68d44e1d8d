//! The network splits, sticks and slows down between nodes and NATS servers, and between NATS servers: nothing that was
//! accepted is lost, nothing is doubled or out of order, who cannot accept says so, and all heals without a restart.

use super::common::*;
use aside_tests::cluster::NODES;
use aside_tests::{Background, Client, Cluster, Road, wait_for};
use std::thread::sleep;
use std::time::Duration;

/// What a test with links begins with: bob follows what alice writes.
struct Scene {
    cluster: Cluster,
    // Her home lasts as long as she talks.
    _alice: Client,
    bob: Client,
    talk: Background,
    follow: Background,
    /// Lines that alice has said, by [`Scene::go_on`].
    said: usize,
}

impl Scene {
    /// Both are where they are to be, and ten lines have passed.
    fn new(cluster: Cluster, alice_at: usize, bob_at: usize) -> Self {
        assert!(cluster.links().taken().iter().all(|&taken| taken > 0), "something goes around the links");
        let (alice, bob) = two(&cluster, alice_at, bob_at);
        let (mut talk, follow) = (stream(&alice, "bob"), bob.follow());
        say(&mut talk, 0..10);
        hears(&follow, 10);
        let wanted = |node| u64::from(node == alice_at) + u64::from(node == bob_at);
        wait_for("both to be where they belong", SOON, || {
            [alice_at, bob_at].into_iter().all(|node| connected(&cluster, node) == wanted(node))
        });
        Self { cluster, _alice: alice, bob, talk, follow, said: 10 }
    }

    /// Alice says ten more lines.
    fn go_on(&mut self, what: &str, pace: Duration) {
        for number in self.said..self.said + 10 {
            say(&mut self.talk, number..number + 1);
            sleep(pace);
        }
        self.said += 10;
        println!("{what}: {} of {} lines have arrived", heard(&self.follow).len(), self.said);
    }

    /// How often bob has heard this.
    fn bob_heard(&self, text: &str) -> usize {
        self.follow.json().iter().filter(|entry| entry["text"] == text).count()
    }

    /// All ways are open again, and so many lines have been said.
    fn heals(mut self, lines: usize) -> Cluster {
        self.cluster.links().heal();
        wait_for("all nodes and NATS servers to be back", SOON, || self.cluster.is_whole());
        hears(&self.follow, lines);
        self.talk.hush();
        assert_eq!(self.talk.wait(SOON), Some(0), "{}", self.talk.log());
        self.follow.kill();
        has_all(&self.bob, "alice", lines);
        self.cluster.agree(NODES);
        self.cluster
    }
}

#[test]
fn a_node_without_nats_sends_its_people_on_and_comes_back_by_itself() {
    let cluster = Cluster::start_linked();
    let owner = cluster.owner();
    let (lonely, other) = ((owner + 1) % NODES, (owner + 2) % NODES);
    let mut scene = Scene::new(cluster, other, lonely);
    scene.cluster.links().node(lonely, Road::Cut);
    say(&mut scene.talk, 10..30);
    says(&scene.cluster, lonely, "does not hear NATS");
    // Only another node can tell bob.
    hears(&scene.follow, 30);
    say(&mut scene.talk, 30..40);
    let cluster = scene.heals(40);
    assert_eq!(cluster.log_of(lonely).matches("this node serves").count(), 2);
    // It serves again: who knows it first is there.
    let carol = Client::registered("carol", &cluster.new_invite(lonely));
    let _follow = carol.follow();
    wait_for("carol to be at the node that is back", SOON, || connected(&cluster, lonely) == 1);
}

#[test]
fn the_node_that_appends_is_cut_off_and_what_it_appends_late_is_refused() {
    let cluster = Cluster::start_linked();
    let mut owner = cluster.owner();
    cluster.move_all(owner);
    let mut scene = Scene::new(cluster, owner, (owner + 1) % NODES);
    let mut said = 10;
    // An append must be on its way when the way is stuck; if the lease was about to be renewed there is none: again.
    for _ in 0..5 {
        scene.cluster.links().node(owner, Road::Stuck);
        say(&mut scene.talk, said..said + 20);
        said += 20;
        wait_for("another node to append", SOON, || scene.cluster.owner() != owner);
        // Those at the node that is cut off go on to another one.
        hears(&scene.follow, said);
        scene.cluster.links().node(owner, Road::Open);
        wait_for("the older one to stop appending", SOON, || {
            let log = scene.cluster.log_of(owner);
            log.contains("another node appends; this one stops") || log.contains("the lease is lost")
        });
        wait_for("all nodes to be back", SOON, || scene.cluster.is_whole());
        if scene.cluster.log_of(owner).contains("another node appends; this one stops") {
            break;
        }
        owner = scene.cluster.owner();
    }
    let cluster = scene.heals(said);
    let log = cluster.log_of(owner);
    assert!(log.contains("another node appends; this one stops"), "no late append was refused:\n{log}");
}

#[test]
fn a_minority_refuses_the_majority_goes_on_and_both_heal() {
    let cluster = Cluster::start_linked();
    let (few, server) = (cluster.owner(), 0);
    let majority = [cluster.url(1), cluster.url(2)].join(",");
    // Alice is on the minority's side, with the node that appends; bob and carol are not.
    let mut scene = Scene::new(cluster, few, (few + 1) % NODES);
    let carol = Client::registered("carol", &scene.cluster.new_invite((few + 2) % NODES));
    let dave = Client::registered("dave", &scene.cluster.new_invite(few));
    scene.cluster.links().part(few, server, Road::Cut);
    let refused = dave.send("bob", "too early", &["--timeout", "2s"]);
    assert!(matches!(refused.code, Some(3 | 6)), "{refused:?}");
    say(&mut scene.talk, 10..30);
    let sent = carol.send("bob", "from the other side", &["--timeout", "60s"]).ok();
    assert_eq!(sent.one()["status"], "sent", "{sent:?}");
    assert_ne!(scene.cluster.owner_at(&majority), few);
    says(&scene.cluster, few, "does not hear NATS");
    // By now alice has gone on to the majority.
    hears(&scene.follow, 30);
    say(&mut scene.talk, 30..40);
    wait_for("bob to hear carol", SOON, || scene.bob_heard("from the other side") == 1);
    scene.cluster.links().heal();
    // What was not sent stays with dave, and goes out with what he does next; unless bob could not even be looked up.
    dave.send("bob", "later", &["--timeout", "60s"]).ok();
    wait_for("bob to hear dave", SOON, || scene.bob_heard("later") == 1);
    assert_eq!(scene.bob_heard("too early"), usize::from(refused.code == Some(6)), "{refused:?}");
    scene.heals(40);
}

#[test]
fn nats_servers_that_are_cut_from_one_another_accept_nothing_and_heal() {
    let cluster = Cluster::start_linked();
    let owner = cluster.owner();
    let mut scene = Scene::new(cluster, owner, (owner + 1) % NODES);
    let dave = Client::registered("dave", &scene.cluster.new_invite(owner));
    scene.cluster.links().all_servers(Road::Cut);
    say(&mut scene.talk, 10..20);
    let refused = dave.send("bob", "too early", &["--timeout", "8s"]);
    assert!(matches!(refused.code, Some(3 | 6)), "{refused:?}");
    for node in 0..NODES {
        says(&scene.cluster, node, "does not hear NATS");
    }
    assert_eq!(heard(&scene.follow).len(), 10, "somebody accepted without a majority");
    scene.cluster.links().heal();
    dave.send("bob", "later", &["--timeout", "90s"]).ok();
    wait_for("bob to hear dave", SOON, || scene.bob_heard("later") == 1);
    assert_eq!(scene.bob_heard("too early"), usize::from(refused.code == Some(6)), "{refused:?}");
    scene.heals(20);
}

#[test]
fn slow_and_stuck_ways_leave_nobody_waiting() {
    let cluster = Cluster::start_linked();
    let owner = cluster.owner();
    let [one, other] = [(owner + 1) % NODES, (owner + 2) % NODES];
    let mut scene = Scene::new(cluster, one, other);
    let (quick, slow) = (Duration::from_millis(100), Duration::from_millis(500));
    scene.cluster.links().node(one, Road::Slow(slow));
    scene.go_on("a slow node", quick);
    scene.cluster.links().node(other, Road::Slow(slow));
    scene.go_on("two slow nodes", slow);
    // All of them, while it is slow.
    hears(&scene.follow, scene.said);
    scene.cluster.links().heal();
    scene.cluster.links().servers(0, 1, Road::Slow(Duration::from_millis(200)));
    scene.go_on("slow NATS servers", quick);
    // Less than it takes to be noticed, then more: messages between nodes are late, then lost.
    for (what, pace) in [("stuck for 2 s", Duration::from_millis(200)), ("stuck for 8 s", Duration::from_millis(800))] {
        scene.cluster.links().node(one, Road::Stuck);
        scene.go_on(what, pace);
        scene.cluster.links().heal();
        scene.cluster.links().servers(1, 2, Road::Stuck);
        scene.go_on(&format!("NATS servers {what}"), pace);
        scene.cluster.links().heal();
    }
    scene.cluster.links().node(owner, Road::Stuck);
    scene.go_on("the node that appends is stuck", slow);
    let said = scene.said;
    scene.heals(said);
}
