//! How a command ends when it fails: one sentence, one exit code.

use crate::cluster::{JoinError, NatsError, ToolError};
use crate::server::StartError;
use std::fmt::Display;
use std::process::ExitCode;

/// What went wrong and what to do.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// Exit code 1.
    pub fn error(message: impl Display) -> Self {
        Self { code: 1, message: message.to_string() }
    }

    /// Exit code 2.
    pub fn usage(message: impl Display) -> Self {
        Self { code: 2, message: message.to_string() }
    }

    /// Exit code 3.
    pub fn network(message: impl Display) -> Self {
        Self { code: 3, message: message.to_string() }
    }

    /// Says it on stderr.
    pub fn report(&self) -> ExitCode {
        eprintln!("aside-relay: {}", self.message);
        ExitCode::from(self.code)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Cluster(JoinError::Nats(error)) => error.into(),
            StartError::Listen(..) | StartError::ListenUdp(..) => Self::network(error),
            StartError::Invite(crate::invite::InviteError::BadAddress(_)) => Self::usage(error),
            error => Self::error(error),
        }
    }
}

impl From<NatsError> for Failure {
    fn from(error: NatsError) -> Self {
        match error {
            NatsError::BadName(_) => Self::usage(error),
            NatsError::BadFile(..) | NatsError::NoCluster(_) | NatsError::Exists(_) | NatsError::BadFacts => {
                Self::error(error)
            }
            _ => Self::network(error),
        }
    }
}

impl From<ToolError> for Failure {
    fn from(error: ToolError) -> Self {
        match error {
            ToolError::Nats(error) => error.into(),
            ToolError::NoOwner(_) | ToolError::Slow(..) => Self::network(error),
            error => Self::error(error),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::error(error)
    }
}
