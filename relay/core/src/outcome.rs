//! What comes out of the core once a batch is durable: answers, and what to push to whom.

use aside_protocol::envelope::Envelope;
use aside_protocol::request::Answer;
use aside_protocol::{DeviceId, Refusal};

/// The result of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// For whoever sent the command. `Done` also answers commands that have no answer of their own.
    pub answer: Answer,
    /// What connected devices should be given, in order of `pos`.
    pub deliveries: Vec<Delivery>,
    /// Devices that were removed from their account by this command; their connections end.
    pub revoked: Vec<DeviceId>,
    /// `Retain` only: there is more to delete.
    pub more: bool,
}

impl Outcome {
    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self { answer: Answer::Refused(refusal), deliveries: Vec::new(), revoked: Vec::new(), more: false }
    }
}

/// One stored envelope and the devices it is meant for. The body's bytes are shared, not copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// With its body.
    pub envelope: Envelope,
    /// Devices that get it whole.
    pub to: Vec<DeviceId>,
    /// The sender, if its own envelope comes back to it; it gets it without the body (rule `ENV-4`).
    pub echo: Option<DeviceId>,
}
