//! Chats as MLS groups (RFC 9420, by `openmls`): founding, joining, talking, committing (rules `MLS-*`).
//!
//! One [`Scope`] per transaction ties together randomness, the storage of that transaction and who this device is.
//! A [`Group`] is a copy in memory of what the storage holds. After a transaction was rolled back, or after an error
//! that is not the peer's fault, drop the group and load it again.

mod ahead;
mod commit;
mod config;
mod error;
mod found;
mod group;
mod hpke;
mod leaf;
mod open;
mod packages;
mod primitives;
mod scope;
mod sha256;
mod signer;
mod welcome;

pub use commit::{Proposed, StagedCommitFacts, Wanted};
pub use config::Terms;
pub use error::{BadKeyPackage, MlsError};
pub use group::Group;
pub use leaf::Leaf;
pub use open::{Opened, What};
pub use packages::CheckedKeyPackage;
pub use scope::{Me, Mls, Scope, Storage};
pub use welcome::Staged;
