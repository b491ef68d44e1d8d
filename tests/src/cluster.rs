//! A relay of several nodes over several NATS servers, each a process of its own that can be killed and started again.

use crate::process::{Background, run};
use crate::{binaries, wait_for, wait_some};
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// NATS servers find each other, or a node catches up, within this.
const START: Duration = Duration::from_secs(60);

/// How many of each there are.
pub const NODES: usize = 3;

/// A port that was free a moment ago, for servers that must know each other's before they start.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

/// The NATS server: `ASIDE_NATS_SERVER`, or the first one on `PATH`.
pub fn nats_server() -> PathBuf {
    if let Some(path) = std::env::var_os("ASIDE_NATS_SERVER") {
        return path.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("nats-server")).find(|path| path.exists());
    found.expect("nats-server is missing: ./test installs it; or put one of version 2.10 or newer on PATH")
}

/// One NATS server and where it is.
#[derive(Debug)]
struct NatsServer {
    process: Option<Background>,
    config: PathBuf,
    port: u16,
}

impl NatsServer {
    fn start(&mut self) {
        let mut command = Command::new(nats_server());
        command.arg("-c").arg(&self.config);
        self.process = Some(Background::start(&mut command));
    }
}

/// One node of the relay.
#[derive(Debug)]
struct RelayNode {
    process: Option<Background>,
    port: u16,
    invite: String,
}

/// Everything.
#[derive(Debug)]
pub struct Cluster {
    servers: Vec<NatsServer>,
    nodes: Vec<RelayNode>,
    shares_folder: bool,
    telling: bool,
    // Last, so that the processes are gone before their folders are removed.
    folder: TempDir,
}

impl Cluster {
    /// Three NATS servers and three nodes, all ready.
    pub fn start() -> Self {
        let mut cluster = Self::with_nats();
        cluster.init().ok();
        cluster.share_identity();
        (0..NODES).for_each(|node| cluster.start_node(node));
        cluster
    }

    /// The same, with blobs in a folder that the nodes share.
    pub fn start_with_shared_folder() -> Self {
        let mut cluster = Self::with_nats();
        cluster.shares_folder = true;
        cluster.init().ok();
        cluster.share_identity();
        (0..NODES).for_each(|node| cluster.start_node(node));
        cluster
    }

    /// The same, and clients are told where the nodes are, so that each goes to the one that is its home. Each node names
    /// only itself, and the others are not started yet if there are to be fewer.
    pub fn telling(nodes: usize) -> Self {
        let mut cluster = Self { telling: true, ..Self::with_nats() };
        cluster.init().ok();
        cluster.share_identity();
        (0..nodes).for_each(|node| cluster.start_node(node));
        cluster
    }

    /// NATS alone; nothing is set up in it. Clients will stay with the nodes of their invites: a test knows where they are.
    pub fn with_nats() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ports: Vec<(u16, u16)> = (0..NODES).map(|_| (free_port(), free_port())).collect();
        let servers = (0..NODES).map(|number| NatsServer {
            process: None,
            config: config(folder.path(), number, &ports),
            port: ports[number].0,
        });
        let nodes = (0..NODES).map(|_| RelayNode { process: None, port: free_port(), invite: String::new() });
        let (servers, nodes) = (servers.collect(), nodes.collect());
        let mut cluster = Self { servers, nodes, shares_folder: false, telling: false, folder };
        for node in 0..NODES {
            std::fs::DirBuilder::new().mode(0o700).create(cluster.data(node)).expect("a folder");
        }
        (0..NODES).for_each(|server| cluster.start_nats(server));
        cluster.wait_for_nats();
        cluster
    }

    /// Waits until JetStream has a leader: it takes a change only then.
    fn wait_for_nats(&self) {
        wait_for("JetStream to be ready", START, || {
            let asked = self.tool(&["status"]);
            // Nothing is set up, and somebody who knows has said so.
            asked.code == Some(0) || asked.stderr.contains("there is no cluster")
        });
    }

    /// Runs `aside-relay cluster` with these arguments.
    pub fn tool(&self, args: &[&str]) -> crate::Run {
        let (command, rest) = args.split_first().expect("a command");
        let urls = self.urls();
        let arguments = ["cluster", command, "--cluster", &urls].into_iter().chain(rest.iter().copied());
        run(Command::new(binaries::aside_relay()).args(arguments), b"", START)
    }

    /// Makes an empty cluster with the first node's data folder, as soon as NATS can.
    pub fn init(&self) -> crate::Run {
        self.make("init")
    }

    /// Makes it of what the first node's data folder holds.
    pub fn import(&self) -> crate::Run {
        self.make("import")
    }

    fn make(&self, how: &str) -> crate::Run {
        let data = self.data(0);
        let data = data.to_string_lossy();
        let mut last = None;
        wait_for("the cluster to be made", START, || {
            let made = self.tool(&[how, "--data", &data]);
            let done = made.code == Some(0) || !made.stderr.contains("did not do what was asked");
            last = Some(made);
            done
        });
        last.expect("it was tried")
    }

    /// Copies the identity to the other nodes.
    pub fn share_identity(&self) {
        for node in 1..NODES {
            self.copy_to(node, "identity.key");
        }
    }

    /// Copies a file of the first node's data folder to another one's.
    pub fn copy_to(&self, node: usize, file: &str) {
        let to = self.data(node).join(file);
        std::fs::copy(self.data(0).join(file), &to).expect("a copy");
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600)).expect("ours");
    }

    /// The data folder of a node.
    pub fn data(&self, node: usize) -> PathBuf {
        self.folder.path().join(format!("node-{node}"))
    }

    /// Of all NATS servers.
    pub fn urls(&self) -> String {
        let urls: Vec<String> = self.servers.iter().map(|server| format!("nats://127.0.0.1:{}", server.port)).collect();
        urls.join(",")
    }

    /// Has a node use this port from its next start on.
    pub fn set_port(&mut self, node: usize, port: u16) {
        self.nodes[node].port = port;
    }

    /// A node's command line; not started.
    pub fn node_command(&self, node: usize) -> Command {
        let mut command = Command::new(binaries::aside_relay());
        command.args(["serve", "--json", "--cluster", &self.urls(), "--node", &format!("node-{node}")]);
        command.arg("--listen").arg(self.address(node).to_string());
        // Its own address comes first: clients with its invite go there.
        let named = if self.telling { 1 } else { NODES };
        command.args((!self.telling).then_some("--no-nodes"));
        for other in (0..named).map(|turn| (node + turn) % NODES) {
            command.arg("--address").arg(self.address(other).to_string());
        }
        command.arg("--data").arg(self.data(node));
        if self.shares_folder {
            command.arg("--blobs").arg(self.folder.path().join("blobs"));
        }
        command.env("ASIDE_RELAY_LOG", "info");
        command
    }

    /// Where a node listens.
    pub fn address(&self, node: usize) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.nodes[node].port))
    }

    /// Starts a node, and waits until it serves.
    #[track_caller]
    pub fn start_node(&mut self, node: usize) {
        let mut process = Background::start(&mut self.node_command(node));
        let line = wait_some("the node to listen", START, || {
            let line = process.lines().first().cloned();
            assert!(line.is_some() || process.is_running(), "node {node} did not start:\n{}", process.log());
            line
        });
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}"));
        self.nodes[node].invite = said["invite"].as_str().expect("an invite").to_owned();
        self.nodes[node].process = Some(process);
    }

    /// The invite that a node printed; it names that node first.
    pub fn invite(&self, node: usize) -> &str {
        &self.nodes[node].invite
    }

    /// A new invite for one account, made by a node.
    #[track_caller]
    pub fn new_invite(&self, node: usize) -> String {
        let data = self.data(node);
        let mut command = Command::new(binaries::aside_relay());
        let made = run(command.args(["invite", "--uses", "1", "--data"]).arg(&data), b"", START).ok();
        made.stdout.trim().to_owned()
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

    /// What a node has said.
    pub fn log_of(&self, node: usize) -> String {
        self.nodes[node].process.as_ref().map(|process| process.log()).unwrap_or_default()
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

    /// `cluster status --json`; none while it cannot be had.
    pub fn status(&self) -> Option<Value> {
        let asked = self.tool(&["status", "--json"]);
        (asked.code == Some(0)).then(|| asked.one())
    }

    /// The node that appends, once there is one.
    pub fn owner(&self) -> usize {
        wait_some("a node that appends", START, || {
            let status = self.status()?;
            let owner: usize = status["owner"].as_str()?.strip_prefix("node-")?.parse().ok()?;
            self.nodes.get(owner)?.process.as_ref().map(|_| owner)
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
            told["nodes"].as_array().is_some_and(|all| all.len() == nodes)
        });
    }
}

/// Writes the configuration of a NATS server.
fn config(folder: &Path, number: usize, ports: &[(u16, u16)]) -> PathBuf {
    let routes: Vec<String> = ports.iter().map(|(_, route)| format!("\"nats://127.0.0.1:{route}\"")).collect();
    let (port, route) = ports[number];
    let store = folder.join(format!("nats-{number}"));
    let text = format!(
        "server_name: nats-{number}\nlisten: \"127.0.0.1:{port}\"\nmax_payload: 8MB\n\
         jetstream {{ store_dir: \"{}\", sync_interval: always }}\n\
         cluster {{ name: test, listen: \"127.0.0.1:{route}\", routes: [{}] }}\n",
        store.display(),
        routes.join(", ")
    );
    let path = folder.join(format!("nats-{number}.conf"));
    std::fs::write(&path, text).expect("a file");
    path
}
