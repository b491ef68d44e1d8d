-- Version 8: links of channels.

CREATE TABLE links (                        -- the secret half of a channel's join key, of links made or used here (JOI-1)
  chat   INTEGER PRIMARY KEY REFERENCES chats (id),
  secret BLOB NOT NULL
);
