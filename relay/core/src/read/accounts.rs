//! Looking up accounts and devices.

use super::View;
use crate::sql::{int, pos, uint};
use aside_protocol::request::{Account, KeyPackageCount, Lookup, Suite, Who};
use aside_protocol::{AccountId, Body, DeviceId, Name, Pos, PublicKey};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};

/// What a login needs to know of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Its key.
    pub key: PublicKey,
    /// Its account.
    pub account: AccountId,
    /// The account's name.
    pub name: Name,
    /// Whether it was removed from its account.
    pub revoked: bool,
    /// Its cursor.
    pub acked: Pos,
    /// Last position given.
    pub head: Pos,
    /// Key packages held for it.
    pub key_packages: Vec<KeyPackageCount>,
}

/// Most bytes of device lists in one answer; whoever wants the rest asks from the next version on.
const LISTS_BYTES: usize = 512 << 10;

impl View<'_> {
    /// A device by its id.
    pub fn device(&self, device: &DeviceId) -> rusqlite::Result<Option<DeviceInfo>> {
        let found = self
            .db
            .prepare_cached(
                "SELECT d.id, d.key, a.account, a.name, d.revoked, d.acked FROM devices d
                 JOIN accounts a ON a.id = d.account WHERE d.device = ?",
            )?
            .query_row([device.0], |row| {
                let info = DeviceInfo {
                    key: PublicKey(row.get(1)?),
                    account: AccountId(row.get(2)?),
                    name: name(row, 3)?,
                    revoked: row.get(4)?,
                    acked: pos(row, 5)?,
                    head: Pos(0),
                    key_packages: Vec::new(),
                };
                Ok((row.get(0)?, info))
            })
            .optional()?;
        let Some((id, info)) = found else {
            return Ok(None);
        };
        Ok(Some(DeviceInfo { head: self.head()?, key_packages: key_package_counts(self.db, id)?, ..info }))
    }

    /// An account by name or id, with its device lists from the version asked for.
    pub fn account(&self, lookup: &Lookup) -> rusqlite::Result<Option<Account>> {
        let found = match &lookup.who {
            Who::Name(name) => self
                .db
                .prepare_cached("SELECT id, name, root FROM accounts WHERE name = ?")?
                .query_row([name.as_str()], account_row)
                .optional()?,
            Who::Account(account) => self
                .db
                .prepare_cached("SELECT id, name, root FROM accounts WHERE account = ?")?
                .query_row([account.0], account_row)
                .optional()?,
            _ => None,
        };
        let Some((id, name, root)) = found else {
            return Ok(None);
        };
        Ok(Some(Account { name, root, lists: self.lists(id, lookup.from_version)? }))
    }

    fn lists(&self, account: i64, from: u64) -> rusqlite::Result<Vec<Body>> {
        let mut statement = self
            .db
            .prepare_cached("SELECT bytes FROM device_lists WHERE account = ? AND version >= ? ORDER BY version")?;
        let mut rows = statement.query([account, int(from)])?;
        let (mut lists, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let list: Vec<u8> = row.get(0)?;
            bytes += list.len();
            if bytes > LISTS_BYTES {
                break;
            }
            lists.push(Body::from(list));
        }
        Ok(lists)
    }
}

/// What is left of a device's key packages, for each suite it has any of.
pub(crate) fn key_package_counts(db: &Connection, device: i64) -> rusqlite::Result<Vec<KeyPackageCount>> {
    db.prepare_cached(
        "SELECT suite, sum(last_resort = 0), max(last_resort) FROM key_packages
         WHERE device = ? AND given IS NULL GROUP BY suite ORDER BY suite",
    )?
    .query_map([device], |row| {
        Ok(KeyPackageCount {
            suite: Suite::from_code(uint(row.get(0)?)),
            one_time: uint(row.get(1)?),
            last_resort: row.get(2)?,
        })
    })?
    .collect()
}

fn account_row(row: &Row<'_>) -> rusqlite::Result<(i64, Name, PublicKey)> {
    Ok((row.get(0)?, name(row, 1)?, PublicKey(row.get(2)?)))
}

pub(super) fn name(row: &Row<'_>, column: usize) -> rusqlite::Result<Name> {
    Name::new(row.get::<_, String>(column)?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}
