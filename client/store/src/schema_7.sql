-- Devices of one's own, and what the user decided about people.

CREATE TABLE own_devices (                  -- what the own devices' owner calls their machines
  device  BLOB PRIMARY KEY,
  machine TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE list_changes (                 -- changes of the own device list that the relay has not confirmed
  device BLOB PRIMARY KEY,
  key    BLOB,                              -- of a device to be added; none: the device is to go
  added  INTEGER NOT NULL                   -- when it was decided, ms
) WITHOUT ROWID;

CREATE TABLE entering (                     -- one row: this device on its way into an account that exists
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  account     BLOB NOT NULL,
  device      BLOB NOT NULL,
  device_seed BLOB NOT NULL,
  relay       BLOB NOT NULL,                -- CBOR: addresses, pin, mode
  created     INTEGER NOT NULL
);

CREATE TABLE settings (                     -- what the user chose for this profile
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

ALTER TABLE accounts ADD COLUMN verified INTEGER NOT NULL DEFAULT 0; -- when its safety number was compared, ms; 0: never

CREATE TABLE syncs (                        -- what messages to the own other devices carry, encoded
  message INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
  body    BLOB NOT NULL
);

CREATE TABLE sync_due (                     -- what the own other devices are still to be told
  kind    INTEGER NOT NULL,
  subject BLOB NOT NULL,                    -- a chat or an account: the newest about it is told
  item    BLOB NOT NULL,
  since   INTEGER NOT NULL,                 -- when the first change of it was, ms
  PRIMARY KEY (kind, subject)
) WITHOUT ROWID;

CREATE TABLE mutes (                        -- chats of which nothing is announced
  chat  BLOB PRIMARY KEY,
  until INTEGER NOT NULL                    -- ms; 0: it is announced again
) WITHOUT ROWID;

CREATE TABLE drafted (                      -- chats in which another own device has begun a text
  chat  BLOB PRIMARY KEY,
  since INTEGER NOT NULL                    -- ms; 0: no more
) WITHOUT ROWID;
