//! The relay's deterministic state machine over SQLite. No clock, no randomness, no network, no async.
