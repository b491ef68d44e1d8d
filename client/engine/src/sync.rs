//! What the own devices tell each other, in the chat with oneself: read marks, mutes, decisions about people, drafts
//! (rules `SYN-1` to `SYN-3`).
//!
//! Changes gather for a moment and travel together. Taking one twice, or late, changes nothing that is newer.

use crate::error::Result;
use crate::step::Step;
use aside_protocol::content::{Decided, Drafted, Muted, ReadUpTo, Sync, SyncItem};
use aside_protocol::{AccountId, ChatId, MessageId, Millis, Seq, encode};
use aside_store::accounts::{Account, Trust};
use aside_store::chats::Chat;
use aside_store::messages::MessageRow;
use aside_store::reads_ahead::ReadAhead;

/// How long changes gather before they are sent, in milliseconds (rule `SYN-2`).
const GATHER_MS: u64 = 3_000;

/// Until when a chat is muted that is muted until the user says otherwise: the end of the year 9999.
pub const ALWAYS: Millis = Millis(253_402_300_799_999);

/// How long a read mark waits for what it is about, once the queue is read, in milliseconds (rule `SYN-3`).
const AHEAD_MS: u64 = 60_000;

/// Most items in one message: about 20 KB.
const MOST_ITEMS: u32 = 200;

impl Step<'_> {
    /// Announces nothing of a chat until then, on all own devices; 0: announces again.
    pub fn mute(&mut self, chat: &ChatId, until: Millis) -> Result<()> {
        self.tx.mute(chat, until)?;
        self.tell_own(&chat.0, &SyncItem::Mute(Muted { chat: *chat, until }))?;
        self.changed();
        Ok(())
    }

    /// The same for the chat with an account, or the group or channel of that id.
    pub fn mute_with(&mut self, peer: &AccountId, until: Millis) -> Result<()> {
        self.mute(&self.chat_with(peer)?, until)
    }

    fn chat_with(&self, peer: &AccountId) -> Result<ChatId> {
        Ok(if self.is_group(peer)? { ChatId(peer.0) } else { ChatId::direct(&self.account, peer) })
    }

    /// This device has read a chat up to its place.
    pub(crate) fn tell_read(&mut self, chat: &Chat) -> Result<()> {
        let seq = chat.seq_of(chat.read_place);
        self.tell_own(&chat.chat.0, &SyncItem::Read(ReadUpTo { chat: chat.chat, seq }))
    }

    /// The user decided about an account.
    pub(crate) fn tell_contact(&mut self, account: &AccountId) -> Result<()> {
        let Some(known) = self.tx.account(account)? else { return Ok(()) };
        let verified = self.tx.verified(account)?.unwrap_or_default();
        let trust = code(known.trust);
        let decided = Decided { root: known.root, name: known.name.to_string(), trust, verified };
        self.tell_own(&account.0, &SyncItem::Contact(decided))
    }

    /// A text was begun for an account, or in a group or channel, or is no more.
    pub(crate) fn tell_draft(&mut self, to: &AccountId, begun: bool) -> Result<()> {
        let chat = self.chat_with(to)?;
        let since = if begun { self.now } else { Millis(0) };
        self.tell_own(&chat.0, &SyncItem::Draft(Drafted { chat, since }))
    }

    /// Has the other own devices told, if there are any.
    fn tell_own(&mut self, subject: &[u8], item: &SyncItem) -> Result<()> {
        if self.own_account()?.list.list.devices.len() > 1 {
            self.tx.sync_later(subject, item, self.now)?;
        }
        Ok(())
    }

    /// Sends what has gathered, in one message.
    pub(crate) fn pump_sync(&mut self) -> Result<()> {
        if !self.link.caught_up {
            return Ok(());
        }
        self.tell_since(Millis(self.now.0.saturating_sub(GATHER_MS)))
    }

    /// Tells the own other devices what has gathered, without waiting for more: the program is about to end.
    pub fn tell_now(&mut self) -> Result<()> {
        self.tell_since(self.now)
    }

    fn tell_since(&mut self, by: Millis) -> Result<()> {
        let items = self.tx.take_syncs(by, MOST_ITEMS)?;
        if items.is_empty() || self.own_account()?.list.list.devices.len() < 2 {
            return Ok(());
        }
        self.send_sync(items).map(drop)
    }

    /// Tells the own other devices, at once.
    pub(crate) fn send_sync(&mut self, items: Vec<SyncItem>) -> Result<MessageRow> {
        let chat = self.tx.direct_chat(&self.account, &self.account, self.now)?;
        let id = MessageId(self.fresh());
        let author = (&self.account, &self.me.device, &id);
        let row = self.tx.insert_sync(chat.row, author, &encode(&Sync { items }), self.now)?;
        self.tx.enqueue(chat.row, row, None)?;
        self.touch(chat.row);
        Ok(row)
    }

    /// Takes what another own device told. What this one cannot use yet is nothing to it.
    pub(crate) fn take_sync(&mut self, sync: &Sync) -> Result<()> {
        for item in &sync.items {
            match item {
                SyncItem::Read(read) => self.take_read(read)?,
                SyncItem::Mute(muted) => self.tx.mute(&muted.chat, muted.until)?,
                SyncItem::Contact(decided) => self.take_decided(decided)?,
                SyncItem::Draft(drafted) => self.tx.set_drafted(&drafted.chat, drafted.since)?,
                SyncItem::History(offer) => self.take_history(offer)?,
                _ => {}
            }
        }
        self.changed();
        Ok(())
    }

    /// Read marks only rise, and not past what this device has. What it does not have yet may be on its way, in another
    /// partition.
    fn take_read(&mut self, read: &ReadUpTo) -> Result<()> {
        if self.raise_read(&read.chat, read.seq)? {
            return Ok(());
        }
        Ok(self.tx.keep_read_ahead(&ReadAhead { chat: read.chat, seq: read.seq, since: self.now })?)
    }

    /// Raises a chat's read mark as far as the chat is here; says whether it is here up to there.
    fn raise_read(&mut self, chat: &ChatId, seq: Seq) -> Result<bool> {
        let Some(mut chat) = self.tx.chat(chat)? else { return Ok(false) };
        let place = chat.place(seq.min(chat.seq));
        if chat.read_place < place {
            chat.read_place = place;
            self.tx.save_chat(&chat)?;
            self.touch(chat.row);
        }
        Ok(seq <= chat.seq)
    }

    /// Read marks that came before what they are about. One whose time is over is dropped: it may have been meant for
    /// another life of the relay's log, and must not silence what is still to be written.
    pub(crate) fn pump_reads_ahead(&mut self) -> Result<()> {
        for ReadAhead { chat, seq, since } in self.tx.reads_ahead()? {
            let over = self.link.caught_up && self.now.0.abs_diff(since.0) >= AHEAD_MS;
            if self.raise_read(&chat, seq)? || over {
                self.tx.drop_read_ahead(&chat)?;
            }
        }
        Ok(())
    }

    /// A key that one device accepted or replaced is so for all; nothing is taken back. An account that is not known here
    /// is looked up, and held to its first key as always.
    fn take_decided(&mut self, decided: &Decided) -> Result<()> {
        let account = AccountId::of(&decided.root);
        let Some(known) = self.tx.account(&account)? else {
            self.link.wanted.insert(account);
            return Ok(());
        };
        if decided.verified > self.tx.verified(&account)?.unwrap_or_default() {
            self.tx.set_verified(&account, decided.verified.min(self.now))?;
        }
        match (known.trust, decided.trust) {
            (Trust::Pending, IN_USE) => self.tx.save_account(&Account { trust: Trust::InUse, ..known }, self.now)?,
            (Trust::Pending | Trust::InUse, REPLACED) => {
                self.tx.save_account(&Account { trust: Trust::Replaced, ..known }, self.now)?;
            }
            _ => {}
        }
        Ok(())
    }
}

const IN_USE: u64 = 0;
const WAITS: u64 = 1;
const REPLACED: u64 = 2;

fn code(trust: Trust) -> u64 {
    match trust {
        Trust::InUse => IN_USE,
        Trust::Replaced => REPLACED,
        _ => WAITS,
    }
}
