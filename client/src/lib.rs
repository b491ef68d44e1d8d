//! The aside client: the agent, where store, engine and transport meet; the command line and the terminal on top of it.

pub mod agent;
pub mod cli;
pub mod text;
pub mod tui;
