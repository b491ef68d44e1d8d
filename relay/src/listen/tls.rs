//! The TLS configurations: version 1.3 only, aws-lc-rs, a certificate made afresh at each start (rule `HTT-2`).

use crate::identity::NodeCertificate;
use aside_protocol::login::QUIC_ALPN;
use rustls::ServerConfig;
use std::sync::Arc;

/// For TCP and for QUIC: the same certificate and key.
pub struct Configs {
    /// TLS over TCP.
    pub tcp: Arc<ServerConfig>,
    /// TLS inside QUIC, with a protocol name of its own.
    pub quic: Arc<ServerConfig>,
}

/// Both configurations for a node.
pub fn configs(certificate: NodeCertificate) -> Result<Configs, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(certificate.chain, certificate.key)?;
    // No resumption and no early data: a certificate lives as long as the process, tickets cost memory for each
    // connection, and what comes early can be replayed.
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    let mut quic = config.clone();
    quic.alpn_protocols = vec![QUIC_ALPN.to_vec()];
    Ok(Configs { tcp: Arc::new(config), quic: Arc::new(quic) })
}
