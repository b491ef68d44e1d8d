//! Bytes and types that clients and relays agree on: ids, frames, codec, limits, the login transcript.
//!
//! This crate knows nobody: it does no I/O, holds no secret key and reads neither clock nor randomness.
//! The rules it implements are written down in `protocol/SPEC.md`; rule ids such as `FRM-2` point there.

pub mod body;
pub mod channel;
pub mod codec;
pub mod content;
pub mod device_list;
pub mod envelope;
pub mod frame;
pub mod group;
pub mod history;
pub mod ids;
pub mod invite;
pub mod limits;
pub mod linking;
pub mod login;
pub mod name;
pub mod refusal;
pub mod rejoin;
pub mod request;
pub mod stream;
pub mod wire;

pub use body::Body;
pub use codec::{DecodeError, decode, encode};
pub use ids::{
    AccountId, ChatId, Cursor, DeviceId, GroupNonce, Hash, LogId, MeetingId, MessageId, Millis, N, Nonce, PartitionId,
    Pos, PublicKey, RequestId, Seq, Signature,
};
pub use name::Name;
pub use refusal::Refusal;
