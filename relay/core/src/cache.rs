//! What the core remembers between commands to spare look-ups. Dropped whenever a batch fails; never the truth.

use crate::chat::ChatRow;
use crate::outcome::Routes;
use aside_protocol::{AccountId, ChatId, DeviceId, N, Seq};
use std::collections::HashMap;

/// A device as every command needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeviceRow {
    pub(crate) id: i64,
    pub(crate) device: DeviceId,
    pub(crate) account: i64,
    pub(crate) account_id: AccountId,
    pub(crate) revoked: bool,
}

/// How far a device has counted in a chat.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SenderRow {
    /// Its last number; 0 before the first.
    pub(crate) n: N,
    /// Where that envelope stands, unless a restored state came between.
    pub(crate) at: Option<Seq>,
}

/// Room for all devices of a few of the biggest chats.
const MOST_DEVICES: usize = 32_768;
const MOST_CHATS: usize = 8_192;
const MOST_SENDERS: usize = 32_768;

/// The caches, each bounded by being emptied when full.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    devices: HashMap<DeviceId, DeviceRow>,
    routes: HashMap<i64, Routes>,
    chats: HashMap<ChatId, ChatRow>,
    senders: HashMap<(i64, i64), SenderRow>,
}

impl Cache {
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// A chat that is not kept any more.
    pub(crate) fn take_chat(&mut self, chat: &ChatId) -> Option<ChatRow> {
        self.chats.remove(chat)
    }

    pub(crate) fn keep_chat(&mut self, chat: ChatId, row: ChatRow) {
        if self.chats.len() >= MOST_CHATS {
            self.chats.clear();
        }
        self.chats.insert(chat, row);
    }

    pub(crate) fn forget_chats(&mut self) {
        self.chats.clear();
    }

    pub(crate) fn sender(&self, chat: i64, device: i64) -> Option<SenderRow> {
        self.senders.get(&(chat, device)).copied()
    }

    pub(crate) fn keep_sender(&mut self, chat: i64, device: i64, row: SenderRow) {
        if self.senders.len() >= MOST_SENDERS {
            self.senders.clear();
        }
        self.senders.insert((chat, device), row);
    }

    pub(crate) fn forget_sender(&mut self, chat: i64, device: i64) {
        self.senders.remove(&(chat, device));
    }

    pub(crate) fn forget_senders(&mut self) {
        self.senders.clear();
    }

    pub(crate) fn device(&self, device: &DeviceId) -> Option<DeviceRow> {
        self.devices.get(device).copied()
    }

    pub(crate) fn keep_device(&mut self, row: DeviceRow) {
        if self.devices.len() >= MOST_DEVICES {
            self.devices.clear();
        }
        self.devices.insert(row.device, row);
    }

    pub(crate) fn forget_device(&mut self, device: &DeviceId) {
        self.devices.remove(device);
    }

    pub(crate) fn routes(&self, chat: i64) -> Option<Routes> {
        self.routes.get(&chat).cloned()
    }

    pub(crate) fn keep_routes(&mut self, chat: i64, routes: Routes) {
        if self.routes.len() >= MOST_CHATS {
            self.routes.clear();
        }
        self.routes.insert(chat, routes);
    }

    pub(crate) fn forget_routes(&mut self, chat: i64) {
        self.routes.remove(&chat);
    }
}
