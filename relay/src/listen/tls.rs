//! The TLS configuration: version 1.3 only, aws-lc-rs, a certificate made afresh at each start.

use crate::identity::Identity;
use crate::server::StartError;
use rustls::ServerConfig;
use std::sync::Arc;

/// For the relay's own port.
pub fn config(identity: &Identity) -> Result<Arc<ServerConfig>, StartError> {
    let certificate = identity.node_certificate()?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(certificate.chain, certificate.key)?;
    // No resumption: a certificate lives as long as the process, and tickets cost memory for each connection.
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}
