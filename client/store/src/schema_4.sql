-- Version 4: what a person is in the middle of.

CREATE TABLE drafts (                       -- texts that were begun and not sent
  account BLOB PRIMARY KEY,                 -- for whom
  text    TEXT NOT NULL,
  saved   INTEGER NOT NULL                  -- ms
) WITHOUT ROWID;

CREATE INDEX chats_peer ON chats (peer);

-- 1 once it was encrypted: it may have left this device. What waits already may have, so it counts as if it had.
ALTER TABLE outbox ADD COLUMN tried INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET tried = 1;
