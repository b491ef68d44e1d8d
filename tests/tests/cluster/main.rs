//! A relay of three nodes over three NATS servers, all real processes, some of which die.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod chaos;
mod common;
mod devices;
mod disk;
mod failing;
mod joining;
mod power;
mod splits;
mod stalls;
mod talking;
