//! The aside client: the agent, where store, engine and transport meet, and the command line and terminal screens on
//! top of it.

pub mod agent;
pub mod cli;
mod contact;
pub mod tui;
mod whom;
