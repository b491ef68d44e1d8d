//! Bad input to real processes: the relay names the rule, closes where it must, and lives on; commands fail with one
//! sentence that says what to do, and the right exit code.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod crowd;
mod databases;
mod folders;
mod frames;
mod http;
mod invites;
mod messages;
mod relay_commands;
mod said;
mod secrets;
