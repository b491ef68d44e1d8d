//! What stops a measurement.

use aside::agent::RegisterError;
use aside_engine::EngineError;
use aside_store::StoreError;
use std::path::PathBuf;

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A program to be measured was not built.
    #[error("{} is missing; build it with: cargo build {}-p aside -p aside-relay", .program.display(), release(.program))]
    Missing {
        /// Where it should be.
        program: PathBuf,
    },
    /// A program did something else than it should.
    #[error("{0}")]
    Program(String),
    /// What arrived is not what was sent.
    #[error("wrong delivery: {0}")]
    Delivery(String),
    /// The client's own machinery.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A registration.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// Files and pipes.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl From<StoreError> for BenchError {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}

/// The flag that builds into the folder this bench lies in.
fn release(program: &std::path::Path) -> &'static str {
    let in_release = program.parent().is_some_and(|folder| folder.ends_with("release"));
    if in_release { "--release " } else { "" }
}
