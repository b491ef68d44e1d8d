//! A relay of several nodes and as many NATS servers, for measurements.

use crate::error::BenchError;
use crate::processes::{Process, program};
use aside_protocol::invite::Invite;
use serde_json::Value;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Accounts an invite is good for: more than any measurement registers.
const USES: &str = "1000000";
/// NATS servers find each other within this.
const START: Duration = Duration::from_secs(60);

/// All its processes.
pub struct Cluster {
    nodes: Vec<(Process, Invite)>,
    nats: Vec<Process>,
    urls: String,
    _folder: TempDir,
}

impl Cluster {
    /// Starts them, with so many partitions, on ports of the system's choice. The NATS server is `ASIDE_NATS_SERVER`, or the one on `PATH`.
    pub fn start(count: usize, partitions: u16) -> Result<Self, BenchError> {
        let folder = tempfile::tempdir()?;
        let server = std::env::var_os("ASIDE_NATS_SERVER").map_or_else(|| PathBuf::from("nats-server"), PathBuf::from);
        let ports = (0..count)
            .map(|_| Ok((free_port()?, free_port()?, free_port()?)))
            .collect::<Result<Vec<_>, BenchError>>()?;
        let mut nats = Vec::new();
        for number in 0..count {
            let config = config(folder.path(), number, &ports)?;
            nats.push(Process::silent(&server, &["-c", &config.to_string_lossy()])?);
        }
        let urls: Vec<String> = ports.iter().map(|(port, ..)| format!("nats://127.0.0.1:{port}")).collect();
        let urls = urls.join(",");
        init(folder.path(), &urls, count, partitions)?;
        let mut nodes = Vec::new();
        for number in 0..count {
            nodes.push(node(folder.path(), &urls, number, &ports)?);
        }
        Ok(Self { nodes, nats, urls, _folder: folder })
    }

    /// To one of the nodes, in turns.
    pub fn invite(&self, turn: usize) -> &Invite {
        &self.nodes[turn % self.nodes.len()].1
    }

    /// What it has cost so far.
    pub fn cost(&self) -> Result<Cost, BenchError> {
        let of = |processes: Vec<&Process>| processes.into_iter().map(Process::cpu_ms).collect::<Result<Vec<_>, _>>();
        let relays_ms = of(self.nodes.iter().map(|(process, _)| process).collect())?;
        let nats_ms = of(self.nats.iter().collect())?;
        let told = Command::new(program("aside-relay")?)
            .args(["cluster", "status", "--json", "--cluster", &self.urls])
            .output()?;
        let status: Value = serde_json::from_slice(&told.stdout).unwrap_or_default();
        let unexpected = || BenchError::unexpected("its status", &status);
        let partitions = status["partitions"].as_array().ok_or_else(unexpected)?;
        let all = |name: &str| -> Result<Vec<u64>, BenchError> {
            partitions.iter().map(|partition| partition[name].as_u64().ok_or_else(unexpected)).collect()
        };
        let whole = all("first")?.iter().all(|first| *first == 2);
        Ok(Cost { relays_ms, nats_ms, whole, records: all("last")?.iter().sum(), bytes: all("bytes")?.iter().sum() })
    }
}

/// What a cluster has cost since its start.
pub struct Cost {
    /// Processor time of each relay.
    pub relays_ms: Vec<u64>,
    /// Processor time of each NATS server.
    pub nats_ms: Vec<u64>,
    /// Nothing was cut off from the logs but the records they were made with, so `bytes` is all it ever took.
    pub whole: bool,
    /// Records of all logs.
    pub records: u64,
    /// Bytes of the log at each server that holds it.
    pub bytes: u64,
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16, BenchError> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn data(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("node-{number}"))
}

fn config(folder: &Path, number: usize, ports: &[(u16, u16, u16)]) -> Result<PathBuf, BenchError> {
    let routes: Vec<String> = ports.iter().map(|(_, route, _)| format!("\"nats://127.0.0.1:{route}\"")).collect();
    let (port, route, _) = ports[number];
    let text = format!(
        "server_name: nats-{number}\nlisten: \"127.0.0.1:{port}\"\nmax_payload: 8MB\n\
         jetstream {{ store_dir: \"{}\", sync_interval: always }}\n\
         cluster {{ name: bench, listen: \"127.0.0.1:{route}\", routes: [{}] }}\n",
        folder.join(format!("nats-{number}")).display(),
        routes.join(", ")
    );
    let alone = ports.len() == 1;
    let text = if alone { text.split("cluster {").next().unwrap_or_default().to_owned() } else { text };
    let path = folder.join(format!("nats-{number}.conf"));
    fs::write(&path, text)?;
    Ok(path)
}

/// Makes the cluster, once NATS can, and gives all nodes its identity.
fn init(folder: &Path, urls: &str, count: usize, partitions: u16) -> Result<(), BenchError> {
    let (first, deadline) = (data(folder, 0), Instant::now() + START);
    loop {
        let (replicas, partitions) = (count.min(3).to_string(), partitions.to_string());
        let mut command = Command::new(program("aside-relay")?);
        command.args(["cluster", "init", "--cluster", urls, "--replicas", &replicas, "--partitions", &partitions]);
        command.arg("--data").arg(&first);
        let made = command.output()?;
        if made.status.success() {
            break;
        }
        if Instant::now() > deadline {
            return Err(BenchError::NotStarted("the cluster", String::from_utf8_lossy(&made.stderr).into_owned()));
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    for number in 1..count {
        let to = data(folder, number);
        fs::create_dir(&to)?;
        fs::set_permissions(&to, Permissions::from_mode(0o700))?;
        fs::copy(first.join("identity.key"), to.join("identity.key"))?;
    }
    Ok(())
}

fn node(folder: &Path, urls: &str, number: usize, ports: &[(u16, u16, u16)]) -> Result<(Process, Invite), BenchError> {
    let relay = program("aside-relay")?;
    let data = data(folder, number);
    let data = data.to_string_lossy();
    let (name, listen) = (format!("node-{number}"), format!("127.0.0.1:{}", ports[number].2));
    let arguments = ["serve", "--json", "--cluster", urls, "--node", &name, "--listen", &listen, "--data", &data];
    let (process, _) = Process::start(&relay, &arguments, "aside-relay")?;
    let made = Command::new(&relay).args(["invite", "--uses", USES, "--data", &data]).output()?;
    let link = String::from_utf8_lossy(&made.stdout).trim().to_owned();
    let invite = Invite::from_link(&link).map_err(|error| BenchError::NotStarted("invite", error.to_string()))?;
    Ok((process, invite))
}
