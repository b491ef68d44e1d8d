//! What fails, and what the cluster does about it, as `docs/cluster.md` says: takeover, catching up, losing NATS.

use super::node::{Bundle, Comers};
use super::spec::What;
use super::world::{Event, World};
use super::{Nanos, costs, seconds};

/// A node that does not hear NATS for so long ends its connections, in seconds: the relay's limit, and how often it looks.
const DEAF_S: (f64, f64) = (5.0, 5.5);
/// The lease is lost after so long without NATS, in seconds.
const LEASE_S: f64 = 2.0;
/// Starting a node's process, in seconds.
const START_S: f64 = 1.0;

impl World {
    /// One of the planned failures.
    pub(super) fn fault(&mut self, number: usize) {
        let owner = self.logs[0].owner.unwrap_or(0);
        match self.spec.faults[number].what {
            What::OwnerDies(back) => self.node_goes(owner, back, costs::TAKEOVER_S),
            What::OwnerStops(back) => self.node_goes(owner, back, costs::HANDOVER_S),
            What::OtherDies(back) => self.node_goes((owner + 1) % self.nodes.len(), back, costs::TAKEOVER_S),
            What::NatsLeaderDies(lasts) => self.nats_goes(lasts),
        }
    }

    fn node_goes(&mut self, number: usize, back: f64, (least, most): (f64, f64)) {
        if !self.nodes[number].follows {
            return;
        }
        self.disconnect(number);
        let now = self.now;
        let node = &mut self.nodes[number];
        let before = node.apply.busy();
        node.front.stop(now);
        node.apply.stop(now);
        node.applying.fill(0);
        node.behind += before - node.apply.busy();
        (node.follows, node.life) = (false, node.life + 1);
        self.agenda.at(now + seconds(back), Event::Start(number));
        let owned: Vec<usize> = (0..self.logs.len()).filter(|log| self.logs[*log].owner == Some(number)).collect();
        owned.into_iter().for_each(|partition| self.without_owner(partition, (least, most)));
    }

    /// Nobody appends to a partition until somebody takes over, after a time in seconds.
    fn without_owner(&mut self, partition: usize, (least, most): (f64, f64)) {
        let log = &mut self.logs[partition];
        (log.owner, log.appending) = (None, false);
        log.reign += 1;
        log.queue.clear();
        let after = seconds(self.chance.failures.between(least, most));
        self.agenda.at(self.now + after, Event::TakeOver(partition, log.reign));
    }

    /// All of a node's people go, with what they had sent there and was not answered.
    fn disconnect(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        node.serves = false;
        let waiting = std::mem::take(&mut node.waiting);
        let pending = std::mem::take(&mut node.pending);
        let gone = node.connected.round() as u64 + node.handshakes;
        (node.connected, node.asked, node.handshakes) = (0.0, 0.0, 0);
        self.part(gone, number, 0.0, 0.1);
        for Comers { count, since, .. } in waiting {
            self.agenda.at(self.now, Event::Dial(Comers { count, since, failures: 0, from: number }));
        }
        for bundle in pending.into_values().filter(|bundle| bundle.asked() > 0.0) {
            let after = seconds(self.chance.failures.between(0.3, 1.0));
            self.agenda.at(self.now + after, Event::Again(Bundle { acks: 0.0, ..bundle }));
        }
    }

    /// Another node appends: all send it what they have not seen applied.
    pub(super) fn take_over(&mut self, partition: usize, reign: u32) {
        if reign != self.logs[partition].reign || self.logs[partition].owner.is_some() {
            return;
        }
        let there: Vec<usize> = (0..self.nodes.len()).filter(|number| self.nodes[*number].follows).collect();
        let Some(owner) = there.get(partition % there.len().max(1)) else {
            return self.agenda.at(self.now + seconds(0.5), Event::TakeOver(partition, reign));
        };
        self.logs[partition].owner = Some(*owner);
        let pending = self.nodes.iter().flat_map(|node| node.pending.values());
        let pending: Vec<Bundle> = pending.filter(|bundle| bundle.partition == partition).copied().collect();
        pending.into_iter().for_each(|bundle| self.submitted(bundle));
    }

    /// A process starts and reads what it has missed.
    pub(super) fn start(&mut self, number: usize) {
        let at = self.now + seconds(START_S);
        let node = &mut self.nodes[number];
        node.follows = true;
        let behind = std::mem::take(&mut node.behind);
        let done = node.apply.serve(at, behind);
        self.agenda.at(done, Event::Serve(number, node.life));
    }

    /// It has, as far as the log went when it began; with what came meanwhile it is nearly there.
    pub(super) fn serve(&mut self, number: usize, life: u32) {
        if self.nodes[number].life == life && self.now >= self.no_leader {
            self.nodes[number].serves = true;
        }
    }

    fn nats_goes(&mut self, lasts: f64) {
        self.no_leader = self.now + seconds(lasts);
        self.agenda.at(self.no_leader, Event::NatsBack(self.now));
        let deaf = self.chance.failures.between(DEAF_S.0, DEAF_S.1);
        if deaf < lasts {
            self.agenda.at(self.now + seconds(deaf), Event::Deaf(self.no_leader));
        }
    }

    /// All nodes end all connections.
    pub(super) fn deaf(&mut self, until: Nanos) {
        if self.now < until {
            (0..self.nodes.len()).filter(|number| self.nodes[*number].serves).collect::<Vec<_>>().into_iter().for_each(
                |number| {
                    self.disconnect(number);
                    self.nodes[number].life += 1;
                },
            );
        }
    }

    /// Nodes hear NATS again and serve; leases that were lost meanwhile are taken again.
    pub(super) fn nats_back(&mut self, since: Nanos) {
        for number in 0..self.nodes.len() {
            if self.nodes[number].follows && !self.nodes[number].serves {
                let after = seconds(self.chance.failures.between(0.0, 0.5));
                self.agenda.at(self.now + after, Event::Serve(number, self.nodes[number].life));
            }
        }
        if self.now - since > seconds(LEASE_S) {
            let owned: Vec<usize> = (0..self.logs.len()).filter(|log| self.logs[*log].owner.is_some()).collect();
            owned.into_iter().for_each(|partition| self.without_owner(partition, costs::HANDOVER_S));
        }
    }
}
