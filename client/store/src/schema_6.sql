-- Blobs on their way (rules BLB-*). direction: 0 down, 1 up. state: 0 wanted, 1 complete, 2 failed. The bytes are in
-- `bytes`, or in a file of the profile's folder for blobs.
CREATE TABLE transfers (
  blob BLOB NOT NULL,
  direction INTEGER NOT NULL,
  size INTEGER NOT NULL,
  purpose INTEGER NOT NULL,
  file TEXT,
  secret BLOB,
  state INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  since INTEGER NOT NULL,
  bytes BLOB,
  PRIMARY KEY (blob, direction)
) STRICT;
CREATE INDEX transfers_wanted ON transfers (since) WHERE state = 0;
