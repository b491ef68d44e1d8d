//! Why a relay does not start, in sentences for people.

use crate::cluster::JoinError;
use crate::data::DataError;
use crate::identity::IdentityError;
use crate::invite::InviteError;
use aside_relay_core::CoreError;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a relay does not start; shown to people.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The database.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The TLS configuration.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The address.
    #[error("cannot listen at {0}: {1}; is another program using the port? name another with --listen")]
    Listen(SocketAddr, io::Error),
    /// The same address, for QUIC.
    #[error(
        "cannot listen at UDP port {0}, which QUIC needs beside TCP: {1}; is another program using it? \
         name another port with --listen"
    )]
    ListenUdp(SocketAddr, io::Error),
    /// The QUIC configuration.
    #[error("QUIC cannot be set up: {0}")]
    Quic(String),
    /// The folder of blobs.
    #[error("the folder of blobs cannot be used: {0}; correct its permissions")]
    Blobs(io::Error),
    /// A node's folder, without its cluster.
    #[error(
        "the data folder belongs to a node of a cluster, whose states must stay equal; run it with serve --cluster, or ask \
         the running node"
    )]
    Member,
    /// A folder whose relay became a cluster.
    #[error(
        "the relay of this data folder became a cluster, and {0} is what it held before; run it with serve --cluster"
    )]
    Imported(PathBuf),
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] JoinError),
    /// The invites' addresses.
    #[error(transparent)]
    Invite(#[from] InviteError),
    /// Something else of the system's.
    #[error("the relay cannot start: {0}")]
    System(#[from] io::Error),
}
