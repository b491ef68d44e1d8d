//! Key packages: stored by their device, taken once by others, the last resort again and again (rules `KEY-*`).

use crate::error::Stop;
use crate::rate::Rate;
use crate::read::accounts::key_package_counts;
use crate::sql::int;
use crate::step::{Step, invalid, within};
use crate::{By, account};
use aside_protocol::limits::{KEY_PACKAGE_STOCK, KEY_PACKAGE_UPLOAD, MAX_KEY_PACKAGE};
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Answer, FetchKeyPackages, KeyPackageOf, KeyPackageUpload, Suite};
use aside_protocol::{Body, DeviceId, Hash, Refusal, codec};
use bytes::Bytes;
use rusqlite::{OptionalExtension, params};

/// Stores packages. One already stored or given out counts once; past the stock the oldest make room.
pub(crate) fn put(step: &mut Step<'_>, by: &By, packages: &[KeyPackageUpload]) -> Result<Answer, Stop> {
    within(packages.len(), KEY_PACKAGE_UPLOAD)?;
    for package in packages {
        within(package.body.len(), MAX_KEY_PACKAGE)?;
        if matches!(package.suite, Suite::Other(_)) || package.body.is_empty() {
            return Err(invalid());
        }
    }
    let device = step.asker(by)?;
    for package in packages {
        store(step, device.id, package)?;
    }
    Ok(Answer::KeyPackageCounts(key_package_counts(step.db, device.id)?))
}

fn store(step: &Step<'_>, device: i64, package: &KeyPackageUpload) -> Result<(), Stop> {
    let (suite, hash) = (int(package.suite.code()), Hash::of(&package.body));
    let mut known = step.db.prepare_cached("SELECT 1 FROM key_packages WHERE device = ? AND hash = ?")?;
    if known.exists(params![device, hash.0])? {
        return Ok(());
    }
    if package.last_resort {
        step.db
            .prepare_cached("DELETE FROM key_packages WHERE device = ? AND suite = ? AND last_resort = 1")?
            .execute([device, suite])?;
    }
    step.db
        .prepare_cached("INSERT INTO key_packages (device, suite, last_resort, hash, body) VALUES (?, ?, ?, ?, ?)")?
        .execute(params![device, suite, package.last_resort, hash.0, &package.body[..]])?;
    // The newest stay: after a restored backup the device has lost the keys of the older ones.
    step.db
        .prepare_cached(
            "UPDATE key_packages SET given = ?1, body = NULL WHERE id IN (
                 SELECT id FROM key_packages WHERE device = ?2 AND suite = ?3 AND last_resort = 0 AND given IS NULL
                 ORDER BY id DESC LIMIT -1 OFFSET ?4)",
        )?
        .execute([int(step.now.0), device, suite, int(KEY_PACKAGE_STOCK)])?;
    Ok(())
}

/// Takes one package of each device of an account. The same request of the same device gets the same answer.
pub(crate) fn fetch(step: &mut Step<'_>, by: &By, request: &FetchKeyPackages) -> Result<Answer, Stop> {
    let device = step.asker(by)?;
    if let Some(answer) = recorded(step, device.id, request)? {
        return Ok(answer);
    }
    let target = account::find(step, &request.account)?.ok_or(Refusal::NotFound(Plain {}))?;
    let hour = Rate::Fetches(device.account).check(step)?;
    let chosen = choose(step, target.id, request.suite)?;
    let packages: Vec<KeyPackageOf> = chosen.iter().map(|choice| choice.package.clone()).collect();
    for choice in chosen.iter().filter(|choice| !choice.last_resort) {
        step.db
            .prepare_cached("UPDATE key_packages SET given = ?, body = NULL WHERE id = ?")?
            .execute([int(step.now.0), choice.id])?;
    }
    hour.take(step)?;
    step.db
        .prepare_cached("INSERT INTO fetches (device, request, time, answer) VALUES (?, ?, ?, ?)")?
        .execute(params![device.id, request.id.0, int(step.now.0), &codec::encode(&packages)[..]])?;
    Ok(Answer::KeyPackages(packages))
}

fn recorded(step: &Step<'_>, device: i64, request: &FetchKeyPackages) -> Result<Option<Answer>, Stop> {
    let answer: Option<Vec<u8>> = step
        .db
        .prepare_cached("SELECT answer FROM fetches WHERE device = ? AND request = ?")?
        .query_row(params![device, request.id.0], |row| row.get(0))
        .optional()?;
    Ok(answer.and_then(|bytes| codec::decode(&Bytes::from(bytes)).ok()).map(Answer::KeyPackages))
}

struct Choice {
    id: i64,
    last_resort: bool,
    package: KeyPackageOf,
}

/// The oldest one-time package of each device, else its last resort; refuses when a device has neither.
fn choose(step: &Step<'_>, account: i64, suite: Suite) -> Result<Vec<Choice>, Stop> {
    let devices: Vec<(i64, DeviceId)> = step
        .db
        .prepare_cached("SELECT id, device FROM devices WHERE account = ? AND revoked = 0 ORDER BY id")?
        .query_map([account], |row| Ok((row.get(0)?, DeviceId(row.get(1)?))))?
        .collect::<rusqlite::Result<_>>()?;
    let mut statement = step.db.prepare_cached(
        "SELECT id, last_resort, body FROM key_packages WHERE device = ? AND suite = ? AND given IS NULL
         ORDER BY last_resort, id LIMIT 1",
    )?;
    let mut chosen = Vec::with_capacity(devices.len());
    for (id, device) in devices {
        let choice = statement
            .query_row([id, int(suite.code())], |row| {
                let package = KeyPackageOf { device, body: Body::from(row.get::<_, Vec<u8>>(2)?) };
                Ok(Choice { id: row.get(0)?, last_resort: row.get(1)?, package })
            })
            .optional()?;
        chosen.push(choice.ok_or(Refusal::NoKeyPackage(Plain {}))?);
    }
    Ok(chosen)
}
