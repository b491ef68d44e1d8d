//! What comes out of the core once a batch is durable: answers, and what to push to whom.

use aside_protocol::envelope::Envelope;
use aside_protocol::request::Answer;
use aside_protocol::{DeviceId, Refusal};
use std::sync::Arc;

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
    pub to: Recipients,
    /// The sender, if its own envelope comes back to it; it gets it without the body (rule `ENV-4`).
    pub echo: Option<DeviceId>,
}

/// Devices a chat is routed to, or some others: inner id, outer id, in the order of inner ids, none twice.
pub type Routes = Arc<Vec<(i64, DeviceId)>>;

/// Whom an envelope is for. Everybody in a chat is one list for all its envelopes, whoever sends them: with thousands of
/// devices a list for each would cost more than the envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipients {
    list: Routes,
    /// One of the list that does not get it.
    except: Option<DeviceId>,
}

impl Recipients {
    /// All but one, who need not be among them.
    pub fn but(list: &Routes, device: i64) -> Self {
        let at = list.binary_search_by_key(&device, |(id, _)| *id).ok();
        Self { list: list.clone(), except: at.and_then(|at| list.get(at)).map(|(_, device)| *device) }
    }

    /// Exactly these.
    pub fn only(list: &[(i64, DeviceId)]) -> Self {
        let mut list = list.to_vec();
        list.sort_unstable();
        Self { list: Arc::new(list), except: None }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &DeviceId> {
        self.list.iter().map(|(_, device)| device).filter(|device| Some(**device) != self.except)
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.list.len() - usize::from(self.except.is_some())
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The list that others may share, the one left out included.
    pub fn shared(&self) -> &Routes {
        &self.list
    }

    /// Who of the list is left out.
    pub fn except(&self) -> Option<DeviceId> {
        self.except
    }
}
