//! The way of commands: sent by devices, through their node, appended by its partition's owner, applied by all, answered and pushed.

use super::node::{Bundle, Record};
use super::world::{Event, Log, OWED_S, World};
use super::{Nanos, SECOND, costs, in_seconds, seconds};
use costs::nanos;
use std::rc::Rc;

/// The shortest and the longest time of which all sendings of a node are one bundle.
const BUNDLE: (f64, f64) = (0.002, 0.1);
/// How long a command may be on its way before it is given up.
const PATIENCE: Nanos = 10 * SECOND;
/// An append without an answer is asked for after at most so long, in seconds.
const DOUBT_S: f64 = 1.5;

impl World {
    /// The devices of a node send what they have sent since the last time.
    pub(super) fn tick(&mut self, number: usize) {
        let passed = in_seconds(self.now - std::mem::replace(&mut self.sent[number], self.now));
        let share = self.nodes[number].connected / self.spec.devices;
        let messages = self.messages_a_second() * self.nodes[number].connected;
        let (receipts, acks) =
            (Self::owed(&mut self.owed.receipts, passed, share), Self::owed(&mut self.owed.acks, passed, share));
        let means = [messages * passed, receipts, acks].map(|mean| mean / self.logs.len() as f64);
        let each = (messages * self.following.commands()).recip();
        let next = if each.is_finite() { each.clamp(BUNDLE.0, BUNDLE.1) } else { BUNDLE.1 };
        self.agenda.at(self.now + seconds(next), Event::Tick(number));
        self.idle(number, passed);
        (0..self.logs.len()).for_each(|partition| self.draw(number, partition, means));
    }

    /// What of this is about the chats of a partition.
    fn draw(&mut self, node: usize, partition: usize, means: [f64; 3]) {
        let [messages, receipts, acks] = means.map(|mean| self.chance.traffic.poisson(mean) as f64);
        if messages + receipts + acks > 0.0 {
            self.serial += 1;
            self.tally.sent += messages;
            let (serial, born, taken) = (self.serial, self.now, self.now);
            self.send(Bundle { serial, node, partition, born, taken, messages, receipts, acks, tries: 0 });
        }
    }

    /// What comes now of what is owed, soon and later.
    fn owed(pools: &mut [f64; 2], passed: f64, share: f64) -> f64 {
        let mut sum = 0.0;
        for (pool, mean) in pools.iter_mut().zip(OWED_S) {
            let due = *pool * (1.0 - (-passed * share / mean).exp());
            *pool -= due;
            sum += due;
        }
        sum
    }

    /// Pings, and what quiet connections cost.
    fn idle(&mut self, number: usize, passed: f64) {
        let each = costs::QUIET + costs::PING / costs::PING_EVERY_S;
        let work = nanos(self.nodes[number].connected * each * passed);
        self.nodes[number].front.serve(self.now, work);
    }

    /// Devices send a bundle to their node, which takes or refuses it.
    fn send(&mut self, bundle: Bundle) {
        let node = &mut self.nodes[bundle.node];
        if !node.serves || !node.takes(&bundle) {
            self.tally.refused += bundle.asked();
            return self.refused(bundle);
        }
        node.keep(bundle);
        let work = bundle.messages * costs::FRONT_MESSAGE
            + bundle.receipts * costs::FRONT_RECEIPT
            + bundle.acks * costs::FRONT_ACK;
        let done = node.front.serve(self.now, nanos(work));
        self.agenda.at(done, Event::Submitted(bundle));
    }

    /// Whoever was refused tries again after 1, 2, 4 … seconds. Acknowledgements are not missed.
    fn refused(&mut self, bundle: Bundle) {
        let pause = f64::from(1_u32 << bundle.tries.min(6)).min(60.0) + self.chance.traffic.between(0.0, 0.5);
        if bundle.asked() > 0.0 {
            let again = Bundle { acks: 0.0, tries: bundle.tries + 1, ..bundle };
            self.agenda.at(self.now + seconds(pause), Event::Again(again));
        }
    }

    /// The same commands once more, at a node that is there.
    pub(super) fn again(&mut self, bundle: Bundle) {
        self.serial += 1;
        let node = if self.nodes[bundle.node].serves { bundle.node } else { self.elsewhere(bundle.node) };
        self.send(Bundle { serial: self.serial, node, taken: self.now, ..bundle });
    }

    /// Through its node: on to whoever appends. Without one it waits there.
    pub(super) fn submitted(&mut self, bundle: Bundle) {
        if !self.nodes[bundle.node].pending.contains_key(&bundle.serial) {
            return;
        }
        let Log { owner: Some(owner), reign, .. } = self.logs[bundle.partition] else { return };
        let hop = if owner == bundle.node { 0 } else { nanos(costs::NETWORK) };
        self.agenda.at(self.now + hop, Event::Arrived(bundle, reign));
    }

    /// At the node that appends.
    pub(super) fn arrived(&mut self, bundle: Bundle, reign: u32) {
        let log = &mut self.logs[bundle.partition];
        if reign == log.reign && log.owner.is_some() {
            log.queue.push_back(bundle);
            self.append(bundle.partition);
        }
    }

    /// One record is on its way at a time to each log; it takes as much as waits.
    pub(super) fn append(&mut self, partition: usize) {
        let log = &mut self.logs[partition];
        let Some(owner) = log.owner.filter(|_| !log.appending && !log.queue.is_empty()) else { return };
        let (mut record, mut commands) = (Vec::new(), 0.0);
        while commands < costs::RECORD_COMMANDS {
            let Some(bundle) = log.queue.pop_front() else { break };
            commands += bundle.commands();
            record.push(bundle);
        }
        let sent = self.nodes[owner].front.serve(self.now, nanos(commands * costs::APPEND_COMMAND));
        let takes = nanos(2.0 * costs::NETWORK + costs::APPEND_TAKES + commands * costs::APPEND_TAKES_COMMAND);
        log.appending = true;
        self.tally.appending += takes;
        self.agenda.at(sent + takes, Event::Appended(partition, Rc::new(record), log.reign));
    }

    /// It stands in the log: all nodes get it. While NATS has no leader, nothing stands anywhere.
    pub(super) fn appended(&mut self, partition: usize, record: Record, reign: u32) {
        if reign != self.logs[partition].reign {
            return;
        }
        if self.now < self.no_leader {
            let found = self.no_leader + seconds(self.chance.failures.between(0.0, DOUBT_S));
            return self.agenda.at(found, Event::Appended(partition, record, reign));
        }
        self.logs[partition].appending = false;
        let sum = |part: fn(&Bundle) -> f64| record.iter().map(part).sum::<f64>();
        let (messages, receipts, acks) =
            (sum(|bundle| bundle.messages), sum(|bundle| bundle.receipts), sum(|bundle| bundle.acks));
        self.tally.record(messages, receipts, acks);
        let soon = [self.following.receipts_at_once, self.following.acks_at_once];
        self.owed.receipts[0] += messages * soon[0];
        self.owed.receipts[1] += messages * (self.following.receipts - soon[0]);
        self.owed.acks[0] += messages * soon[1];
        self.owed.acks[1] += messages * (self.following.acks - soon[1]);
        let work = nanos(
            costs::APPLY_RECORD
                + messages * (costs::APPLY_MESSAGE + costs::RETAIN_MESSAGE)
                + receipts * costs::APPLY_RECEIPT
                + acks * costs::APPLY_ACK,
        );
        let comes = self.now + nanos(costs::NETWORK);
        for (number, node) in self.nodes.iter_mut().enumerate() {
            if node.follows {
                let done = node.apply(partition, comes, work);
                self.agenda.at(done, Event::Applied(number, node.life, record.clone()));
            } else {
                node.behind += work;
            }
        }
        self.append(partition);
    }

    /// A node answers what it took itself, and pushes to its connections.
    pub(super) fn applied(&mut self, number: usize, life: u32, record: &Record) {
        if self.nodes[number].life != life {
            return;
        }
        let share = self.nodes[number].connected / self.spec.devices;
        let by_receipt = (self.following.pushes - self.following.deliveries - 1.0) / self.following.receipts.max(1e-9);
        let pushes: f64 = record
            .iter()
            .map(|bundle| bundle.messages * self.following.deliveries + bundle.receipts * by_receipt)
            .sum();
        self.tally.pushes += pushes * share;
        let threads = self.nodes[number].front.servers();
        let part = nanos(pushes * share * costs::PUSH / threads as f64);
        let node = &mut self.nodes[number];
        let pushed = (0..threads).map(|_| node.front.serve(self.now, part)).max().unwrap_or(self.now);
        for bundle in record.iter() {
            if bundle.messages > 0.0 {
                let delivered = bundle.messages * self.following.deliveries * share;
                self.tally.deliver.add(pushed - bundle.born, delivered);
            }
            if bundle.node == number && self.nodes[number].forget(bundle.serial) && bundle.messages > 0.0 {
                self.tally.accepted(self.now - bundle.born, bundle.messages);
            }
        }
    }

    /// What was not applied in time is answered that it was not, and sent again by the devices.
    pub(super) fn give_up(&mut self) {
        for number in 0..self.nodes.len() {
            let late = |bundle: &&Bundle| bundle.taken + PATIENCE <= self.now;
            let late: Vec<Bundle> = self.nodes[number].pending.values().take_while(late).copied().collect();
            for bundle in late {
                self.nodes[number].forget(bundle.serial);
                self.tally.given_up += bundle.asked();
                self.refused(bundle);
            }
        }
    }
}
