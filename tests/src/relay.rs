//! A real relay in a folder of its own, which can be killed, stopped and started again on the same port.

use crate::process::{Background, Run, run};
use crate::proxy::FaultProxy;
use crate::udp::UdpProxy;
use crate::{binaries, limited, wait_some};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A relay starts within this, even on a busy machine.
const START: Duration = Duration::from_secs(30);

/// How to start a relay.
#[derive(Debug, Clone, Default)]
pub struct RelayOptions {
    /// Put a [`FaultProxy`] in front; invites then name the proxy.
    pub proxied: bool,
    /// Put a [`UdpProxy`] beside that, at the same port; else UDP leads nowhere through the proxy.
    pub udp: bool,
    /// More arguments for `serve`, such as `--window 2`.
    pub args: Vec<String>,
    /// More environment.
    pub env: Vec<(String, String)>,
    /// No file may grow beyond this many blocks of 512 bytes, as on a full disk. It then keeps no record of commands,
    /// since the record would be the first to suffer.
    pub file_blocks: Option<u64>,
}

impl RelayOptions {
    /// With a proxy in front.
    pub fn proxied() -> Self {
        Self { proxied: true, ..Self::default() }
    }

    /// With proxies in front for TCP and UDP.
    pub fn both_proxied() -> Self {
        Self { proxied: true, udp: true, ..Self::default() }
    }

    /// With one more argument for `serve`.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }
}

/// A relay, its folder, and the proxy in front of it.
#[derive(Debug)]
pub struct Relay {
    process: Background,
    listen: SocketAddr,
    invite: String,
    proxy: Option<FaultProxy>,
    udp: Option<UdpProxy>,
    options: RelayOptions,
    // Last, so that the process is gone before its folder is removed.
    folder: TempDir,
}

impl Relay {
    /// Starts one on a free port of the loopback address and waits until it listens.
    pub fn start(options: RelayOptions) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (proxy, udp) = proxies(&options);
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (process, listen, invite) = serve(folder.path(), any, proxy.as_ref(), &options);
        if let Some(proxy) = &proxy {
            proxy.forward_to(listen);
        }
        if let Some(udp) = &udp {
            udp.forward_to(listen);
        }
        Self { process, listen, invite, proxy, udp, options, folder }
    }

    /// The invite it printed at its last start: good for 5 accounts.
    pub fn first_invite(&self) -> &str {
        &self.invite
    }

    /// A new invite, made by `aside-relay invite`, for `uses` accounts.
    #[track_caller]
    pub fn invite(&self, uses: u32) -> String {
        let uses = uses.to_string();
        let made = self.admin(&["invite", "--data", &self.data().to_string_lossy(), "--uses", &uses]).ok();
        made.stdout.trim().to_owned()
    }

    /// Runs `aside-relay` with these arguments.
    pub fn admin(&self, args: &[&str]) -> Run {
        run(Command::new(binaries::aside_relay()).args(args), b"", START)
    }

    /// Where it listens; clients reach it through the proxy, if there is one.
    pub fn address(&self) -> SocketAddr {
        self.listen
    }

    /// The proxy in front; panics without one.
    #[track_caller]
    pub fn proxy(&self) -> &FaultProxy {
        self.proxy.as_ref().expect("RelayOptions::proxied")
    }

    /// The proxy for UDP in front; panics without one.
    #[track_caller]
    pub fn udp(&self) -> &UdpProxy {
        self.udp.as_ref().expect("RelayOptions::both_proxied")
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The log of all commands it applied.
    pub fn record(&self) -> PathBuf {
        self.folder.path().join("commands")
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Background {
        &mut self.process
    }

    /// Ends it without warning.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Ends it in order; panics unless it exits with 0 in time.
    #[track_caller]
    pub fn stop(&mut self) {
        let code = self.process.terminate(START);
        assert!(code == Some(0), "the relay stopped with {code:?}:\n{}", self.process.log());
    }

    /// Stops it in order if it still runs, then proves that the commands it applied over all its lives lead to one
    /// state, however they are batched. Every test that starts a relay ends with this.
    #[track_caller]
    pub fn finish(mut self) {
        if self.process.is_running() {
            self.stop();
        }
        let replayed = self.admin(&["replay", &self.record().to_string_lossy()]).ok();
        assert!(replayed.stdout.contains(" commands, state "), "nothing was replayed: {replayed:?}");
    }

    /// Starts it again, on the same port and folder, after [`Relay::kill`] or [`Relay::stop`].
    pub fn restart(&mut self) {
        self.process.kill();
        let (process, listen, invite) = serve(self.folder.path(), self.listen, self.proxy.as_ref(), &self.options);
        self.process = process;
        self.listen = listen;
        self.invite = invite;
    }

    /// Bounds the size of its files from its next start on, or does so no longer; see [`RelayOptions::file_blocks`].
    pub fn set_file_blocks(&mut self, blocks: Option<u64>) {
        self.options.file_blocks = blocks;
    }

    /// The same, with more arguments for this life only.
    pub fn restart_with(&mut self, args: &[&str]) {
        let usual = self.options.args.clone();
        self.options.args.extend(args.iter().map(|arg| (*arg).to_owned()));
        self.restart();
        self.options.args = usual;
    }

    /// Memory it holds, in KiB (`VmRSS`); Linux only.
    pub fn rss_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.pid())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }
}

/// Both at one port, if both are wanted.
fn proxies(options: &RelayOptions) -> (Option<FaultProxy>, Option<UdpProxy>) {
    if !options.proxied {
        return (None, None);
    }
    loop {
        let proxy = FaultProxy::start();
        match options.udp.then(|| UdpProxy::start(proxy.address())) {
            None => return (Some(proxy), None),
            Some(Ok(udp)) => return (Some(proxy), Some(udp)),
            // Another program has that UDP port.
            Some(Err(_)) => {}
        }
    }
}

fn serve(
    folder: &Path,
    listen: SocketAddr,
    proxy: Option<&FaultProxy>,
    options: &RelayOptions,
) -> (Background, SocketAddr, String) {
    let mut command = Command::new(binaries::aside_relay());
    command.arg("serve").arg("--json").arg("--listen").arg(listen.to_string());
    command.arg("--data").arg(folder.join("data"));
    if options.file_blocks.is_none() {
        command.arg("--record").arg(folder.join("commands"));
    }
    if let Some(proxy) = proxy {
        command.arg("--address").arg(proxy.address().to_string());
    }
    command.args(&options.args).envs(options.env.iter().map(|(k, v)| (k, v)));
    if let Some(blocks) = options.file_blocks {
        command = limited(&command, blocks);
    }
    let mut process = Background::start(&mut command);
    let line = wait_some("the relay to listen", START, || {
        let line = process.lines().first().cloned();
        assert!(line.is_some() || process.is_running(), "the relay did not start:\n{}", process.log());
        line
    });
    let said: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("not JSON ({e}): {line}"));
    let text = |key: &str| said[key].as_str().unwrap_or_else(|| panic!("no {key} in {line}")).to_owned();
    (process, text("listen").parse().expect("an address"), text("invite"))
}
