//! Tests of the wire: golden vectors, properties over arbitrary values, bounds, and that SPEC.md and code agree.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod any;
mod bounds;
mod properties;
mod rules;
mod stream;
mod texts;
mod tree;
mod values;
mod vectors;
