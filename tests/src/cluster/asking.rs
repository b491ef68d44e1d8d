//! What a cluster says of itself: `aside-relay cluster`, which reaches NATS without the links.

use super::{Cluster, NODES, START};
use crate::process::run;
use crate::{binaries, wait_for, wait_some};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;

impl Cluster {
    /// Runs `aside-relay cluster` with these arguments.
    pub fn tool(&self, args: &[&str]) -> crate::Run {
        self.tool_at(&self.urls(), args)
    }

    /// The same, with these NATS servers only.
    pub fn tool_at(&self, urls: &str, args: &[&str]) -> crate::Run {
        let (command, rest) = args.split_first().expect("a command");
        let arguments = ["cluster", command, "--cluster", urls].into_iter().chain(rest.iter().copied());
        run(Command::new(binaries::aside_relay()).args(arguments), b"", START)
    }

    /// Puts something into the directory's log, as whoever can write to the NATS servers could.
    pub fn log_bytes(&self, record: &[u8]) {
        let mut nats = TcpStream::connect(("127.0.0.1", self.servers[0].port)).expect("a NATS server");
        let head = format!("CONNECT {{\"verbose\":false}}\r\nPUB aside.aside.log.0 {}\r\n", record.len());
        nats.write_all(&[head.as_bytes(), record, b"\r\nPING\r\n"].concat()).expect("it is taken");
        let mut lines = BufReader::new(nats).lines();
        assert!(lines.any(|line| line.is_ok_and(|line| line == "PONG")), "NATS has not read it");
    }

    /// `cluster status --json`; none while it cannot be had.
    pub fn status(&self) -> Option<Value> {
        self.status_at(&self.urls())
    }

    /// The same, as these NATS servers know it.
    pub fn status_at(&self, urls: &str) -> Option<Value> {
        let asked = self.tool_at(urls, &["status", "--json"]);
        (asked.code == Some(0)).then(|| asked.one())
    }

    /// The node that appends to the directory, once there is one.
    pub fn owner(&self) -> usize {
        self.owner_at(&self.urls())
    }

    /// The same, as these NATS servers know it.
    pub fn owner_at(&self, urls: &str) -> usize {
        wait_some("a node that appends", START, || {
            let owner = *self.owners_at(urls)?.first()?;
            self.nodes.get(owner)?.process.as_ref().map(|_| owner)
        })
    }

    /// The nodes that append to the partitions, by number; none while one has none.
    pub fn owners(&self) -> Option<Vec<usize>> {
        self.owners_at(&self.urls())
    }

    fn owners_at(&self, urls: &str) -> Option<Vec<usize>> {
        let status = self.status_at(urls)?;
        let owner = |partition: &Value| partition["owner"].as_str()?.strip_prefix("node-")?.parse().ok();
        status["partitions"].as_array()?.iter().map(owner).collect()
    }

    /// Has one node append to all partitions.
    #[track_caller]
    pub fn move_all(&self, node: usize) {
        let name = format!("node-{node}");
        for partition in 0..self.partitions {
            self.tool(&["move", &partition.to_string(), &name]).ok();
        }
    }

    /// Whether all nodes have told of themselves within the last seconds, and all NATS servers have all of the log.
    pub fn is_whole(&self) -> bool {
        let told = self.status();
        let whole = |partition: &Value| partition["current"] == NODES;
        told.is_some_and(|told| {
            told["partitions"].as_array().is_some_and(|all| all.iter().all(whole))
                && told["nodes"].as_array().is_some_and(|nodes| nodes.len() == NODES)
        })
    }

    /// Waits until so many nodes have the same state; panics if states differ.
    #[track_caller]
    pub fn agree(&self, nodes: usize) {
        wait_for("all nodes to tell their state", START, || {
            let asked = self.tool(&["verify", "--json"]);
            if asked.stdout.is_empty() {
                return false;
            }
            let told = asked.one();
            assert!(told["equal"] == true, "the replicas differ: {told}");
            let told_by_all = |partition: &Value| partition["nodes"].as_array().is_some_and(|all| all.len() == nodes);
            told["partitions"].as_array().is_some_and(|all| all.iter().all(told_by_all))
        });
    }
}
