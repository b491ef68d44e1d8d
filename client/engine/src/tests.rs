#![allow(clippy::unwrap_used)]
//! Two engines and a relay core in one process.
