//! Over how many partitions a relay's state is spread, and which of them a chat or a command belongs to. Pure.

use crate::Command;
use aside_protocol::{ChatId, PartitionId};

/// Most partitions that a state can be spread over.
const MOST: u16 = 256;

/// How a state is spread. It stays as it is for as long as the state lives: a chat's place depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout {
    partitions: u16,
}

impl Layout {
    /// Of a relay alone.
    pub const ALONE: Self = Self { partitions: 1 };

    /// The partition of accounts, devices, invites, key packages and blobs; of chats it has its share.
    pub const DIRECTORY: PartitionId = PartitionId(0);

    /// Over so many partitions, 1 to 256.
    pub fn new(partitions: u16) -> Option<Self> {
        (1..=MOST).contains(&partitions).then_some(Self { partitions })
    }

    /// How many there are.
    pub fn partitions(self) -> u16 {
        self.partitions
    }

    /// Each of them.
    pub fn all(self) -> impl Iterator<Item = PartitionId> {
        (0..self.partitions).map(PartitionId)
    }

    /// Whether a partition is one of these.
    pub fn has(self, partition: PartitionId) -> bool {
        partition.0 < self.partitions
    }

    /// Where a chat is. Its id is a hash, so its first bytes spread evenly.
    pub fn of_chat(self, chat: &ChatId) -> PartitionId {
        let first = chat.0.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        PartitionId(u16::try_from(first % u64::from(self.partitions)).unwrap_or_default())
    }

    /// Where a command is to be applied: what is about a chat, there, and everything else in the directory.
    pub fn of(self, command: &Command) -> PartitionId {
        match command {
            Command::Found(_, _, request) => self.of_chat(&request.chat),
            Command::Send(_, _, request) => self.of_chat(&request.chat),
            Command::Commit(_, _, request) => self.of_chat(&request.chat),
            Command::Route(_, request) => self.of_chat(&request.chat),
            Command::Receipt(_, request) => self.of_chat(&request.chat),
            Command::Rejoin(_, request) => self.of_chat(&request.chat),
            Command::Leave(_, request) => self.of_chat(&request.chat),
            Command::Join(_, request) => self.of_chat(&request.chat),
            Command::Pointing { command, .. } => self.of(command),
            _ => Self::DIRECTORY,
        }
    }
}

/// Which partition of which layout a state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) layout: Layout,
    pub(crate) partition: PartitionId,
}

impl Part {
    /// Whether a command may be applied here at all.
    pub(crate) fn takes(self, command: &Command) -> bool {
        match command {
            Command::Init { .. } | Command::BeginLog { .. } | Command::Ack { .. } | Command::Retain { .. } => true,
            Command::Learn { .. } => self.partition != Layout::DIRECTORY,
            _ => self.layout.of(command) == self.partition,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::By;
    use aside_protocol::request::{Commit, Found, Join, Leave, Receipt, Rejoin, Route, Send};
    use aside_protocol::{AccountId, Body, DeviceId, Hash, N, Pos, Seq};

    const BY: By = By { device: DeviceId([1; 16]), account: AccountId([2; 32]) };
    const HASH: Hash = Hash([3; 32]);

    /// Each command that is about a chat.
    fn about(chat: ChatId) -> Vec<Command> {
        let (n, base, body) = (N(1), Seq(1), Body::default());
        let (add, remove, devices, accounts) = Default::default();
        let (origin, welcome, blob, incarnation) = (None, None, None, 1);
        let found = Found { chat, accounts, incarnation, devices, body: body.clone(), welcome: None, origin };
        let commit = Commit { chat, n, base, body: body.clone(), add, remove, welcome, blob };
        vec![
            Command::Pointing { blobs: vec![], since: 0, command: Box::new(Command::Found(BY, HASH, found.clone())) },
            Command::Found(BY, HASH, found),
            Command::Commit(BY, HASH, commit),
            Command::Send(BY, HASH, Send { chat, n, base, body: body.clone() }),
            Command::Route(BY, Route { chat, refused: base }),
            Command::Receipt(BY, Receipt { chat, base, body: body.clone() }),
            Command::Rejoin(BY, Rejoin { chat, body: body.clone() }),
            Command::Leave(BY, Leave { chat, body: body.clone() }),
            Command::Join(BY, Join { chat, body }),
        ]
    }

    #[test]
    fn what_is_about_a_chat_goes_where_it_is() {
        let chat = ChatId([7; 32]);
        let at = |layout: Layout| about(chat).iter().map(|command| layout.of(command)).collect::<Vec<_>>();
        let layout = Layout { partitions: 5 };
        let place = layout.of_chat(&chat);
        assert_ne!(place, Layout::DIRECTORY, "the test would tell nothing");
        assert_eq!(at(layout), [place; 9]);
        assert_eq!(at(Layout::ALONE), [Layout::DIRECTORY; 9]);
        let elsewhere = Part { layout, partition: Layout::DIRECTORY };
        assert!(!about(chat).iter().any(|command| elsewhere.takes(command)));
    }

    #[test]
    fn every_partition_has_cursors_retention_and_a_name_for_its_log() {
        let log = aside_protocol::LogId([4; 16]);
        for partition in [0, 1].map(PartitionId) {
            let part = Part { layout: Layout { partitions: 2 }, partition };
            let ack = Command::Ack { device: BY.device, pos: Pos(1) };
            for command in [Command::Init { log }, Command::BeginLog { log }, ack, Command::Retain { limit: 1 }] {
                assert!(part.takes(&command));
            }
            assert_eq!(part.takes(&Command::Learn { changes: vec![] }), partition != Layout::DIRECTORY);
        }
    }
}
