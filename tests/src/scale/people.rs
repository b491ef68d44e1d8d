//! People who lost their connection and come back: at once, then after 1, 2, 4 … 60 seconds plus up to half.

use super::node::{Comers, HANDSHAKES, LOGINS};
use super::world::{Event, World};
use super::{SECOND, costs, seconds};
use crate::scale::spec::Spread;
use costs::nanos;

/// A crowd dials in parts of at most so many, each at a moment of its own; in at least so many.
const PARTS: (u64, u64) = (256, 16);

impl World {
    /// Connections that end by themselves, as those of people on the move do.
    pub(super) fn churn(&mut self) {
        let rate = self.spec.traffic.reconnects_a_day / super::traffic::DAY_S;
        for number in 0..self.nodes.len() {
            let count = self.chance.people.poisson(self.nodes[number].connected * rate);
            let count = count.min(self.nodes[number].connected as u64);
            self.nodes[number].connected -= count as f64;
            self.part(count, number, 0.0, 1.0);
        }
    }

    /// So many are without a connection now, and dial within a time from now, in seconds.
    pub(super) fn part(&mut self, count: u64, from: usize, low: f64, high: f64) {
        let comers = Comers { count, since: self.now, failures: 0, from };
        for part in parts(comers) {
            let at = self.now + seconds(self.chance.people.between(low, high));
            self.agenda.at(at, Event::Dial(part));
        }
    }

    /// Where somebody goes who was at a node.
    pub(super) fn elsewhere(&mut self, from: usize) -> usize {
        let count = self.nodes.len();
        let begin = match self.spec.spread {
            Spread::Next => from,
            Spread::Even => (self.chance.people.share() * count as f64) as usize,
        };
        let serving = (begin..begin + count).map(|number| number % count).find(|number| self.nodes[*number].serves);
        serving.unwrap_or(from)
    }

    /// They find a node, and as many as have room wait for their login; the others try again later.
    pub(super) fn dial(&mut self, comers: Comers) {
        let number = self.elsewhere(comers.from);
        let node = &mut self.nodes[number];
        let waiting: u64 = node.waiting.iter().map(|waiting| waiting.count).sum();
        let room = (HANDSHAKES.0 + HANDSHAKES.1).saturating_sub(node.handshakes + waiting);
        let taken = if node.serves { room.min(comers.count) } else { 0 };
        let (mut left, from) = (taken, number);
        while left > 0 {
            let count = left.min(LOGINS);
            node.waiting.push_back(Comers { count, from, ..comers });
            left -= count;
        }
        self.log_in(number);
        let failures = comers.failures + 1;
        for part in parts(Comers { count: comers.count - taken, failures, ..comers }) {
            let pause = f64::from(1_u32 << (failures - 1).min(6)).min(60.0);
            let pause = pause * self.chance.people.between(1.0, 1.5);
            self.agenda.at(self.now + seconds(pause), Event::Dial(part));
        }
    }

    /// Logins begin while a node has room for their handshakes.
    fn log_in(&mut self, number: usize) {
        let rate = self.messages_a_second() * self.following.deliveries;
        let node = &mut self.nodes[number];
        while node.handshakes < HANDSHAKES.0 {
            let Some(comers) = node.waiting.pop_front() else { return };
            let missed = rate * (self.now - comers.since) as f64 / SECOND as f64;
            let work = comers.count as f64 * (costs::LOGIN + missed * costs::CATCH_UP);
            node.handshakes += comers.count;
            let done = node.front.serve(self.now, nanos(work));
            self.agenda.at(done, Event::LoggedIn(number, node.life, comers));
        }
    }

    /// They are back.
    pub(super) fn logged_in(&mut self, number: usize, life: u32, comers: Comers) {
        let node = &mut self.nodes[number];
        if node.life != life {
            return;
        }
        node.handshakes -= comers.count;
        node.connected += comers.count as f64;
        self.tally.back.add(self.now - comers.since, comers.count as f64);
        self.log_in(number);
    }
}

/// A crowd in parts; a few people are one.
fn parts(comers: Comers) -> impl Iterator<Item = Comers> {
    let size = comers.count.div_ceil(PARTS.1).clamp(LOGINS, PARTS.0);
    (0..comers.count.div_ceil(size)).map(move |part| Comers { count: size.min(comers.count - part * size), ..comers })
}
