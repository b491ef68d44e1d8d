//! Commands of this node that were sent to be appended and are not applied here yet. Pure: the time is an argument.

use crate::log::Reply;
use aside_relay_core::Command;
use aside_relay_core::record::Entry;
use std::collections::BTreeMap;
use std::time::Instant;

/// One of them.
struct Waiting {
    command: Command,
    replies: Vec<Reply>,
    deadline: Instant,
}

/// All of them, by their numbers, which rise and begin at 1.
pub(super) struct Pending {
    origin: u64,
    last: u64,
    waiting: BTreeMap<u64, Waiting>,
}

impl Pending {
    /// Of a node that has drawn this number for itself.
    pub(super) fn new(origin: u64) -> Self {
        Self { origin, last: 0, waiting: BTreeMap::new() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Numbers a command.
    pub(super) fn add(&mut self, command: Command, replies: Vec<Reply>, deadline: Instant) -> Entry {
        self.last += 1;
        let entry = Entry { origin: self.origin, id: self.last, command: command.clone() };
        self.waiting.insert(self.last, Waiting { command, replies, deadline });
        entry
    }

    /// All of them in the order of their numbers, for another owner: the one before may have appended none of them, some,
    /// or all. Those that stand in the log already count once.
    pub(super) fn again(&self) -> Vec<Entry> {
        let entry =
            |(id, waiting): (&u64, &Waiting)| Entry { origin: self.origin, id: *id, command: waiting.command.clone() };
        self.waiting.iter().map(entry).collect()
    }

    /// Who waits for the answer to an entry of the log; nobody, if it is another node's or its answer was given up.
    pub(super) fn take(&mut self, entry: &Entry) -> Vec<Reply> {
        if entry.origin != self.origin {
            return Vec::new();
        }
        self.waiting.remove(&entry.id).map(|waiting| waiting.replies).unwrap_or_default()
    }

    /// Who has waited too long.
    pub(super) fn late(&mut self, now: Instant) -> Vec<Reply> {
        let late: Vec<u64> =
            self.waiting.iter().filter(|(_, waiting)| waiting.deadline <= now).map(|(id, _)| *id).collect();
        late.iter().filter_map(|id| self.waiting.remove(id)).flat_map(|waiting| waiting.replies).collect()
    }

    /// Whether one waits since before a moment, in terms of its deadline.
    pub(super) fn is_slow(&self, before: Instant) -> bool {
        self.waiting.first_key_value().is_some_and(|(_, waiting)| waiting.deadline < before)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use aside_protocol::Pos;
    use std::time::Duration;

    fn command(number: u64) -> Command {
        Command::Ack { device: aside_protocol::DeviceId([1; 16]), pos: Pos(number) }
    }

    #[test]
    fn what_waits_is_sent_again_in_its_order_until_it_is_applied_or_late() {
        let (mut pending, now) = (Pending::new(7), Instant::now());
        let reply = || -> Vec<Reply> { vec![Box::new(|_, _| {})] };
        let first = pending.add(command(1), reply(), now + Duration::from_secs(1));
        let second = pending.add(command(2), reply(), now + Duration::from_secs(9));
        assert_eq!((first.id, second.id), (1, 2));
        assert_eq!(pending.again(), [first.clone(), second.clone()]);
        assert_eq!(pending.take(&Entry { origin: 8, ..first.clone() }).len(), 0, "another node's");
        assert_eq!(pending.take(&second).len(), 1);
        assert_eq!(pending.take(&second).len(), 0, "once");
        assert_eq!(pending.late(now).len(), 0);
        assert_eq!(pending.late(now + Duration::from_secs(1)).len(), 1);
        assert_eq!(pending.len(), 0);
        assert_eq!(pending.add(command(3), reply(), now).id, 3, "numbers are not used again");
    }
}
