//! What so many devices need, calculated from the measured costs: the table of `docs/scale.md`.

use super::costs;
use super::traffic::{DAY_S, Traffic};

/// A node's machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// Cores.
    pub cores: usize,
    /// Devices that it may have connected when another node has died.
    pub connections: f64,
}

/// How busy the cores that apply may be in the busiest minutes: what is left catches up after a failure.
pub const APPLY_MOST: f64 = 0.5;
/// How busy the other threads may be then, with one node gone; and how busy all of a node's cores.
pub const FRONT_MOST: f64 = 0.5;
/// Devices of one cluster: each of its nodes stores what it has, half a terabyte.
pub const CLUSTER_MOST: f64 = 1e6;
/// Partitions of a cluster: what `cluster init` makes.
pub const PARTITIONS: usize = 16;
/// NATS servers of a cluster.
pub const SERVERS: usize = 3;
/// Bits of a byte.
const BITS: f64 = 8.0;

/// What so many devices need.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Connected at the busiest time.
    pub devices: f64,
    /// Clusters, each with nodes and NATS servers of its own. Several know nothing of each other.
    pub clusters: usize,
    /// Partitions of each.
    pub partitions: usize,
    /// Nodes of each cluster.
    pub nodes: usize,
    /// Of each node.
    pub cores: usize,
    /// Messages a second in all, busiest minutes.
    pub messages: f64,
    /// Commands a second in each cluster, busiest minutes.
    pub commands: f64,
    /// Records a second in each cluster, at most: in each log one waits for the one before.
    pub records: f64,
    /// How busy the cores are that apply, one for each partition or all there are, busiest minutes.
    pub apply: f64,
    /// How busy the other threads of a node are then, all nodes there.
    pub front: f64,
    /// Cores that the NATS servers of a cluster use then, all three together.
    pub nats: f64,
    /// Memory of a node for its connections when another one is gone, in GiB.
    pub memory_gib: f64,
    /// What a node stores, in GB: all registered devices of its cluster, and 30 days of what nobody fetched.
    pub stored_gb: f64,
    /// Of it, what is in partition 0.
    pub directory_gb: f64,
    /// The logs of a day, in GB, each copy.
    pub log_gb_a_day: f64,
    /// Megabits a second out of all NATS servers of a cluster, busiest minutes: two copies and one for each node.
    pub log_mbit: f64,
    /// Megabits a second out of each node to its devices, busiest minutes.
    pub push_mbit: f64,
}

/// Share of a day's messages that stay for 30 days because a device does not come. Assumed.
const UNFETCHED: f64 = 0.02;

impl Row {
    /// For so many connected devices, with partitions as `cluster init` makes them.
    pub fn of(devices: f64, machine: Machine, traffic: &Traffic) -> Self {
        Self::with(PARTITIONS, devices, machine, traffic)
    }

    /// For so many connected devices, with so many partitions.
    pub fn with(partitions: usize, devices: f64, machine: Machine, traffic: &Traffic) -> Self {
        let clusters = (devices / CLUSTER_MOST).ceil().max(1.0);
        let (here, logs) = (devices / clusters, partitions as f64);
        let following = traffic.following();
        let messages = here * traffic.messages_a_second() * traffic.peak;
        let commands = messages * following.commands();
        let most_records = logs * 1e9 / (costs::APPEND_TAKES + 2.0 * costs::NETWORK);
        let records = commands.min(most_records);
        let apply = records * costs::APPLY_RECORD
            + messages
                * (costs::APPLY_MESSAGE
                    + costs::RETAIN_MESSAGE
                    + following.receipts * costs::APPLY_RECEIPT
                    + following.acks * costs::APPLY_ACK);
        let front = messages
            * (costs::FRONT_MESSAGE
                + following.receipts * costs::FRONT_RECEIPT
                + following.acks * costs::FRONT_ACK
                + (following.pushes - 1.0) * costs::PUSH
                + following.commands() * costs::APPEND_COMMAND)
            + here * (costs::QUIET + costs::PING / costs::PING_EVERY_S);
        let (apply, front) = (apply / 1e9, front / 1e9);
        let threads = machine.cores as f64 - 1.0;
        // All nodes apply everything, whatever there are; what that leaves of their cores is for their own people.
        let left = (FRONT_MOST * machine.cores as f64 - apply).max(f64::EPSILON).min(FRONT_MOST * threads);
        let survivors = (front / left).max(here / machine.connections).ceil();
        let nodes = (survivors + 1.0).max(SERVERS as f64);
        let registered = here * traffic.registered;
        let messages_stored = registered * traffic.messages_a_day * UNFETCHED * 30.0 * costs::STORED_MESSAGE_BYTES;
        let learned = (logs - 1.0) * registered * costs::LEARNED_BYTES;
        let directory = registered * costs::DEVICE_BYTES;
        let records_a_day = (commands / traffic.peak).min(most_records) * DAY_S;
        let log = here * traffic.messages_a_day * following.log_bytes() + records_a_day * costs::LOG_RECORD_BYTES;
        let bytes = messages * following.log_bytes() + records * costs::LOG_RECORD_BYTES;
        Self {
            devices,
            clusters: clusters as usize,
            partitions,
            nodes: nodes as usize,
            cores: machine.cores,
            messages: messages * clusters,
            commands,
            records,
            apply: apply / machine.cores.min(partitions) as f64,
            front: front / (nodes * threads),
            nats: (records * costs::NATS_RECORD + commands * costs::NATS_COMMAND + costs::nats_idle(logs, nodes)) / 1e9,
            memory_gib: here / (nodes - 1.0) * (costs::CONNECTION_KIB + costs::KERNEL_KIB) / (1024.0 * 1024.0),
            stored_gb: (directory + learned + messages_stored) / 1e9,
            directory_gb: (directory + messages_stored / logs) / 1e9,
            log_gb_a_day: log / 1e9,
            log_mbit: bytes * (2.0 + nodes) * BITS / 1e6,
            push_mbit: messages * following.pushes * costs::PUSH_BYTES * BITS / nodes / 1e6,
        }
    }

    /// Whether one cluster, as it is built, has room for it.
    pub fn is_one_cluster(&self) -> bool {
        self.clusters == 1 && self.apply <= APPLY_MOST
    }

    /// Devices whose commands nodes with so many cores, and nothing else to do, can apply, whatever they store.
    pub fn most_devices(partitions: usize, cores: usize, traffic: &Traffic) -> f64 {
        let row = Self::with(partitions, CLUSTER_MOST, Machine { cores, ..LARGE }, traffic);
        let threads = cores.min(partitions) as f64;
        let records = row.records * costs::APPLY_RECORD / 1e9;
        CLUSTER_MOST * (APPLY_MOST * threads - records) / (row.apply * threads - records)
    }

    /// Bytes a second of all logs in the busiest minutes.
    fn log_bytes(&self, traffic: &Traffic) -> f64 {
        let following = traffic.following();
        self.commands / following.commands() * following.log_bytes() + self.records * costs::LOG_RECORD_BYTES
    }

    /// What a node stores of each partition beside the directory, in GB.
    fn other_gb(&self) -> f64 {
        (self.stored_gb - self.directory_gb) / (self.partitions as f64 - 1.0).max(1.0)
    }

    /// Seconds between two snapshots of a partition of so many GB in the busiest minutes: at 128 MiB of its log, or 200,000
    /// records, if that is half of what a node has stored of it.
    fn snapshot_every_s(&self, gb: f64, traffic: &Traffic) -> f64 {
        let partitions = self.partitions as f64;
        let log = self.log_bytes(traffic) / partitions;
        let long = (f64::from(128 << 20) / log).min(200_000.0 / (self.records / partitions));
        long.max(gb * 1e9 / 2.0 / log)
    }

    /// Megabytes a second that those copy: each all that a node has stored of the partition.
    fn snapshot_mb_s(&self, traffic: &Traffic) -> f64 {
        let mb_s = |gb: f64| gb * 1_000.0 / self.snapshot_every_s(gb, traffic);
        mb_s(self.directory_gb) + (self.partitions as f64 - 1.0) * mb_s(self.other_gb())
    }

    /// As in the table of `docs/scale.md`: what, and how much.
    pub fn cells(&self, traffic: &Traffic) -> Vec<(&'static str, String)> {
        let percent = |part: f64| format!("{:.1} %", 100.0 * part);
        let hours = |gb: f64| format!("{:.1} h", self.snapshot_every_s(gb, traffic) / 3_600.0);
        vec![
            ("Devices connected, busiest time", thousands(self.devices)),
            ("Clusters", thousands(self.clusters as f64)),
            ("Partitions of each cluster", thousands(self.partitions as f64)),
            ("Nodes of each cluster", format!("{} of {} cores", self.nodes, self.cores)),
            ("Nodes in all", thousands((self.nodes * self.clusters) as f64)),
            ("NATS servers in all", thousands((SERVERS * self.clusters) as f64)),
            ("Messages a second, in all", thousands(self.messages)),
            ("Commands a second, each cluster", thousands(self.commands)),
            ("Records a second, each cluster, at most", thousands(self.records)),
            ("The cores that apply, each node", percent(self.apply)),
            ("A node's other threads", percent(self.front)),
            ("Cores of a cluster's three NATS servers together, at most", format!("{:.1}", self.nats)),
            ("Memory of a node for connections, one node gone", format!("{:.1} GiB", self.memory_gib)),
            ("Stored at each node", format!("{:.0} GB", self.stored_gb)),
            ("Of it, in partition 0", format!("{:.0} GB", self.directory_gb)),
            ("Logs a day, each copy", format!("{:.0} GB", self.log_gb_a_day)),
            ("Network out of a cluster's NATS servers", format!("{:.0} Mbit/s", self.log_mbit)),
            ("Network out of a node to its devices", format!("{:.1} Mbit/s", self.push_mbit)),
            ("Time between snapshots of partition 0", hours(self.directory_gb)),
            ("Time between snapshots of another partition", hours(self.other_gb())),
            ("Those copy, on average", format!("{:.1} MB/s", self.snapshot_mb_s(traffic))),
        ]
    }
}

/// A small machine, and one of a computing centre.
pub const SMALL: Machine = Machine { cores: 2, connections: 20_000.0 };
/// The latter.
pub const LARGE: Machine = Machine { cores: 8, connections: 250_000.0 };

/// Partitions and cores for which the page says how many devices could be applied.
pub const BOUNDS: [(usize, usize); 4] = [(1, 8), (4, 8), (16, 8), (4, 2)];

/// The three sizes of the table.
pub fn rows(traffic: &Traffic) -> [Row; 3] {
    [(1e4, SMALL), (1e6, LARGE), (50e6, LARGE)].map(|(devices, machine)| Row::of(devices, machine, traffic))
}

/// The table of `docs/scale.md`, a line a quantity.
pub fn table(traffic: &Traffic) -> Vec<String> {
    let columns = rows(traffic).map(|row| row.cells(traffic));
    let lines = columns[0].iter().enumerate().map(|(line, (what, _))| {
        let cells: Vec<&str> = columns.iter().map(|column| column[line].1.as_str()).collect();
        format!("| {what} | {} |", cells.join(" | "))
    });
    lines.collect()
}

/// A number with commas.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
