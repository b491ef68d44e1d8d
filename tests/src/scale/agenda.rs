//! What happens next, in the order of virtual times; among equal times in the order in which it was put there.

use super::Nanos;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

struct Due<E> {
    at: Nanos,
    serial: u64,
    event: E,
}

impl<E> PartialEq for Due<E> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.serial) == (other.at, other.serial)
    }
}

impl<E> Eq for Due<E> {}

impl<E> PartialOrd for Due<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Due<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}

/// Everything due.
pub struct Agenda<E> {
    due: BinaryHeap<Reverse<Due<E>>>,
    serial: u64,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self { due: BinaryHeap::new(), serial: 0 }
    }
}

impl<E> Agenda<E> {
    /// Something is due at a time.
    pub fn at(&mut self, at: Nanos, event: E) {
        self.serial += 1;
        self.due.push(Reverse(Due { at, serial: self.serial, event }));
    }

    /// The next thing and its time.
    pub fn pop(&mut self) -> Option<(Nanos, E)> {
        self.due.pop().map(|Reverse(due)| (due.at, due.event))
    }
}
