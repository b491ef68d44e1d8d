//! Starting and ending the processes of a cluster.

use super::{Cluster, NODES, START};
use crate::process::Background;
use crate::{limited, wait_for, wait_some};
use serde_json::Value;
use std::path::PathBuf;

impl Cluster {
    /// Starts a node, and waits until it serves.
    #[track_caller]
    pub fn start_node(&mut self, node: usize) {
        self.try_start(node).unwrap_or_else(|log| panic!("node {node} did not start:\n{log}"));
    }

    /// The same; what it said, if it ended instead.
    fn try_start(&mut self, node: usize) -> Result<(), String> {
        let command = self.node_command(node);
        let limited = self.nodes[node].blocks.map(|blocks| limited::softly(&command, blocks));
        let mut process = Background::start(&mut limited.unwrap_or(command));
        let line = wait_some("the node to listen", START, || match process.lines().first() {
            Some(line) => Some(Some(line.clone())),
            None => (!process.is_running()).then_some(None),
        });
        let Some(line) = line else {
            // All that it said is read then.
            process.wait(START);
            return Err(process.log());
        };
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}"));
        self.nodes[node].invite = said["invite"].as_str().expect("an invite").to_owned();
        self.nodes[node].process = Some(process);
        Ok(())
    }

    /// Ends a node without warning.
    pub fn kill_node(&mut self, node: usize) {
        self.nodes[node].process.as_mut().expect("it runs").kill();
        self.nodes[node].process = None;
    }

    /// Sends a node a signal, such as `STOP` and `CONT`.
    pub fn signal_node(&self, node: usize, signal: &str) {
        self.nodes[node].process.as_ref().expect("it runs").signal(signal);
    }

    /// Ends a node in order.
    #[track_caller]
    pub fn stop_node(&mut self, node: usize) {
        let mut process = self.nodes[node].process.take().expect("it runs");
        let code = process.terminate(START);
        assert!(code == Some(0), "node {node} stopped with {code:?}:\n{}", process.log());
    }

    /// Waits until a node ends by itself; its exit code and what it has said.
    pub fn ends(&mut self, node: usize) -> (Option<i32>, String) {
        let mut process = self.nodes[node].process.take().expect("it runs");
        (process.wait(START), process.log())
    }

    /// What a node has said.
    pub fn log_of(&self, node: usize) -> String {
        self.nodes[node].process.as_ref().map(|process| process.log()).unwrap_or_default()
    }

    /// Removes what a NATS server that does not run has stored.
    pub fn wipe_nats(&self, server: usize) {
        std::fs::remove_dir_all(self.folder.path().join(format!("nats-{server}"))).expect("its folder");
    }

    /// A node's databases, one for each partition.
    pub fn databases(&self, node: usize) -> Vec<PathBuf> {
        let name = |partition| if partition == 0 { "relay.db".to_owned() } else { format!("relay-{partition}.db") };
        (0..self.partitions).map(|partition| self.data(node).join(name(partition))).collect()
    }

    /// Removes a node's databases, as a lost disk does; what proves who it is stays.
    pub fn wipe_database(&self, node: usize) {
        for database in self.databases(node) {
            std::fs::remove_file(&database).expect("there is a database");
            for companion in ["db-wal", "db-shm"] {
                // They are gone after an orderly end.
                let _ = std::fs::remove_file(database.with_extension(companion));
            }
        }
    }

    /// Starts a NATS server.
    pub fn start_nats(&mut self, server: usize) {
        self.servers[server].start();
    }

    /// Ends a NATS server without warning.
    pub fn kill_nats(&mut self, server: usize) {
        self.servers[server].process.as_mut().expect("it runs").kill();
        self.servers[server].process = None;
    }

    /// Ends everything without warning, at once.
    pub fn lose_power(&mut self) {
        let nodes = self.nodes.iter_mut().map(|node| &mut node.process);
        let all: Vec<_> = nodes.chain(self.servers.iter_mut().map(|server| &mut server.process)).collect();
        all.iter().filter_map(|process| process.as_ref()).for_each(|process| process.signal("KILL"));
        // Each is waited for.
        all.into_iter().for_each(|process| drop(process.take()));
    }

    /// Starts everything that [`Cluster::lose_power`] ended; a node that finds NATS without a majority again, as whoever
    /// looks after services does.
    #[track_caller]
    pub fn power_returns(&mut self) {
        (0..NODES).for_each(|server| self.start_nats(server));
        for node in 0..NODES {
            wait_for("the node to start", START, || match self.try_start(node) {
                Err(log) => {
                    let early =
                        ["NATS did not do what was asked", "no NATS server"].iter().any(|why| log.contains(why));
                    assert!(early, "node {node} did not start:\n{log}");
                    false
                }
                Ok(()) => true,
            });
        }
    }
}
