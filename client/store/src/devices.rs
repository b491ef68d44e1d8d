//! The own devices: what their machines are called, changes of their list that are on their way, and this device's own
//! way into an account.

use crate::profile::RelayPlace;
use crate::rows::{id, maybe_id};
use crate::{Result, StoreError, Tx};
use aside_protocol::{AccountId, DeviceId, Millis, PublicKey, codec};
use bytes::Bytes;
use rusqlite::params;
use zeroize::Zeroizing;

/// A change of the own device list that the relay has not confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListChange {
    /// Which device.
    pub device: DeviceId,
    /// Its key if it is to be added; none if it is to go.
    pub key: Option<PublicKey>,
    /// When that was decided.
    pub decided: Millis,
}

/// A device that is to become one of an account: stored before anybody hears of it.
#[derive(Debug, Clone)]
pub struct Entering {
    /// The account.
    pub account: AccountId,
    /// The id it chose.
    pub device: DeviceId,
    /// Seed of its key.
    pub seed: Zeroizing<[u8; 32]>,
    /// The account's relay.
    pub relay: RelayPlace,
    /// When this began.
    pub created: Millis,
}

impl Tx<'_> {
    /// What an own device's machine is called, if it said so here.
    pub fn machine(&self, device: &DeviceId) -> Result<Option<String>> {
        self.one("SELECT machine FROM own_devices WHERE device = ?", params![device.as_ref()], |row| Ok(row.get(0)?))
    }

    /// Remembers what an own device's machine is called.
    pub fn name_machine(&self, device: &DeviceId, machine: &str) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO own_devices (device, machine) VALUES (?, ?)";
        self.run(sql, params![device.as_ref(), machine]).map(drop)
    }

    /// Changes of the own device list that the relay has not confirmed.
    pub fn list_changes(&self) -> Result<Vec<ListChange>> {
        self.all("SELECT device, key, added FROM list_changes ORDER BY added, device", [], |row| {
            Ok(ListChange {
                device: id(row, "device", DeviceId::from_slice)?,
                key: maybe_id(row, "key", PublicKey::from_slice)?,
                decided: Millis(row.get("added")?),
            })
        })
    }

    /// Remembers a change; a later one about the same device replaces it.
    pub fn save_list_change(&self, change: &ListChange) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO list_changes (device, key, added) VALUES (?, ?, ?)",
            params![change.device.as_ref(), change.key.map(|key| key.0.to_vec()), change.decided.0],
        )
        .map(drop)
    }

    /// A change is made, or never will be.
    pub fn drop_list_change(&self, device: &DeviceId) -> Result<()> {
        self.run("DELETE FROM list_changes WHERE device = ?", params![device.as_ref()]).map(drop)
    }

    /// This device's way into an account, if it is on one.
    pub fn entering(&self) -> Result<Option<Entering>> {
        self.one("SELECT * FROM entering", [], |row| {
            let seed: Zeroizing<Vec<u8>> = Zeroizing::new(row.get("device_seed")?);
            let relay: Vec<u8> = row.get("relay")?;
            Ok(Entering {
                account: id(row, "account", AccountId::from_slice)?,
                device: id(row, "device", DeviceId::from_slice)?,
                seed: Zeroizing::new(seed.as_slice().try_into().map_err(|_| StoreError::Row("seed"))?),
                relay: codec::decode(&Bytes::from(relay)).map_err(|_| StoreError::Row("relay"))?,
                created: Millis(row.get("created")?),
            })
        })
    }

    /// Remembers it before anybody hears of the device; replaces an earlier attempt.
    pub fn begin_entering(&self, entering: &Entering) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO entering (id, account, device, device_seed, relay, created)
             VALUES (1, ?, ?, ?, ?, ?)",
            params![
                entering.account.as_ref(),
                entering.device.as_ref(),
                entering.seed.as_slice(),
                &codec::encode(&entering.relay)[..],
                entering.created.0,
            ],
        )
        .map(drop)
    }

    /// The device is in, or never will be.
    pub fn end_entering(&self) -> Result<()> {
        self.run("DELETE FROM entering", []).map(drop)
    }
}
