//! `aside-relay replay`: proves that a record's commands lead to one state, however they are batched.

use super::Failure;
use aside_relay_core::command_log::{read, replay};
use clap::Args;
use std::io::{self, Write};
use std::path::PathBuf;

/// Two sizes without a common factor, far from each other.
const BATCHES: (usize, usize) = (1, 97);

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// What `serve --record` wrote.
    file: PathBuf,
}

impl Replay {
    pub(super) fn run(self) -> Result<(), Failure> {
        let commands = read(&self.file).map_err(|error| Failure::error(format!("{}: {error}", self.file.display())))?;
        let one = replay(&commands, BATCHES.0).map_err(Failure::error)?;
        let other = replay(&commands, BATCHES.1).map_err(Failure::error)?;
        if one != other {
            return Err(Failure::error("the states differ: the core does not depend on its commands alone"));
        }
        let mut out = io::stdout().lock();
        Ok(writeln!(out, "{} commands, state {}", commands.len(), one.to_hex())?)
    }
}
