-- Version 11: read marks of other own devices that came before what they are about (rule SYN-3).

CREATE TABLE reads_ahead (
  chat  BLOB PRIMARY KEY,
  seq   INTEGER NOT NULL,                   -- read up to here
  since INTEGER NOT NULL                    -- when it came, ms
) WITHOUT ROWID;
