//! Which devices are connected, and how envelopes reach their sessions. Never blocks whoever pushes.

use crate::mailbox::{Mail, Mailbox, Wakes};
use crate::meetings::Meetings;
use crate::session::Input;
use aside_protocol::envelope::Envelope;
use aside_protocol::frame::{GoodbyeReason, RelayFrame};
use aside_protocol::{ChatId, DeviceId, PartitionId, Pos, codec};
use aside_relay_core::{Delivery, Recipients, Routes};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One envelope on its way to one session, encoded once for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The partition it is of.
    pub partition: PartitionId,
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
    connected: Mutex<Connected>,
    meetings: Arc<Meetings>,
}

#[derive(Debug, Default)]
struct Connected {
    devices: HashMap<DeviceId, Arc<Mailbox>>,
    /// Of chats with many devices, those that are connected. Forgotten when somebody comes or goes.
    audiences: HashMap<ChatId, Audience>,
}

/// Who of a list is connected. While the list is the same one, nobody is looked up again.
#[derive(Debug)]
struct Audience {
    list: Routes,
    present: Vec<(DeviceId, Arc<Mailbox>)>,
}

/// Chats with fewer devices are looked up each time.
const MANY: usize = 64;
/// Audiences remembered; past this all are forgotten.
const MOST_AUDIENCES: usize = 1_024;

impl Hub {
    /// Nobody is connected.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Connects a device. An older connection of it is told that it was replaced (rule `CON-5`).
    pub fn subscribe(self: &Arc<Self>, device: DeviceId, mailbox: Arc<Mailbox>) -> Subscription {
        if let Some(older) = self.lock().change().insert(device, mailbox.clone()) {
            goodbye(&older, GoodbyeReason::Replaced);
        }
        Subscription { hub: self.clone(), device, mailbox }
    }

    /// Hands a stored envelope to the sessions of those it is meant for, who are woken with `wakes`.
    pub fn push(&self, delivery: Delivery, wakes: &mut Wakes) {
        let mut connected = self.lock();
        let Delivery { envelope, to, echo } = delivery;
        let (partition, pos, weight) = (envelope.partition, envelope.pos, envelope.weight());
        if let Some(mailbox) = echo.and_then(|device| connected.devices.get(&device)) {
            let envelope = Envelope { body: None, blob: None, ..envelope.clone() };
            let frame = codec::encode(&RelayFrame::Deliver(envelope));
            mailbox.offer(Push { partition, pos, weight: 0, frame }, wakes);
        }
        let mut encoded = None;
        connected.each(envelope.chat, &to, |mailbox| {
            let encode = || codec::encode(&RelayFrame::Deliver(envelope.clone()));
            let frame: Bytes = encoded.get_or_insert_with(encode).clone();
            mailbox.offer(Push { partition, pos, weight, frame }, wakes);
        });
    }

    /// Ends a device's connection.
    pub fn disconnect(&self, device: &DeviceId, reason: GoodbyeReason) {
        if let Some(mailbox) = self.lock().devices.get(device) {
            goodbye(mailbox, reason);
        }
    }

    /// Ends all connections.
    pub fn disconnect_all(&self, reason: GoodbyeReason) {
        self.lock().devices.values().for_each(|mailbox| goodbye(mailbox, reason));
    }

    /// Which devices are connected.
    pub fn devices(&self) -> Vec<DeviceId> {
        self.lock().devices.keys().copied().collect()
    }

    /// How many devices are connected.
    pub fn connected(&self) -> usize {
        self.lock().devices.len()
    }

    /// The meetings of those who are connected.
    pub fn meetings(&self) -> Arc<Meetings> {
        self.meetings.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Connected> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connected {
    /// Somebody comes or goes.
    fn change(&mut self) -> &mut HashMap<DeviceId, Arc<Mailbox>> {
        self.audiences.clear();
        &mut self.devices
    }

    /// Gives every connected recipient's mailbox to `offer`.
    fn each(&mut self, chat: ChatId, to: &Recipients, mut offer: impl FnMut(&Arc<Mailbox>)) {
        if to.len() < MANY {
            return to.iter().filter_map(|device| self.devices.get(device)).for_each(offer);
        }
        for (device, mailbox) in self.audience(chat, to.shared()) {
            if Some(*device) != to.except() {
                offer(mailbox);
            }
        }
    }

    fn audience(&mut self, chat: ChatId, list: &Routes) -> &[(DeviceId, Arc<Mailbox>)] {
        let full = self.audiences.len() >= MOST_AUDIENCES;
        if full && !self.audiences.contains_key(&chat) {
            self.audiences.clear();
        }
        let audience = self.audiences.entry(chat).or_insert_with(|| Audience::of(list, &self.devices));
        if !Arc::ptr_eq(&audience.list, list) {
            *audience = Audience::of(list, &self.devices);
        }
        &audience.present
    }
}

impl Audience {
    fn of(list: &Routes, devices: &HashMap<DeviceId, Arc<Mailbox>>) -> Self {
        let present = list.iter().filter_map(|(_, device)| Some((*device, devices.get(device)?.clone()))).collect();
        Self { list: list.clone(), present }
    }
}

fn goodbye(mailbox: &Mailbox, reason: GoodbyeReason) {
    mailbox.put(Mail::Input(Input::Goodbye(reason)));
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut connected = self.hub.lock();
        if connected.devices.get(&self.device).is_some_and(|mailbox| Arc::ptr_eq(mailbox, &self.mailbox)) {
            connected.change().remove(&self.device);
        }
    }
}

#[cfg(test)]
mod tests;
