//! The simulation: a relay and its clients in one process, over a network and a clock that a seed drives.
//!
//! Real: the relay's core, sessions, hub, backlog and applier; the clients' engines with openmls and their databases;
//! every frame passes the codec, every login the handshake. Simulated: sockets, threads, time, crashes, and what people
//! do. A [`Plan`] is a list of actions and faults; a [`World`] carries it out, one event at a time, and compares every
//! database with the [`oracle`] after each step. A broken promise is a panic, which [`run`] turns into a report.
//!
//! No decision depends on ciphertexts, on the order of a hash map, or on real time: a seed replays the same trace.

mod agenda;
mod client;
mod connection;
mod cover;
mod deeds;
mod dice;
mod groups;
mod login;
mod online;
pub mod oracle;
pub mod plan;
pub mod record;
mod relay;
mod rest;
mod run;
mod session;
mod shrink;
mod wire;
mod words;
mod world;

pub use cover::EXPECTED;
pub use plan::Plan;
pub use record::Coverage;
pub use run::{Report, run, run_group_seeds, run_seeds, run_until_covered};
pub use shrink::shrink;
pub use world::World;
