//! The aside client: the agent, where store, engine and transport meet, and the command line on top of it.

pub mod agent;
pub mod cli;
mod contact;
pub mod text;
pub mod tui;
