//! The same relay spread over partitions, which is told whatever the relay alone is told: its answers and deliveries must
//! be the same but for their places.

use crate::spread::{Spread, by_chat, placeless};
use crate::world::World;
use aside_protocol::request::{Answer, Chats, Done};
use aside_protocol::{ChatId, DeviceId, PartitionId, Pos};
use aside_relay_core::{Command, Delivery, Layout, Outcome};
use std::collections::{BTreeMap, BTreeSet};

pub struct Shadow {
    spread: Spread,
    /// The head when the relay was spread: up to there positions are the same in all.
    since: Pos,
    /// Where each later position of the relay alone is here.
    places: BTreeMap<Pos, (PartitionId, Pos)>,
}

impl Shadow {
    pub fn of(world: &World, partitions: u16) -> Self {
        let since = world.core.view().head().unwrap();
        Self { spread: Spread::of(world, partitions), since, places: BTreeMap::new() }
    }

    /// The relay alone was told `command`, at its time, and this came of it.
    pub fn follow(&mut self, world: &World, command: &Command, alone: &Outcome) {
        self.spread.parts.iter_mut().for_each(|part| part.now = world.now);
        match command {
            Command::Ack { device, pos } => self.ack(*device, *pos),
            Command::Retain { .. } => self.spread.parts.iter_mut().for_each(|part| drop(part.apply(command.clone()))),
            _ => {
                let here = self.spread.apply(command.clone());
                assert_eq!(answer(&here), answer(alone), "{command:?}");
                assert_eq!(here.revoked, alone.revoked);
                assert_eq!(delivered(&here), delivered(alone), "{command:?}");
                for (one, other) in alone.deliveries.iter().zip(&here.deliveries) {
                    self.places.insert(one.envelope.pos, (other.envelope.partition, other.envelope.pos));
                }
            }
        }
    }

    fn ack(&mut self, device: DeviceId, pos: Pos) {
        for partition in self.spread.layout.all() {
            let pos = self.cursor(partition, pos);
            self.spread.learn(partition);
            self.spread.part(partition).ack(device, pos);
        }
    }

    /// What a cursor of the relay alone is in a partition.
    fn cursor(&self, partition: PartitionId, pos: Pos) -> Pos {
        let here = self.places.range(..=pos).rev().find(|(_, (place, _))| *place == partition);
        here.map_or(pos.min(self.since), |(_, (_, pos))| *pos)
    }

    /// Every device is in the same chats, and those that were never removed, which retention waits for, have the same
    /// before them.
    pub fn check(&mut self, world: &World, devices: &[DeviceId], ever_revoked: &BTreeSet<DeviceId>) {
        self.spread.layout.all().for_each(|partition| self.spread.learn(partition));
        for device in devices {
            let acked = |world: &World| world.core.view().device(device).unwrap().unwrap().acked;
            let cursor = |partition: PartitionId| acked(&self.spread.parts[usize::from(partition.0)]);
            if !ever_revoked.contains(device) {
                let alone = by_chat(world.catch_up(*device, acked(world), 9));
                assert_eq!(self.spread.catch_up(*device, cursor), alone);
            }
            let chats = |world: &World| world.core.view().chats(device, &Chats::default()).unwrap().chats;
            let mut all: Vec<_> = self.spread.parts.iter().flat_map(chats).collect();
            all.sort_unstable_by_key(|chat| chat.chat);
            assert_eq!(all, chats(world));
        }
        self.check_places();
    }

    fn check_places(&self) {
        let head = |partition: PartitionId| self.spread.parts[usize::from(partition.0)].core.view().head().unwrap();
        for partition in self.spread.layout.all() {
            let given = self.places.values().filter(|(place, _)| *place == partition).count() as u64;
            assert_eq!(head(partition), Pos(self.since.0 + given), "positions have no holes");
        }
        assert_eq!(self.spread.parts[0].core.partition(), Layout::DIRECTORY);
    }
}

fn answer(outcome: &Outcome) -> Answer {
    match &outcome.answer {
        Answer::Done(done) => Answer::Done(Done { pos: None, hash: done.hash }),
        other => other.clone(),
    }
}

type Delivered = (ChatId, aside_protocol::envelope::Envelope, BTreeSet<DeviceId>, Option<DeviceId>);

fn delivered(outcome: &Outcome) -> Vec<Delivered> {
    let one = |delivery: &Delivery| {
        let to = delivery.to.iter().copied().collect();
        (delivery.envelope.chat, placeless(delivery.envelope.clone()), to, delivery.echo)
    };
    outcome.deliveries.iter().map(one).collect()
}
