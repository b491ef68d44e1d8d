//! What tools ask of the node that appends, and of single nodes, and how it is written down. Pure.

use super::settings::is_name;

/// Asked of the node that appends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// Its name.
    Who,
    /// To have all nodes tell their state at one position; which one.
    Verify,
    /// To take a snapshot; up to which position.
    Snapshot,
    /// To have that node append from now on.
    Move(String),
}

/// Asked of a node: to send its people to others and to append no more.
pub(super) const DRAIN: &[u8] = b"drain";
/// Said by a node that does what it was asked.
pub(super) const DONE: &str = "done";

impl Asked {
    /// As it is sent.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Who => "who".to_owned(),
            Self::Verify => "verify".to_owned(),
            Self::Snapshot => "snapshot".to_owned(),
            Self::Move(node) => format!("move {node}"),
        }
    }

    /// Reads it; none if it is nothing that this code knows.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        match std::str::from_utf8(text).ok()? {
            "who" => Some(Self::Who),
            "verify" => Some(Self::Verify),
            "snapshot" => Some(Self::Snapshot),
            other => other.strip_prefix("move ").filter(|node| is_name(node)).map(|node| Self::Move(node.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_read_as_it_was_meant() {
        for asked in [Asked::Who, Asked::Verify, Asked::Snapshot, Asked::Move("node-2".into())] {
            assert_eq!(Asked::read(asked.to_text().as_bytes()), Some(asked));
        }
        for nothing in ["", "move", "move ", "move a b", "purge"] {
            assert_eq!(Asked::read(nothing.as_bytes()), None);
        }
    }
}
