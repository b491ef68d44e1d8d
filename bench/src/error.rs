//! Why a measurement could not be made, in words for whoever runs it.

use std::io;
use std::path::PathBuf;

/// A measurement that failed. Nothing is printed then: half a figure is none.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The programs to measure are not there.
    #[error("{0} is missing; build it with `cargo build --release --bins` and run this again")]
    NotBuilt(PathBuf),
    /// A started program said something unexpected, or ended.
    #[error("{0} did not start: {1}")]
    NotStarted(&'static str, String),
    /// The system.
    #[error("{0}")]
    System(#[from] io::Error),
    /// The relay did what it should not; the figures would be worthless.
    #[error("the relay misbehaved: {0}")]
    Misbehaved(String),
    /// What arrived is not what was sent.
    #[error("wrong delivery: {0}")]
    Delivery(String),
    /// A program failed, or said something else than it should.
    #[error("{0}")]
    Failed(String),
    /// The client's own machinery.
    #[error(transparent)]
    Client(#[from] aside_engine::EngineError),
    /// Nothing happened for too long.
    #[error("nothing happened for {0} seconds while {1}")]
    Stuck(u64, &'static str),
}

impl From<aside_store::StoreError> for BenchError {
    fn from(error: aside_store::StoreError) -> Self {
        Self::Client(error.into())
    }
}

impl BenchError {
    /// The relay said something else than expected.
    pub fn unexpected(what: &str, got: &impl std::fmt::Debug) -> Self {
        Self::Misbehaved(format!("instead of {what} it said {got:?}"))
    }
}
