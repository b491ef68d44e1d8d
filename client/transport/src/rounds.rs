//! Which address comes first in the next attempt, and when that is (rules `NOD-2`, `NOD-3`, `NOD-4`). Pure: what was told,
//! what happened and the randomness come from the caller.

use crate::backoff::Backoff;
use crate::error::TransportError;
use std::time::Duration;

/// What is remembered from one attempt to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rounds {
    backoff: Backoff,
    /// An address that wants to be left alone, for the next attempt.
    left_alone: Option<String>,
    /// How many addresses the last attempt had.
    known: usize,
}

impl Rounds {
    /// Nothing happened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The addresses of the next attempt: those the relay told, then those of the invite.
    pub fn addresses(&mut self, told: &[String], invite: &[String]) -> Vec<String> {
        let mut all: Vec<String> = Vec::with_capacity(told.len() + invite.len());
        for address in told.iter().chain(invite) {
            if !all.contains(address) {
                all.push(address.clone());
            }
        }
        if let Some(place) = all.iter().position(|address| self.left_alone.as_ref() == Some(address)) {
            let last = all.remove(place);
            all.push(last);
        }
        self.known = all.len();
        all
    }

    /// An attempt failed, or the connection it made to the address `at` ended. How long to wait before the next one;
    /// `drawn` is uniform in 0..1.
    pub fn ended(&mut self, error: &TransportError, at: Option<&str>, drawn: f64) -> Duration {
        let alone = error.wants_peace();
        self.left_alone = at.filter(|_| alone).map(str::to_owned);
        let first = self.backoff == Backoff::new();
        let pause = self.backoff.next(drawn);
        if first && error.blames_path() {
            // It was this device's way that broke, and nobody else's.
            return Duration::ZERO;
        }
        let elsewhere = self.left_alone.is_some() && self.known > 1;
        let wanted = error.retry_after().filter(|_| !elsewhere).unwrap_or_default();
        pause + wanted
    }

    /// Something else failed, here.
    pub fn failed(&mut self, drawn: f64) -> Duration {
        self.left_alone = None;
        self.backoff.next(drawn)
    }

    /// A connection proved useful, or a person asks: what failed before says nothing about what comes.
    pub fn reset(&mut self) {
        self.backoff.reset();
    }
}

#[cfg(test)]
mod tests;
