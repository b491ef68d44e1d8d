-- Version 1. Never edited once released; later versions are added beside it.

CREATE TABLE profile (                      -- one row: who this device is
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  account       BLOB NOT NULL,
  name          TEXT NOT NULL,
  root          BLOB NOT NULL,              -- public key; the secret one is in no database
  device        BLOB NOT NULL,
  device_seed   BLOB NOT NULL,
  list          BLOB NOT NULL,              -- signed first device list, as it was registered
  list_version  INTEGER NOT NULL,
  list_hash     BLOB NOT NULL,
  relay         BLOB NOT NULL,              -- CBOR: addresses, pin, mode
  registered    INTEGER NOT NULL,           -- 0 while the relay has not confirmed
  invite_secret BLOB,                       -- until it has
  log           BLOB,                       -- the relay's log, once known
  last_resort   INTEGER NOT NULL DEFAULT 0, -- when the last-resort key package was made, ms
  created       INTEGER NOT NULL
);

CREATE TABLE cursors (                      -- how far the queue is stored here
  partition INTEGER PRIMARY KEY,
  pos       INTEGER NOT NULL
);

CREATE TABLE accounts (                     -- everybody known, oneself included
  account      BLOB PRIMARY KEY,
  name         TEXT NOT NULL,
  root         BLOB NOT NULL,
  list         BLOB NOT NULL,               -- verified device list, CBOR
  list_hash    BLOB NOT NULL,
  list_version INTEGER NOT NULL,
  trust        INTEGER NOT NULL,            -- 0 in use, 1 a new key waits for a decision, 2 replaced by a newer one
  seen         INTEGER NOT NULL             -- when first known, ms
) WITHOUT ROWID;
CREATE INDEX accounts_name ON accounts (name);

CREATE TABLE chats (
  id           INTEGER PRIMARY KEY,
  chat         BLOB NOT NULL UNIQUE,
  kind         INTEGER NOT NULL,
  peer         BLOB NOT NULL,               -- the other account of a direct chat
  state        INTEGER NOT NULL,
  since        INTEGER NOT NULL,            -- when it entered that state, ms
  incarnation  INTEGER NOT NULL,
  group_id     BLOB,
  base         INTEGER NOT NULL,            -- seq of the last commit processed
  seq          INTEGER NOT NULL,            -- last seq processed
  next_n       INTEGER NOT NULL,
  shift        INTEGER NOT NULL,            -- place = shift + seq; grows when the relay's log begins anew
  read_place   INTEGER NOT NULL,            -- own reading, by place
  told_delivered INTEGER NOT NULL,          -- watermarks last sealed for the others, by seq
  told_read    INTEGER NOT NULL,
  own_count    INTEGER NOT NULL,            -- messages sent since this device last renewed its leaf
  asked        INTEGER NOT NULL,            -- when this device last asked to be added again, ms
  arrived      INTEGER NOT NULL             -- seq of the last message of another account stored here
);

CREATE TABLE messages (
  id         INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of arrival
  chat       INTEGER NOT NULL REFERENCES chats (id),
  kind       INTEGER NOT NULL,              -- 0 text, 1 notice
  account    BLOB,                          -- author; none for a notice
  device     BLOB,
  message    BLOB,                          -- client_msg_id
  own        INTEGER NOT NULL,
  seq        INTEGER,                       -- none while pending
  place      INTEGER NOT NULL,
  resent     INTEGER,                       -- seq under which the present log has it, if that is not its place
  text       TEXT NOT NULL,
  sent_at    INTEGER NOT NULL,              -- author's clock, ms
  relay_time INTEGER,
  printed    INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX messages_once ON messages (device, message) WHERE message IS NOT NULL;
CREATE INDEX messages_place ON messages (chat, place, id);
CREATE INDEX messages_unprinted ON messages (id) WHERE printed = 0 AND own = 0 AND kind = 0;
CREATE INDEX messages_unread ON messages (chat, place) WHERE own = 0 AND kind = 0;

CREATE TABLE gaps (                         -- places of a chat that this device cannot show
  chat  INTEGER NOT NULL REFERENCES chats (id),
  first INTEGER NOT NULL,                   -- place
  last  INTEGER NOT NULL,
  why   INTEGER NOT NULL,
  PRIMARY KEY (chat, first)
) WITHOUT ROWID;

CREATE TABLE outbox (                       -- what this device has yet to see back as an echo
  id      INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of sending, so an id is never used twice
  chat    INTEGER NOT NULL REFERENCES chats (id),
  message INTEGER NOT NULL REFERENCES messages (id),
  again   INTEGER,                          -- seq under which it stood when it is sent again for somebody
  n       INTEGER,                          -- none until encrypted
  base    INTEGER,
  hash    BLOB,
  body    BLOB,                             -- ciphertext; none before encryption, after Sent, and when a commit made it stale
  sent    INTEGER NOT NULL DEFAULT 0        -- 1 once the relay said Sent
);
CREATE UNIQUE INDEX outbox_n ON outbox (chat, n) WHERE n IS NOT NULL;
CREATE INDEX outbox_chat ON outbox (chat, id);
CREATE INDEX outbox_message ON outbox (message);

CREATE TABLE proposed (                     -- this device's own commit or founding until its echo, at most one a chat
  chat    INTEGER PRIMARY KEY REFERENCES chats (id),
  founding INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  hash    BLOB NOT NULL,
  request BLOB NOT NULL,                    -- CBOR of the request, sent byte for byte each time
  group_id BLOB,                            -- founding: the group it founds; the chat keeps its present one till then
  sent    INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE senders (                      -- last n seen of each other device
  chat   INTEGER NOT NULL REFERENCES chats (id),
  device BLOB NOT NULL,
  n      INTEGER NOT NULL,
  PRIMARY KEY (chat, device)
) WITHOUT ROWID;

CREATE TABLE held (                         -- envelopes that wait for what they lack
  chat     INTEGER NOT NULL REFERENCES chats (id),
  pos      INTEGER NOT NULL,
  envelope BLOB NOT NULL,
  PRIMARY KEY (chat, pos)
) WITHOUT ROWID;

CREATE TABLE marks (                        -- watermarks of other devices, by place
  chat      INTEGER NOT NULL REFERENCES chats (id),
  device    BLOB NOT NULL,
  account   BLOB NOT NULL,
  delivered INTEGER NOT NULL,
  read      INTEGER NOT NULL,
  PRIMARY KEY (chat, device)
) WITHOUT ROWID;

CREATE TABLE joined (                       -- every group this device was ever in: no welcome turns it back
  group_id BLOB PRIMARY KEY,
  epoch    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE receipt_keys (
  chat    INTEGER NOT NULL REFERENCES chats (id),
  base    INTEGER NOT NULL,
  secret  BLOB NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (chat, base)
) WITHOUT ROWID;

CREATE TABLE rejoins (                      -- requests of others that this device has yet to serve
  chat    INTEGER NOT NULL REFERENCES chats (id),
  device  BLOB NOT NULL,
  request BLOB NOT NULL,
  package BLOB NOT NULL,                    -- hash of its key package
  added   INTEGER NOT NULL DEFAULT 0,       -- 1 once the device is back and only its missing messages are due
  PRIMARY KEY (chat, device)
) WITHOUT ROWID;

CREATE TABLE served_packages (              -- key packages of rejoin requests that were answered; a replay is refused
  package BLOB PRIMARY KEY,
  at      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE key_uploads (                  -- made and stored, not yet confirmed by the relay
  hash        BLOB PRIMARY KEY,
  suite       INTEGER NOT NULL,
  last_resort INTEGER NOT NULL,
  body        BLOB NOT NULL
) WITHOUT ROWID;
