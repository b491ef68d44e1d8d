//! The aside client: the agent, where store, engine and transport meet, and the command line and terminal screens on
//! top of it.

pub mod agent;
pub mod cli;
mod contact;
mod handover;
mod qr;
pub mod tui;
mod whom;
