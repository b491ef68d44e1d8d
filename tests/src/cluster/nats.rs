//! One NATS server of a cluster: its configuration and its process.

use super::{Links, NODES};
use crate::process::Background;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// Nobody listens there: who is told to go to a NATS server by another one, around the links, does not arrive.
const NOWHERE: &str = "127.0.0.1:1";

/// A port that was free a moment ago, for servers that must know each other's before they start, and that come back to it.
/// None of those that the system gives to connections: one of them could have it while its server is away. None twice.
pub(super) fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let mut drawn = [0; 2];
        getrandom::fill(&mut drawn).expect("randomness");
        let port = 10_000 + u16::from_be_bytes(drawn) % 22_000;
        let free = TcpListener::bind(("127.0.0.1", port)).is_ok();
        if free && GIVEN.lock().expect("nobody panics here").insert(port) {
            return port;
        }
    }
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
pub(super) struct NatsServer {
    pub(super) process: Option<Background>,
    pub(super) port: u16,
    config: PathBuf,
}

impl NatsServer {
    /// With a configuration in a folder; not started. `ports` are all servers': for clients, and for other servers.
    pub(super) fn new(folder: &Path, number: usize, ports: &[(u16, u16)], links: Option<&Links>) -> Self {
        let path = folder.join(format!("nats-{number}.conf"));
        let store = folder.join(format!("nats-{number}"));
        let text = config(&store, number, ports, links);
        std::fs::write(&path, text).expect("a file");
        Self { process: None, port: ports[number].0, config: path }
    }

    pub(super) fn start(&mut self) {
        let mut command = Command::new(nats_server());
        command.arg("-c").arg(&self.config);
        self.process = Some(Background::start(&mut command));
    }
}

fn config(store: &Path, number: usize, ports: &[(u16, u16)], links: Option<&Links>) -> String {
    let (port, route) = ports[number];
    let (mut client, mut cluster) = (String::new(), String::new());
    if links.is_some() {
        client = format!("client_advertise: \"{NOWHERE}\"\n");
        cluster = format!(", advertise: \"{NOWHERE}\", no_advertise: true");
    }
    let to = |other: usize| links.map_or(format!("127.0.0.1:{}", ports[other].1), |links| links.route(number, other));
    let others = (0..NODES).filter(|other| links.is_none() || *other != number);
    let routes: Vec<String> = others.map(|other| format!("\"nats://{}\"", to(other))).collect();
    format!(
        "server_name: nats-{number}\nlisten: \"127.0.0.1:{port}\"\nmax_payload: 8MB\n{client}\
         jetstream {{ store_dir: \"{}\", sync_interval: always }}\n\
         cluster {{ name: test, listen: \"127.0.0.1:{route}\"{cluster}, routes: [{}] }}\n",
        store.display(),
        routes.join(", ")
    )
}
