//! The own device list: devices added and removed, and the list at the relay brought in line (rules `LST-3`, `LNK-6`).
//!
//! What was decided is kept as single changes, not as a list: whenever somebody else was first, the changes are made
//! anew on top of what stands then.

use crate::error::{EngineError, Result};
use crate::link::Pending;
use crate::step::Step;
use aside_crypto::lists::next_list;
use aside_protocol::device_list::{DeviceEntry, VerifiedList, verify_next};
use aside_protocol::limits::MAX_DEVICES;
use aside_protocol::refusal::Refusal;
use aside_protocol::request::{Answer, PutDeviceList, Request};
use aside_protocol::{Body, DeviceId, Millis, PublicKey};
use aside_store::Tx;
use aside_store::accounts::Account;
use aside_store::devices::ListChange;

/// The shortest pause after a list was not taken, in milliseconds.
const PAUSE_MS: u64 = 1_000;

/// A device of the own account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnDevice {
    /// Its entry in the newest list known.
    pub entry: DeviceEntry,
    /// What its machine is called, if this device was told.
    pub machine: Option<String>,
    /// Whether it is this device.
    pub this: bool,
    /// Whether it is being removed: the relay has not confirmed it yet.
    pub leaving: bool,
}

/// Why a device cannot be added; worded for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAdded {
    /// As many as there may be.
    #[error("your account has {MAX_DEVICES} devices, and cannot have more; remove one first with aside device revoke")]
    TooMany,
    /// Another device has the id or the key.
    #[error(
        "another of your devices has this id or key already; on the new machine, remove the profile and begin again"
    )]
    Used,
}

/// Why a device cannot be removed; worded for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRevoked {
    /// There is none with that id.
    #[error("none of your devices has this id; aside device list shows them")]
    Unknown,
    /// It is this one.
    #[error("this is the device you are using; remove it from another one of yours")]
    This,
}

/// What has become of a change of the own list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListState {
    /// It is on its way.
    Waiting,
    /// The relay has it.
    Done,
    /// The relay will not have it.
    Refused(Refusal),
}

impl Step<'_> {
    /// The own account's devices, the first one first.
    pub fn own_devices(&self) -> Result<Vec<OwnDevice>> {
        own_devices(self.tx)
    }

    /// Adds a device, called `machine` by its owner; the list is sent when it can be. One that is in it stays as it is.
    pub fn add_own_device(
        &mut self,
        device: DeviceId,
        key: PublicKey,
        machine: &str,
    ) -> Result<std::result::Result<(), NotAdded>> {
        let list = self.own_account()?.list.list;
        let same = |entry: &DeviceEntry| entry.device == device && entry.key == key;
        if !list.devices.iter().any(same) {
            if list.devices.iter().any(|entry| entry.device == device || entry.key == key) {
                return Ok(Err(NotAdded::Used));
            }
            if list.devices.len() >= MAX_DEVICES {
                return Ok(Err(NotAdded::TooMany));
            }
            self.tx.save_list_change(&ListChange { device, key: Some(key), decided: self.now })?;
        }
        self.tx.name_machine(&device, machine)?;
        self.link.list.refused = None;
        self.changed();
        Ok(Ok(()))
    }

    /// Removes a device from the account for good; the list is sent when it can be.
    pub fn revoke_own_device(&mut self, device: DeviceId) -> Result<std::result::Result<(), NotRevoked>> {
        if device == self.me.device {
            return Ok(Err(NotRevoked::This));
        }
        let pending = self.tx.list_changes()?.iter().any(|change| change.device == device);
        if !pending && self.own_account()?.list.list.device(&device).is_none() {
            return Ok(Err(NotRevoked::Unknown));
        }
        self.tx.save_list_change(&ListChange { device, key: None, decided: self.now })?;
        self.link.list.refused = None;
        self.changed();
        Ok(Ok(()))
    }

    /// What has become of the change about a device.
    pub fn list_state(&self, device: &DeviceId) -> Result<ListState> {
        let waiting = self.tx.list_changes()?.iter().any(|change| change.device == *device);
        Ok(match &self.link.list.refused {
            _ if waiting => ListState::Waiting,
            Some(refusal) => ListState::Refused(refusal.clone()),
            None => ListState::Done,
        })
    }

    /// The own account as it is known here.
    pub fn own_account(&self) -> Result<Account> {
        self.tx
            .account(&self.account)?
            .ok_or_else(|| EngineError::Bug("the own account is not among the accounts".into()))
    }

    /// A newer version of the own list is known: messages name it from here on, and every chat is looked at again.
    pub(crate) fn take_own_list(&mut self, list: &VerifiedList) -> Result<()> {
        let profile = self.profile()?;
        if list.list.version <= profile.list_version {
            return Ok(());
        }
        self.tx.set_own_list(list.list.version, &list.hash)?;
        self.own_list_changed()
    }

    /// Chats may have leaves that the own list lacks, or lack some that it has (rule `LNK-6`).
    pub(crate) fn own_list_changed(&mut self) -> Result<()> {
        let rows = self.tx.chats()?.into_iter().map(|chat| chat.row);
        self.link.dirty.extend(rows);
        self.changed();
        Ok(())
    }

    /// Sends the own list with all changes made, one at a time.
    pub(crate) fn pump_own_list(&mut self) -> Result<()> {
        let link = &self.link.list;
        if !self.link.caught_up || link.asked || link.looking || link.paused_until > self.now {
            return Ok(());
        }
        let changes = self.tx.list_changes()?;
        if changes.is_empty() {
            return Ok(());
        }
        let before = self.own_account()?.list;
        let devices = changed(&before, &changes);
        if devices == before.list.devices || devices.len() > MAX_DEVICES || devices.is_empty() {
            changes.iter().try_for_each(|change| self.tx.drop_list_change(&change.device))?;
            self.changed();
            return Ok(());
        }
        let list = next_list(&before, (self.me.device, &self.me.key), devices);
        self.link.list.asked = true;
        self.ask(Request::PutDeviceList(PutDeviceList { list: list.clone() }), Pending::OwnList(list));
        Ok(())
    }

    /// The relay has the list, or somebody else was first, or it will not have it.
    pub(crate) fn own_list_answered(&mut self, list: &Body, answer: Answer) -> Result<()> {
        self.link.list.asked = false;
        match answer {
            Answer::Done(_) => self.own_list_taken(list),
            Answer::Refused(Refusal::DevicesChanged(_)) => {
                self.look_own_up();
                // A relay that goes on saying so is not asked without end.
                let again = std::mem::replace(&mut self.link.list.rebased, true);
                self.pause_list(if again { PAUSE_MS } else { 0 });
                Ok(())
            }
            Answer::Refused(Refusal::Busy(wait) | Refusal::RateLimited(wait) | Refusal::Unavailable(wait)) => {
                self.pause_list(wait.retry_after_ms.max(PAUSE_MS));
                Ok(())
            }
            Answer::Refused(refusal) => {
                for change in self.tx.list_changes()? {
                    self.tx.drop_list_change(&change.device)?;
                }
                self.link.list.refused = Some(refusal);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn pause_list(&mut self, ms: u64) {
        self.link.list.paused_until = Millis(self.now.0.saturating_add(ms));
    }

    fn own_list_taken(&mut self, list: &Body) -> Result<()> {
        let own = self.own_account()?;
        // Looked up meanwhile, the list may be known already.
        let Ok(next) = verify_next(&own.root, Some(&own.list), list) else {
            self.look_own_up();
            return Ok(());
        };
        for change in self.tx.list_changes()? {
            let stands = next.list.device(&change.device).map(|entry| entry.key);
            if stands == change.key {
                self.tx.drop_list_change(&change.device)?;
            }
        }
        self.tx.save_lists(&self.account, next.list.version, std::slice::from_ref(list))?;
        self.tx.save_account(&Account { list: next.clone(), ..own }, self.now)?;
        self.take_own_list(&next)?;
        let account = self.account;
        self.list_grew(&account)
    }

    /// Asks what the relay has of the own account; nothing is sent on top of what may be old.
    pub(crate) fn look_own_up(&mut self) {
        self.link.list.looking = true;
        self.link.wanted.insert(self.account);
    }
}

/// The own account's devices, the first one first, as far as this device knows.
pub fn own_devices(tx: &Tx) -> Result<Vec<OwnDevice>> {
    let profile = tx.profile()?.ok_or(EngineError::NotRegistered)?;
    let changes = tx.list_changes()?;
    let entries = tx.account(&profile.account)?.map(|own| own.list.list.devices).unwrap_or_default().into_iter();
    let own = entries.map(|entry| {
        let leaving = changes.iter().any(|change| change.device == entry.device && change.key.is_none());
        let machine = tx.machine(&entry.device)?;
        Ok(OwnDevice { this: entry.device == profile.device, machine, leaving, entry })
    });
    own.collect()
}

/// The devices of a list after some changes: those that stay in their order, new ones at the end.
fn changed(before: &VerifiedList, changes: &[ListChange]) -> Vec<DeviceEntry> {
    let goes = |device: &DeviceId| changes.iter().any(|change| change.device == *device && change.key.is_none());
    let mut devices: Vec<_> = before.list.devices.iter().filter(|entry| !goes(&entry.device)).cloned().collect();
    for change in changes {
        let Some(key) = change.key else { continue };
        if !devices.iter().any(|entry| entry.device == change.device || entry.key == key) {
            devices.push(DeviceEntry { device: change.device, key, added: change.decided });
        }
    }
    devices
}
