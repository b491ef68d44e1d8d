//! Invite links: where a relay is, how to know it, and leave to register (rules `INV-*`).

use crate::limits::MAX_OFFERS;
use crate::login::Mode;
use crate::{Hash, codec};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What every invite link begins with.
pub const PREFIX: &str = "aside://join/";

/// Leave to register: 128 random bits. Whoever has it may use the invite, so it is not shown in `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteSecret(#[serde(with = "serde_bytes")] pub [u8; 16]);

impl InviteSecret {
    /// What the relay keeps instead of the secret (rule `INV-2`).
    pub fn hash(&self) -> Hash {
        Hash::labelled("aside/1 invite", &[&self.0])
    }
}

impl fmt::Debug for InviteSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteSecret(…)")
    }
}

/// The content of an invite link (rule `INV-1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// `host:port` of each node, in order of preference.
    pub addresses: Vec<String>,
    /// [`crate::login::pin`] of the relay's identity key.
    pub pin: Hash,
    /// Where TLS ends.
    pub mode: Mode,
    /// Leave to register.
    pub secret: InviteSecret,
}

/// Why a text is not an invite; shown to people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInvite {
    /// It does not begin like one.
    #[error("an invite link begins with {PREFIX}; ask the host of the relay for one")]
    NotALink,
    /// It is cut short or altered.
    #[error("the invite link is damaged; copy it again in one piece")]
    Damaged,
}

impl Invite {
    /// The link.
    pub fn to_link(&self) -> String {
        format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&codec::encode(self)))
    }

    /// Reads a link; surrounding white space is ignored.
    pub fn from_link(link: &str) -> Result<Self, InvalidInvite> {
        let coded = link.trim().strip_prefix(PREFIX).ok_or(InvalidInvite::NotALink)?;
        let invite: Self = decode_link(coded).ok_or(InvalidInvite::Damaged)?;
        if invite.is_sound() { Ok(invite) } else { Err(InvalidInvite::Damaged) }
    }

    /// Whether it names places where a relay can be.
    pub fn is_sound(&self) -> bool {
        (1..=MAX_OFFERS).contains(&self.addresses.len()) && self.addresses.iter().all(|address| is_address(address))
    }
}

/// What follows a link's prefix.
pub(crate) fn decode_link<T: serde::de::DeserializeOwned>(coded: &str) -> Option<T> {
    let bytes = BASE64URL_NOPAD.decode(coded.as_bytes()).ok()?;
    codec::decode(&Bytes::from(bytes)).ok()
}

/// Whether a text has the form `host:port`, with IPv6 addresses in brackets.
pub fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let host_ok = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok()),
        None => {
            !host.is_empty()
                && host.len() <= 253
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        }
    };
    host_ok && port.parse::<u16>().is_ok()
}
