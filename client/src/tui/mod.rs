//! Runs what `aside-tui` shows: owns the terminal, the clock and the agent, which that room knows nothing of.

pub mod begin;
pub mod closed;
