//! Everybody this device knows: names, root keys, verified device lists, trust.

use crate::rows::id;
use crate::{Result, StoreError, Tx};
use aside_protocol::device_list::{DeviceList, VerifiedList};
use aside_protocol::{AccountId, Hash, Millis, Name, PublicKey, codec};
use bytes::Bytes;
use rusqlite::{Row, params};

/// Whether an account may be written to under its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The first or accepted key of its name.
    InUse,
    /// A second key for a name already known; somebody must decide.
    Pending,
    /// Another account took its name, with consent.
    Replaced,
    /// Known by its keys from a group; the relay has not been asked for its name yet.
    Unnamed,
}

/// An account and what is known of its devices.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub account: AccountId,
    /// Its name at the relay.
    pub name: Name,
    /// Its root key.
    pub root: PublicKey,
    /// The newest device list whose chain was verified.
    pub list: VerifiedList,
    /// Whether it may be written to.
    pub trust: Trust,
}

fn read(row: &Row) -> Result<Account> {
    let list: Vec<u8> = row.get("list")?;
    let list: DeviceList = codec::decode(&Bytes::from(list)).map_err(|_| StoreError::Row("device list"))?;
    let account = id(row, "account", AccountId::from_slice)?;
    let name = match row.get("trust")? {
        3 => Name::placeholder(&account),
        _ => Name::new(row.get::<_, String>("name")?).map_err(|_| StoreError::Row("name"))?,
    };
    Ok(Account {
        account,
        name,
        root: id(row, "root", PublicKey::from_slice)?,
        list: VerifiedList { list, hash: id(row, "list_hash", Hash::from_slice)? },
        trust: match row.get("trust")? {
            0 => Trust::InUse,
            1 => Trust::Pending,
            3 => Trust::Unnamed,
            _ => Trust::Replaced,
        },
    })
}

impl Tx<'_> {
    /// An account by its id.
    pub fn account(&self, account: &AccountId) -> Result<Option<Account>> {
        self.one("SELECT * FROM accounts WHERE account = ?", params![account.as_ref()], read)
    }

    /// Every account known by a name, the one in use first.
    pub fn accounts_named(&self, name: &Name) -> Result<Vec<Account>> {
        self.all(
            "SELECT * FROM accounts WHERE name = ? AND trust <> 3 ORDER BY trust, seen",
            params![name.as_str()],
            read,
        )
    }

    /// Every account known.
    pub fn accounts(&self) -> Result<Vec<Account>> {
        self.all("SELECT * FROM accounts ORDER BY name, trust, seen", [], read)
    }

    /// When an account's safety number was compared; none if never.
    pub fn verified(&self, account: &AccountId) -> Result<Option<Millis>> {
        let at = self.number("SELECT verified FROM accounts WHERE account = ?", params![account.as_ref()])?;
        Ok((at > 0).then_some(Millis(at)))
    }

    /// Remembers when an account's safety number was compared; 0 takes it back.
    pub fn set_verified(&self, account: &AccountId, at: Millis) -> Result<()> {
        self.run("UPDATE accounts SET verified = ? WHERE account = ?", params![at.0, account.as_ref()]).map(drop)
    }

    /// Accounts whose names the relay has not been asked for.
    pub fn unnamed(&self, limit: u32) -> Result<Vec<AccountId>> {
        let sql = "SELECT account FROM accounts WHERE trust = 3 ORDER BY account LIMIT ?";
        self.all(sql, params![limit], |row| id(row, 0, AccountId::from_slice))
    }

    /// Writes an account, new or with a newer list. The list must have been verified.
    pub fn save_account(&self, account: &Account, now: Millis) -> Result<()> {
        let trust = match account.trust {
            Trust::InUse => 0,
            Trust::Pending => 1,
            Trust::Replaced => 2,
            Trust::Unnamed => 3,
        };
        self.run(
            "INSERT INTO accounts (account, name, root, list, list_hash, list_version, trust, seen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (account) DO UPDATE SET name = ?2, list = ?4, list_hash = ?5, list_version = ?6, trust = ?7",
            params![
                account.account.as_ref(),
                account.name.as_str(),
                account.root.as_ref(),
                &codec::encode(&account.list.list)[..],
                account.list.hash.as_ref(),
                account.list.list.version,
                trust,
                now.0,
            ],
        )?;
        Ok(())
    }
}
