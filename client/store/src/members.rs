//! The accounts of a chat, as its group knows them, and the signed lists that prove their devices.

use crate::accounts::Account;
use crate::chats::ChatRow;
use crate::rows::id;
use crate::{Result, Tx};
use aside_protocol::group::{Role, Roster, RosterEntry};
use aside_protocol::{AccountId, Body, Hash};
use rusqlite::{Row, params};

fn read(row: &Row) -> Result<RosterEntry> {
    Ok(RosterEntry {
        account: id(row, "account", AccountId::from_slice)?,
        role: Role::from_code(row.get("role")?),
        version: row.get("version")?,
        hash: id(row, "hash", Hash::from_slice)?,
        since: row.get("since")?,
    })
}

/// A member as people see it.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its entry in the roster.
    pub entry: RosterEntry,
    /// What is known of the account.
    pub account: Option<Account>,
    /// Stored up to this place by one of its devices.
    pub delivered: u64,
    /// Read up to this place on one of its devices.
    pub read: u64,
}

impl Tx<'_> {
    /// The roster of a chat.
    pub fn roster(&self, chat: ChatRow) -> Result<Roster> {
        let entries = self.all("SELECT * FROM members WHERE chat = ? ORDER BY account", params![chat], read)?;
        Ok(Roster { entries })
    }

    /// An account's entry in a chat's roster.
    pub fn member(&self, chat: ChatRow, account: &AccountId) -> Result<Option<RosterEntry>> {
        let sql = "SELECT * FROM members WHERE chat = ? AND account = ?";
        self.one(sql, params![chat, account.as_ref()], read)
    }

    /// The place after which an account may have what stands in a chat, as far as this device knows; none if it is not in it.
    pub fn member_place(&self, chat: ChatRow, account: &AccountId) -> Result<Option<u64>> {
        let sql = "SELECT place FROM members WHERE chat = ? AND account = ?";
        self.one(sql, params![chat, account.as_ref()], |row| Ok(row.get(0)?))
    }

    /// How many accounts a chat has.
    pub fn member_count(&self, chat: ChatRow) -> Result<u64> {
        self.number("SELECT count(*) FROM members WHERE chat = ?", params![chat])
    }

    /// Whether a chat has another owner than an account.
    pub fn has_other_owner(&self, chat: ChatRow, account: &AccountId) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM members WHERE chat = ? AND role = ? AND account <> ?)";
        Ok(self.number(sql, params![chat, Role::Owner.code(), account.as_ref()])? == 1)
    }

    /// The members with what is known of them, in the order of roles and names.
    pub fn members(&self, chat: ChatRow) -> Result<Vec<Member>> {
        let marks = "SELECT account, max(delivered) AS d, max(read) AS r FROM marks WHERE chat = ?1 GROUP BY account";
        let sql = format!(
            "SELECT m.*, coalesce(k.d, 0) AS d, coalesce(k.r, 0) AS r FROM members m
             LEFT JOIN ({marks}) k ON k.account = m.account LEFT JOIN accounts a ON a.account = m.account
             WHERE m.chat = ?1 ORDER BY m.role DESC, a.name, m.account"
        );
        let rows = self.all(&sql, params![chat], |row| Ok((read(row)?, row.get("d")?, row.get("r")?)))?;
        let member = |(entry, delivered, read): (RosterEntry, u64, u64)| {
            Ok(Member { account: self.account(&entry.account)?, entry, delivered, read })
        };
        rows.into_iter().map(member).collect()
    }

    /// Chats in which an account is.
    pub fn chats_of(&self, account: &AccountId) -> Result<Vec<ChatRow>> {
        let sql = "SELECT chat FROM members WHERE account = ? ORDER BY chat";
        self.all(sql, params![account.as_ref()], |row| Ok(row.get(0)?))
    }

    /// Members of a chat whose newest known device list is newer than the one the group knows.
    pub fn outdated(&self, chat: ChatRow) -> Result<Vec<AccountId>> {
        let sql = "SELECT m.account FROM members m JOIN accounts a ON a.account = m.account
            WHERE m.chat = ? AND a.list_version > m.version ORDER BY m.account";
        self.all(sql, params![chat], |row| id(row, 0, AccountId::from_slice))
    }

    /// Chats in a group whose roster is not stored yet: they were founded by an earlier version.
    pub fn chats_without_members(&self) -> Result<Vec<ChatRow>> {
        let sql = "SELECT id FROM chats c WHERE group_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM members m WHERE m.chat = c.id) ORDER BY id";
        self.all(sql, [], |row| Ok(row.get(0)?))
    }

    /// Writes an entry of a roster. Who is in already keeps the place it came at.
    pub fn put_member(&self, chat: ChatRow, entry: &RosterEntry, place: u64) -> Result<()> {
        let account = entry.account.as_ref();
        self.run(
            "INSERT INTO members (chat, account, role, version, hash, since, place) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (chat, account) DO UPDATE SET role = ?3, version = ?4, hash = ?5, since = ?6",
            params![chat, account, entry.role.code(), entry.version, entry.hash.as_ref(), entry.since, place],
        )
        .map(drop)
    }

    /// Takes an account out of a roster.
    pub fn remove_member(&self, chat: ChatRow, account: &AccountId) -> Result<()> {
        self.run("DELETE FROM members WHERE chat = ? AND account = ?", params![chat, account.as_ref()]).map(drop)
    }

    /// Writes a whole roster: this device joined. Who is new in it came at the place.
    pub fn set_roster(&self, chat: ChatRow, roster: &Roster, place: u64) -> Result<()> {
        for entry in self.roster(chat)?.entries.iter().filter(|entry| roster.get(&entry.account).is_none()) {
            self.remove_member(chat, &entry.account)?;
        }
        roster.entries.iter().try_for_each(|entry| self.put_member(chat, entry, place))
    }

    /// Keeps an account's signed lists, the first of which has this version.
    pub fn save_lists(&self, account: &AccountId, first: u64, lists: &[Body]) -> Result<()> {
        for (version, body) in (first..).zip(lists) {
            self.run(
                "INSERT OR REPLACE INTO lists (account, version, body) VALUES (?, ?, ?)",
                params![account.as_ref(), version, &body[..]],
            )?;
        }
        Ok(())
    }

    /// An account's signed lists from version 1 on; none if some are not there.
    pub fn lists(&self, account: &AccountId) -> Result<Vec<Body>> {
        let sql = "SELECT version, body FROM lists WHERE account = ? ORDER BY version";
        let rows: Vec<(u64, Vec<u8>)> =
            self.all(sql, params![account.as_ref()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let whole = rows.iter().zip(1..).all(|((version, _), expected)| *version == expected);
        Ok(if whole { rows.into_iter().map(|(_, body)| Body::from(body)).collect() } else { Vec::new() })
    }
}
