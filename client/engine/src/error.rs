//! What stops the engine. A peer's fault never does: it is stored as a gap or a notice.

use aside_crypto::MlsError;
use aside_store::StoreError;

/// An error after which the transaction was undone and the connection must be opened anew.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The environment: disk, files, database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is a database, but no registration was completed in it.
    #[error("this profile is not registered yet; run: aside register <invite> --name <name>")]
    NotRegistered,
    /// A bug, ours or a library's.
    #[error("something went wrong inside aside: {0}; please report this")]
    Bug(String),
}

impl From<MlsError> for EngineError {
    fn from(error: MlsError) -> Self {
        match error {
            MlsError::Storage(text) if text.contains("disk is full") => Self::Store(StoreError::DiskFull),
            MlsError::Storage(text) => Self::Store(StoreError::Mls(text)),
            other => Self::Bug(other.to_string()),
        }
    }
}

impl EngineError {
    /// Whether the input, or this program, is at fault rather than the environment: trying again cannot help.
    pub(crate) fn is_poison(&self) -> bool {
        match self {
            Self::Bug(_) => true,
            Self::Store(error) => error.is_bad_value(),
            Self::NotRegistered => false,
        }
    }
}

/// Result of the engine.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;
