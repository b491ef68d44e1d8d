//! The old device's side (rules `HIS-1` to `HIS-3`): parts are made and uploaded a few at a time, the newest messages first,
//! then their list, then the new device is told.

use super::{ON_THEIR_WAY, PART_BYTES, PART_MESSAGES};
use crate::error::Result;
use crate::step::Step;
use aside_crypto::attachments::{FileKey, seal};
use aside_protocol::content::{Chunk, History, SyncItem};
use aside_protocol::history::{Author, Manifest, Part, Past, PastChat};
use aside_protocol::limits::MAX_FRAME;
use aside_protocol::request::BlobRef;
use aside_protocol::{AccountId, Body, ChatId, DeviceId, Hash, Millis, RequestId, encode};
use aside_store::Tx;
use aside_store::chats::{Chat, ChatState};
use aside_store::exports::{Export, ExportState};
use aside_store::past::PastRow;
use aside_store::transfers::{Direction, Purpose, Source, Transfer};
use std::collections::HashMap;
use std::hash::Hash as StdHash;

/// A device that is not in all chats by then gets the history all the same: what comes between may be missing there.
const PATIENCE_MS: u64 = 120_000;

impl Step<'_> {
    /// Hands a device the messages since a time, as soon as it is in the account and in its chats; returns how many there
    /// are now. An earlier offer to it is forgotten.
    pub fn offer_history(&mut self, device: DeviceId, since: Millis) -> Result<u64> {
        self.drop_export(&device)?;
        let (messages, cursor) = self.tx.count_past(since)?;
        let export = Export {
            device,
            transfer: RequestId(self.fresh()),
            since,
            state: ExportState::Due,
            begun: self.now,
            cursor,
            messages,
            manifest: None,
            told: None,
            error: None,
        };
        self.tx.begin_export(&export)?;
        self.changed();
        Ok(messages)
    }

    /// Hands a device nothing, or nothing more.
    pub fn withdraw_history(&mut self, device: &DeviceId) -> Result<()> {
        self.drop_export(device)
    }

    /// Goes on with every history that is to be handed over.
    pub(crate) fn pump_exports(&mut self) -> Result<()> {
        if !self.link.caught_up {
            return Ok(());
        }
        self.tx.open_exports()?.into_iter().try_for_each(|export| self.advance_export(export))
    }

    fn advance_export(&mut self, mut export: Export) -> Result<()> {
        if self.own_account()?.list.list.device(&export.device).is_none() {
            let coming = self.tx.list_changes()?.iter().any(|change| change.device == export.device);
            return if coming { Ok(()) } else { self.drop_export(&export.device) };
        }
        if export.state == ExportState::Due {
            let late = self.now.0 > export.begun.0.saturating_add(PATIENCE_MS);
            if !late && chats_lacking(self.tx, &self.account)? > 0 {
                return Ok(());
            }
            // From here on the new device gets what comes by itself.
            (export.messages, export.cursor) = self.tx.count_past(export.since)?;
            export.state = ExportState::Making;
            self.tx.save_export(&export)?;
        }
        if export.state == ExportState::Making {
            self.make_parts(&mut export)?;
        }
        match &export.manifest {
            Some(manifest) if export.state == ExportState::Listing && self.tx.upload_done(&manifest.blob.id)? => {
                self.tell_history(&mut export)
            }
            _ => Ok(()),
        }
    }

    /// Makes parts while few are on their way; after the last one is at the relay, the list.
    fn make_parts(&mut self, export: &mut Export) -> Result<()> {
        let mut on_their_way = self.tx.parts_on_their_way(&export.device)?;
        while on_their_way < ON_THEIR_WAY {
            let Some(rows) = self.next_rows(export)? else { break };
            let part = self.part_of_rows(&rows)?;
            let chunk = self.upload_sealed(&encode(&part), rows.len() as u64)?;
            self.tx.add_export_part(&export.device, &chunk)?;
            export.cursor = rows.last().map_or(0, |row| row.row);
            self.tx.save_export(export)?;
            on_their_way += 1;
        }
        if on_their_way == 0 { self.make_list(export) } else { Ok(()) }
    }

    /// What goes into the next part: so many messages, or less if they are long.
    fn next_rows(&self, export: &Export) -> Result<Option<Vec<PastRow>>> {
        let mut rows = self.tx.past_before(export.since, export.cursor, PART_MESSAGES)?;
        let mut weight = 0;
        let fits = rows.iter().take_while(|row| {
            weight += row.text.len();
            weight <= PART_BYTES
        });
        let fits = fits.count().max(1);
        rows.truncate(fits);
        Ok((!rows.is_empty()).then_some(rows))
    }

    fn part_of_rows(&self, rows: &[PastRow]) -> Result<Part> {
        let (mut chats, mut authors) = (Numbers::default(), Numbers::default());
        let messages = rows.iter().map(|row| Past {
            chat: chats.of(row.chat),
            by: authors.of(Author { account: row.account, device: row.device }),
            id: row.id,
            seq: row.seq,
            place: row.place,
            text: row.text.clone(),
            sent: row.sent,
            time: row.time,
        });
        let messages = messages.collect();
        let mut described = Vec::new();
        for row in chats.all {
            // A message has a chat: the database sees to that.
            described.extend(self.tx.chat_at(row)?.map(|chat| past_chat(&chat)));
        }
        Ok(Part { log: self.profile()?.log, chats: described, authors: authors.all, messages })
    }

    /// Seals bytes under a fresh key and has them uploaded.
    fn upload_sealed(&mut self, plain: &[u8], messages: u64) -> Result<Chunk> {
        let key = FileKey::new(self.fresh());
        let sealed = seal(&key, self.fresh(), plain)
            .map_err(|_| crate::EngineError::Bug("a part of a history is too long to be sealed".into()))?;
        let blob = BlobRef { id: Hash::of(&sealed), size: sealed.len() as u64 };
        self.upload_blob(&blob, Purpose::History, Source::Bytes(&sealed))?;
        Ok(Chunk { blob, key: Body::from(key.bytes().to_vec()), messages })
    }

    fn make_list(&mut self, export: &mut Export) -> Result<()> {
        let chunks = self.tx.export_parts(&export.device)?;
        let messages = chunks.iter().map(|chunk| chunk.messages).sum();
        let chats = self.tx.chats()?.len() as u64;
        let list = encode(&Manifest { transfer: export.transfer, chunks, messages, chats });
        if list.len() > MAX_FRAME {
            return self.fail_export(export, "there are too many messages; choose a later date");
        }
        export.messages = messages;
        export.manifest = Some(self.upload_sealed(&list, messages)?);
        export.state = ExportState::Listing;
        self.tx.save_export(export)?;
        self.changed();
        Ok(())
    }

    /// Tells the new device, once the chat with oneself has it.
    fn tell_history(&mut self, export: &mut Export) -> Result<()> {
        let oneself = self.tx.chat(&ChatId::direct(&self.account, &self.account))?;
        if let Some(chat) = oneself.filter(|chat| chat.state == ChatState::Live)
            && self.tx.outdated(chat.row)?.contains(&self.account)
        {
            return Ok(());
        }
        let Some(manifest) = export.manifest.take() else { return Ok(()) };
        self.forget_blob(&manifest.blob.id, Direction::Up)?;
        let offer = History { device: export.device, transfer: export.transfer, manifest };
        export.told = Some(self.send_sync(vec![SyncItem::History(offer)])?);
        self.tx.forget_export_parts(&export.device)?;
        export.state = ExportState::Told;
        self.tx.save_export(export)?;
        self.changed();
        Ok(())
    }

    /// A blob of a history is at the relay.
    pub(super) fn export_moved(&mut self, done: &Transfer) -> Result<()> {
        if self.tx.part_uploaded(&done.blob.id)? {
            self.forget_blob(&done.blob.id, Direction::Up)?;
        }
        // The list stays among the transfers until the device is told.
        Ok(())
    }

    /// A blob of a history cannot be uploaded.
    pub(super) fn export_stuck(&mut self, failed: &Transfer) -> Result<()> {
        let Some(device) = self.tx.export_of(&failed.blob.id)? else { return Ok(()) };
        let Some(mut export) = self.tx.export(&device)? else { return Ok(()) };
        let why = failed.error.clone().unwrap_or_default();
        self.fail_export(&mut export, &why)
    }

    fn fail_export(&mut self, export: &mut Export, why: &str) -> Result<()> {
        self.forget_parts(&export.device)?;
        export.state = ExportState::Failed;
        export.manifest = None;
        export.error = Some(why.to_owned());
        self.tx.save_export(export)?;
        self.changed();
        Ok(())
    }

    fn drop_export(&mut self, device: &DeviceId) -> Result<()> {
        self.forget_parts(device)?;
        self.tx.drop_export(device)?;
        self.changed();
        Ok(())
    }

    fn forget_parts(&mut self, device: &DeviceId) -> Result<()> {
        for part in self.tx.export_parts(device)? {
            self.forget_blob(&part.blob.id, Direction::Up)?;
        }
        if let Some(manifest) = self.tx.export(device)?.and_then(|export| export.manifest) {
            self.forget_blob(&manifest.blob.id, Direction::Up)?;
        }
        Ok(self.tx.forget_export_parts(device)?)
    }
}

/// In how many chats that this device is in, an account's newest devices are not yet.
pub fn chats_lacking(tx: &Tx, account: &AccountId) -> Result<usize> {
    let mut lacking = 0;
    for chat in tx.chats()?.into_iter().filter(|chat| chat.state == ChatState::Live) {
        lacking += usize::from(tx.outdated(chat.row)?.contains(account));
    }
    Ok(lacking)
}

fn past_chat(chat: &Chat) -> PastChat {
    PastChat {
        chat: chat.chat,
        kind: chat.kind,
        peer: chat.is_direct().then_some(chat.peer),
        title: chat.title.clone(),
        origin: chat.origin,
        shift: chat.shift,
        read: chat.read_place,
        left: chat.state == ChatState::Left,
    }
}

/// Numbers things in the order in which they are first named.
struct Numbers<T> {
    numbers: HashMap<T, u64>,
    all: Vec<T>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), all: Vec::new() }
    }
}

impl<T: Copy + Eq + StdHash> Numbers<T> {
    fn of(&mut self, thing: T) -> u64 {
        let next = self.all.len() as u64;
        *self.numbers.entry(thing).or_insert_with(|| {
            self.all.push(thing);
            next
        })
    }
}
