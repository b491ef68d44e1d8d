//! The relay from outside: real sockets, real TLS, real frames. Random bytes stand for MLS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod alone;
mod bad_input;
mod blobs;
mod client;
mod commands;
mod connections;
mod delivery;
mod groups;
mod linking;
mod logs;
mod partitions;
mod people;
mod pointing;
mod quic;
mod registering;
mod socket;
mod story;
