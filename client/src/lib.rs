//! The aside client: agent and command line.
