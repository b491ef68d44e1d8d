//! Groups and channels with real processes: three people and what each of them sees, may and may not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod channels;
mod common;
mod members;
mod names;
mod offline;
mod readers;
mod roles;
mod talking;
