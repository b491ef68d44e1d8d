//! Nodes, NATS servers and the ways between them fail and come back, one after the other, while many people write in direct
//! chats and in a group: nothing is lost, doubled or out of order, nobody is left waiting, and the replicas stay equal.

use super::common::*;
use super::stalls::{Stalls, number};
use aside_tests::cluster::NODES;
use aside_tests::{Background, Client, Cluster, Road, rounds, wait_for};
use std::collections::BTreeMap;
use std::ops::Range;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Most of the time between two lines of everybody.
const PAUSE: Duration = Duration::from_millis(400);
/// Kinds of faults.
const KINDS: usize = 4;

/// Everybody, by number. Those below `in_pairs` write to a partner, the others to the group.
struct People {
    clients: Vec<Client>,
    in_pairs: usize,
}

#[test]
fn nothing_is_lost_doubled_or_out_of_order_whatever_fails() {
    let (count, seconds) = (rounds(6, 50), rounds(25, 300) as u64);
    // As it is in use: clients are told where the nodes are, and go where they like.
    let mut cluster = Cluster::start_linked_telling();
    let people = People::meet(&cluster, count);
    let mut writers = people.begin_to_write();
    let mut stalls = Stalls::default();
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < deadline || stalls.faults() < KINDS {
        trouble(&mut cluster, &mut writers, &mut stalls);
    }
    let written = stalls.lines();
    for (reader, writer) in writers.iter().enumerate() {
        let wanted = written * people.heard_by(reader).len();
        let heard = || writer.lines().iter().filter(|line| number(line).is_some()).count();
        wait_for("everything to arrive without a restart", SOON, || heard() >= wanted);
    }
    for writer in &mut writers {
        writer.hush();
        assert_eq!(writer.wait(SOON), Some(0), "{}", writer.log());
    }
    (0..count).for_each(|reader| people.has_all(reader, written));
    cluster.agree(NODES);
    let faults = stalls.faults();
    println!("{faults} faults, {} messages by {count} people: lost, twice, out of order: 0", written * count);
    println!("{}", stalls.tell(&writers));
}

impl People {
    /// They register at all nodes in turn. A third is in a group, the others are in pairs.
    fn meet(cluster: &Cluster, count: usize) -> Self {
        let register = |number: usize| Client::registered(&name(number), &cluster.new_invite(number % NODES));
        let clients: Vec<Client> = (0..count).map(register).collect();
        let in_pairs = (count - count / 3) / 2 * 2;
        let names: Vec<String> = (in_pairs + 1..count).map(name).collect();
        let make = ["group", "create", "chaos"].into_iter().chain(names.iter().map(String::as_str));
        clients[in_pairs].run(&make.collect::<Vec<_>>()).ok();
        for member in &clients[in_pairs + 1..] {
            wait_for("the group to be known", SOON, || {
                member.run(&["recv", "--timeout", "1s"]);
                member.run(&["chats", "--json"]).stdout.contains("chaos")
            });
        }
        Self { clients, in_pairs }
    }

    fn group(&self) -> Range<usize> {
        self.in_pairs..self.clients.len()
    }

    /// In which chat somebody writes.
    fn chat(&self, number: usize) -> String {
        if number < self.in_pairs { name(number ^ 1) } else { "#chaos".to_owned() }
    }

    /// Those whose lines somebody gets.
    fn heard_by(&self, number: usize) -> Vec<String> {
        let group = self.group().filter(|&other| other != number);
        if number < self.in_pairs { vec![name(number ^ 1)] } else { group.map(name).collect() }
    }

    fn begin_to_write(&self) -> Vec<Background> {
        self.clients.iter().enumerate().map(|(number, client)| client.talk(&self.chat(number))).collect()
    }

    /// Somebody has so many lines of everybody in the chat, once and in order.
    fn has_all(&self, reader: usize, count: usize) {
        let wanted: Vec<String> = (0..count).map(|number| format!("line {number}")).collect();
        let mut seen = BTreeMap::<String, Vec<String>>::new();
        for entry in self.clients[reader].whole_history(&self.chat(reader)) {
            if let (Some(from), Some(text)) = (entry["from"].as_str(), entry["text"].as_str())
                && text.starts_with("line ")
            {
                seen.entry(from.to_owned()).or_default().push(text.to_owned());
            }
        }
        for from in self.heard_by(reader) {
            assert_eq!(seen.get(&from), Some(&wanted), "{from} to {}: lost, doubled or out of order", name(reader));
        }
    }
}

fn name(number: usize) -> String {
    format!("person{number}")
}

/// Everybody writes while the next thing fails and comes back.
fn trouble(cluster: &mut Cluster, writers: &mut [Background], stalls: &mut Stalls) {
    let (kind, turn) = (stalls.faults() % KINDS, stalls.faults() / KINDS);
    let victim = match kind {
        0 => Victim::Owner(cluster.owner()),
        1 => Victim::Nats(turn % NODES),
        2 => Victim::Standby((cluster.owner() + 1) % NODES),
        // The way of one that does not append, of two NATS servers, of the one that appends.
        _ if turn % 3 == 1 => Victim::Route(turn % NODES),
        _ => Victim::Way((cluster.owner() + usize::from(turn.is_multiple_of(3))) % NODES),
    };
    stalls.begin(victim.kind());
    say_lines(writers, stalls, 3);
    victim.fails(cluster);
    say_lines(writers, stalls, victim.lines());
    victim.comes_back(cluster);
    wait_for("all of them to be back", SOON, || cluster.is_whole());
}

fn say_lines(writers: &mut [Background], stalls: &mut Stalls, count: usize) {
    for _ in 0..count {
        let number = stalls.lines();
        stalls.say();
        writers.iter_mut().for_each(|writer| say(writer, number..number + 1));
        sleep(PAUSE);
    }
}

/// Which one fails.
enum Victim {
    /// The node that appends is killed.
    Owner(usize),
    /// Another node is.
    Standby(usize),
    /// A NATS server is.
    Nats(usize),
    /// A node's ways to all NATS servers are cut.
    Way(usize),
    /// The way between a NATS server and the next one is.
    Route(usize),
}

impl Victim {
    fn kind(&self) -> &'static str {
        match self {
            Self::Owner(_) => "the node that appends killed",
            Self::Standby(_) => "another node killed",
            Self::Nats(_) => "a NATS server killed",
            Self::Way(_) => "a node's link cut",
            Self::Route(_) => "a link between NATS servers cut",
        }
    }

    /// How many lines are said meanwhile. A node that only lost its way is to notice it.
    fn lines(&self) -> usize {
        if matches!(self, Self::Way(_)) { 20 } else { 5 }
    }

    fn fails(&self, cluster: &mut Cluster) {
        match *self {
            Self::Owner(node) | Self::Standby(node) => cluster.kill_node(node),
            Self::Nats(server) => cluster.kill_nats(server),
            Self::Way(node) => cluster.links().node(node, Road::Cut),
            Self::Route(server) => cluster.links().servers(server, (server + 1) % NODES, Road::Cut),
        }
    }

    fn comes_back(&self, cluster: &mut Cluster) {
        match *self {
            Self::Owner(node) | Self::Standby(node) => cluster.start_node(node),
            Self::Nats(server) => cluster.start_nats(server),
            Self::Way(_) | Self::Route(_) => cluster.links().heal(),
        }
    }
}
