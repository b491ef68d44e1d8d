//! Blobs between real clients and a real relay: cut, killed, refused, and whole in the end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod killed;
mod moving;
