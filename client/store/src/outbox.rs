//! What this device sends: messages until their echo, and at most one commit of its own a chat.

use crate::chats::ChatRow;
use crate::messages::MessageRow;
use crate::rows::{id, maybe_id};
use crate::{Result, StoreError, Tx};
use aside_protocol::{Body, DeviceId, Hash, N, Seq, codec, request::Request};
use bytes::Bytes;
use rusqlite::{Row, params};

/// Most messages put back when a chat is founded again: any partner can do that, as often as they like.
pub const MAX_UNDELIVERED: u64 = 5000;

/// A message on its way.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Its row in the outbox.
    pub row: i64,
    /// Its chat.
    pub chat: ChatRow,
    /// The message.
    pub message: MessageRow,
    /// The seq it had, when it is sent again for a device that could not read it.
    pub again: Option<Seq>,
    /// Its number, once encrypted.
    pub n: Option<N>,
    /// Hash of its ciphertext, once encrypted.
    pub hash: Option<Hash>,
    /// Its base and ciphertext, while they are good to send.
    pub sealed: Option<(Seq, Body)>,
    /// Whether the relay said Sent.
    pub sent: bool,
    /// Whether it was ever encrypted, so that it may have left this device.
    pub tried: bool,
}

fn read(row: &Row) -> Result<Outgoing> {
    let body: Option<Vec<u8>> = row.get("body")?;
    let base: Option<u64> = row.get("base")?;
    Ok(Outgoing {
        row: row.get("id")?,
        chat: row.get("chat")?,
        message: row.get("message")?,
        again: row.get::<_, Option<u64>>("again")?.map(Seq),
        n: row.get::<_, Option<u64>>("n")?.map(N),
        hash: maybe_id(row, "hash", Hash::from_slice)?,
        sealed: base.zip(body).map(|(base, body)| (Seq(base), Body::from(body))),
        sent: row.get("sent")?,
        tried: row.get("tried")?,
    })
}

/// This device's own commit or founding.
#[derive(Debug, Clone)]
pub struct Proposed {
    /// Its chat.
    pub chat: ChatRow,
    /// Whether it founds an incarnation.
    pub founding: bool,
    /// Its number.
    pub n: N,
    /// Hash of the commit.
    pub hash: Hash,
    /// The request that carries it.
    pub request: Request,
    /// The group a founding founds.
    pub group: Option<Vec<u8>>,
    /// Whether the relay said Sent.
    pub sent: bool,
    /// What changes in members and title when it takes effect, as the engine encoded it.
    pub change: Option<Body>,
}

impl Tx<'_> {
    /// Puts a message into the outbox.
    pub fn enqueue(&self, chat: ChatRow, message: MessageRow, again: Option<Seq>) -> Result<()> {
        self.run(
            "INSERT INTO outbox (chat, message, again) VALUES (?, ?, ?)",
            params![chat, message, again.map(|seq| seq.0)],
        )?;
        Ok(())
    }

    /// Whether a message waits in the outbox, for the first time or again.
    pub fn is_queued(&self, message: MessageRow) -> Result<bool> {
        Ok(self.number("SELECT EXISTS (SELECT 1 FROM outbox WHERE message = ?)", params![message])? == 1)
    }

    /// The next messages of a chat that the relay has not confirmed, in order, after an outbox row.
    pub fn unsent_after(&self, chat: ChatRow, after: i64, limit: u64) -> Result<Vec<Outgoing>> {
        let sql = "SELECT * FROM outbox WHERE chat = ? AND id > ? AND sent = 0 ORDER BY id LIMIT ?";
        self.all(sql, params![chat, after, limit], read)
    }

    /// What was never encrypted for one chat waits in another from now on, in the same order.
    pub fn readdress(&self, from: ChatRow, to: ChatRow) -> Result<()> {
        self.run(
            "UPDATE messages SET chat = ?2 WHERE seq IS NULL AND id IN
               (SELECT message FROM outbox WHERE chat = ?1 AND tried = 0 AND sent = 0)",
            params![from, to],
        )?;
        self.run(
            "UPDATE outbox SET chat = ?2 WHERE chat = ?1
               AND EXISTS (SELECT 1 FROM messages m WHERE m.id = outbox.message AND m.chat = ?2)",
            params![from, to],
        )
        .map(drop)
    }

    /// What is on its way of a message.
    pub fn outgoing_of(&self, message: MessageRow) -> Result<Vec<Outgoing>> {
        self.all("SELECT * FROM outbox WHERE message = ? ORDER BY id", params![message], read)
    }

    /// The database is an older copy: whatever waits may have left since the copy was made.
    pub fn distrust_outbox(&self) -> Result<()> {
        self.run("UPDATE outbox SET tried = 1 WHERE tried = 0", params![]).map(drop)
    }

    /// Whether a chat has messages that the relay has not confirmed.
    pub fn has_unsent(&self, chat: ChatRow) -> Result<bool> {
        Ok(self.number("SELECT EXISTS (SELECT 1 FROM outbox WHERE chat = ? AND sent = 0)", params![chat])? == 1)
    }

    /// Whether a chat has messages with a number that the relay has not confirmed; a commit's number comes after theirs.
    pub fn has_numbered_unsent(&self, chat: ChatRow) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE chat = ? AND sent = 0 AND n IS NOT NULL)";
        Ok(self.number(sql, params![chat])? == 1)
    }

    /// Chats with something the relay has not confirmed.
    pub fn chats_with_unsent(&self) -> Result<Vec<ChatRow>> {
        self.all("SELECT DISTINCT chat FROM outbox WHERE sent = 0 ORDER BY chat", [], |row| Ok(row.get(0)?))
    }

    /// Chats with something the relay has confirmed, but whose echo has not come.
    pub fn chats_with_confirmed(&self) -> Result<Vec<ChatRow>> {
        let sql = "SELECT chat FROM outbox WHERE sent = 1 UNION SELECT chat FROM proposed WHERE sent = 1 ORDER BY chat";
        self.all(sql, [], |row| Ok(row.get(0)?))
    }

    /// Messages of a chat that the relay has confirmed, but whose echo has not come, in order.
    pub fn confirmed(&self, chat: ChatRow) -> Result<Vec<Outgoing>> {
        self.all("SELECT * FROM outbox WHERE chat = ? AND sent = 1 ORDER BY id", params![chat], read)
    }

    /// How many messages wait for the relay, over all chats.
    pub fn unsent_count(&self) -> Result<u64> {
        self.number("SELECT count(*) FROM outbox WHERE sent = 0", [])
    }

    /// The outgoing message with a number.
    pub fn outgoing(&self, chat: ChatRow, n: N) -> Result<Option<Outgoing>> {
        self.one("SELECT * FROM outbox WHERE chat = ? AND n = ?", params![chat, n.0], read)
    }

    /// Stores the ciphertext of a message, before it is sent for the first time.
    pub fn seal_outgoing(&self, row: i64, n: N, base: Seq, hash: &Hash, body: &Body) -> Result<()> {
        self.run(
            "UPDATE outbox SET n = ?, base = ?, hash = ?, body = ?, tried = 1 WHERE id = ?",
            params![n.0, base.0, hash.as_ref(), &body[..], row],
        )?;
        Ok(())
    }

    /// The relay has it; number and hash are kept to know its echo.
    pub fn outgoing_sent(&self, row: i64) -> Result<()> {
        self.run("UPDATE outbox SET sent = 1, body = NULL WHERE id = ?", params![row]).map(drop)
    }

    /// Its echo came.
    pub fn outgoing_done(&self, row: i64) -> Result<()> {
        self.run("DELETE FROM outbox WHERE id = ?", params![row]).map(drop)
    }

    /// A commit came in between: what the relay has not taken must be encrypted again, with the same numbers.
    pub fn unseal_outbox(&self, chat: ChatRow) -> Result<()> {
        self.run("UPDATE outbox SET base = NULL, hash = NULL, body = NULL WHERE chat = ? AND sent = 0", params![chat])
            .map(drop)
    }

    /// Numbers begin anew: what has no echo yet is sent again as if for the first time; receivers know it by its id.
    pub fn renumber_outbox(&self, chat: ChatRow) -> Result<()> {
        self.run(
            "UPDATE outbox SET n = NULL, base = NULL, hash = NULL, body = NULL, sent = 0 WHERE chat = ?",
            params![chat],
        )
        .map(drop)
    }

    /// Numbers begin anew, and this device's messages after a place that every device has go back, the newest
    /// [`MAX_UNDELIVERED`] of them; whoever has one knows it by its id. All that waits then stands in the order of its
    /// places, so that nothing overtakes what was written before it. Rows get new ids: none is used twice.
    pub fn enqueue_undelivered(&self, chat: ChatRow, device: &DeviceId, had: u64) -> Result<()> {
        let last = self.number("SELECT coalesce(max(id), 0) FROM outbox WHERE chat = ?", params![chat])?;
        self.run(
            "INSERT INTO outbox (chat, message, again, tried)
             SELECT ?1, message, again, tried FROM (
               SELECT o.message, o.again, o.tried, m.place FROM outbox o JOIN messages m ON m.id = o.message WHERE o.chat = ?1
               UNION ALL
               SELECT lost.id, NULL, 1, lost.place FROM (
                 SELECT m.id, m.place FROM messages m
                 WHERE m.chat = ?1 AND m.device = ?2 AND m.seq IS NOT NULL AND m.place > ?4
                 ORDER BY m.place DESC LIMIT ?3) lost
               WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.message = lost.id))
             ORDER BY place",
            params![chat, device.as_ref(), MAX_UNDELIVERED, had],
        )?;
        self.run("DELETE FROM outbox WHERE chat = ? AND id <= ?", params![chat, last]).map(drop)
    }

    /// This device's own commit in a chat, if one is on its way.
    pub fn proposed(&self, chat: ChatRow) -> Result<Option<Proposed>> {
        self.one("SELECT * FROM proposed WHERE chat = ?", params![chat], |row| {
            let request: Vec<u8> = row.get("request")?;
            Ok(Proposed {
                chat: row.get("chat")?,
                founding: row.get("founding")?,
                n: N(row.get("n")?),
                hash: id(row, "hash", Hash::from_slice)?,
                request: codec::decode(&Bytes::from(request)).map_err(|_| StoreError::Row("request"))?,
                group: row.get("group_id")?,
                sent: row.get("sent")?,
                change: row.get::<_, Option<Vec<u8>>>("change")?.map(Body::from),
            })
        })
    }

    /// Chats with an own commit the relay has not confirmed.
    pub fn chats_with_proposed(&self) -> Result<Vec<ChatRow>> {
        self.all("SELECT chat FROM proposed WHERE sent = 0 ORDER BY chat", [], |row| Ok(row.get(0)?))
    }

    /// Stores an own commit before it is sent for the first time.
    pub fn save_proposed(&self, proposed: &Proposed) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO proposed (chat, founding, n, hash, request, group_id, sent, change)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                proposed.chat,
                proposed.founding,
                proposed.n.0,
                proposed.hash.as_ref(),
                &codec::encode(&proposed.request)[..],
                proposed.group,
                proposed.sent,
                proposed.change.as_ref().map(|change| change.to_vec()),
            ],
        )?;
        Ok(())
    }

    /// The relay has an own commit; it takes effect when its echo comes.
    pub fn proposed_sent(&self, chat: ChatRow) -> Result<()> {
        self.run("UPDATE proposed SET sent = 1 WHERE chat = ?", params![chat]).map(drop)
    }

    /// The relay lost what it had confirmed of an own commit.
    pub fn proposed_unsent(&self, chat: ChatRow) -> Result<()> {
        self.run("UPDATE proposed SET sent = 0 WHERE chat = ?", params![chat]).map(drop)
    }

    /// Forgets an own commit: it took effect, or lost.
    pub fn drop_proposed(&self, chat: ChatRow) -> Result<()> {
        self.run("DELETE FROM proposed WHERE chat = ?", params![chat]).map(drop)
    }
}
