-- Version 2: what the client remembers of networks.

CREATE TABLE paths (                        -- which transport reached a relay from a network; forgotten after a day
  network   BLOB PRIMARY KEY,               -- hash; can be tried out, so only the encryption hides it
  transport INTEGER NOT NULL,               -- 0 QUIC, 1 WebSocket
  learned   INTEGER NOT NULL                -- ms
) WITHOUT ROWID;
