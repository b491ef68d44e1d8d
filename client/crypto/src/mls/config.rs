//! The one configuration all groups have, with the reason for each choice.

use super::error::{MlsError, bug};
use aside_protocol::codec;
use aside_protocol::group::{
    CHAT_CONTEXT_EXTENSION, ChatContext, ChatKind, EVIDENCE_PROPOSAL, GROUP_STATE_EXTENSION, GroupState,
    PACK_EXTENSION, Pack,
};
use aside_protocol::limits::MAX_BIG_HANDSHAKE;
use aside_protocol::request::Suite;
use bytes::Bytes;
use openmls::messages::group_info::GroupInfo;
use openmls::prelude::{
    Capabilities, Ciphersuite, CredentialType, Extension, ExtensionType, Extensions, GroupContext, Lifetime,
    MlsGroupJoinConfig, PURE_CIPHERTEXT_WIRE_FORMAT_POLICY, ProposalType, ProtocolVersion,
    RequiredCapabilitiesExtension, SenderRatchetConfiguration, UnknownExtension,
};
use serde::de::DeserializeOwned;

/// Keys of skipped messages that are kept, per sender: as many as a sender may have unanswered.
const OUT_OF_ORDER: u32 = aside_protocol::limits::UNANSWERED_SENDS as u32;
/// Messages of one sender that may be skipped in one epoch: each send refused as stale was encrypted and never arrives.
const FORWARD: u32 = 5_000;
/// Component of the safe exporter that receipts use (private use range of the MLS extensions draft).
pub(super) const RECEIPT_COMPONENT: u16 = 0xF0A0;

/// Members read only what belongs to the current epoch: kept epochs would be rewritten with every message.
pub(super) const PAST_EPOCHS: usize = 0;
/// Contents are padded by us, in buckets; what commits do is visible to the relay from the routing anyway.
const PADDING: usize = 0;

/// How a group behaves on this device, whether founded or joined.
pub(super) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .max_past_epochs(PAST_EPOCHS)
        .padding_size(PADDING)
        .use_ratchet_tree_extension(true)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER, FORWARD))
        .build()
}

/// The library's name of a suite.
pub(super) fn ciphersuite(suite: Suite) -> Result<Ciphersuite, MlsError> {
    match suite {
        Suite::XWing => Ok(Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519),
        Suite::Classical => Ok(Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519),
        _ => Err(bug(format!("unknown suite {}", suite.code()))),
    }
}

/// The suite of a kind of chat (rule `MLS-1`). Nobody may found or join a chat under a weaker one.
pub(super) fn suite_of(kind: ChatKind) -> Option<Suite> {
    match kind {
        ChatKind::Direct | ChatKind::Group => Some(Suite::XWing),
        ChatKind::Channel => Some(Suite::Classical),
        _ => None,
    }
}

/// No clock decides validity (rule `MLS-5`), and any other lifetime is refused, so that all members judge alike.
pub(super) fn lifetime() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

const EXTENSIONS: [ExtensionType; 3] = [
    ExtensionType::Unknown(CHAT_CONTEXT_EXTENSION),
    ExtensionType::Unknown(GROUP_STATE_EXTENSION),
    ExtensionType::LastResort,
];

/// What every leaf of ours advertises (rule `MLS-4`).
pub(super) fn capabilities() -> Capabilities {
    Capabilities::new(
        Some(&[ProtocolVersion::Mls10]),
        Some(&[
            Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519,
            Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
        ]),
        Some(&EXTENSIONS),
        Some(&[ProposalType::Custom(EVIDENCE_PROPOSAL)]),
        Some(&[CredentialType::Basic]),
    )
}

/// Whether a leaf advertises at least what ours do.
pub(super) fn are_enough(theirs: &Capabilities) -> bool {
    let ours = capabilities();
    ours.ciphersuites().iter().all(|suite| theirs.ciphersuites().contains(suite))
        && ours.extensions().iter().all(|extension| theirs.extensions().contains(extension))
        && ours.proposals().iter().all(|proposal| theirs.proposals().contains(proposal))
        && ours.credentials().iter().all(|credential| theirs.credentials().contains(credential))
}

/// What a group's context says of its chat: what never changes, and in groups and channels what does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The chat; in direct chats with its accounts.
    pub context: ChatContext,
    /// Of groups and channels (rule `GRP-2`).
    pub state: Option<GroupState>,
}

/// The group context extensions of a group: its terms, and that everybody must understand them.
pub(super) fn extensions(terms: &Terms) -> Result<Extensions<GroupContext>, MlsError> {
    let mut types = vec![ExtensionType::Unknown(CHAT_CONTEXT_EXTENSION)];
    types.extend(terms.state.as_ref().map(|_| ExtensionType::Unknown(GROUP_STATE_EXTENSION)));
    let required = RequiredCapabilitiesExtension::new(
        &types,
        &[ProposalType::Custom(EVIDENCE_PROPOSAL)],
        &[CredentialType::Basic],
    );
    let chat = UnknownExtension(codec::encode(&terms.context).to_vec());
    let state = terms.state.as_ref().map(|state| UnknownExtension(codec::encode(state).to_vec()));
    let mut list = vec![Extension::RequiredCapabilities(required), Extension::Unknown(CHAT_CONTEXT_EXTENSION, chat)];
    list.extend(state.map(|state| Extension::Unknown(GROUP_STATE_EXTENSION, state)));
    Extensions::from_vec(list).map_err(bug)
}

/// Reads the terms out of a group context, and refuses extensions that would let strangers act on the group.
pub(super) fn read_terms(extensions: &Extensions<GroupContext>) -> Result<Terms, String> {
    let ours = |extension: &Extension| match extension {
        Extension::RequiredCapabilities(_) => true,
        Extension::Unknown(id, _) => *id == CHAT_CONTEXT_EXTENSION || *id == GROUP_STATE_EXTENSION,
        _ => false,
    };
    if !extensions.iter().all(ours) {
        return Err("a group context extension that Aside does not use".into());
    }
    let bytes = extensions.unknown(CHAT_CONTEXT_EXTENSION).ok_or("no chat context")?;
    let context: ChatContext = decode(&bytes.0)?;
    let state = extensions.unknown(GROUP_STATE_EXTENSION).map(|bytes| decode(&bytes.0)).transpose()?;
    if state.is_some() == (context.kind == ChatKind::Direct) {
        return Err("a state of groups in a direct chat, or none in a group".into());
    }
    Ok(Terms { context, state })
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    codec::decode(&Bytes::copy_from_slice(bytes)).map_err(|e| e.to_string())
}

/// What only joiners read (rule `GRP-3`).
pub(super) fn pack_extension(pack: &Pack) -> Extension {
    Extension::Unknown(PACK_EXTENSION, UnknownExtension(codec::encode(pack).to_vec()))
}

/// Reads the pack out of a welcome's group info, if it has one.
pub(super) fn read_pack(extensions: &Extensions<GroupInfo>) -> Result<Option<Pack>, String> {
    let Some(bytes) = extensions.unknown(PACK_EXTENSION) else { return Ok(None) };
    // Of a big channel it is longer than a frame, as its welcome is.
    codec::decode_long(&Bytes::copy_from_slice(&bytes.0), MAX_BIG_HANDSHAKE).map(Some).map_err(|e| e.to_string())
}
