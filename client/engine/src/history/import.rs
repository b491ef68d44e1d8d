//! The new device's side (rules `HIS-4`, `HIS-5`): the list is fetched, then the parts, a few at a time. Each is stored in
//! one transaction, and a message only once. A part that is gone is missing; the others still count.

use super::ON_THEIR_WAY;
use crate::error::Result;
use crate::step::Step;
use aside_crypto::attachments::{FileKey, open};
use aside_protocol::content::History;
use aside_protocol::group::ChatKind;
use aside_protocol::history::{Author, Manifest, Part, Past, PastChat};
use aside_protocol::limits::{MAX_FRAME, MAX_TEXT};
use aside_protocol::{AccountId, ChatId, LogId, RequestId, decode};
use aside_store::chats::{Chat, ChatState, UNKNOWN_KIND};
use aside_store::imports::{Import, ImportState, PartState};
use aside_store::messages::{Arrival, PENDING_PLACE};
use aside_store::transfers::{Direction, Purpose, Transfer};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

/// Longest part or list once sealed: a frame, and what sealing adds to it.
const MOST: u64 = MAX_FRAME as u64 + 4096;

/// A chat that messages of a part go to.
struct Placed {
    chat: Chat,
    has_gaps: bool,
}

impl Step<'_> {
    /// An old device offers its history. Another one's offer is none to this device.
    pub(crate) fn take_history(&mut self, offer: &History) -> Result<()> {
        let manifest = &offer.manifest;
        if offer.device != self.me.device || manifest.blob.size > MOST {
            return Ok(());
        }
        if self.tx.begin_import(&offer.transfer, manifest, self.now)? {
            self.fetch_bytes(&manifest.blob, Purpose::History)?;
            self.changed();
        }
        Ok(())
    }

    /// Has the next parts fetched, while few are on their way.
    pub(crate) fn pump_imports(&mut self) -> Result<()> {
        if !self.link.caught_up {
            return Ok(());
        }
        self.tx.open_imports()?.into_iter().try_for_each(|transfer| self.advance_import(&transfer))
    }

    fn advance_import(&mut self, transfer: &RequestId) -> Result<()> {
        let fetching = self.tx.parts_being_fetched(transfer)?;
        if fetching >= ON_THEIR_WAY {
            return Ok(());
        }
        let next = self.tx.parts_to_come(transfer, ON_THEIR_WAY - fetching)?;
        if next.is_empty() && fetching == 0 {
            self.tx.set_import(transfer, ImportState::Done, None)?;
            self.changed();
        }
        for part in next {
            let sane = part.chunk.blob.size <= MOST;
            self.tx.set_part(&part, if sane { PartState::Fetching } else { PartState::Missing })?;
            if sane {
                self.fetch_bytes(&part.chunk.blob, Purpose::History)?;
            }
        }
        Ok(())
    }

    /// A blob of a history is here.
    pub(super) fn import_moved(&mut self, done: &Transfer) -> Result<()> {
        let blob = done.blob.id;
        if let Some(import) = self.tx.import_listed_by(&blob)? {
            let sealed = self.tx.transfer_bytes(&blob, Direction::Down)?.unwrap_or_default();
            self.take_list(&import, &sealed)?;
        } else if let Some(part) = self.tx.part_of(&blob)? {
            let sealed = self.tx.transfer_bytes(&blob, Direction::Down)?.unwrap_or_default();
            let state = match unsealed::<Part>(&part.chunk.key, &sealed) {
                Some(read) => self.take_part(&read).map(|()| PartState::Stored)?,
                None => PartState::Missing,
            };
            self.tx.set_part(&part, state)?;
        } else {
            return Ok(());
        }
        self.forget_blob(&blob, Direction::Down)?;
        self.changed();
        Ok(())
    }

    /// A blob of a history cannot be had.
    pub(super) fn import_stuck(&mut self, failed: &Transfer) -> Result<()> {
        let blob = failed.blob.id;
        if let Some(import) = self.tx.import_listed_by(&blob)? {
            let why = failed.error.clone().unwrap_or_default();
            self.tx.set_import(&import.transfer, ImportState::Failed, Some(&why))?;
        } else if let Some(part) = self.tx.part_of(&blob)? {
            self.tx.set_part(&part, PartState::Missing)?;
        } else {
            return Ok(());
        }
        self.forget_blob(&blob, Direction::Down)?;
        self.changed();
        Ok(())
    }

    fn take_list(&mut self, import: &Import, sealed: &[u8]) -> Result<()> {
        let list = unsealed::<Manifest>(&import.key, sealed).filter(|list| list.transfer == import.transfer);
        let Some(list) = list else {
            let why = "its list is damaged; on the other device, run aside device add again";
            return Ok(self.tx.set_import(&import.transfer, ImportState::Failed, Some(why))?);
        };
        self.tx.add_import_parts(&import.transfer, &list.chunks)?;
        Ok(self.tx.set_import(&import.transfer, ImportState::Fetching, None)?)
    }

    /// Stores a part's messages where they stood. What does not fit is left out.
    fn take_part(&mut self, part: &Part) -> Result<()> {
        let mut chats = Vec::with_capacity(part.chats.len());
        for past in &part.chats {
            chats.push(self.past_chat(past, part.log)?);
        }
        let mut named: BTreeSet<AccountId> = part.chats.iter().filter_map(|chat| chat.peer).collect();
        for past in &part.messages {
            let author = usize::try_from(past.by).ok().and_then(|by| part.authors.get(by));
            let chat = usize::try_from(past.chat).ok().and_then(|chat| chats.get(chat)).and_then(Option::as_ref);
            let sound = past.place < PENDING_PLACE && past.text.len() <= MAX_TEXT;
            if let (Some(author), Some(placed), true) = (author, chat, sound) {
                named.insert(author.account);
                self.store_past(placed, past, author)?;
            }
        }
        for account in named {
            if self.tx.note_past_author(&account)? {
                self.link.wanted.insert(account);
            }
        }
        Ok(())
    }

    fn store_past(&self, placed: &Placed, past: &Past, author: &Author) -> Result<()> {
        let new = self.tx.insert_past(
            placed.chat.row,
            &Arrival {
                author: author.account,
                device: author.device,
                id: past.id,
                own: author.account == self.account,
                seq: past.seq,
                place: past.place,
                text: &past.text,
                sent_at: past.sent,
                relay_time: past.time,
            },
        )?;
        if new && placed.has_gaps {
            self.tx.fill_gap(placed.chat.row, past.place)?;
        }
        Ok(())
    }

    /// The chat of a part as it is here, made if it is not; none if what is said of it does not hold.
    fn past_chat(&mut self, past: &PastChat, log: Option<LogId>) -> Result<Option<Placed>> {
        if !self.is_sound(past) {
            return Ok(None);
        }
        let mut chat = match self.tx.chat(&past.chat)? {
            Some(chat) => chat,
            None => self.new_past_chat(past)?,
        };
        if chat.kind == UNKNOWN_KIND {
            chat.kind = past.kind;
            chat.peer = past.peer.unwrap_or(chat.peer);
        }
        if !chat.is_direct() && chat.title.is_empty() {
            chat.title.clone_from(&past.title);
            chat.origin = chat.origin.or(past.origin);
        }
        if log.is_some() && log == self.profile()?.log {
            self.tx.raise_shift(&mut chat, past.shift)?;
        }
        chat.read_place = chat.read_place.max(past.read.min(PENDING_PLACE - 1));
        self.tx.save_chat(&chat)?;
        let has_gaps = self.tx.has_gaps(chat.row)?;
        self.touch(chat.row);
        Ok(Some(Placed { chat, has_gaps }))
    }

    /// A chat's id is made of its accounts or its origin.
    fn is_sound(&self, past: &PastChat) -> bool {
        match past.kind {
            ChatKind::Direct => past.peer.is_some_and(|peer| ChatId::direct(&self.account, &peer) == past.chat),
            ChatKind::Group | ChatKind::Channel => {
                past.origin.is_some_and(|origin| ChatId::group(&origin.account, &origin.nonce) == past.chat)
            }
            _ => false,
        }
    }

    /// This device is not in a group before it is welcomed; a direct chat is founded when there is something to say.
    fn new_past_chat(&self, past: &PastChat) -> Result<Chat> {
        let Some(peer) = past.peer else {
            let mut chat = self.tx.group_chat(&past.chat, past.kind, self.now)?;
            chat.enter(if past.left { ChatState::Left } else { ChatState::AwaitingWelcome }, self.now);
            return Ok(chat);
        };
        Ok(self.tx.direct_chat(&self.account, &peer, self.now)?)
    }
}

/// What was sealed under a key; none if it does not open, or is nothing of the kind.
fn unsealed<T: DeserializeOwned>(key: &[u8], sealed: &[u8]) -> Option<T> {
    let key = FileKey::new(key.try_into().ok()?);
    let plain = open(&key, sealed).ok()?;
    decode(&Bytes::from(plain)).ok()
}
