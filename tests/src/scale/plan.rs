//! What so many devices need, calculated from the measured costs: the table of `docs/scale.md`.

use super::costs;
use super::traffic::Traffic;

/// A node's machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// Cores; one is the applying thread's.
    pub cores: usize,
    /// Devices that it may have connected when another node has died.
    pub connections: f64,
}

/// How busy the applying thread may be in the busiest minutes: what is left catches up after a failure.
pub const APPLY_MOST: f64 = 0.5;
/// How busy the other threads may be then, with one node gone.
pub const FRONT_MOST: f64 = 0.5;
/// Devices of one log: each of its nodes stores what it has, half a terabyte.
pub const LOG_MOST: f64 = 1e6;
/// NATS servers of a log.
pub const SERVERS: usize = 3;
/// Bits of a byte.
const BITS: f64 = 8.0;

/// What so many devices need.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Connected at the busiest time.
    pub devices: f64,
    /// Logs, each with nodes and NATS servers of its own. More than one are not built.
    pub logs: usize,
    /// Nodes of each log.
    pub nodes: usize,
    /// Of each node.
    pub cores: usize,
    /// Messages a second in all, busiest minutes.
    pub messages: f64,
    /// Commands a second in each log, busiest minutes.
    pub commands: f64,
    /// Records a second in each log, at most: each waits for the one before.
    pub records: f64,
    /// How busy the thread is that applies, busiest minutes.
    pub apply: f64,
    /// How busy the other threads of a node are then, all nodes there.
    pub front: f64,
    /// Cores that the NATS servers of a log use then, all three together.
    pub nats: f64,
    /// Memory of a node for its connections when another one is gone, in GiB.
    pub memory_gib: f64,
    /// What a node stores, in GB: all registered devices of its log, and 30 days of what nobody fetched.
    pub stored_gb: f64,
    /// The log of a day, in GB, each copy.
    pub log_gb_a_day: f64,
    /// Megabits a second out of all NATS servers of a log, busiest minutes: two copies and one for each node.
    pub log_mbit: f64,
    /// Megabits a second out of each node to its devices, busiest minutes.
    pub push_mbit: f64,
}

/// Share of a day's messages that stay for 30 days because a device does not come. Assumed.
const UNFETCHED: f64 = 0.02;

impl Row {
    /// For so many connected devices.
    pub fn of(devices: f64, machine: Machine, traffic: &Traffic) -> Self {
        let logs = (devices / LOG_MOST).ceil().max(1.0);
        let here = devices / logs;
        let following = traffic.following();
        let messages = here * traffic.messages_a_second() * traffic.peak;
        let commands = messages * following.commands();
        let records = commands.min(1e9 / (costs::APPEND_TAKES + 2.0 * costs::NETWORK));
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
        let survivors = (front / (FRONT_MOST * threads)).max(here / machine.connections).ceil();
        let nodes = (survivors + 1.0).max(SERVERS as f64);
        let stored_messages = here * traffic.registered * traffic.messages_a_day * UNFETCHED * 30.0;
        let log = here * traffic.messages_a_day * following.log_bytes();
        let bytes = messages * following.log_bytes() + records * costs::LOG_RECORD_BYTES;
        Self {
            devices,
            logs: logs as usize,
            nodes: nodes as usize,
            cores: machine.cores,
            messages: messages * logs,
            commands,
            records,
            apply,
            front: front / (nodes * threads),
            nats: (records * costs::NATS_RECORD + commands * costs::NATS_COMMAND) / 1e9,
            memory_gib: here / (nodes - 1.0) * (costs::CONNECTION_KIB + costs::KERNEL_KIB) / (1024.0 * 1024.0),
            stored_gb: (here * traffic.registered * costs::DEVICE_BYTES
                + stored_messages * costs::STORED_MESSAGE_BYTES)
                / 1e9,
            log_gb_a_day: log / 1e9,
            log_mbit: bytes * (2.0 + nodes) * BITS / 1e6,
            push_mbit: messages * following.pushes * costs::PUSH_BYTES * BITS / nodes / 1e6,
        }
    }

    /// Whether the one replicated log of a cluster, as it is built, has room for it.
    pub fn is_one_log(&self) -> bool {
        self.logs == 1 && self.apply <= APPLY_MOST
    }

    /// Devices whose commands one log's applying thread can apply, whatever they store.
    pub fn most_devices_of_a_log(traffic: &Traffic) -> f64 {
        let row = Self::of(LOG_MOST, LARGE, traffic);
        let records = row.records * costs::APPLY_RECORD / 1e9;
        LOG_MOST * (APPLY_MOST - records) / (row.apply - records)
    }

    /// Bytes a second of a log in the busiest minutes.
    fn log_bytes(&self, traffic: &Traffic) -> f64 {
        let following = traffic.following();
        self.commands / following.commands() * following.log_bytes() + self.records * costs::LOG_RECORD_BYTES
    }

    /// Seconds between two snapshots in the busiest minutes: at 128 MiB of log, or 200,000 records, if that is half of what a
    /// node has stored.
    pub fn snapshot_every_s(&self, traffic: &Traffic) -> f64 {
        let log = self.log_bytes(traffic);
        let long = (f64::from(128 << 20) / log).min(200_000.0 / self.records);
        long.max(self.stored_gb * 1e9 / 2.0 / log)
    }

    /// Megabytes a second that those copy: each all that a node has stored.
    pub fn snapshot_mb_s(&self, traffic: &Traffic) -> f64 {
        self.stored_gb * 1_000.0 / self.snapshot_every_s(traffic)
    }

    /// As in the table of `docs/scale.md`: what, and how much.
    pub fn cells(&self, traffic: &Traffic) -> Vec<(&'static str, String)> {
        let percent = |part: f64| format!("{:.1} %", 100.0 * part);
        vec![
            ("Devices connected, busiest time", thousands(self.devices)),
            ("Logs (clusters, or partitions once they are built)", thousands(self.logs as f64)),
            ("Nodes of each log", format!("{} of {} cores", self.nodes, self.cores)),
            ("Nodes in all", thousands((self.nodes * self.logs) as f64)),
            ("NATS servers in all", thousands((SERVERS * self.logs) as f64)),
            ("Messages a second, in all", thousands(self.messages)),
            ("Commands a second, each log", thousands(self.commands)),
            ("Records a second, each log, at most", thousands(self.records)),
            ("The thread that applies, each node", percent(self.apply)),
            ("A node's other threads", percent(self.front)),
            ("Cores of a log's three NATS servers together", format!("{:.1}", self.nats)),
            ("Memory of a node for connections, one node gone", format!("{:.1} GiB", self.memory_gib)),
            ("Stored at each node", format!("{:.0} GB", self.stored_gb)),
            ("Log a day, each copy", format!("{:.0} GB", self.log_gb_a_day)),
            ("Network out of a log's NATS servers", format!("{:.0} Mbit/s", self.log_mbit)),
            ("Network out of a node to its devices", format!("{:.1} Mbit/s", self.push_mbit)),
            ("Time between snapshots", format!("{} h", thousands(self.snapshot_every_s(traffic) / 3_600.0))),
            ("Those copy, on average", format!("{:.1} MB/s", self.snapshot_mb_s(traffic))),
        ]
    }
}

/// A small machine, and one of a computing centre.
pub const SMALL: Machine = Machine { cores: 2, connections: 20_000.0 };
/// The latter.
pub const LARGE: Machine = Machine { cores: 8, connections: 250_000.0 };

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
