-- Version 9: histories on their way between own devices (rules HIS-*).

CREATE TABLE exports (                      -- histories that this device hands to others
  device    BLOB PRIMARY KEY,               -- to whom
  transfer  BLOB NOT NULL,
  since     INTEGER NOT NULL,               -- messages the relay took from then on, ms
  state     INTEGER NOT NULL,               -- 0 due, 1 parts being made, 2 list on its way, 3 told, 4 given up
  begun     INTEGER NOT NULL,               -- ms
  cursor    INTEGER NOT NULL,               -- messages whose rows are below this are not in a part yet
  messages  INTEGER NOT NULL,               -- altogether
  blob      BLOB,                           -- of the list
  size      INTEGER NOT NULL DEFAULT 0,
  key       BLOB,
  told      INTEGER,                        -- the message that told the other device
  error     TEXT
) WITHOUT ROWID;

CREATE TABLE export_parts (
  device   BLOB NOT NULL REFERENCES exports (device) ON DELETE CASCADE,
  number   INTEGER NOT NULL,
  blob     BLOB NOT NULL UNIQUE,
  size     INTEGER NOT NULL,
  key      BLOB NOT NULL,
  messages INTEGER NOT NULL,
  uploaded INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (device, number)
) WITHOUT ROWID;

CREATE TABLE imports (                      -- histories that this device was offered
  transfer BLOB PRIMARY KEY,
  state    INTEGER NOT NULL,                -- 0 list wanted, 1 parts being fetched, 2 done, 3 given up
  blob     BLOB NOT NULL,                   -- of the list
  key      BLOB NOT NULL,
  messages INTEGER NOT NULL,                -- altogether, as offered
  begun    INTEGER NOT NULL,                -- ms
  error    TEXT
) WITHOUT ROWID;

CREATE TABLE import_parts (
  transfer BLOB NOT NULL REFERENCES imports (transfer) ON DELETE CASCADE,
  number   INTEGER NOT NULL,
  blob     BLOB NOT NULL,
  size     INTEGER NOT NULL,
  key      BLOB NOT NULL,
  messages INTEGER NOT NULL,
  state    INTEGER NOT NULL DEFAULT 0,      -- 0 to come, 1 being fetched, 2 stored, 3 missing
  PRIMARY KEY (transfer, number)
) WITHOUT ROWID;
CREATE INDEX import_parts_blob ON import_parts (blob);

CREATE TABLE past_authors (                 -- accounts that a history names and this device does not know yet
  account BLOB PRIMARY KEY
) WITHOUT ROWID;
