-- Version 2: what the client remembers of networks.

CREATE TABLE paths (                        -- which transport reached a relay from a network; forgotten after a day
  network   BLOB PRIMARY KEY,               -- hash; says neither where it was nor which relay
  transport INTEGER NOT NULL,               -- 0 QUIC, 1 WebSocket
  learned   INTEGER NOT NULL                -- ms
) WITHOUT ROWID;
