//! What can go wrong between a client and its relay, by whose fault, in words for people.

use aside_protocol::Refusal;
use aside_protocol::frame::{Fault, Goodbye, GoodbyeReason};
use std::time::Duration;

/// Why there is no connection, or no longer one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The network, or a relay that is not running.
    #[error(
        "cannot reach the relay at {address}: {why}. Check your connection, or ask the host whether the relay runs"
    )]
    Unreachable {
        /// `host:port` as it stands in the invite.
        address: String,
        /// What the system said.
        why: String,
    },
    /// Somebody in between, or a relay that was set up anew.
    #[error(
        "the relay at {address} is not the one your invite names: its identity key is another. \
         Somebody may be listening in between, or the relay was set up anew; ask its host for a new invite"
    )]
    WrongPin {
        /// `host:port` as it stands in the invite.
        address: String,
    },
    /// Something else answers there: another program, or the login page of a wireless network.
    #[error("{address} is not an aside relay: {why}. Check the address, and whether this network needs a login")]
    NotARelay {
        /// `host:port` as it stands in the invite.
        address: String,
        /// What gave it away.
        why: String,
    },
    /// The encrypted channel could not be set up.
    #[error("no secure connection to the relay at {address}: {why}. Try again; if it stays so, tell the relay's host")]
    Tls {
        /// `host:port` as it stands in the invite.
        address: String,
        /// What the TLS library said.
        why: String,
    },
    /// The relay's signature over the hello does not hold (rule `LOG-1`).
    #[error("the relay did not prove that it is the one your invite names; do not use this connection, ask its host")]
    BadProof,
    /// The invite asks for a mode this version cannot speak.
    #[error(
        "the relay is behind a proxy, which this version of aside does not support; ask its host for a direct address"
    )]
    ModeNotSupported,
    /// Versions too far apart (rule `CON-1`).
    #[error(
        "this version of aside and the relay have no protocol version in common; update aside, or ask the host to update the relay"
    )]
    NoCommonVersion,
    /// The relay refused the login or the registration.
    #[error("{}", refusal_text(.0))]
    Refused(Refusal),
    /// The relay says that this client broke a rule.
    #[error("the relay closed the connection: {} ({})", .0.message, .0.rule)]
    Fault(Fault),
    /// The relay ended the connection in order.
    #[error("{}", goodbye_text(.0.reason))]
    Goodbye(Goodbye),
    /// The relay broke a rule, or this client made a frame that cannot be sent.
    #[error("the connection broke the protocol: {0}. Update aside; if it stays so, tell the relay's host")]
    Protocol(String),
    /// The connection ended without a word.
    #[error("the connection to the relay was lost")]
    Closed,
    /// Nothing was heard for too long.
    #[error("the relay has not answered for too long; the connection was given up")]
    Silent,
    /// What was sent by QUIC got no answer.
    #[error("nothing reaches the relay on this path any more; the connection is made anew")]
    PathDead,
    /// The operating system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    NoRandomness(String),
}

impl TransportError {
    /// Whether trying again without changing anything is useless, and a person has to act.
    ///
    /// Not fatal: what a network, a busy relay or a wireless login page causes, since it passes.
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::WrongPin { .. } | Self::BadProof | Self::ModeNotSupported | Self::NoCommonVersion => true,
            Self::Refused(refusal) => retry_after_ms(refusal).is_none(),
            // A fault of the hello or login comes again; one of a live connection may have been of that connection only.
            Self::Fault(fault) => fault.rule.starts_with("CON-") || fault.rule.starts_with("LOG-"),
            Self::Unreachable { .. } | Self::NotARelay { .. } | Self::Tls { .. } => false,
            Self::Goodbye(_) | Self::Protocol(_) | Self::Closed | Self::Silent | Self::PathDead => false,
            Self::NoRandomness(_) => false,
        }
    }

    /// Whether the way to the relay may be to blame, so that another transport is worth trying first.
    pub fn blames_path(&self) -> bool {
        matches!(self, Self::Silent | Self::PathDead)
    }

    /// Whether the relay at that address asks not to be dialled again now (rule `NOD-4`).
    pub fn wants_peace(&self) -> bool {
        match self {
            Self::Goodbye(goodbye) => matches!(goodbye.reason, GoodbyeReason::ShuttingDown | GoodbyeReason::Full),
            Self::Refused(refusal) => matches!(refusal, Refusal::Busy(_) | Refusal::Unavailable(_)),
            _ => false,
        }
    }

    /// The pause the relay asked for, if it did. [`crate::Rounds::ended`] reckons with it.
    pub fn retry_after(&self) -> Option<Duration> {
        let ms = match self {
            Self::Goodbye(goodbye) => Some(goodbye.retry_after_ms).filter(|ms| *ms > 0),
            Self::Refused(refusal) => retry_after_ms(refusal),
            _ => None,
        };
        ms.map(Duration::from_millis)
    }

    /// The error a fault frame stands for.
    pub(crate) fn from_fault(fault: Fault) -> Self {
        if fault.rule == "CON-1" { Self::NoCommonVersion } else { Self::Fault(fault) }
    }
}

fn retry_after_ms(refusal: &Refusal) -> Option<u64> {
    match refusal {
        Refusal::RateLimited(after) | Refusal::Busy(after) | Refusal::Unavailable(after) => Some(after.retry_after_ms),
        _ => None,
    }
}

fn refusal_text(refusal: &Refusal) -> String {
    let text = match refusal {
        Refusal::NameTaken(_) => "that name is taken; choose another",
        Refusal::InviteUnknown(_) => "the relay does not know this invite; ask its host for a new one",
        Refusal::InviteExpired(_) => "the invite has expired; ask the relay's host for a new one",
        Refusal::InviteUsed(_) => "the invite has been used up; ask the relay's host for a new one",
        Refusal::Revoked(_) => "this device was removed from its account; link it again from another device",
        Refusal::AlreadyRegistered(_) => "this account or device is already registered with other keys",
        Refusal::RateLimited(_) => "too many attempts in a short time; wait a little and try again",
        Refusal::Busy(_) => "the relay is busy; try again in a moment",
        Refusal::Unavailable(_) => "the relay cannot store anything right now; tell its host that its disk may be full",
        Refusal::Invalid(_) => "the relay found the keys or signatures invalid; update aside and try again",
        other => return format!("the relay refused ({})", other.rule()),
    };
    text.to_owned()
}

fn goodbye_text(reason: GoodbyeReason) -> &'static str {
    match reason {
        GoodbyeReason::ShuttingDown => "the relay is stopping or restarting; the connection comes back when it does",
        GoodbyeReason::Replaced => "this device logged in on another connection; only the newest one stays open",
        GoodbyeReason::Silent => "the relay heard nothing from this device for too long and closed the connection",
        GoodbyeReason::Full => "the relay has too many connections; try again in a while",
        _ => "the relay closed the connection",
    }
}

#[cfg(test)]
mod tests;
