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

/// One who writes lines, and to whom.
struct Writer {
    client: usize,
    to: String,
    talk: Background,
}

#[test]
fn nothing_is_lost_doubled_or_out_of_order_whatever_dies() {
    let (people, seconds) = (rounds(6, 50), rounds(25, 300) as u64);
    let mut cluster = Cluster::start();
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
    let mut writers: Vec<Writer> = Vec::new();
    for client in 0..2 * pairs {
        let to = format!("person{}", partner(client));
        writers.push(Writer { client, talk: clients[client].talk(&to), to });
    }
    for &client in &group {
        writers.push(Writer { client, talk: clients[client].talk("#chaos"), to: "#chaos".into() });
    }
    let written = trouble(&mut cluster, &mut writers, Duration::from_secs(seconds));
    for writer in &mut writers {
        writer.talk.hush();
        // What is not sent yet stays in the outbox; the next command sends it.
        writer.talk.wait(SOON);
    }
    for client in &clients {
        wait_for("the outbox to be empty", SOON, || {
            client.run(&["recv", "--timeout", "2s"]);
            let chats = client.run(&["chats", "--json"]).json();
            chats.iter().all(|chat| chat["pending"] == 0)
        });
    }
    for writer in &writers {
        let readers: Vec<usize> = match writer.to.as_str() {
            "#chaos" => group.iter().copied().filter(|&other| other != writer.client).collect(),
            _ => vec![partner(writer.client)],
        };
        let chat = |reader: usize| match writer.to.as_str() {
            "#chaos" => "#chaos".to_owned(),
            _ => format!("person{}", partner(reader)),
        };
        for reader in readers {
            let wanted: Vec<String> = (0..written).map(|number| format!("line {number}")).collect();
            let mut seen = Vec::new();
            let from = format!("person{}", writer.client);
            wait_for("everything to arrive", SOON, || {
                clients[reader].run(&["recv", "--timeout", "1s"]);
                seen = of(&clients[reader], &chat(reader)).remove(&from).unwrap_or_default();
                seen.len() >= wanted.len()
            });
            assert_eq!(seen, wanted, "{from} to person{reader}");
        }
    }
    cluster.agree(NODES);
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
fn trouble(cluster: &mut Cluster, writers: &mut [Writer], time: Duration) -> usize {
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

fn lines_for(writers: &mut [Writer], from: usize, count: usize) -> usize {
    for number in from..from + count {
        writers.iter_mut().for_each(|writer| say(&mut writer.talk, number..number + 1));
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
