//! Identity, device lists, MLS groups and receipts. No sockets, no clock, no SQL.
//!
//! Keys sign what `aside-protocol` defines and verifies; MLS comes from `openmls`, its state goes to a storage that the
//! caller hands in, so that it lives in the caller's own transaction. Randomness is an argument, except inside MLS,
//! whose library draws its own. No secret shows in `Debug`.

pub mod attachments;
pub mod device;
mod hkdf_label;
pub mod linking;
pub mod lists;
pub mod mls;
pub mod receipts;
pub mod recovery;
pub mod rejoin;
pub mod safety;

pub use device::DeviceKey;
pub use mls::{
    BadKeyPackage, CheckedKeyPackage, Group, Leaf, Me, Mls, MlsError, Opened, Proposed, Scope, Staged,
    StagedCommitFacts, Storage, Terms, Wanted, What,
};
pub use recovery::{PhraseError, RecoveryPhrase, RootKey};
