//! Messages: each is stored once, whatever arrives how often.

use crate::chats::{Chat, ChatRow};
use crate::rows::{id, maybe_id};
use crate::{Result, Tx};
use aside_protocol::group::ChatKind;
use aside_protocol::{AccountId, ChatId, DeviceId, MessageId, Millis, Name, Seq};
use rusqlite::{Row, params};

/// Row of a message in this database; rises in the order of arrival.
pub type MessageRow = i64;

/// Pending messages stand after all others: their place is this plus their row.
pub const PENDING_PLACE: u64 = 1 << 60;

/// How far an own message has come. Moves forward only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// In the outbox.
    Pending,
    /// Durable at the relay.
    Sent,
    /// Stored by a device of every other account in the chat.
    Delivered,
    /// Read there.
    Read,
}

impl Status {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }
}

/// A message with all that is known of it.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its row.
    pub row: MessageRow,
    /// Its chat.
    pub chat: ChatRow,
    /// The other account of that chat.
    pub peer: AccountId,
    /// That account's name.
    pub peer_name: String,
    /// Whether that name belonged to another key before, and nobody has decided yet.
    pub key_changed: bool,
    /// What the chat is; in a group or channel the other account stands for all, and its name is the title.
    pub kind: ChatKind,
    /// The chat's id.
    pub chat_id: ChatId,
    /// Who wrote it; none for a notice.
    pub author: Option<AccountId>,
    /// The author's name, or what stands for it while it is not known.
    pub author_name: Option<String>,
    /// On which device.
    pub device: Option<DeviceId>,
    /// Its id there.
    pub id: Option<MessageId>,
    /// Whether this device's account wrote it.
    pub own: bool,
    /// Whether it is a notice of this program rather than somebody's text.
    pub notice: bool,
    /// Its `seq`; none while pending.
    pub seq: Option<Seq>,
    /// Its place in the history.
    pub place: u64,
    /// The `seq` under which the present log has it, if that is not its place.
    pub resent: Option<Seq>,
    /// The text.
    pub text: String,
    /// The author's clock.
    pub sent_at: Millis,
    /// The relay's clock.
    pub relay_time: Option<Millis>,
    /// How far it has come, if it is an own one.
    pub status: Status,
}

/// A message of somebody's, to be stored.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// Who wrote it.
    pub author: AccountId,
    /// On which device.
    pub device: DeviceId,
    /// Its id there.
    pub id: MessageId,
    /// Whether the own account wrote it.
    pub own: bool,
    /// Its `seq`.
    pub seq: Seq,
    /// Its place.
    pub place: u64,
    /// The text.
    pub text: &'a str,
    /// The author's clock.
    pub sent_at: Millis,
    /// The relay's clock.
    pub relay_time: Millis,
}

/// What every query of messages selects. Of each other account the furthest of its devices counts. In groups a message has
/// come as far as it has with everybody who was in when it was placed: who comes later never got it.
pub(crate) const SELECT: &str =
    "SELECT m.*, c.peer, coalesce(a.name, nullif(c.title, '')) AS peer_name, a.trust AS peer_trust,
    c.kind AS chat_kind, c.chat AS chat_id, w.name AS author_name, w.trust AS author_trust,
    CASE WHEN m.seq IS NULL THEN 0
         WHEN c.kind = 0 AND EXISTS (SELECT 1 FROM marks k
           WHERE k.chat = m.chat AND k.account = c.peer AND k.read >= m.place) THEN 3
         WHEN c.kind = 0 AND EXISTS (SELECT 1 FROM marks k
           WHERE k.chat = m.chat AND k.account = c.peer AND k.delivered >= m.place) THEN 2
         WHEN c.kind <> 1 OR m.own = 0 OR NOT EXISTS (SELECT 1 FROM marks k
           WHERE k.chat = m.chat AND k.account <> m.account AND k.delivered >= m.place) THEN 1
         WHEN NOT EXISTS (SELECT 1 FROM members x
           WHERE x.chat = m.chat AND x.account <> m.account AND x.place < m.place) THEN 1
         WHEN EXISTS (SELECT 1 FROM members x
           WHERE x.chat = m.chat AND x.account <> m.account AND x.place < m.place AND NOT EXISTS
           (SELECT 1 FROM marks k WHERE k.chat = m.chat AND k.account = x.account AND k.delivered >= m.place)) THEN 1
         WHEN EXISTS (SELECT 1 FROM members x
           WHERE x.chat = m.chat AND x.account <> m.account AND x.place < m.place AND NOT EXISTS
           (SELECT 1 FROM marks k WHERE k.chat = m.chat AND k.account = x.account AND k.read >= m.place)) THEN 2
         ELSE 3 END AS status
  FROM messages m JOIN chats c ON c.id = m.chat LEFT JOIN accounts a ON a.account = c.peer
  LEFT JOIN accounts w ON w.account = m.account";

pub(crate) fn read(row: &Row) -> Result<Message> {
    let peer = id(row, "peer", AccountId::from_slice)?;
    let name: Option<String> = row.get("peer_name")?;
    let author = maybe_id(row, "account", AccountId::from_slice)?;
    let unnamed = row.get::<_, Option<i64>>("author_trust")?.is_none_or(|trust| trust == 3);
    let author_name = match author {
        Some(author) if unnamed => Some(Name::placeholder(&author).to_string()),
        _ => row.get("author_name")?,
    };
    Ok(Message {
        row: row.get("id")?,
        chat: row.get("chat")?,
        peer_name: name.unwrap_or_else(|| peer.to_hex()[..12].to_owned()),
        peer,
        key_changed: row.get::<_, Option<i64>>("peer_trust")? == Some(1),
        kind: ChatKind::from_code(row.get("chat_kind")?),
        chat_id: id(row, "chat_id", ChatId::from_slice)?,
        author,
        author_name,
        device: maybe_id(row, "device", DeviceId::from_slice)?,
        id: maybe_id(row, "message", MessageId::from_slice)?,
        own: row.get("own")?,
        notice: row.get::<_, i64>("kind")? == 1,
        seq: row.get::<_, Option<u64>>("seq")?.map(Seq),
        place: row.get("place")?,
        resent: row.get::<_, Option<u64>>("resent")?.map(Seq),
        text: row.get("text")?,
        sent_at: Millis(row.get("sent_at")?),
        relay_time: row.get::<_, Option<u64>>("relay_time")?.map(Millis),
        status: match row.get("status")? {
            0 => Status::Pending,
            1 => Status::Sent,
            2 => Status::Delivered,
            _ => Status::Read,
        },
    })
}

impl Tx<'_> {
    /// A message by its row.
    pub fn message(&self, row: MessageRow) -> Result<Option<Message>> {
        self.one(&format!("{SELECT} WHERE m.id = ?"), params![row], read)
    }

    /// A message by its device and id.
    pub fn message_by_id(&self, device: &DeviceId, message: &MessageId) -> Result<Option<Message>> {
        let sql = format!("{SELECT} WHERE m.device = ? AND m.message = ?");
        self.one(&sql, params![device.as_ref(), message.as_ref()], read)
    }

    /// Messages with an id, which is unique on each device.
    pub fn messages_with_id(&self, message: &MessageId) -> Result<Vec<Message>> {
        self.all(&format!("{SELECT} WHERE m.message = ? ORDER BY m.id"), params![message.as_ref()], read)
    }

    /// Own messages that have a `seq` of the present log in a range, for sending them again.
    pub fn own_messages_between(&self, chat: &Chat, device: &DeviceId, from: Seq, to: Seq) -> Result<Vec<Message>> {
        let sql = format!(
            "{SELECT} WHERE m.chat = ?1 AND m.device = ?2 AND m.seq IS NOT NULL
               AND (m.place BETWEEN ?3 AND ?4 OR m.resent BETWEEN ?5 AND ?6) ORDER BY m.place"
        );
        let (first, last) = (chat.place(from), chat.place(to));
        self.all(&sql, params![chat.row, device.as_ref(), first, last, from.0, to.0], read)
    }

    /// Stores a new pending message of this device.
    pub fn insert_pending(
        &self,
        chat: ChatRow,
        (author, device, message): (&AccountId, &DeviceId, &MessageId),
        text: &str,
        now: Millis,
    ) -> Result<MessageRow> {
        self.run(
            "INSERT INTO messages (chat, kind, account, device, message, own, place, text, sent_at, printed)
             VALUES (?, 0, ?, ?, ?, 1, ?, ?, ?, 1)",
            params![chat, author.as_ref(), device.as_ref(), message.as_ref(), PENDING_PLACE, text, now.0],
        )?;
        let row = self.last_row();
        self.run("UPDATE messages SET place = place + id WHERE id = ?", params![row])?;
        Ok(row)
    }

    /// Stores somebody's message unless it is there already; says whether it was new.
    pub fn insert_arrival(&self, chat: ChatRow, arrival: &Arrival) -> Result<bool> {
        self.insert_received(chat, arrival, false)
    }

    /// The same, perhaps for one that counts as shown.
    pub(crate) fn insert_received(&self, chat: ChatRow, arrival: &Arrival, printed: bool) -> Result<bool> {
        let changed = self.run(
            "INSERT INTO messages
               (chat, kind, account, device, message, own, seq, place, text, sent_at, relay_time, printed)
             VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            params![
                chat,
                arrival.author.as_ref(),
                arrival.device.as_ref(),
                arrival.id.as_ref(),
                arrival.own,
                arrival.seq.0,
                arrival.place,
                arrival.text,
                arrival.sent_at.0,
                arrival.relay_time.0,
                printed,
            ],
        )?;
        Ok(changed == 1)
    }

    /// Adds a notice of this program to a chat's history, at a place.
    pub fn insert_notice(&self, chat: ChatRow, place: u64, text: &str, now: Millis) -> Result<()> {
        self.run(
            "INSERT INTO messages (chat, kind, own, place, text, sent_at, printed) VALUES (?, 1, 0, ?, ?, ?, 1)",
            params![chat, place, text, now.0],
        )?;
        Ok(())
    }

    /// Somebody's name is known: notices of their groups that had to do without it have it from here on.
    pub fn name_in_notices(&self, account: &AccountId, name: &Name) -> Result<()> {
        self.run(
            "UPDATE messages SET text = replace(text, ?2, ?3) WHERE kind = 1 AND instr(text, ?2) > 0
               AND chat IN (SELECT chat FROM members WHERE account = ?1)",
            params![account.as_ref(), Name::placeholder(account).as_str(), name.as_str()],
        )
        .map(drop)
    }

    /// The relay gave an own message its place. One that had a place keeps it: the relay had lost it and has it again,
    /// since that time.
    pub fn place_message(&self, row: MessageRow, seq: Seq, place: u64, time: Millis) -> Result<()> {
        self.run(
            "UPDATE messages SET resent = ?, relay_time = ? WHERE id = ? AND seq IS NOT NULL AND place <> ?",
            params![seq.0, time.0, row, place],
        )?;
        self.run(
            "UPDATE messages SET seq = ?, place = ?, relay_time = ? WHERE id = ? AND seq IS NULL",
            params![seq.0, place, time.0, row],
        )?;
        Ok(())
    }

    /// Whether a device's message in a chat once had this number and time: the relay gave it both.
    pub fn had_number(&self, chat: ChatRow, device: &DeviceId, seq: Seq, time: Millis) -> Result<bool> {
        let found = self.number(
            "SELECT count(*) FROM messages
             WHERE chat = ?1 AND device = ?2 AND relay_time = ?4 AND (seq = ?3 OR resent = ?3)",
            params![chat, device.as_ref(), seq.0, time.0],
        )?;
        Ok(found > 0)
    }

    /// The relay's log began anew: what it had of a chat under other numbers than their places is forgotten.
    pub fn forget_resent(&self, chat: ChatRow) -> Result<()> {
        self.run("UPDATE outbox SET again = NULL WHERE chat = ? AND again IS NOT NULL", params![chat])?;
        self.run("UPDATE messages SET resent = NULL WHERE chat = ? AND resent IS NOT NULL", params![chat]).map(drop)
    }

    /// Forgets a message and what of it waits in the outbox. Its row is never used again.
    pub fn delete_message(&self, row: MessageRow) -> Result<()> {
        self.run("DELETE FROM outbox WHERE message = ?", params![row])?;
        self.run("DELETE FROM messages WHERE id = ?", params![row]).map(drop)
    }

    /// Messages of others that were never printed, in the order of arrival.
    pub fn unprinted(&self, after: MessageRow, limit: u32) -> Result<Vec<Message>> {
        let sql =
            format!("{SELECT} WHERE m.printed = 0 AND m.own = 0 AND m.kind = 0 AND m.id > ? ORDER BY m.id LIMIT ?");
        self.all(&sql, params![after, limit], read)
    }

    /// These were printed.
    pub fn mark_printed(&self, rows: &[MessageRow]) -> Result<()> {
        rows.iter().try_for_each(|row| self.run("UPDATE messages SET printed = 1 WHERE id = ?", params![row]).map(drop))
    }

    /// The same, of one chat.
    pub fn unprinted_in(&self, chat: ChatRow, after: MessageRow, limit: u32) -> Result<Vec<Message>> {
        let sql = format!(
            "{SELECT} WHERE m.printed = 0 AND m.own = 0 AND m.kind = 0 AND m.chat = ? AND m.id > ? ORDER BY m.id LIMIT ?"
        );
        self.all(&sql, params![chat, after, limit], read)
    }

    /// Whether a chat has any message of another account.
    pub fn has_arrivals(&self, chat: ChatRow) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM messages WHERE chat = ? AND own = 0 AND kind = 0)";
        Ok(self.number(sql, params![chat])? == 1)
    }
}
