//! Accounts, their names and their chains of device lists (rules `ACC-*`, `LST-*`, `RCV-3`).

use crate::command::{Recovery, Registration};
use crate::error::Stop;
use crate::sql::{int, uint};
use crate::step::{Step, invalid, within};
use crate::{By, Layout, ack, chat, invite};
use aside_protocol::device_list::{self, DeviceList, Signer, VerifiedList, verify_next};
use aside_protocol::limits::MAX_DEVICE_LIST;
use aside_protocol::refusal::{DevicesChanged, Plain};
use aside_protocol::request::{Answer, Done};
use aside_protocol::{AccountId, Body, DeviceId, Hash, PublicKey, Refusal};
use rusqlite::{OptionalExtension, params};

/// An account's inner id and root key.
pub(crate) struct AccountRow {
    pub(crate) id: i64,
    root: PublicKey,
    name: String,
}

/// Creates an account with its first device, using an invite once. The same registration again succeeds again.
pub(crate) fn register(step: &mut Step<'_>, registration: &Registration) -> Result<Answer, Stop> {
    within(registration.list.len(), MAX_DEVICE_LIST)?;
    let verified = verify_next(&registration.root, None, &registration.list).map_err(|_| invalid())?;
    let account = AccountId::of(&registration.root);
    if let Some(row) = find(step, &account)? {
        return repeated(step, &row, registration, verified.hash);
    }
    let [entry] = verified.list.devices.as_slice() else {
        return Err(invalid());
    };
    invite::check(step, &registration.invite)?;
    if name_taken(step, registration.name.as_str())? {
        return Err(Refusal::NameTaken(Plain {}).into());
    }
    unused(step, None, &entry.device, &entry.key)?;
    invite::take(step, &registration.invite)?;
    let id = insert(step, &account, registration.name.as_str(), &registration.root)?;
    let change = next_change(step)?;
    store_list(step, id, &verified, &registration.list, change)?;
    Ok(done(verified.hash))
}

/// Stores an account that is not there yet.
pub(crate) fn insert(step: &Step<'_>, account: &AccountId, name: &str, root: &PublicKey) -> rusqlite::Result<i64> {
    let mut insert = step.db.prepare_cached("INSERT INTO accounts (account, name, root) VALUES (?, ?, ?)")?;
    insert.insert(params![account.0, name, root.0])
}

/// The number under which other partitions learn the version that is about to be stored.
fn next_change(step: &Step<'_>) -> rusqlite::Result<u64> {
    step.db
        .prepare_cached("UPDATE relay SET changes = changes + 1 RETURNING changes")?
        .query_row([], |row| row.get::<_, i64>(0))
        .map(uint)
}

/// The account exists: either this is the same registration, whose answer was lost, or somebody else's.
fn repeated(step: &Step<'_>, row: &AccountRow, asked: &Registration, hash: Hash) -> Result<Answer, Stop> {
    let first = list_bytes(step, row.id, 1)?;
    if row.name == asked.name.as_str() && first.as_deref() == Some(&asked.list[..]) {
        return Ok(done(hash));
    }
    Err(Refusal::AlreadyRegistered(Plain {}).into())
}

/// Appends a version to the asking device's own account; the standing version again succeeds again (rule `LST-3`).
pub(crate) fn put_list(step: &mut Step<'_>, by: &By, bytes: &Body) -> Result<Answer, Stop> {
    within(bytes.len(), MAX_DEVICE_LIST)?;
    step.asker(by)?;
    let row = find(step, &by.account)?.ok_or_else(invalid)?;
    append(step, &row, bytes)
}

/// Puts a device into its account by the root key; the same recovery again succeeds again (rule `RCV-3`).
pub(crate) fn recover(step: &mut Step<'_>, recovery: &Recovery) -> Result<Answer, Stop> {
    let bytes = &recovery.list;
    within(bytes.len(), MAX_DEVICE_LIST)?;
    let (signed, list) = device_list::open(bytes).map_err(|_| invalid())?;
    if !matches!(signed.signer, Signer::Root(_)) || list.device(&recovery.device).is_none() {
        return Err(invalid());
    }
    let row = find(step, &recovery.account)?.ok_or(Refusal::NotFound(Plain {}))?;
    append(step, &row, bytes)
}

/// Appends a version that follows the standing one; the standing one again succeeds again.
fn append(step: &mut Step<'_>, row: &AccountRow, bytes: &Body) -> Result<Answer, Stop> {
    let (standing, standing_bytes) = current(step, row.id)?.ok_or_else(invalid)?;
    if standing_bytes == bytes[..] {
        return Ok(done(standing.hash));
    }
    let Ok(next) = verify_next(&row.root, Some(&standing), bytes) else {
        return Err(misfit(bytes, &standing));
    };
    for entry in &next.list.devices {
        unused(step, Some(row.id), &entry.device, &entry.key)?;
    }
    revoke_missing(step, row.id, &next.list)?;
    let change = next_change(step)?;
    store_list(step, row.id, &next, bytes, change)?;
    Ok(done(next.hash))
}

/// Why a list does not follow: another version came first, or it is no valid list at all.
fn misfit(bytes: &Body, standing: &VerifiedList) -> Stop {
    match device_list::open(bytes) {
        Ok((_, list)) if list.account == standing.list.account && list.previous != standing.hash => {
            changed(list.account, standing)
        }
        _ => invalid(),
    }
}

/// Refused: look the account up again.
pub(crate) fn changed(account: AccountId, standing: &VerifiedList) -> Stop {
    Refusal::DevicesChanged(DevicesChanged { account, version: standing.list.version }).into()
}

/// An account by its id.
pub(crate) fn find(step: &Step<'_>, account: &AccountId) -> rusqlite::Result<Option<AccountRow>> {
    step.db
        .prepare_cached("SELECT id, root, name FROM accounts WHERE account = ?")?
        .query_row([account.0], |row| {
            Ok(AccountRow { id: row.get(0)?, root: PublicKey(row.get(1)?), name: row.get(2)? })
        })
        .optional()
}

/// The standing version of an account's device list, with its bytes. It was verified when it was stored.
pub(crate) fn current(step: &Step<'_>, account: i64) -> rusqlite::Result<Option<(VerifiedList, Vec<u8>)>> {
    let newest: Option<Vec<u8>> = step
        .db
        .prepare_cached("SELECT bytes FROM device_lists WHERE account = ? ORDER BY version DESC LIMIT 1")?
        .query_row([account], |row| row.get(0))
        .optional()?;
    Ok(newest.and_then(|bytes| Some((reopen(&bytes)?, bytes))))
}

/// Opens a version that was verified when the directory stored it.
pub(crate) fn reopen(bytes: &[u8]) -> Option<VerifiedList> {
    let (signed, list) = device_list::open(&Body::from(bytes.to_vec())).ok()?;
    Some(VerifiedList { list, hash: device_list::hash_of(&signed.list) })
}

fn list_bytes(step: &Step<'_>, account: i64, version: u64) -> rusqlite::Result<Option<Vec<u8>>> {
    step.db
        .prepare_cached("SELECT bytes FROM device_lists WHERE account = ? AND version = ?")?
        .query_row([account, int(version)], |row| row.get(0))
        .optional()
}

fn name_taken(step: &Step<'_>, name: &str) -> rusqlite::Result<bool> {
    step.db.prepare_cached("SELECT 1 FROM accounts WHERE name = ?")?.exists([name])
}

/// Refuses a device id or key that stands for another device, here or in another account.
fn unused(step: &Step<'_>, account: Option<i64>, device: &DeviceId, key: &PublicKey) -> Result<(), Stop> {
    let mut statement =
        step.db.prepare_cached("SELECT account, device, key FROM devices WHERE device = ? OR key = ?")?;
    let rows = statement.query_map(params![device.0, key.0], |row| {
        Ok((row.get::<_, i64>(0)?, DeviceId(row.get(1)?), PublicKey(row.get(2)?)))
    })?;
    for row in rows {
        let (owner, known, known_key) = row?;
        if Some(owner) != account || known != *device || known_key != *key {
            return Err(Refusal::AlreadyRegistered(Plain {}).into());
        }
    }
    Ok(())
}

/// Marks the account's devices that the next list no longer has. What waits for them is dropped, and nothing is routed to
/// them any more (rule `CHT-10`).
pub(crate) fn revoke_missing(step: &mut Step<'_>, account: i64, next: &DeviceList) -> Result<(), Stop> {
    let devices: Vec<(i64, DeviceId)> = step
        .db
        .prepare_cached("SELECT id, device FROM devices WHERE account = ? AND revoked = 0 ORDER BY id")?
        .query_map([account], |row| Ok((row.get(0)?, DeviceId(row.get(1)?))))?
        .collect::<rusqlite::Result<_>>()?;
    for (id, device) in devices.into_iter().filter(|(_, device)| next.device(device).is_none()) {
        step.db.prepare_cached("UPDATE devices SET revoked = 1 WHERE id = ?")?.execute([id])?;
        step.db.prepare_cached("DELETE FROM key_packages WHERE device = ?")?.execute([id])?;
        ack::drop_addressed(step, id, step.head)?;
        chat::lapse(step, id)?;
        step.cache.forget_device(&device);
        step.revoked.push(device);
    }
    Ok(())
}

/// Stores a verified version and the devices it brings. In the directory new devices start at the head: nothing earlier is theirs.
pub(crate) fn store_list(
    step: &mut Step<'_>,
    account: i64,
    verified: &VerifiedList,
    bytes: &Body,
    change: u64,
) -> Result<(), Stop> {
    step.db
        .prepare_cached("INSERT INTO device_lists (account, version, bytes, change) VALUES (?, ?, ?, ?)")?
        .execute(params![account, int(verified.list.version), &bytes[..], int(change)])?;
    // Elsewhere a device may have been told of an earlier head than this one, and must not be taken for one that went back.
    let acked = if step.part.partition == Layout::DIRECTORY { step.head.0 } else { 0 };
    for entry in &verified.list.devices {
        step.db
            .prepare_cached(
                "INSERT INTO devices (device, account, key, revoked, acked) VALUES (?, ?, ?, 0, ?)
                 ON CONFLICT (device) DO UPDATE SET revoked = 0",
            )?
            .execute(params![entry.device.0, account, entry.key.0, int(acked)])?;
        step.cache.forget_device(&entry.device);
    }
    Ok(())
}

fn done(hash: Hash) -> Answer {
    Answer::Done(Done { pos: None, hash: Some(hash) })
}
