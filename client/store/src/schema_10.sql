-- Version 10: where the relay's nodes are, as it told last (rules NOD-*).

CREATE TABLE nodes (
  place   INTEGER PRIMARY KEY,              -- tried in this order
  address TEXT NOT NULL
);
