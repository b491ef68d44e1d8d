-- Version 5: groups and channels, and several devices an account.

-- The title of a group or channel. Its peer is its own id, which is no account's.
ALTER TABLE chats ADD COLUMN title TEXT NOT NULL DEFAULT '';
-- What a group's id was made of, CBOR; kept beside the MLS state, since a group may have to be founded again.
ALTER TABLE chats ADD COLUMN origin BLOB;
-- Devices in the group, this one included.
ALTER TABLE chats ADD COLUMN devices INTEGER NOT NULL DEFAULT 0;
-- When this device last renewed its leaf, ms.
ALTER TABLE chats ADD COLUMN renewed INTEGER NOT NULL DEFAULT 0;
-- The group this device joined last, and in which incarnation: an incarnation has one group only.
ALTER TABLE chats ADD COLUMN known_group BLOB;
ALTER TABLE chats ADD COLUMN known_incarnation INTEGER NOT NULL DEFAULT 0;
-- Up to which pos the receipts of a large chat were asked for.
ALTER TABLE chats ADD COLUMN receipts_pos INTEGER NOT NULL DEFAULT 0;

CREATE TABLE members (                      -- the accounts of a chat, as its group knows them (GRP-2)
  chat    INTEGER NOT NULL REFERENCES chats (id),
  account BLOB NOT NULL,
  role    INTEGER NOT NULL,
  version INTEGER NOT NULL,                 -- of its device list
  hash    BLOB NOT NULL,
  since   INTEGER NOT NULL,                 -- the epoch in which it came in
  place   INTEGER NOT NULL DEFAULT 0,       -- it may have what stands after this; of this device alone
  PRIMARY KEY (chat, account)
) WITHOUT ROWID;
CREATE INDEX members_account ON members (account);

CREATE TABLE lists (                        -- signed device lists as they came, to prove them to others
  account BLOB NOT NULL,
  version INTEGER NOT NULL,
  body    BLOB NOT NULL,
  PRIMARY KEY (account, version)
) WITHOUT ROWID;

CREATE TABLE tasks (                        -- changes of a chat that are due, until they are in effect
  chat    INTEGER NOT NULL REFERENCES chats (id),
  kind    INTEGER NOT NULL,
  subject BLOB NOT NULL,                    -- account or device; empty if it is about the chat
  value   BLOB NOT NULL,
  made    INTEGER NOT NULL,                 -- ms
  due     INTEGER NOT NULL,                 -- not before, ms: others may do it first
  asked   INTEGER NOT NULL DEFAULT 0,       -- 1 if the user of this device wants it
  PRIMARY KEY (chat, kind, subject)
) WITHOUT ROWID;

-- What an own commit changes in members and title when its echo comes, CBOR.
ALTER TABLE proposed ADD COLUMN change BLOB;
-- Not before: in groups others may serve the request first, ms. Requests of before come again.
DELETE FROM rejoins;
ALTER TABLE rejoins ADD COLUMN due INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rejoins ADD COLUMN account BLOB NOT NULL DEFAULT x'';

CREATE INDEX marks_account ON marks (chat, account);
CREATE INDEX messages_notices ON messages (chat) WHERE kind = 1;
