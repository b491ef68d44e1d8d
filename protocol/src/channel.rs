//! Channel links: where a channel is, and what proves that somebody was given the link (rule `JOI-1`).

use crate::group::is_title;
use crate::invite::{Invite, InviteSecret, decode_link};
use crate::{ChatId, codec};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What every channel link begins with.
pub const PREFIX: &str = "aside://channel/";

/// The seed of a channel's join key. Whoever has it may join, so it is not shown in `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkSecret(#[serde(with = "serde_bytes")] pub [u8; 32]);

impl LinkSecret {
    /// From exactly the right number of bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkSecret(…)")
    }
}

/// The content of a channel link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelLink {
    /// The relay; its secret is zeros, since the link is no leave to register.
    pub invite: Invite,
    /// The channel.
    pub chat: ChatId,
    /// What it was called when the link was made.
    pub title: String,
    /// What lets people in.
    pub secret: LinkSecret,
}

/// Why a text is not a channel link; shown to people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLink {
    /// It does not begin like one.
    #[error("a channel's link begins with {PREFIX}; ask one of its admins for it")]
    NotALink,
    /// It is cut short or altered.
    #[error("the channel's link is damaged; copy it again in one piece")]
    Damaged,
}

impl ChannelLink {
    /// An invite that says where a relay is and gives no leave to register.
    pub const NO_SECRET: InviteSecret = InviteSecret([0; 16]);

    /// The link.
    pub fn to_link(&self) -> String {
        format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&codec::encode(self)))
    }

    /// Reads a link; surrounding white space is ignored.
    pub fn from_link(link: &str) -> Result<Self, InvalidLink> {
        let coded = link.trim().strip_prefix(PREFIX).ok_or(InvalidLink::NotALink)?;
        let link: Self = decode_link(coded).ok_or(InvalidLink::Damaged)?;
        if link.invite.is_sound() && is_title(&link.title) { Ok(link) } else { Err(InvalidLink::Damaged) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Hash;
    use crate::login::Mode;

    fn link() -> ChannelLink {
        let addresses = vec!["relay.example:7443".to_owned()];
        let invite = Invite { addresses, pin: Hash([3; 32]), mode: Mode::Direct, secret: ChannelLink::NO_SECRET };
        ChannelLink { invite, chat: ChatId([7; 32]), title: "News of the house".into(), secret: LinkSecret([9; 32]) }
    }

    #[test]
    fn a_link_is_read_as_it_was_made() {
        let text = format!(" {}\n", link().to_link());
        assert_eq!(ChannelLink::from_link(&text), Ok(link()));
    }

    #[test]
    fn what_is_no_whole_link_is_refused() {
        let text = link().to_link();
        assert_eq!(ChannelLink::from_link(&text[..text.len() - 5]), Err(InvalidLink::Damaged));
        assert_eq!(ChannelLink::from_link("aside://join/AAAA"), Err(InvalidLink::NotALink));
        let hostile = ChannelLink { title: "a\u{1b}[2J".into(), ..link() };
        assert_eq!(ChannelLink::from_link(&hostile.to_link()), Err(InvalidLink::Damaged));
        let mut nowhere = link();
        nowhere.invite.addresses.clear();
        assert_eq!(ChannelLink::from_link(&nowhere.to_link()), Err(InvalidLink::Damaged));
    }

    #[test]
    fn the_secret_is_not_shown() {
        assert!(!format!("{:?}", link()).contains("9, 9"));
    }
}
