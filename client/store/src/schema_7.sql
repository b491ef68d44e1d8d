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
