//! The aside relay: sockets, sessions, batches, admin socket. The state itself lives in `aside-relay-core`.
//!
//! A connection is framed by `listen`, understood by `session`, and changes state only through `log`, which gives
//! batches of commands to the core and hands out what comes of them: answers to whoever asked, pushes through `hub`.
//! Alone, the log is the database; in a cluster it is a stream that all nodes follow (`cluster`).

pub mod admin;
pub mod blobs;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod data;
mod guard;
pub mod hub;
pub mod identity;
pub mod invite;
pub mod listen;
pub mod log;
pub mod mailbox;
pub mod meetings;
pub mod nodes;
pub mod readers;
pub mod server;
pub mod session;

pub use server::{Options, Server, StartError};
