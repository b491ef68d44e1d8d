-- Version 3: an absence is remembered until what it hid is known.

CREATE TABLE unsure (                       -- chats of which something may have expired unseen; the relay is to be asked
  chat INTEGER PRIMARY KEY REFERENCES chats (id)
) WITHOUT ROWID;
