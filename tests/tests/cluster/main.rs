//! A relay of three nodes over three NATS servers, all real processes, some of which die.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod chaos;
mod common;
mod devices;
mod directory;
mod disk;
mod failing;
mod files;
mod importing;
mod joining;
mod looking_after;
mod nodes;
mod people;
mod placing;
mod power;
mod secured;
mod splits;
mod spread;
mod stalls;
mod talking;
mod versions;
