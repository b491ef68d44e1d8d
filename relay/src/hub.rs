//! Which devices are connected, and how envelopes reach their sessions. Never blocks whoever pushes.

use crate::mailbox::{Mail, Mailbox, Wakes};
use crate::session::Input;
use aside_protocol::envelope::Envelope;
use aside_protocol::frame::{GoodbyeReason, RelayFrame};
use aside_protocol::{DeviceId, Pos, codec};
use aside_relay_core::Delivery;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One envelope on its way to one session, encoded once for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Where it stands.
    pub pos: Pos,
    /// What it counts for in the window.
    pub weight: usize,
    /// The whole frame.
    pub frame: Bytes,
}

/// A session's end of its subscription; dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    hub: Arc<Hub>,
    device: DeviceId,
    mailbox: Arc<Mailbox>,
}

/// The connected devices and where their sessions get their mail.
#[derive(Debug, Default)]
pub struct Hub {
    devices: Mutex<HashMap<DeviceId, Arc<Mailbox>>>,
}

impl Hub {
    /// Nobody is connected.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Connects a device. An older connection of it is told that it was replaced (rule `CON-5`).
    pub fn subscribe(self: &Arc<Self>, device: DeviceId, mailbox: Arc<Mailbox>) -> Subscription {
        if let Some(older) = self.devices().insert(device, mailbox.clone()) {
            goodbye(&older, GoodbyeReason::Replaced);
        }
        Subscription { hub: self.clone(), device, mailbox }
    }

    /// Hands a stored envelope to the sessions of those it is meant for, who are woken with `wakes`.
    pub fn push(&self, delivery: Delivery, wakes: &mut Wakes) {
        let devices = self.devices();
        let (pos, weight) = (delivery.envelope.pos, delivery.envelope.weight());
        let echo = delivery.echo.and_then(|device| devices.get(&device));
        if let Some(mailbox) = echo {
            let envelope = Envelope { body: None, blob: None, ..delivery.envelope.clone() };
            let frame = codec::encode(&RelayFrame::Deliver(envelope));
            mailbox.offer(Push { pos, weight: 0, frame }, wakes);
        }
        let mut mailboxes = delivery.to.iter().filter_map(|device| devices.get(device)).peekable();
        if mailboxes.peek().is_some() {
            let frame = codec::encode(&RelayFrame::Deliver(delivery.envelope));
            mailboxes.for_each(|mailbox| mailbox.offer(Push { pos, weight, frame: frame.clone() }, wakes));
        }
    }

    /// Ends a device's connection.
    pub fn disconnect(&self, device: &DeviceId, reason: GoodbyeReason) {
        if let Some(mailbox) = self.devices().get(device) {
            goodbye(mailbox, reason);
        }
    }

    /// How many devices are connected.
    pub fn connected(&self) -> usize {
        self.devices().len()
    }

    fn devices(&self) -> MutexGuard<'_, HashMap<DeviceId, Arc<Mailbox>>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn goodbye(mailbox: &Mailbox, reason: GoodbyeReason) {
    mailbox.put(Mail::Input(Input::Goodbye(reason)));
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut devices = self.hub.devices();
        if devices.get(&self.device).is_some_and(|mailbox| Arc::ptr_eq(mailbox, &self.mailbox)) {
            devices.remove(&self.device);
        }
    }
}
