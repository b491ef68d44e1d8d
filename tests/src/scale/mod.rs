//! Aside at scale, by calculation and by simulation: [`plan`] says what so many devices need, [`world`] plays a day of one
//! cluster with its nodes in virtual time and sees whether that holds.
//!
//! Nothing of a relay runs here: stations and queues with the measured costs of [`costs`] take its place, so that a
//! million devices fit. No clock is read; all chance comes from a seed. Traffic is not drawn device by device, since
//! nobody would see a difference: what all devices of a node send within two milliseconds is one bundle.

pub mod agenda;
pub mod claims;
pub mod costs;
pub mod draw;
pub mod histogram;
pub mod plan;
pub mod report;
pub mod spec;
pub mod station;
pub mod traffic;
pub mod world;

mod failures;
mod flow;
mod node;
mod people;

pub use plan::{Row, rows};
pub use report::{Recovery, Report};
pub use spec::{Fault, Spec, Spread, What};
pub use traffic::Traffic;
pub use world::run;

/// Virtual time.
pub type Nanos = u64;
/// A second of it.
pub const SECOND: Nanos = 1_000_000_000;

/// Seconds as virtual time.
pub fn seconds(seconds: f64) -> Nanos {
    (seconds.max(0.0) * SECOND as f64) as Nanos
}

/// Virtual time in seconds.
pub fn in_seconds(time: Nanos) -> f64 {
    time as f64 / SECOND as f64
}
