//! Runs what `aside-tui` draws: owns the terminal.

pub mod backend;
