//! `aside-relay serve`.

use super::config::{Keys, Place};
use super::reach::Membership;
use super::{Failure, size};
use crate::server::{BLOBS, Options, PUSH_QUEUE, Server};
use aside_protocol::limits::{MAX_BLOB, WINDOW_ENVELOPES};
use aside_relay_core::BlobLimits;
use clap::Args;
use serde_json::json;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// The invite printed at the start: for a small circle, within a week.
const FIRST_INVITE: (u32, Duration) = (5, Duration::from_secs(7 * 86_400));

/// Where to listen, if nobody says.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 7443);

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    place: Place,
    /// Where to listen [default: 0.0.0.0:7443].
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// What invites say; several may be given [default: where it listens].
    #[arg(long = "address", value_name = "HOST:PORT")]
    addresses: Vec<String>,
    /// The data folder was restored from an older copy: tell every client, so that chats are set up again. Once only.
    #[arg(long)]
    restored: bool,
    /// What an account may store in files and the like: a number and k, M or G [default: 1G].
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    blob_quota: Option<u64>,
    /// The longest file: a number and k, M or G; at most 101M, the default.
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    blob_max: Option<u64>,
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
        let json = self.json;
        let server = Server::start(self.options()?).await?;
        let invite = server.invite(FIRST_INVITE.0, FIRST_INVITE.1).await.map_err(Failure::error);
        let printed = invite.and_then(|invite| print(json, &invite.to_link(), server.listen()));
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

    /// What the arguments say, and what the file says of the rest.
    pub(super) fn options(self) -> Result<Options, Failure> {
        let Keys { listen, addresses, blobs, blob_quota, blob_max, cluster } = self.place.keys()?;
        let mut options = Options::new(self.place.folder()?, self.listen.or(listen).unwrap_or(LISTEN));
        options.addresses = if self.addresses.is_empty() { addresses } else { self.addresses };
        let most = self.blob_max.or(blob_max).unwrap_or(BLOBS.most).min(MAX_BLOB);
        options.blobs = BlobLimits { quota: self.blob_quota.or(blob_quota).unwrap_or(BLOBS.quota), most };
        options.blob_folder = self.blobs.or(blobs);
        options.cluster = self.cluster.settings(cluster)?;
        if options.cluster.is_some() && self.restored {
            return Err(Failure::usage("a cluster is not set back; --restored is for a relay alone"));
        }
        (options.restored, options.record) = (self.restored, self.record);
        (options.push_queue, options.window) = (self.push_queue, self.window);
        options.tell_nodes = !self.no_nodes;
        Ok(options)
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
