//! `aside-relay serve`.

use super::cluster::Membership;
use super::{Data, Failure, size};
use crate::server::{Options, PUSH_QUEUE, Server};
use aside_protocol::limits::{MAX_BLOB, WINDOW_ENVELOPES};
use aside_relay_core::BlobLimits;
use clap::Args;
use serde_json::json;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// The invite printed at the start: for a small circle, within a week.
const FIRST_INVITE: (u32, Duration) = (5, Duration::from_secs(7 * 86_400));

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    data: Data,
    /// Where to listen.
    #[arg(long, value_name = "ADDR:PORT", default_value = "0.0.0.0:7443")]
    listen: SocketAddr,
    /// What invites say; several may be given [default: where it listens].
    #[arg(long = "address", value_name = "HOST:PORT")]
    addresses: Vec<String>,
    /// The data folder was restored from an older copy: tell every client, so that chats are set up again. Once only.
    #[arg(long, conflicts_with = "servers")]
    restored: bool,
    /// What an account may store in files and the like: a number and k, M or G.
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = size::parse)]
    blob_quota: u64,
    /// The longest file: a number and k, M or G; at most 101M.
    #[arg(long, value_name = "SIZE", default_value = "101M", value_parser = size::parse)]
    blob_max: u64,
    #[command(flatten)]
    cluster: Membership,
    /// Where files and the like lie [default: blobs in the data folder; of a cluster, its NATS servers]. Nodes of a cluster
    /// must share the folder.
    #[arg(long, value_name = "DIR")]
    blobs: Option<PathBuf>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// Append every applied command to a file, for `replay`.
    #[arg(long, value_name = "FILE", hide = true)]
    record: Option<PathBuf>,
    /// Pushes a session may have waiting.
    #[arg(long, value_name = "N", default_value_t = PUSH_QUEUE, hide = true)]
    push_queue: usize,
    /// Envelopes a connection may have in flight.
    #[arg(long, value_name = "N", default_value_t = WINDOW_ENVELOPES, hide = true)]
    window: usize,
    /// Tell clients of no node: they stay with the order of their invites, so that a test knows where they are.
    #[arg(long, hide = true)]
    no_nodes: bool,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(4)
            .thread_stack_size(1 << 20)
            .enable_all()
            .build()?;
        runtime.block_on(self.serve())
    }

    async fn serve(self) -> Result<(), Failure> {
        // Signals from here on end the relay in order, even while it starts.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut options = Options::new(self.data.folder()?, self.listen);
        options.addresses = self.addresses;
        options.restored = self.restored;
        options.record = self.record;
        options.blobs = BlobLimits { quota: self.blob_quota, most: self.blob_max.min(MAX_BLOB) };
        (options.push_queue, options.window) = (self.push_queue, self.window);
        options.cluster = self.cluster.settings()?;
        options.tell_nodes = !self.no_nodes;
        options.blob_folder = self.blobs;
        let server = Server::start(options).await?;
        let invite = server.invite(FIRST_INVITE.0, FIRST_INVITE.1).await.map_err(Failure::error);
        let printed = invite.and_then(|invite| print(self.json, &invite.to_link(), server.listen()));
        let mut broken = Ok(());
        if printed.is_ok() {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                why = server.broken() => broken = Err(Failure::error(why)),
            }
        }
        server.stop().await;
        printed.and(broken)
    }
}

fn print(json: bool, invite: &str, listen: SocketAddr) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", json!({ "invite": invite, "listen": listen.to_string() }))?;
    } else {
        writeln!(out, "Listening at {listen}.")?;
        writeln!(out, "Invite link, good for {} accounts and 7 days:", FIRST_INVITE.0)?;
        writeln!(out, "{invite}")?;
    }
    Ok(out.flush()?)
}
