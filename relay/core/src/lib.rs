//! The relay's deterministic state machine over SQLite.
//!
//! One batch of commands is one transaction; what comes out depends on the commands and their times alone.
//! This crate reads no clock, draws no randomness, opens no socket and knows no async: those are inputs.

mod account;
mod ack;
mod blob;
mod cache;
mod chat;
pub mod command;
pub mod command_log;
mod core;
mod error;
mod invite;
mod key_package;
mod layout;
mod learn;
mod outcome;
mod part;
mod rate;
pub mod read;
pub mod record;
mod retain;
mod run;
mod schema;
mod sql;
mod state_hash;
mod step;

pub use command::{BlobLimits, By, Change, Command, Stamped};
pub use core::{Core, Location};
pub use error::CoreError;
pub use layout::Layout;
pub use outcome::{Delivery, Outcome, Recipients, Routes};
pub use read::{CatchUp, Page, Reader, View};
