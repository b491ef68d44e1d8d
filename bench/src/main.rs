//! The load generator: real processes, figures as JSON.

fn main() {}
