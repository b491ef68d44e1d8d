//! What the relay's command log proves about a test: that the fault it is about did happen.
//!
//! The log is applied to a core in memory, which gives every command's answer again.

use aside_protocol::Refusal;
use aside_protocol::request::Answer;
use aside_relay_core::{Command, Core, Location, command_log};
use aside_tests::Relay;

/// How often what happened at a relay.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Messages and commits refused because a commit had come in between.
    pub stale: usize,
    /// Foundings refused because another one stands.
    pub foundings_lost: usize,
    /// Foundings accepted.
    pub foundings: usize,
    /// Commits accepted.
    pub commits: usize,
}

/// Reads the log of a relay that runs no more, or has nothing to do.
pub fn evidence(relay: &Relay) -> Evidence {
    let commands = command_log::read(&relay.record()).expect("the record is readable");
    let mut core = Core::open(&Location::Memory).expect("a core in memory");
    let mut found = Evidence::default();
    for chunk in commands.chunks(100) {
        let outcomes = core.apply(chunk, false).expect("what was applied once applies again");
        for (stamped, outcome) in chunk.iter().zip(outcomes) {
            match (&stamped.command, outcome.answer) {
                (Command::Send(..) | Command::Commit(..), Answer::Refused(Refusal::Stale(_))) => found.stale += 1,
                (Command::Found(..), Answer::Refused(Refusal::Exists(_))) => found.foundings_lost += 1,
                (Command::Found(..), Answer::Sent(_)) => found.foundings += 1,
                (Command::Commit(..), Answer::Sent(_)) => found.commits += 1,
                _ => {}
            }
        }
    }
    found
}
