//! TLS 1.3 to a relay that is known by the hash of its identity key (rules `HTT-2`, `LOG-1`). No web PKI, no clock.
//!
//! The relay sends its node's certificate and its CA certificate. The CA's key is the relay's Ed25519 identity key,
//! and the invite holds that key's hash. So the CA is trusted because of its key alone, and nothing else is.

use crate::error::TransportError;
use aside_protocol::login::{EXPORTER_LABEL, pin};
use aside_protocol::{Hash, PublicKey};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, SignatureScheme};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The name every node certificate is made out to, and the SNI.
pub(crate) const NODE_NAME: &str = "aside-relay";
/// The time certificates are judged at, seconds since 1970: a constant within their validity (1975 to 4096), so that
/// a wrong clock on this device never matters. Trust ends with the pin, not with a date.
const JUDGED_AT: Duration = Duration::from_secs(1_767_225_600);
/// DER of an Ed25519 SubjectPublicKeyInfo up to the 32 bytes of the key (RFC 8410).
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Sets TLS up over `stream`; `address` is for messages only.
pub(crate) async fn connect(
    stream: TcpStream,
    pin: Hash,
    address: &str,
) -> Result<TlsStream<TcpStream>, TransportError> {
    let (config, _) = config(pin).map_err(|e| tls_error(address, &e))?;
    let name = ServerName::try_from(NODE_NAME).map_err(|e| TransportError::Protocol(e.to_string()))?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|e| io_error(address, &e))
}

/// The 32 bytes that bind a login to this channel (rule `LOG-2`).
pub(crate) fn exporter(stream: &TlsStream<TcpStream>) -> Result<Vec<u8>, TransportError> {
    let exported = stream.get_ref().1.export_keying_material([0_u8; 32], EXPORTER_LABEL, None);
    exported.map(|bytes| bytes.to_vec()).map_err(|e| TransportError::Protocol(e.to_string()))
}

/// The configuration for a relay with this pin, and the verifier in it, which remembers what it objected to.
pub(crate) fn config(pin: Hash) -> Result<(ClientConfig, Arc<PinnedRelay>), rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(PinnedRelay::new(pin, &provider));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_no_client_auth();
    // Each connection proves the identity anew; a resumed one would not.
    config.resumption = rustls::client::Resumption::disabled();
    Ok((config, verifier))
}

/// Accepts a node whose certificate was signed by the identity key with this pin.
#[derive(Debug)]
pub(crate) struct PinnedRelay {
    pin: Hash,
    algorithms: WebPkiSupportedAlgorithms,
    /// QUIC passes a failed handshake on as text only; the reason is kept for it here.
    objection: OnceLock<NotPinned>,
}

/// Why a certificate was not accepted, told apart from what the TLS library itself finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotPinned {
    #[error("its certificates are not those of a relay")]
    NoIdentity,
    #[error("the identity key is another")]
    OtherKey,
}

impl NotPinned {
    /// In words for people.
    pub fn into_error(self, address: &str) -> TransportError {
        let address = address.to_owned();
        match self {
            Self::OtherKey => TransportError::WrongPin { address },
            Self::NoIdentity => TransportError::NotARelay { address, why: self.to_string() },
        }
    }
}

impl From<NotPinned> for rustls::Error {
    fn from(reason: NotPinned) -> Self {
        CertificateError::Other(OtherError(Arc::new(reason))).into()
    }
}

impl PinnedRelay {
    fn new(pin: Hash, provider: &CryptoProvider) -> Self {
        Self { pin, algorithms: provider.signature_verification_algorithms, objection: OnceLock::new() }
    }

    /// Why this relay was not accepted, if that was because of its identity.
    pub fn objection(&self) -> Option<NotPinned> {
        self.objection.get().copied()
    }

    /// The anchor: the one certificate sent along, if its key is the pinned one.
    fn check_pin(&self, chain: &[CertificateDer<'_>]) -> Result<(), NotPinned> {
        let [ca] = chain else {
            return Err(NotPinned::NoIdentity);
        };
        let identity = identity_of(ca).ok_or(NotPinned::NoIdentity)?;
        if pin(&identity) == self.pin { Ok(()) } else { Err(NotPinned::OtherKey) }
    }

    fn check_node(&self, node: &CertificateDer<'_>, ca: &CertificateDer<'_>) -> Result<(), webpki::Error> {
        let anchor = webpki::anchor_from_trusted_cert(ca)?;
        let node = webpki::EndEntityCert::try_from(node)?;
        node.verify_for_usage(
            self.algorithms.all,
            &[anchor],
            &[],
            UnixTime::since_unix_epoch(JUDGED_AT),
            webpki::KeyUsage::server_auth(),
            None,
            None,
        )?;
        let name = ServerName::try_from(NODE_NAME).map_err(|_| webpki::Error::UnsupportedNameType)?;
        node.verify_is_valid_for_subject_name(&name)
    }
}

impl ServerCertVerifier for PinnedRelay {
    fn verify_server_cert(
        &self,
        node: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.check_pin(chain).inspect_err(|reason| {
            self.objection.get_or_init(|| *reason);
        })?;
        let ca = chain.first().ok_or(NotPinned::NoIdentity)?;
        self.check_node(node, ca).map_err(|e| rustls::Error::General(format!("bad node certificate: {e}")))?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken here".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The Ed25519 key a certificate holds, if it holds one.
fn identity_of(certificate: &CertificateDer<'_>) -> Option<PublicKey> {
    let parsed = webpki::EndEntityCert::try_from(certificate).ok()?;
    let spki = parsed.subject_public_key_info();
    PublicKey::from_slice(spki.as_ref().strip_prefix(&ED25519_SPKI)?)
}

fn io_error(address: &str, error: &std::io::Error) -> TransportError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(tls) => tls_error(address, tls),
        None => TransportError::Unreachable { address: address.to_owned(), why: error.to_string() },
    }
}

fn tls_error(address: &str, error: &rustls::Error) -> TransportError {
    let address = address.to_owned();
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(reason))) => {
            match reason.downcast_ref::<NotPinned>() {
                Some(reason) => reason.into_error(&address),
                None => TransportError::NotARelay { address, why: reason.to_string() },
            }
        }
        rustls::Error::InvalidMessage(_) => TransportError::NotARelay { address, why: "it does not speak TLS".into() },
        rustls::Error::PeerIncompatible(_) => {
            TransportError::NotARelay { address, why: "it does not speak TLS 1.3".into() }
        }
        other => TransportError::Tls { address, why: other.to_string() },
    }
}
