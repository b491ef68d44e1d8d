//! Histories that this device hands to other own devices: what was asked for, the parts made so far, and how far they are
//! (rules `HIS-*`).

use crate::messages::MessageRow;
use crate::rows::id;
use crate::{Result, StoreError, Tx};
use aside_protocol::content::Chunk;
use aside_protocol::request::BlobRef;
use aside_protocol::{Body, DeviceId, Hash, Millis, RequestId};
use rusqlite::{Row, params};

/// How a history for another device stands. The numbers are those in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExportState {
    /// The device is not in all chats yet.
    Due = 0,
    /// Parts are made and uploaded.
    Making = 1,
    /// All parts are at the relay; the list of them follows.
    Listing = 2,
    /// The device was told.
    Told = 3,
    /// Given up, and why.
    Failed = 4,
}

/// A history for another device.
#[derive(Debug, Clone)]
pub struct Export {
    /// For whom.
    pub device: DeviceId,
    /// The transfer's name.
    pub transfer: RequestId,
    /// Messages that the relay took from then on.
    pub since: Millis,
    /// How it stands.
    pub state: ExportState,
    /// When it was asked for.
    pub begun: Millis,
    /// Messages below this row are in no part yet.
    pub cursor: MessageRow,
    /// Messages altogether.
    pub messages: u64,
    /// The list of the parts, once it is made.
    pub manifest: Option<Chunk>,
    /// The message that told the device.
    pub told: Option<MessageRow>,
    /// Why it was given up.
    pub error: Option<String>,
}

/// The columns that [`export`] reads.
macro_rules! columns {
    () => {
        "device, transfer, since, state, begun, cursor, messages, blob, size, key, told, error"
    };
}

impl Tx<'_> {
    /// Wants a history for a device; an earlier one for it is forgotten.
    pub fn begin_export(&self, export: &Export) -> Result<()> {
        self.drop_export(&export.device)?;
        self.run(
            "INSERT INTO exports (device, transfer, since, state, begun, cursor, messages) VALUES (?, ?, ?, 0, ?, ?, ?)",
            params![
                export.device.as_ref(),
                export.transfer.as_ref(),
                export.since.0,
                export.begun.0,
                export.cursor,
                export.messages
            ],
        )
        .map(drop)
    }

    /// Every history for another device.
    pub fn exports(&self) -> Result<Vec<Export>> {
        self.all(concat!("SELECT ", columns!(), " FROM exports ORDER BY begun, device"), [], export)
    }

    /// Those that are not told and not given up.
    pub fn open_exports(&self) -> Result<Vec<Export>> {
        self.all(concat!("SELECT ", columns!(), " FROM exports WHERE state < 3 ORDER BY begun, device"), [], export)
    }

    /// The history for a device.
    pub fn export(&self, device: &DeviceId) -> Result<Option<Export>> {
        self.one(concat!("SELECT ", columns!(), " FROM exports WHERE device = ?"), params![device.as_ref()], export)
    }

    /// Writes back how far it is.
    pub fn save_export(&self, export: &Export) -> Result<()> {
        let manifest = export.manifest.as_ref();
        self.run(
            "UPDATE exports SET state = ?, cursor = ?, messages = ?, blob = ?, size = ?, key = ?, told = ?, error = ?
             WHERE device = ?",
            params![
                export.state as u8,
                export.cursor,
                export.messages,
                manifest.map(|chunk| chunk.blob.id.as_ref().to_vec()),
                manifest.map_or(0, |chunk| chunk.blob.size),
                manifest.map(|chunk| chunk.key.to_vec()),
                export.told,
                export.error,
                export.device.as_ref(),
            ],
        )
        .map(drop)
    }

    /// Forgets a history and its parts; their transfers are for the caller to forget.
    pub fn drop_export(&self, device: &DeviceId) -> Result<()> {
        self.run("DELETE FROM exports WHERE device = ?", params![device.as_ref()]).map(drop)
    }

    /// Adds a part at the end.
    pub fn add_export_part(&self, device: &DeviceId, part: &Chunk) -> Result<()> {
        self.run(
            "INSERT INTO export_parts (device, number, blob, size, key, messages)
             VALUES (?1, (SELECT count(*) FROM export_parts WHERE device = ?1), ?2, ?3, ?4, ?5)",
            params![device.as_ref(), part.blob.id.as_ref(), part.blob.size, &part.key[..], part.messages],
        )
        .map(drop)
    }

    /// The parts made so far, in order.
    pub fn export_parts(&self, device: &DeviceId) -> Result<Vec<Chunk>> {
        let sql = "SELECT blob, size, key, messages FROM export_parts WHERE device = ? ORDER BY number";
        self.all(sql, params![device.as_ref()], chunk)
    }

    /// Keeps no keys of what the other device knows now.
    pub fn forget_export_parts(&self, device: &DeviceId) -> Result<()> {
        self.run("DELETE FROM export_parts WHERE device = ?", params![device.as_ref()]).map(drop)
    }

    /// A part is at the relay. `false`: it is none.
    pub fn part_uploaded(&self, blob: &Hash) -> Result<bool> {
        Ok(self.run("UPDATE export_parts SET uploaded = 1 WHERE blob = ?", params![blob.as_ref()])? > 0)
    }

    /// The device whose history a blob is a part or the list of.
    pub fn export_of(&self, blob: &Hash) -> Result<Option<DeviceId>> {
        let sql = "SELECT device FROM export_parts WHERE blob = ?1 UNION SELECT device FROM exports WHERE blob = ?1";
        self.one(sql, params![blob.as_ref()], |row| id(row, 0, DeviceId::from_slice))
    }

    /// Parts made that are not at the relay yet.
    pub fn parts_on_their_way(&self, device: &DeviceId) -> Result<u64> {
        let sql = "SELECT count(*) FROM export_parts WHERE device = ? AND uploaded = 0";
        self.number(sql, params![device.as_ref()])
    }

    /// Messages in parts that are at the relay.
    pub fn messages_uploaded(&self, device: &DeviceId) -> Result<u64> {
        let sql = "SELECT sum(messages) FROM export_parts WHERE device = ? AND uploaded = 1";
        self.number(sql, params![device.as_ref()])
    }
}

fn chunk(row: &Row) -> Result<Chunk> {
    Ok(Chunk {
        blob: BlobRef { id: id(row, "blob", Hash::from_slice)?, size: row.get("size")? },
        key: Body::from(row.get::<_, Vec<u8>>("key")?),
        messages: row.get("messages")?,
    })
}

fn export(row: &Row) -> Result<Export> {
    let listed = row.get::<_, Option<Vec<u8>>>("blob")?.is_some();
    Ok(Export {
        device: id(row, "device", DeviceId::from_slice)?,
        transfer: id(row, "transfer", RequestId::from_slice)?,
        since: Millis(row.get("since")?),
        state: match row.get("state")? {
            0 => ExportState::Due,
            1 => ExportState::Making,
            2 => ExportState::Listing,
            3 => ExportState::Told,
            4 => ExportState::Failed,
            _ => return Err(StoreError::Row("export state")),
        },
        begun: Millis(row.get("begun")?),
        cursor: row.get("cursor")?,
        messages: row.get("messages")?,
        manifest: listed.then(|| chunk(row)).transpose()?,
        told: row.get("told")?,
        error: row.get("error")?,
    })
}
