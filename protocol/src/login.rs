//! What relay and device sign to prove themselves to each other (rules `LOG-*`). No secrets, no signing here.

use crate::frame::{Hello, HelloOk};
use crate::{AccountId, DeviceId, Hash, Nonce, PublicKey, codec};
use serde::Serialize;

crate::wire_code! {
    /// Where TLS ends.
    pub enum Mode {
        /// At the relay; the login is bound to the channel.
        0 = Direct,
        /// At a reverse proxy in front of it.
        1 = Proxied,
    }
}

/// Label of the TLS exporter (RFC 8446 section 7.5) that binds a login to its channel.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-aside-1-login";

/// What QUIC's TLS handshake names this protocol (rule `QUI-1`). TLS over TCP names none.
pub const QUIC_ALPN: &[u8] = b"aside/1";

/// Everything both sides saw before the login. Both must build the same (rule `LOG-2`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Transcript {
    /// Versions offered by the client.
    pub versions: Vec<u64>,
    /// Capabilities offered by the client.
    pub offered: Vec<String>,
    /// Version chosen.
    pub version: u64,
    /// Capabilities in force.
    pub capabilities: Vec<String>,
    /// The client's nonce.
    pub client_nonce: Nonce,
    /// The relay's nonce.
    pub relay_nonce: Nonce,
    /// [`pin`] of the relay's identity key.
    pub relay: Hash,
    /// Where TLS ends.
    pub mode: Mode,
    /// 32 bytes of the TLS exporter in direct mode, else none.
    #[serde(with = "serde_bytes")]
    pub exporter: Option<Vec<u8>>,
}

impl Transcript {
    /// As whoever said `hello` and was answered sees it. `relay` is the pin the other side must have.
    pub fn of(hello: Hello, answer: &HelloOk, relay: Hash, exporter: Vec<u8>) -> Self {
        Self {
            versions: hello.versions,
            offered: hello.capabilities,
            version: answer.version,
            capabilities: answer.capabilities.clone(),
            client_nonce: hello.nonce,
            relay_nonce: answer.nonce,
            relay,
            mode: hello.mode,
            exporter: Some(exporter),
        }
    }

    fn labelled(&self, label: &str, rest: &[&[u8]]) -> Vec<u8> {
        let transcript = codec::encode(self);
        let mut parts: Vec<&[u8]> = vec![&transcript];
        parts.extend_from_slice(rest);
        Hash::labelled(label, &parts).0.to_vec()
    }

    /// The bytes the relay signs in hello-ok.
    pub fn relay_signs(&self) -> Vec<u8> {
        self.labelled("aside/1 relay", &[])
    }

    /// The bytes a device signs to log in.
    pub fn device_signs(&self, device: &DeviceId) -> Vec<u8> {
        self.labelled("aside/1 login", &[&device.0])
    }

    /// The bytes a root key signs to be told of its account (rule `RCV-1`).
    pub fn claim_signs(&self, account: &AccountId) -> Vec<u8> {
        self.labelled("aside/1 claim", &[&account.0])
    }

    /// The bytes a device signs that the root key puts into its account's list (rule `RCV-2`).
    pub fn recovery_signs(&self, list: &[u8]) -> Vec<u8> {
        self.labelled("aside/1 recover", &[list])
    }

    /// The bytes a new device signs to register: everything in the frame but the signature.
    pub fn registration_signs(&self, secret: &[u8], name: &str, root: &PublicKey, list: &[u8]) -> Vec<u8> {
        self.labelled("aside/1 register", &[secret, name.as_bytes(), &root.0, list])
    }
}

/// The pin of a relay: the hash of its identity key as it stands in invites (rule `LOG-1`).
pub fn pin(identity: &PublicKey) -> Hash {
    Hash::labelled("aside/1 relay identity", &[&identity.0])
}
