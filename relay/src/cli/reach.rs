//! How NATS is reached, and as which node: arguments first, then `[cluster]` in `relay.toml`.

use super::Failure;
use super::config::ClusterKeys;
use crate::cluster::Settings;
use clap::Args;
use std::path::PathBuf;

/// The cluster's name, if nobody says another.
const CLUSTER: &str = "aside";

/// How NATS is reached.
#[derive(Debug, Args)]
pub(super) struct Reach {
    /// The cluster's NATS servers, separated by commas.
    #[arg(long = "cluster", value_name = "URLS")]
    servers: Option<String>,
    /// The cluster's name: several may share NATS servers [default: aside].
    #[arg(long = "name", value_name = "NAME")]
    cluster: Option<String>,
    /// A file with NATS credentials.
    #[arg(long, value_name = "FILE")]
    nats_credentials: Option<PathBuf>,
    /// The certificate authority of the NATS servers, in PEM; asks for TLS.
    #[arg(long, value_name = "FILE")]
    nats_ca: Option<PathBuf>,
}

impl Reach {
    /// For a tool, which must know where the cluster is.
    pub(super) fn tool(&self, keys: Option<ClusterKeys>) -> Result<Settings, Failure> {
        self.settings(keys.unwrap_or_default(), "tool".to_owned()).ok_or_else(|| {
            Failure::usage(
                "where is the cluster? name its NATS servers with --cluster, or a node's folder with --data, whose relay.toml \
                 names them",
            )
        })
    }

    /// None if nobody names servers.
    fn settings(&self, keys: ClusterKeys, node: String) -> Option<Settings> {
        let named = (!keys.servers.is_empty()).then(|| keys.servers.join(","));
        Some(Settings {
            servers: self.servers.clone().or(named)?,
            cluster: self.cluster.clone().or(keys.name).unwrap_or_else(|| CLUSTER.to_owned()),
            node,
            credentials: self.nats_credentials.clone().or(keys.credentials),
            authority: self.nats_ca.clone().or(keys.ca),
        })
    }
}

/// What `serve` needs to know of a cluster.
#[derive(Debug, Args)]
pub(super) struct Membership {
    #[command(flatten)]
    reach: Reach,
    /// Be the node of this name in the cluster.
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
}

impl Membership {
    /// None for a relay alone.
    pub(super) fn settings(&self, keys: Option<ClusterKeys>) -> Result<Option<Settings>, Failure> {
        let asked = self.node.is_some() || self.reach.servers.is_some() || keys.is_some();
        let mut keys = keys.unwrap_or_default();
        let node = self.node.clone().or(keys.node.take());
        let Some(settings) = self.reach.settings(keys, node.clone().unwrap_or_default()) else {
            let missing =
                "a node needs its cluster's NATS servers; name them with --cluster, or as servers in relay.toml";
            return if asked { Err(Failure::usage(missing)) } else { Ok(None) };
        };
        let missing = "a node of a cluster needs a name of its own; give it with --node, or as node in relay.toml";
        node.map(|_| Some(settings)).ok_or_else(|| Failure::usage(missing))
    }
}
