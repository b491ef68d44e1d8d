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
