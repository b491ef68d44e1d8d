//! The profile: who this device is, where its relay is, how far its queue is stored.

use crate::rows::{id, maybe_id};
use crate::{Result, StoreError, Tx};
use aside_protocol::invite::InviteSecret;
use aside_protocol::login::Mode;
use aside_protocol::{AccountId, Body, DeviceId, Hash, LogId, Millis, Name, PartitionId, Pos, PublicKey, codec};
use bytes::Bytes;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Where a relay is and how it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayPlace {
    /// `host:port`, in order of preference.
    pub addresses: Vec<String>,
    /// Hash of the relay's identity key.
    pub pin: Hash,
    /// Where TLS ends.
    pub mode: Mode,
}

/// The one row that says who this device is.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its account.
    pub account: AccountId,
    /// The account's name at the relay.
    pub name: Name,
    /// The account's root key, public half.
    pub root: PublicKey,
    /// This device.
    pub device: DeviceId,
    /// Seed of the device key.
    pub seed: Zeroizing<[u8; 32]>,
    /// The signed device list this device registered with.
    pub list: Body,
    /// Version of the own device list.
    pub list_version: u64,
    /// Its hash.
    pub list_hash: Hash,
    /// The relay.
    pub relay: RelayPlace,
    /// Present until the relay has confirmed the registration.
    pub registering: Option<InviteSecret>,
    /// The relay's log, once known.
    pub log: Option<LogId>,
    /// When the last-resort key package was made.
    pub last_resort: Millis,
    /// When the profile was made.
    pub created: Millis,
}

impl Tx<'_> {
    /// The profile, if it was made.
    pub fn profile(&self) -> Result<Option<Profile>> {
        self.one("SELECT * FROM profile", [], |row| {
            let seed: Zeroizing<Vec<u8>> = Zeroizing::new(row.get("device_seed")?);
            let relay: Vec<u8> = row.get("relay")?;
            let registered: bool = row.get("registered")?;
            let secret = maybe_id(row, "invite_secret", |b| b.try_into().ok().map(InviteSecret))?;
            Ok(Profile {
                account: id(row, "account", AccountId::from_slice)?,
                name: Name::new(row.get::<_, String>("name")?).map_err(|_| StoreError::Row("name"))?,
                root: id(row, "root", PublicKey::from_slice)?,
                device: id(row, "device", DeviceId::from_slice)?,
                seed: Zeroizing::new(seed.as_slice().try_into().map_err(|_| StoreError::Row("seed"))?),
                list: Body::from(row.get::<_, Vec<u8>>("list")?),
                list_version: row.get("list_version")?,
                list_hash: id(row, "list_hash", Hash::from_slice)?,
                relay: codec::decode(&Bytes::from(relay)).map_err(|_| StoreError::Row("relay"))?,
                registering: secret.filter(|_| !registered),
                log: maybe_id(row, "log", LogId::from_slice)?,
                last_resort: Millis(row.get("last_resort")?),
                created: Millis(row.get("created")?),
            })
        })
    }

    /// Writes the profile of a registration that is about to be sent; replaces one that was never confirmed.
    pub fn begin_profile(&self, profile: &Profile) -> Result<()> {
        self.run("DELETE FROM profile WHERE registered = 0", [])?;
        self.run(
            "INSERT INTO profile (id, account, name, root, device, device_seed, list, list_version, list_hash, relay,
               registered, invite_secret, created) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
            params![
                profile.account.as_ref(),
                profile.name.as_str(),
                profile.root.as_ref(),
                profile.device.as_ref(),
                profile.seed.as_slice(),
                &profile.list[..],
                profile.list_version,
                profile.list_hash.as_ref(),
                &codec::encode(&profile.relay)[..],
                profile.registering.map(|secret| secret.0.to_vec()),
                profile.created.0,
            ],
        )?;
        Ok(())
    }

    /// The relay has confirmed the registration.
    pub fn confirm_profile(&self) -> Result<()> {
        self.run("UPDATE profile SET registered = 1, invite_secret = NULL", []).map(drop)
    }

    /// Writes the profile of a device that was let into an account; the relay knows it already.
    pub fn enter_profile(&self, profile: &Profile) -> Result<()> {
        self.begin_profile(profile)?;
        self.confirm_profile()?;
        self.end_entering()
    }

    /// Forgets a registration that the relay refused.
    pub fn drop_unconfirmed_profile(&self) -> Result<()> {
        self.run("DELETE FROM profile WHERE registered = 0", []).map(drop)
    }

    /// The own account's device list is a newer one.
    pub fn set_own_list(&self, version: u64, hash: &Hash) -> Result<()> {
        self.run("UPDATE profile SET list_version = ?, list_hash = ?", params![version, hash.as_ref()]).map(drop)
    }

    /// Remembers which log the relay keeps.
    pub fn set_log(&self, log: &LogId) -> Result<()> {
        self.run("UPDATE profile SET log = ?", params![log.as_ref()]).map(drop)
    }

    /// Remembers when the last-resort key package was made.
    pub fn set_last_resort(&self, at: Millis) -> Result<()> {
        self.run("UPDATE profile SET last_resort = ?", params![at.0]).map(drop)
    }

    /// Up to where the queue of a partition is stored here; none if this device has never met it.
    pub fn cursor(&self, partition: PartitionId) -> Result<Option<Pos>> {
        self.one("SELECT pos FROM cursors WHERE partition = ?", params![partition.0], |row| Ok(Pos(row.get(0)?)))
    }

    /// Moves a cursor; always in the transaction that stores what it passes.
    pub fn set_cursor(&self, partition: PartitionId, pos: Pos) -> Result<()> {
        self.run("INSERT OR REPLACE INTO cursors (partition, pos) VALUES (?, ?)", params![partition.0, pos.0]).map(drop)
    }

    /// Forgets all cursors: the relay's log is another one.
    pub fn clear_cursors(&self) -> Result<()> {
        self.run("DELETE FROM cursors", []).map(drop)
    }
}
