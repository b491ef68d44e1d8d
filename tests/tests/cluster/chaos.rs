//! Nodes and NATS servers die and come back, one after the other, while many people write in direct chats and in a group:
//! nothing is lost, doubled or out of order, and the replicas stay equal.

use super::common::*;
use aside_tests::cluster::NODES;
use aside_tests::{Background, Client, Cluster, rounds, wait_for};
use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Most of the time between two lines of everybody.
const PAUSE: Duration = Duration::from_millis(400);

#[test]
fn nothing_is_lost_doubled_or_out_of_order_whatever_dies() {
    let (people, seconds) = (rounds(6, 50), rounds(25, 300) as u64);
    // As it is in use: clients are told where the nodes are, and go where they like.
    let mut cluster = Cluster::telling(NODES);
    let clients: Vec<Client> = (0..people)
        .map(|number| {
            let invite = cluster.new_invite(number % NODES);
            Client::registered(&format!("person{number}"), &invite)
        })
        .collect();
    // The last third is in a group, the others are in pairs.
    let in_group = people / 3;
    let pairs = (people - in_group) / 2;
    let group: Vec<usize> = (2 * pairs..people).collect();
    let names: Vec<String> = group.iter().skip(1).map(|&number| format!("person{number}")).collect();
    let mut make = vec!["group", "create", "chaos"];
    make.extend(names.iter().map(String::as_str));
    clients[group[0]].run(&make).ok();
    for &member in &group[1..] {
        wait_for("the group to be known", SOON, || {
            clients[member].run(&["recv", "--timeout", "1s"]);
            clients[member].run(&["chats", "--json"]).stdout.contains("chaos")
        });
    }
    let partner = |number: usize| number ^ 1;
    let paired = (0..2 * pairs).map(|client| clients[client].talk(&format!("person{}", partner(client))));
    let grouped = group.iter().map(|&client| clients[client].talk("#chaos"));
    let mut writers: Vec<Background> = paired.chain(grouped).collect();
    let written = trouble(&mut cluster, &mut writers, Duration::from_secs(seconds));
    for writer in &mut writers {
        writer.hush();
        // What is not sent yet stays in the outbox; the next command sends it.
        writer.wait(SOON);
    }
    for client in &clients {
        wait_for("the outbox to be empty", SOON, || {
            client.run(&["recv", "--timeout", "2s"]);
            let chats = client.run(&["chats", "--json"]).json();
            chats.iter().all(|chat| chat["pending"] == 0)
        });
    }
    for (number, reader) in clients.iter().enumerate().take(2 * pairs) {
        let from = format!("person{}", partner(number));
        has_lines(reader, &from, std::slice::from_ref(&from), written);
    }
    for &reader in &group {
        let others: Vec<String> =
            group.iter().filter(|&&other| other != reader).map(|other| format!("person{other}")).collect();
        has_lines(&clients[reader], "#chaos", &others, written);
    }
    cluster.agree(NODES);
}

/// Waits until a reader has so many lines of each writer, and wants them once and in order.
fn has_lines(reader: &Client, chat: &str, writers: &[String], count: usize) {
    let wanted: Vec<String> = (0..count).map(|number| format!("line {number}")).collect();
    let mut seen = BTreeMap::new();
    wait_for("everything to arrive", SOON, || {
        reader.run(&["recv", "--timeout", "1s"]);
        seen = of(reader, chat);
        writers.iter().all(|from| seen.get(from).is_some_and(|lines: &Vec<String>| lines.len() >= count))
    });
    for from in writers {
        assert_eq!(seen[from], wanted, "{from} to {}", reader.name());
    }
}

/// The lines of each writer in a chat, as a reader has them.
fn of(reader: &Client, chat: &str) -> BTreeMap<String, Vec<String>> {
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in reader.whole_history(chat) {
        if let (Some(from), Some(text)) = (entry["from"].as_str(), entry["text"].as_str())
            && text.starts_with("line ")
        {
            lines.entry(from.to_owned()).or_default().push(text.to_owned());
        }
    }
    lines
}

/// Everybody writes, and one thing after the other dies and comes back. How many lines each has written.
fn trouble(cluster: &mut Cluster, writers: &mut [Background], time: Duration) -> usize {
    let (deadline, mut written, mut fault) = (Instant::now() + time, 0, 0);
    while Instant::now() < deadline {
        let victim = match fault % 3 {
            0 => Victim::Node(cluster.owner()),
            1 => Victim::Nats(fault / 3 % 3),
            _ => Victim::Node((cluster.owner() + 1) % NODES),
        };
        fault += 1;
        written = lines_for(writers, written, 3);
        victim.dies(cluster);
        written = lines_for(writers, written, 5);
        victim.comes_back(cluster);
        wait_for("all of them to be back", SOON, || {
            let status = cluster.status();
            status.is_some_and(|s| s["current"] == 3 && s["nodes"].as_array().is_some_and(|n| n.len() == NODES))
        });
    }
    written
}

fn lines_for(writers: &mut [Background], from: usize, count: usize) -> usize {
    for number in from..from + count {
        writers.iter_mut().for_each(|writer| say(writer, number..number + 1));
        sleep(PAUSE);
    }
    from + count
}

enum Victim {
    Node(usize),
    Nats(usize),
}

impl Victim {
    fn dies(&self, cluster: &mut Cluster) {
        match self {
            Self::Node(node) => cluster.kill_node(*node),
            Self::Nats(server) => cluster.kill_nats(*server),
        }
    }

    fn comes_back(&self, cluster: &mut Cluster) {
        match self {
            Self::Node(node) => cluster.start_node(*node),
            Self::Nats(server) => cluster.start_nats(*server),
        }
    }
}
