//! The schema and its migrations: append only, one transaction each (the version is SQLite's `user_version`).

use crate::CoreError;
use rusqlite::Connection;

/// "asid": tells our databases from others.
const APPLICATION: i64 = 0x6173_6964;

/// Each entry takes the schema from its index to the next; entries are never changed once released.
const MIGRATIONS: &[&str] = &[FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH, EIGHTH, NINTH];

/// Ids inside are small integers given in order of appearance. `pos` is one sequence over `log`, `addressed`, `receipts`.
const FIRST: &str = "
CREATE TABLE relay (
    id INTEGER PRIMARY KEY CHECK (id = 1), log BLOB, time INTEGER NOT NULL, head INTEGER NOT NULL,
    sweep INTEGER NOT NULL) STRICT;
INSERT INTO relay VALUES (1, NULL, 0, 0, 0);
CREATE TABLE invites (
    hash BLOB PRIMARY KEY, uses INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX invites_expires ON invites (expires);
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY, account BLOB NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, root BLOB NOT NULL) STRICT;
CREATE TABLE device_lists (
    account INTEGER NOT NULL, version INTEGER NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (account, version)) STRICT, WITHOUT ROWID;
CREATE TABLE devices (
    id INTEGER PRIMARY KEY, device BLOB NOT NULL UNIQUE, account INTEGER NOT NULL, key BLOB NOT NULL UNIQUE,
    revoked INTEGER NOT NULL, acked INTEGER NOT NULL) STRICT;
CREATE INDEX devices_account ON devices (account);
-- A one-time package that was given out keeps its row, without a body, so that it is not taken again.
CREATE TABLE key_packages (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, suite INTEGER NOT NULL, last_resort INTEGER NOT NULL,
    hash BLOB NOT NULL, given INTEGER, body BLOB, UNIQUE (device, hash)) STRICT;
CREATE INDEX key_packages_left ON key_packages (device, suite, last_resort, id) WHERE given IS NULL;
CREATE INDEX key_packages_given ON key_packages (given) WHERE given IS NOT NULL;
CREATE TABLE fetches (
    device INTEGER NOT NULL, request BLOB NOT NULL, time INTEGER NOT NULL, answer BLOB NOT NULL,
    PRIMARY KEY (device, request)) STRICT;
CREATE INDEX fetches_time ON fetches (time);
CREATE TABLE fetch_rates (account INTEGER PRIMARY KEY, since INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;
-- seqs first..=last are held. undo: 0 none, 1 the last commit's routing can be undone, 2 it was.
CREATE TABLE chats (
    id INTEGER PRIMARY KEY, chat BLOB NOT NULL UNIQUE, one INTEGER NOT NULL, other INTEGER NOT NULL,
    incarnation INTEGER NOT NULL, base INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    last_pos INTEGER NOT NULL, receipt_pos INTEGER NOT NULL, undo INTEGER NOT NULL, founder INTEGER NOT NULL,
    founding_seq INTEGER NOT NULL, founding_time INTEGER NOT NULL, founding_hash BLOB NOT NULL) STRICT;
CREATE INDEX chats_held ON chats (id) WHERE first <= last;
-- A device is meant to have what lies in (start, stop]; stop is NULL while it is routed.
CREATE TABLE intervals (
    chat INTEGER NOT NULL, device INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER,
    PRIMARY KEY (chat, device, start)) STRICT, WITHOUT ROWID;
CREATE INDEX intervals_device ON intervals (device, chat, start, stop);
CREATE TABLE undo (
    chat INTEGER NOT NULL, device INTEGER NOT NULL, added INTEGER NOT NULL, start INTEGER, n INTEGER, answers BLOB,
    PRIMARY KEY (chat, device)) STRICT, WITHOUT ROWID;
CREATE TABLE senders (
    chat INTEGER NOT NULL, device INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (chat, device)) STRICT, WITHOUT ROWID;
-- A ring of 64 slots for each sender: slot is n modulo 64.
CREATE TABLE answers (
    chat INTEGER NOT NULL, device INTEGER NOT NULL, slot INTEGER NOT NULL, n INTEGER NOT NULL, seq INTEGER NOT NULL,
    time INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (chat, device, slot)) STRICT, WITHOUT ROWID;
CREATE TABLE log (
    pos INTEGER PRIMARY KEY, chat INTEGER NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL,
    sender INTEGER NOT NULL, n INTEGER NOT NULL, base INTEGER NOT NULL, incarnation INTEGER, time INTEGER NOT NULL,
    hash BLOB NOT NULL, body BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX log_seq ON log (chat, seq);
CREATE TABLE addressed (
    pos INTEGER PRIMARY KEY, chat INTEGER NOT NULL, kind INTEGER NOT NULL, sender INTEGER NOT NULL, base INTEGER,
    incarnation INTEGER, time INTEGER NOT NULL, waiting INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE addressees (
    device INTEGER NOT NULL, pos INTEGER NOT NULL, PRIMARY KEY (device, pos)) STRICT, WITHOUT ROWID;
CREATE INDEX addressees_pos ON addressees (pos);
CREATE TABLE receipts (
    pos INTEGER PRIMARY KEY, chat INTEGER NOT NULL, device INTEGER NOT NULL, base INTEGER NOT NULL,
    time INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE (chat, device)) STRICT;
";

/// A sender's last 64 answers are found by going back from envelope to envelope through the log; `answers` holds those
/// whose envelopes are gone from it. So a message costs no row there while it is new. What stands in the log up to
/// `since` tells nothing of the sender as it counts now: it was there before its state was put back. `held` spares the index of what
/// retention has to look at from changing with each message.
const SECOND: &str = "
ALTER TABLE log ADD COLUMN previous INTEGER;
ALTER TABLE senders ADD COLUMN seq INTEGER;
ALTER TABLE senders ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
UPDATE senders SET since = (SELECT last FROM chats WHERE chats.id = senders.chat);
DROP INDEX chats_held;
ALTER TABLE chats ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
UPDATE chats SET held = 1 WHERE first <= last;
CREATE INDEX chats_held ON chats (id) WHERE held = 1;
";

/// Groups and channels. `one` and `other` mean something in direct chats only. `routed` counts the standing intervals. What
/// is routed to a device ends when the device is removed from its account; `lapsed` remembers that it was.
const THIRD: &str = "
ALTER TABLE chats ADD COLUMN direct INTEGER NOT NULL DEFAULT 1;
ALTER TABLE chats ADD COLUMN routed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE undo ADD COLUMN lapsed INTEGER NOT NULL DEFAULT 0;
CREATE TABLE lapsed (chat INTEGER NOT NULL, device INTEGER NOT NULL, PRIMARY KEY (chat, device)) STRICT, WITHOUT ROWID;
CREATE INDEX lapsed_device ON lapsed (device, chat);
INSERT INTO lapsed SELECT i.chat, i.device FROM intervals i JOIN devices d ON d.id = i.device
    WHERE i.stop IS NULL AND d.revoked = 1;
UPDATE intervals SET stop = (SELECT head FROM relay)
    WHERE stop IS NULL AND device IN (SELECT id FROM devices WHERE revoked = 1);
UPDATE chats SET routed = (SELECT count(*) FROM intervals i WHERE i.chat = chats.id AND i.stop IS NULL);
CREATE TABLE join_rates (account INTEGER PRIMARY KEY, since INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;
CREATE INDEX receipts_place ON receipts (chat, pos);
";

/// Blobs: `blobs` says what the store holds, `blob_reservations` who may upload and pays (its time is NULL once the blob
/// is complete), `blob_use` what each account pays for together. A log row's blob is its hash, with this size.
const FOURTH: &str = "
CREATE TABLE blobs (
    hash BLOB PRIMARY KEY, size INTEGER NOT NULL, time INTEGER NOT NULL, dropped INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX blobs_time ON blobs (time) WHERE dropped = 0;
CREATE INDEX blobs_dropped ON blobs (hash) WHERE dropped = 1;
CREATE TABLE blob_reservations (
    account INTEGER NOT NULL, hash BLOB NOT NULL, size INTEGER NOT NULL, time INTEGER,
    PRIMARY KEY (account, hash)) STRICT, WITHOUT ROWID;
CREATE INDEX blob_reservations_hash ON blob_reservations (hash);
CREATE INDEX blob_reservations_time ON blob_reservations (time) WHERE time IS NOT NULL;
CREATE TABLE blob_use (account INTEGER PRIMARY KEY, bytes INTEGER NOT NULL) STRICT;
ALTER TABLE log ADD COLUMN blob_size INTEGER;
ALTER TABLE addressed ADD COLUMN blob BLOB;
ALTER TABLE addressed ADD COLUMN blob_size INTEGER;
";

/// `rates` counts, for each of the things that `Rate` names, what was done in an hour.
const FIFTH: &str = "
CREATE TABLE rates (
    what INTEGER NOT NULL, who INTEGER NOT NULL, chat INTEGER NOT NULL, since INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (what, who, chat)) STRICT, WITHOUT ROWID;
CREATE INDEX rates_since ON rates (since);
INSERT INTO rates SELECT 0, account, 0, since, count FROM fetch_rates;
INSERT INTO rates SELECT 1, account, 0, since, count FROM join_rates;
DROP TABLE fetch_rates;
DROP TABLE join_rates;
";

/// A commit's row says what was asked of the routing (rule `CHT-11`).
const SIXTH: &str = "
ALTER TABLE log ADD COLUMN routing BLOB;
";

/// The commits and foundings from `run_from` on were all made by `run_account`, and each can be undone with those after it.
/// Those of them that changed the routing are in `undo_steps`, a founding's with what stood before it; `undo` has what they
/// did to each device. `left_out` are those routed before the standing founding and not in it.
const SEVENTH: &str = "
ALTER TABLE undo RENAME TO undo_before;
CREATE TABLE undo (
    chat INTEGER NOT NULL, seq INTEGER NOT NULL, device INTEGER NOT NULL, added INTEGER NOT NULL, start INTEGER,
    n INTEGER, answers BLOB, lapsed INTEGER NOT NULL DEFAULT 0, left_out INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (chat, device, seq)) STRICT, WITHOUT ROWID;
CREATE INDEX undo_seq ON undo (chat, seq);
CREATE TABLE undo_steps (
    chat INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, incarnation INTEGER, founder INTEGER,
    founding_seq INTEGER, founding_time INTEGER, founding_hash BLOB, PRIMARY KEY (chat, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE left_out (chat INTEGER NOT NULL, device INTEGER NOT NULL, PRIMARY KEY (chat, device)) STRICT, WITHOUT ROWID;
INSERT INTO undo SELECT u.chat, c.base, u.device, u.added, u.start, u.n, u.answers, u.lapsed, 0
    FROM undo_before u JOIN chats c ON c.id = u.chat WHERE c.undo = 1;
INSERT INTO undo_steps (chat, seq, time) SELECT DISTINCT chat, seq, (SELECT time FROM relay) FROM undo;
DROP TABLE undo_before;
ALTER TABLE chats ADD COLUMN run_from INTEGER NOT NULL DEFAULT 1;
ALTER TABLE chats ADD COLUMN run_account INTEGER;
UPDATE chats SET run_from = CASE undo WHEN 0 THEN base + 1 ELSE base END;
UPDATE chats SET run_account = (
    SELECT d.account FROM log l JOIN devices d ON d.id = l.sender WHERE l.chat = chats.id AND l.seq = chats.base)
    WHERE undo <> 0;
ALTER TABLE chats DROP COLUMN undo;
";

/// How far a replicated log is applied, and how far each node's own numbers are.
const EIGHTH: &str = "
ALTER TABLE relay ADD COLUMN applied INTEGER NOT NULL DEFAULT 0;
CREATE TABLE origins (
    origin INTEGER PRIMARY KEY, last INTEGER NOT NULL, time INTEGER NOT NULL) STRICT;
CREATE INDEX origins_time ON origins (time);
";

/// Which partition of how many the state is. The directory numbers the versions of device lists in the order in which it
/// stores them, `changes` counts them there, and `learned` says how far another partition has them.
const NINTH: &str = "
ALTER TABLE relay ADD COLUMN partition INTEGER NOT NULL DEFAULT 0;
ALTER TABLE relay ADD COLUMN partitions INTEGER NOT NULL DEFAULT 1;
ALTER TABLE relay ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE relay ADD COLUMN learned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device_lists ADD COLUMN change INTEGER;
UPDATE device_lists SET change = numbered.change
    FROM (SELECT account, version, row_number() OVER (ORDER BY account, version) AS change FROM device_lists) AS numbered
    WHERE device_lists.account = numbered.account AND device_lists.version = numbered.version;
CREATE UNIQUE INDEX device_lists_change ON device_lists (change);
UPDATE relay SET changes = (SELECT count(*) FROM device_lists);
";

/// Brings a database to the newest schema, or refuses it.
pub(crate) fn migrate(db: &mut Connection) -> Result<(), CoreError> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let found = version(db)?;
    if found > known {
        return Err(CoreError::Newer { found, known });
    }
    let application: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (found != 0 || tables != 0) {
        return Err(CoreError::NotOurs);
    }
    for (before, migration) in MIGRATIONS.iter().enumerate().skip(usize::try_from(found).unwrap_or(0)) {
        let transaction = db.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", int_of(before) + 1)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Refuses a database that [`migrate`] has not brought to exactly this schema; for readers.
pub(crate) fn check(db: &Connection) -> Result<(), CoreError> {
    let (found, known) = (version(db)?, int_of(MIGRATIONS.len()));
    if found == known { Ok(()) } else { Err(CoreError::Newer { found, known }) }
}

fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn int_of(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
