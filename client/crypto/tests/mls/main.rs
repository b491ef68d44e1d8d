//! Groups of two and three over SQLite in memory: what peers can do, and what they cannot.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod commits;
mod costs;
mod groups;
mod hostile;
mod packages;
mod party;
mod rollback;
mod talk;
mod welcomes;
