//! A relay's state spread over partitions, each a core of its own, that are driven as a cluster's owners and nodes do.

use crate::world::World;
use aside_protocol::envelope::Envelope;
use aside_protocol::request::{Answer, Done};
use aside_protocol::{ChatId, DeviceId, PartitionId, Pos};
use aside_relay_core::{Change, Command, Core, Layout, Location, Outcome};
use std::collections::BTreeMap;

pub struct Spread {
    pub layout: Layout,
    /// By partition.
    pub parts: Vec<World>,
}

impl Spread {
    /// What a relay alone has, in so many partitions.
    pub fn of(world: &World, partitions: u16) -> Self {
        let layout = Layout::new(partitions).unwrap();
        let part = |partition| {
            let mut core = world.core.copy().unwrap();
            core.take_part(layout, partition).unwrap();
            World { core, now: world.now, applied: Vec::new() }
        };
        Self { layout, parts: layout.all().map(part).collect() }
    }

    pub fn part(&mut self, partition: PartitionId) -> &mut World {
        &mut self.parts[usize::from(partition.0)]
    }

    pub fn directory(&mut self) -> &mut World {
        self.part(Layout::DIRECTORY)
    }

    /// A partition learns what it does not know yet.
    pub fn learn(&mut self, partition: PartitionId) {
        if partition != Layout::DIRECTORY {
            let known = self.part(partition).core.view().learned().unwrap();
            let changes = self.parts[0].core.view().changes_after(known, usize::MAX).unwrap();
            assert_eq!(learn(self.part(partition), &changes), Answer::Done(Done::default()));
        }
    }

    /// Applies a command where it belongs, as a cluster does: blobs first, and never before the directory's changes.
    pub fn apply(&mut self, command: Command) -> Outcome {
        let (at, pointers) = (self.layout.of(&command), command.pointers());
        let elsewhere = at != Layout::DIRECTORY && !pointers.is_empty();
        let vouched =
            elsewhere && matches!(self.directory().apply(Command::PointTo(pointers.clone())).answer, Answer::Done(_));
        let command =
            if vouched { Command::Pointing { blobs: pointers, since: 0, command: Box::new(command) } } else { command };
        self.learn(at);
        self.part(at).apply(command)
    }

    /// Everything a device catches up on in all partitions, by chat, after its cursor in each.
    pub fn catch_up(&self, device: DeviceId, cursor: impl Fn(PartitionId) -> Pos) -> BTreeMap<ChatId, Vec<Envelope>> {
        let parts = self.layout.all().zip(&self.parts);
        by_chat(parts.flat_map(|(partition, world)| {
            let got = world.catch_up(device, cursor(partition), 7);
            assert!(got.iter().all(|envelope| envelope.partition == partition));
            got
        }))
    }
}

/// An empty state as a partition.
pub fn empty(partitions: u16, partition: u16) -> Core {
    let mut core = Core::open(&Location::Memory).unwrap();
    core.take_part(Layout::new(partitions).unwrap(), PartitionId(partition)).unwrap();
    core
}

pub fn learn(world: &mut World, changes: &[Change]) -> Answer {
    let outcome = world.apply(Command::Learn { changes: changes.to_vec() });
    assert_eq!((outcome.deliveries.as_slice(), outcome.revoked.as_slice()), ([].as_slice(), [].as_slice()));
    outcome.answer
}

/// In the order of each chat.
pub fn by_chat(envelopes: impl IntoIterator<Item = Envelope>) -> BTreeMap<ChatId, Vec<Envelope>> {
    let mut chats = BTreeMap::<ChatId, Vec<Envelope>>::new();
    envelopes.into_iter().for_each(|envelope| chats.entry(envelope.chat).or_default().push(placeless(envelope)));
    chats
}

/// Without the place that only its partition gives it.
pub fn placeless(envelope: Envelope) -> Envelope {
    Envelope { partition: PartitionId(0), pos: Pos(0), ..envelope }
}
