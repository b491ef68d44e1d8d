//! Chats: their state and their counters.

use crate::messages::PENDING_PLACE;
use crate::rows::id;
use crate::{Result, StoreError, Tx};
use aside_protocol::group::ChatKind;
use aside_protocol::request::Origin;
use aside_protocol::{AccountId, ChatId, Millis, N, Pos, Seq, codec};
use bytes::Bytes;
use rusqlite::{Row, params};

/// Row of a chat in this database.
pub type ChatRow = i64;

/// Where this device stands with a chat's group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatState {
    /// No group yet, or none any more; one is founded when there is something to send.
    Unfounded,
    /// This device's founding is on its way.
    Founding,
    /// Another device's founding or re-adding won; its welcome is due.
    AwaitingWelcome,
    /// In the group.
    Live,
    /// The group's state here is old or incomplete: reads what it can, sends nothing, asks to be added again.
    Broken,
    /// Not in the group any more: left, or removed. Reads and sends nothing.
    Left,
}

impl ChatState {
    fn code(self) -> i64 {
        match self {
            Self::Unfounded => 0,
            Self::Founding => 1,
            Self::AwaitingWelcome => 2,
            Self::Live => 3,
            Self::Broken => 4,
            Self::Left => 5,
        }
    }

    fn from_code(code: i64) -> Result<Self> {
        Ok(match code {
            0 => Self::Unfounded,
            1 => Self::Founding,
            2 => Self::AwaitingWelcome,
            3 => Self::Live,
            4 => Self::Broken,
            5 => Self::Left,
            _ => return Err(StoreError::Row("chat state")),
        })
    }
}

/// A chat as this device knows it.
#[derive(Debug, Clone)]
pub struct Chat {
    /// Its row.
    pub row: ChatRow,
    /// Its id.
    pub chat: ChatId,
    /// Its kind.
    pub kind: ChatKind,
    /// The other account of a direct chat, this one's own in the chat with oneself. Of a group or channel, or a chat whose
    /// kind is not known yet, [`group_peer`] of its id.
    pub peer: AccountId,
    /// Where this device stands.
    pub state: ChatState,
    /// Since when.
    pub since: Millis,
    /// Which founding of the chat; 0 before the first.
    pub incarnation: u64,
    /// The MLS group's id.
    pub group: Option<Vec<u8>>,
    /// The last commit processed.
    pub base: Seq,
    /// The last envelope processed.
    pub seq: Seq,
    /// This device's next number.
    pub next_n: N,
    /// Place = shift + seq.
    pub shift: u64,
    /// Read here up to this place.
    pub read_place: u64,
    /// Delivered up to here, as the others were last told.
    pub told_delivered: Seq,
    /// Read up to here, as the others were last told.
    pub told_read: Seq,
    /// Messages sent since this device last renewed its leaf.
    pub own_count: u64,
    /// When this device last asked to be added again.
    pub asked: Millis,
    /// The last message of another account that is stored here, by the seq it last came under.
    pub arrived: Seq,
    /// What a group or channel is called; empty in direct chats.
    pub title: String,
    /// What a group's or channel's id was made of, once known.
    pub origin: Option<Origin>,
    /// Devices in the group, this one included.
    pub devices: u64,
    /// When this device last renewed its leaf.
    pub renewed: Millis,
    /// Up to here the receipts of a large chat were asked for.
    pub receipts_pos: Pos,
    /// The group this device was in last, and in which incarnation.
    pub known: Option<(u64, Vec<u8>)>,
}

/// What stands for the other account in a group or channel, so that conversations are named in one way: no account has
/// this id, since ids of accounts and chats are hashes under different labels.
pub fn group_peer(chat: &ChatId) -> AccountId {
    AccountId(chat.0)
}

/// A chat whose kind is not known before its welcome is read.
pub const UNKNOWN_KIND: ChatKind = ChatKind::Other(99);

impl Chat {
    /// The place of a `seq` in the history.
    pub fn place(&self, seq: Seq) -> u64 {
        self.shift.saturating_add(seq.0).min(PENDING_PLACE - 1)
    }

    /// The `seq` of a place in the present log, 0 if it lies before.
    pub fn seq_of(&self, place: u64) -> Seq {
        Seq(place.saturating_sub(self.shift))
    }

    /// Whether it is a chat of two accounts, or with oneself.
    pub fn is_direct(&self) -> bool {
        self.kind == ChatKind::Direct
    }

    /// Enters a state.
    pub fn enter(&mut self, state: ChatState, now: Millis) {
        if self.state != state {
            self.state = state;
            self.since = now;
        }
    }
}

/// What [`read`] reads, by position: looking columns up by name is most of what reading a chat costs, and every envelope
/// reads one.
const SELECT: &str =
    "SELECT id, chat, kind, peer, state, since, incarnation, group_id, base, seq, next_n, shift, read_place,
    told_delivered, told_read, own_count, asked, arrived, title, origin, devices, renewed, receipts_pos, known_incarnation, known_group
    FROM chats";

fn read(row: &Row) -> Result<Chat> {
    Ok(Chat {
        row: row.get(0)?,
        chat: id(row, 1, ChatId::from_slice)?,
        kind: ChatKind::from_code(row.get(2)?),
        peer: id(row, 3, AccountId::from_slice)?,
        state: ChatState::from_code(row.get(4)?)?,
        since: Millis(row.get(5)?),
        incarnation: row.get(6)?,
        group: row.get(7)?,
        base: Seq(row.get(8)?),
        seq: Seq(row.get(9)?),
        next_n: N(row.get(10)?),
        shift: row.get(11)?,
        read_place: row.get(12)?,
        told_delivered: Seq(row.get(13)?),
        told_read: Seq(row.get(14)?),
        own_count: row.get(15)?,
        asked: Millis(row.get(16)?),
        arrived: Seq(row.get(17)?),
        title: row.get(18)?,
        origin: origin(row.get(19)?)?,
        devices: row.get(20)?,
        renewed: Millis(row.get(21)?),
        receipts_pos: Pos(row.get(22)?),
        known: row
            .get::<_, Option<Vec<u8>>>(24)?
            .map(|group| Ok::<_, StoreError>((row.get(23)?, group)))
            .transpose()?,
    })
}

fn origin(bytes: Option<Vec<u8>>) -> Result<Option<Origin>> {
    let read = |bytes| codec::decode(&Bytes::from(bytes)).map_err(|_| StoreError::Row("origin"));
    bytes.map(read).transpose()
}

impl Tx<'_> {
    /// A chat by its id.
    pub fn chat(&self, chat: &ChatId) -> Result<Option<Chat>> {
        self.one(&format!("{SELECT} WHERE chat = ?"), params![chat.as_ref()], read)
    }

    /// A chat by its row.
    pub fn chat_at(&self, row: ChatRow) -> Result<Option<Chat>> {
        self.one(&format!("{SELECT} WHERE id = ?"), params![row], read)
    }

    /// Groups and channels with a title, the newest first.
    pub fn chats_titled(&self, title: &str) -> Result<Vec<Chat>> {
        self.all(&format!("{SELECT} WHERE title = ? AND kind IN (1, 2) ORDER BY id DESC"), params![title], read)
    }

    /// Groups and channels whose ids begin with these hexadecimal digits.
    pub fn chats_beginning(&self, digits: &str) -> Result<Vec<Chat>> {
        let sql = format!(
            "{SELECT} WHERE kind IN (1, 2) AND substr(lower(hex(chat)), 1, length(?1)) = lower(?1) ORDER BY id"
        );
        self.all(&sql, params![digits], read)
    }

    /// Groups and channels, the oldest first.
    pub fn group_chats(&self) -> Result<Vec<Chat>> {
        self.all(&format!("{SELECT} WHERE kind IN (1, 2) AND title <> '' ORDER BY id"), [], read)
    }

    /// Every chat.
    pub fn chats(&self) -> Result<Vec<Chat>> {
        self.all(&format!("{SELECT} ORDER BY id"), [], read)
    }

    /// The direct chat with an account, made if there is none.
    pub fn direct_chat(&self, me: &AccountId, peer: &AccountId, now: Millis) -> Result<Chat> {
        self.chat_made(&ChatId::direct(me, peer), ChatKind::Direct, peer, now)
    }

    /// A group, a channel, or a chat whose kind is not known yet; made if there is none.
    pub fn group_chat(&self, chat: &ChatId, kind: ChatKind, now: Millis) -> Result<Chat> {
        self.chat_made(chat, kind, &group_peer(chat), now)
    }

    fn chat_made(&self, chat: &ChatId, kind: ChatKind, peer: &AccountId, now: Millis) -> Result<Chat> {
        if let Some(found) = self.chat(chat)? {
            return Ok(found);
        }
        self.run(
            "INSERT INTO chats (chat, kind, peer, state, since, incarnation, base, seq, next_n, shift, read_place,
               told_delivered, told_read, own_count, asked, arrived)
             VALUES (?, ?, ?, 0, ?, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)",
            params![chat.as_ref(), kind.code(), peer.as_ref(), now.0],
        )?;
        self.chat_at(self.last_row())?.ok_or(StoreError::Row("chat"))
    }

    /// Writes a chat back.
    pub fn save_chat(&self, chat: &Chat) -> Result<()> {
        self.run(
            "UPDATE chats SET state = ?, since = ?, incarnation = ?, group_id = ?, base = ?, seq = ?, next_n = ?,
               shift = ?, read_place = ?, told_delivered = ?, told_read = ?, own_count = ?, asked = ?, arrived = ?,
               kind = ?, peer = ?, title = ?, origin = ?, devices = ?, renewed = ?, receipts_pos = ?,
               known_incarnation = ?, known_group = ? WHERE id = ?",
            params![
                chat.state.code(),
                chat.since.0,
                chat.incarnation,
                chat.group,
                chat.base.0,
                chat.seq.0,
                chat.next_n.0,
                chat.shift,
                chat.read_place,
                chat.told_delivered.0,
                chat.told_read.0,
                chat.own_count,
                chat.asked.0,
                chat.arrived.0,
                chat.kind.code(),
                chat.peer.as_ref(),
                chat.title,
                chat.origin.as_ref().map(|origin| codec::encode(origin).to_vec()),
                chat.devices,
                chat.renewed.0,
                chat.receipts_pos.0,
                chat.known.as_ref().map_or(0, |(incarnation, _)| *incarnation),
                chat.known.as_ref().map(|(_, group)| group),
                chat.row,
            ],
        )?;
        Ok(())
    }

    /// Chats that wait for somebody, or owe somebody a receipt.
    pub fn chats_unsettled(&self) -> Result<Vec<ChatRow>> {
        self.all(
            "SELECT c.id FROM chats c WHERE c.state IN (2, 4) OR (c.state = 3 AND c.kind <> 2 AND (c.told_delivered < c.arrived
               OR c.told_read < min(c.read_place - c.shift, c.arrived)))",
            [],
            |row| Ok(row.get(0)?),
        )
    }
}
