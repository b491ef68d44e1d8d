//! Runs `aside-tui`: owns the terminal, and does what the model wants done through the agent's handle.

pub mod hands;
