//! A relay of several nodes over several NATS servers, each a process of its own that can be killed and started again. If a
//! test wants to, all that goes between nodes and NATS servers, and between NATS servers, goes over links that can be cut.

mod asking;
mod links;
mod nats;
mod running;

use crate::process::{Background, run};
use crate::{binaries, limited, wait_for};
pub use links::Links;
pub use nats::nats_server;
use nats::{NatsServer, free_port};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// NATS servers find each other, or a node catches up, within this.
const START: Duration = Duration::from_secs(60);

/// How many of each there are.
pub const NODES: usize = 3;
/// Partitions of each cluster: one more than nodes, so that one of them appends to two.
pub const PARTITIONS: u16 = 4;

/// One node of the relay.
#[derive(Debug)]
struct RelayNode {
    process: Option<Background>,
    port: u16,
    invite: String,
    blocks: Option<u64>,
}

/// Everything.
#[derive(Debug)]
pub struct Cluster {
    servers: Vec<NatsServer>,
    nodes: Vec<RelayNode>,
    partitions: u16,
    shares_folder: bool,
    telling: bool,
    links: Option<Links>,
    // Last, so that the processes are gone before their folders are removed.
    folder: TempDir,
}

impl Cluster {
    /// Three NATS servers and three nodes, all ready.
    pub fn start() -> Self {
        Self::with_nats().with_nodes()
    }

    /// The same, and everything between them goes over [`Cluster::links`]. What this harness asks of NATS does not.
    pub fn start_linked() -> Self {
        Self::nats_over(true).with_nodes()
    }

    /// The same, and clients are told where the nodes are.
    pub fn start_linked_telling() -> Self {
        Self { telling: true, ..Self::nats_over(true) }.with_nodes()
    }

    /// Three NATS servers and three nodes, all ready, over so many partitions.
    pub fn start_over(partitions: u16) -> Self {
        Self { partitions, ..Self::with_nats() }.with_nodes()
    }

    /// The same, with blobs in a folder that the nodes share.
    pub fn start_with_shared_folder() -> Self {
        let mut cluster = Self::with_nats();
        cluster.shares_folder = true;
        cluster.with_nodes()
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
        Self::nats_over(false)
    }

    fn with_nodes(mut self) -> Self {
        self.init().ok();
        self.share_identity();
        (0..NODES).for_each(|node| self.start_node(node));
        self
    }

    fn nats_over(linked: bool) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ports: Vec<(u16, u16)> = (0..NODES).map(|_| (free_port(), free_port())).collect();
        let links = linked.then(|| Links::between(&ports));
        let servers = (0..NODES).map(|number| NatsServer::new(folder.path(), number, &ports, links.as_ref()));
        let nodes =
            (0..NODES).map(|_| RelayNode { process: None, port: free_port(), invite: String::new(), blocks: None });
        let (servers, nodes) = (servers.collect(), nodes.collect());
        let partitions = PARTITIONS;
        let mut cluster = Self { servers, nodes, partitions, shares_folder: false, telling: false, links, folder };
        for node in 0..NODES {
            std::fs::DirBuilder::new().mode(0o700).create(cluster.data(node)).expect("a folder");
        }
        (0..NODES).for_each(|server| cluster.start_nats(server));
        cluster.wait_for_nats();
        cluster
    }

    /// Waits until JetStream has a leader: it takes a change only then.
    pub fn wait_for_nats(&self) {
        wait_for("JetStream to be ready", START, || {
            let asked = self.tool(&["status"]);
            // Nothing is set up, and somebody who knows has said so.
            asked.code == Some(0) || asked.stderr.contains("there is no cluster")
        });
    }

    /// The ways between nodes and NATS servers; panics unless it was started with them.
    pub fn links(&self) -> &Links {
        self.links.as_ref().expect("started with links")
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
            let made = self.tool(&[how, "--partitions", &self.partitions.to_string(), "--data", &data]);
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
        let urls: Vec<String> = (0..NODES).map(|server| self.url(server)).collect();
        urls.join(",")
    }

    /// Of one NATS server.
    pub fn url(&self, server: usize) -> String {
        format!("nats://127.0.0.1:{}", self.servers[server].port)
    }

    /// By which a node reaches all NATS servers.
    fn urls_of(&self, node: usize) -> String {
        self.links.as_ref().map_or_else(|| self.urls(), |links| links.urls(node))
    }

    /// Lets files of a node grow up to so many blocks of 512 bytes only, from its next start on.
    pub fn set_file_blocks(&mut self, node: usize, blocks: u64) {
        self.nodes[node].blocks = Some(blocks);
    }

    /// Takes that limit away, from its next start on.
    pub fn make_room_at_start(&mut self, node: usize) {
        self.nodes[node].blocks = None;
    }

    /// Takes that limit away while the node runs.
    pub fn make_room(&mut self, node: usize) {
        self.make_room_at_start(node);
        limited::lift(self.nodes[node].process.as_ref().expect("it runs"));
    }

    /// Has a node use this port from its next start on.
    pub fn set_port(&mut self, node: usize, port: u16) {
        self.nodes[node].port = port;
    }

    /// A node's command line; not started.
    pub fn node_command(&self, node: usize) -> Command {
        let mut command = Command::new(binaries::aside_relay());
        command.args(["serve", "--json", "--cluster", &self.urls_of(node), "--node", &format!("node-{node}")]);
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
}
