//! What the core remembers between commands to spare look-ups. Dropped whenever a batch fails; never the truth.

use aside_protocol::{AccountId, DeviceId};
use std::collections::HashMap;
use std::sync::Arc;

/// A device as every command needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeviceRow {
    pub(crate) id: i64,
    pub(crate) device: DeviceId,
    pub(crate) account: i64,
    pub(crate) account_id: AccountId,
    pub(crate) revoked: bool,
}

/// A chat's routed devices: inner id, outer id.
pub(crate) type Routes = Arc<Vec<(i64, DeviceId)>>;

const MOST_DEVICES: usize = 8_192;
const MOST_CHATS: usize = 4_096;

/// The caches, each bounded by being emptied when full.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    devices: HashMap<DeviceId, DeviceRow>,
    routes: HashMap<i64, Routes>,
}

impl Cache {
    pub(crate) fn clear(&mut self) {
        self.devices.clear();
        self.routes.clear();
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
