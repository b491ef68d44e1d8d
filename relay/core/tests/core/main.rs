//! The core from outside: commands in, outcomes and reads out. Random bytes stand for MLS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod blobs;
mod catching_up;
mod crowds;
mod founding;
mod groups;
mod messages;
mod model;
mod partitions;
mod pointing;
mod random;
mod recovery;
mod retention;
mod routing;
mod shadow;
mod spread;
mod spreading;
mod storage;
mod world;
