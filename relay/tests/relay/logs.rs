//! Which log the relays of these tests have: alone the database itself, or, if `ASIDE_RELAY_NATS` names NATS servers, a log
//! in JetStream. Then each relay makes a cluster of its own there and is its one node. `tests/with_nats.py` sets it.

use aside_relay::cluster::Settings;
use std::path::Path;
use std::process::Command;

/// The only node's name.
const NODE: &str = "one";

/// The NATS servers, if these tests are about a cluster.
fn servers() -> Option<String> {
    std::env::var("ASIDE_RELAY_NATS").ok().filter(|servers| !servers.is_empty())
}

/// Over how many partitions each cluster is spread: `ASIDE_RELAY_PARTITIONS`.
pub fn partitions() -> String {
    std::env::var("ASIDE_RELAY_PARTITIONS").unwrap_or_else(|_| "3".to_owned())
}

/// The cluster of the relay whose data lies in a folder of a test's own; none, if it is to be alone. Made if need be, with
/// what the folder holds.
pub fn cluster_of(data: &Path) -> Option<Settings> {
    let servers = servers()?;
    let home = data.parent().expect("a folder of the test's own");
    let name: String = home.to_string_lossy().chars().filter(char::is_ascii_alphanumeric).collect();
    let name = name[name.len().saturating_sub(24)..].to_owned();
    let made_before = home.join("cluster-made");
    if !made_before.exists() {
        let how = if data.join("relay.db").exists() { "import" } else { "init" };
        let mut init = Command::new(env!("CARGO_BIN_EXE_aside-relay"));
        init.args([
            "cluster",
            how,
            "--replicas",
            "1",
            "--partitions",
            &partitions(),
            "--cluster",
            &servers,
            "--name",
            &name,
            "--data",
        ])
        .arg(data);
        let made = init.output().unwrap();
        assert!(made.status.success(), "no cluster: {}", String::from_utf8_lossy(&made.stderr));
        std::fs::write(made_before, "").unwrap();
    }
    Some(Settings { servers, cluster: name, node: NODE.into(), credentials: None, authority: None })
}

/// What `serve` is given besides, for the same.
pub fn arguments(data: &Path) -> Vec<String> {
    let Some(cluster) = cluster_of(data) else { return Vec::new() };
    let pairs = [("--cluster", cluster.servers), ("--node", cluster.node), ("--name", cluster.cluster)];
    pairs.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
}
