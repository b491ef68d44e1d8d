//! What a command fails with, and the exit code of each.

use crate::agent::{EnterError, HostError, RegisterError};
pub(super) use crate::contact::{NotFound, reason, refused};
use crate::whom::Unclear;
use aside_engine::{Denied, EngineError, Refused};
use aside_protocol::Refusal;
use aside_transport::TransportError;

/// Exit codes; scripts depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Done.
    Ok = 0,
    /// Failed here.
    Error = 1,
    /// Wrong arguments.
    Usage = 2,
    /// The network or the relay.
    Network = 3,
    /// A key is not the one it should be.
    Untrusted = 4,
    /// Refused by a limit.
    Limit = 5,
    /// Waiting took too long; the message stays in the outbox.
    TimedOut = 6,
}

/// Why a command failed, in a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Wrong arguments that clap cannot see.
    #[error("{0}")]
    Usage(String),
    /// Files, database, profile.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Network or relay.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The same, with a message in the outbox.
    #[error("{0}. The message is kept, and goes out once this is solved")]
    Kept(TransportError),
    /// Registration.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// Linking or recovering this device.
    #[error(transparent)]
    Enter(#[from] EnterError),
    /// Letting another device in.
    #[error(transparent)]
    Host(HostError),
    /// Somebody said no.
    #[error("{0}")]
    Refusal(String),
    /// The message waits for a decision about a new key.
    #[error(
        "{name} has a new key; the message is kept until you accept it. Ask them in another way whether their safety number \
         with you is {number}, and then run: aside verify {name}"
    )]
    Held {
        /// The name.
        name: String,
        /// The safety number of the own root key and the new one.
        number: String,
    },
    /// Two safety numbers differ.
    #[error(
        "this is not the safety number with {0}: one of you sees another key, so somebody may stand between you, or one of \
         you has a new account. Do not write anything secret before you know"
    )]
    Differs(String),
    /// The message was not accepted.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A change of a group was not accepted.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// What was named is nobody, or could be several.
    #[error(transparent)]
    Unclear(#[from] Unclear),
    /// The name leads nowhere.
    #[error("nobody is called {0} at your relay; ask them for their exact name")]
    UnknownName(String),
    /// Nothing was written yet.
    #[error("there is no chat with {0} yet; aside chats lists those there are")]
    NoChat(String),
    /// The relay did not answer about a name.
    #[error("cannot look {name} up: {why}")]
    LookUp {
        /// The name.
        name: String,
        /// Why not.
        why: String,
    },
    /// The name leads to another key than before.
    #[error(
        "{name} has a new key: perhaps a new account after a loss, perhaps somebody else. Ask them in another way whether \
         their safety number with you is {number}; if it is, send again with --on-key-change accept"
    )]
    KeyChanged {
        /// The name.
        name: String,
        /// The safety number of the own root key and the new one.
        number: String,
    },
    /// The relay is there, but does not answer.
    #[error("cannot reach the relay: {0}; try again later")]
    Unreached(String),
    /// The wait is over.
    #[error("{0}")]
    TimedOut(String),
    /// The engine failed while it was connected, for example because the disk is full.
    #[error("{0}")]
    Failed(String),
    /// Output could not be written, so nothing counts as printed.
    #[error("cannot write the output: {0}")]
    Output(std::io::Error),
    /// Input could not be read.
    #[error("cannot read the text from standard input: {0}; it must be UTF-8")]
    Input(std::io::Error),
}

impl From<aside_store::StoreError> for CliError {
    fn from(error: aside_store::StoreError) -> Self {
        Self::Engine(error.into())
    }
}

impl CliError {
    /// The code to exit with.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::Usage,
            Self::Engine(_)
            | Self::Failed(_)
            | Self::UnknownName(_)
            | Self::NoChat(_)
            | Self::Output(_)
            | Self::Input(_) => ExitCode::Error,
            Self::Transport(error)
            | Self::Kept(error)
            | Self::Register(RegisterError::Transport(error))
            | Self::Enter(EnterError::Transport(error)) => transport(error),
            Self::Enter(EnterError::Meeting(_) | EnterError::BadAccount) => ExitCode::Untrusted,
            Self::Enter(EnterError::NobodyWaits) => ExitCode::Network,
            Self::Enter(EnterError::TimedOut) | Self::Host(HostError::NobodyCame | HostError::Waiting) => {
                ExitCode::TimedOut
            }
            Self::Host(HostError::NotAdded(_)) => ExitCode::Limit,
            Self::Register(_) | Self::Enter(_) | Self::Host(_) | Self::Refusal(_) => ExitCode::Error,
            Self::Refused(Refused::TooLong(_)) => ExitCode::Limit,
            Self::Refused(Refused::KeyChanged(_)) => ExitCode::Untrusted,
            Self::Refused(Refused::NotIn | Refused::ReadOnly) => ExitCode::Error,
            Self::Refused(_) => ExitCode::Usage,
            Self::Denied(Denied::Full) => ExitCode::Limit,
            Self::Denied(Denied::Title | Denied::Direct | Denied::NoLink) => ExitCode::Usage,
            Self::Denied(_) | Self::Unclear(Unclear::NoGroup(_)) => ExitCode::Error,
            Self::Unclear(_) => ExitCode::Usage,
            Self::LookUp { .. } | Self::Unreached(_) => ExitCode::Network,
            Self::KeyChanged { .. } | Self::Held { .. } | Self::Differs(_) => ExitCode::Untrusted,
            Self::TimedOut(_) => ExitCode::TimedOut,
        }
    }
}

fn transport(error: &TransportError) -> ExitCode {
    match error {
        TransportError::WrongPin { .. } | TransportError::BadProof => ExitCode::Untrusted,
        TransportError::Refused(
            Refusal::InviteExpired(_) | Refusal::InviteUsed(_) | Refusal::RateLimited(_) | Refusal::TooLarge(_),
        ) => ExitCode::Limit,
        _ => ExitCode::Network,
    }
}

impl From<NotFound> for CliError {
    fn from(error: NotFound) -> Self {
        match error {
            NotFound::Unknown(name) => Self::UnknownName(name.to_string()),
            NotFound::KeyChanged(key) => Self::KeyChanged { name: key.now.name.to_string(), number: key.number },
            NotFound::NoAnswer { name, why } => Self::LookUp { name: name.to_string(), why },
            NotFound::Stopped(error) => error.into(),
            NotFound::Engine(error) => error.into(),
        }
    }
}
