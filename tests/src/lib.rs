//! Harness and fault tests: real relays, real clients.
