//! In which chats an account is, and the receipts of one of them.

use super::View;
use crate::sql::{chat, int, pos, seq, uint};
use aside_protocol::limits::{CHATS_PAGE, RECEIPTS_PAGE};
use aside_protocol::request::{ChatOf, Chats, ChatsOf, Receipts, ReceiptsOf};
use aside_protocol::{ChatId, DeviceId, Pos};
use rusqlite::{OptionalExtension, params};

impl View<'_> {
    /// The chats in which a device of the asking one's account is routed, or was when it was removed from the account
    /// (rule `CHT-9`).
    pub fn chats(&self, device: &DeviceId, chats: &Chats) -> rusqlite::Result<ChatsOf> {
        let after = chats.after.map_or(Vec::new(), |chat| chat.0.to_vec());
        let mut found: Vec<ChatOf> = self
            .db
            .prepare_cached(
                "WITH own AS (SELECT id FROM devices WHERE account = (SELECT account FROM devices WHERE device = ?1)),
                 places AS (SELECT chat FROM intervals WHERE device IN own AND stop IS NULL
                     UNION SELECT chat FROM lapsed WHERE device IN own)
                 SELECT c.chat, c.incarnation, c.base, c.last, EXISTS (
                     SELECT 1 FROM intervals i WHERE i.chat = c.id AND i.stop IS NULL
                     AND i.device = (SELECT id FROM devices WHERE device = ?1))
                 FROM places p CROSS JOIN chats c ON c.id = p.chat WHERE c.chat > ?2 ORDER BY c.chat LIMIT ?3",
            )?
            .query_map(params![device.0, after, int(CHATS_PAGE as u64) + 1], |row| {
                let (base, last) = (seq(row, 2)?, seq(row, 3)?);
                Ok(ChatOf { chat: chat(row, 0)?, incarnation: uint(row.get(1)?), base, last, routed: row.get(4)? })
            })?
            .collect::<rusqlite::Result<_>>()?;
        let more = found.len() > CHATS_PAGE;
        found.truncate(CHATS_PAGE);
        Ok(ChatsOf { chats: found, more })
    }

    /// The others' receipts in a chat; `None` unless the device is routed in it (rule `RCP-5`).
    pub fn receipts(&self, reader: &DeviceId, asked: &Receipts) -> rusqlite::Result<Option<ReceiptsOf>> {
        let Some((reader, chat)) = self.routed_in(reader, &asked.chat)? else {
            return Ok(None);
        };
        let mut places: Vec<Pos> = self
            .db
            .prepare_cached("SELECT pos FROM receipts WHERE chat = ? AND pos > ? AND device <> ? ORDER BY pos LIMIT ?")?
            .query_map([chat, int(asked.after.0), reader, int(RECEIPTS_PAGE as u64) + 1], |row| pos(row, 0))?
            .collect::<rusqlite::Result<_>>()?;
        let more = places.len() > RECEIPTS_PAGE;
        places.truncate(RECEIPTS_PAGE);
        let receipts: Vec<_> =
            places.into_iter().filter_map(|at| self.receipt(at).transpose()).collect::<rusqlite::Result<_>>()?;
        Ok(Some(ReceiptsOf { receipts, more }))
    }

    /// The inner ids of a device and of a chat it is routed in.
    fn routed_in(&self, device: &DeviceId, chat: &ChatId) -> rusqlite::Result<Option<(i64, i64)>> {
        self.db
            .prepare_cached(
                "SELECT d.id, c.id FROM devices d CROSS JOIN chats c ON c.chat = ?2
                 CROSS JOIN intervals i ON i.chat = c.id AND i.device = d.id AND i.stop IS NULL WHERE d.device = ?1",
            )?
            .query_row(params![device.0, chat.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
    }
}
