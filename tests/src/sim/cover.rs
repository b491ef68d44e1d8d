//! Notices rare things in what passes, so that their number can be checked.

use super::world::World;
use aside_protocol::Refusal;
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::frame::{ClientFrame, RelayFrame};
use aside_protocol::request::{Answer, Request};

/// What the seeds must reach.
pub const EXPECTED: &[&str] = &[
    "stale",
    "conflict",
    "out of order",
    "busy",
    "joined retry",
    "exists",
    "rejoin",
    "added again",
    "own commit",
    "refounding",
    "range",
    "held",
    "expired",
    "lagged",
    "window full",
    "receipts",
    "read receipts",
    "goodbye",
    "silence",
    "frames of an old connection",
    "client died after a commit",
    "client died among its effects",
    "client put back",
    "relay died before a commit",
    "relay died before answering",
    "relay died while answering",
    "relay put back",
];

impl World {
    /// A client is about to ask something.
    pub(super) fn cover_request(&mut self, frame: &ClientFrame) {
        let ClientFrame::Request(asked) = frame else { return };
        match &asked.request {
            Request::Found(found) => self.coverage.saw_if(found.incarnation > 1, "refounding"),
            Request::Commit(commit) => self.coverage.saw_if(!commit.add.is_empty(), "added again"),
            Request::Rejoin(_) => self.coverage.saw("rejoin"),
            Request::Range(_) => self.coverage.saw("range"),
            _ => {}
        }
    }

    /// A client has taken something.
    pub(super) fn cover_held(&mut self, who: usize) {
        let Some(engine) = self.clients[who].engine.as_mut() else { return };
        let held = engine.read(|tx| Ok(tx.chats_holding()?)).expect("read");
        self.coverage.saw_if(!held.is_empty(), "held");
    }

    /// A client got something.
    pub(super) fn cover_frame(&mut self, who: usize, frame: &RelayFrame) {
        let client = &mut self.clients[who];
        self.coverage.saw_if(client.wire.unacked == self.plan.window, "window full");
        self.coverage.saw_if(std::mem::take(&mut client.wire.joined) > 0, "joined retry");
        match frame {
            RelayFrame::Deliver(envelope) => match envelope.kind {
                EnvelopeKind::Commit => self.coverage.saw_if(envelope.from == client.device, "own commit"),
                EnvelopeKind::Receipt => self.coverage.saw("receipts"),
                _ => {}
            },
            RelayFrame::Answer(answered) => {
                if let Answer::Refused(refusal) = &answered.answer {
                    self.cover_refusal(refusal);
                }
            }
            _ => {}
        }
    }

    fn cover_refusal(&mut self, refusal: &Refusal) {
        match refusal {
            Refusal::Stale(_) => self.coverage.saw("stale"),
            Refusal::Conflict(_) => self.coverage.saw("conflict"),
            Refusal::OutOfOrder(_) => self.coverage.saw("out of order"),
            Refusal::Busy(_) => self.coverage.saw("busy"),
            Refusal::NotMember(_) => self.coverage.saw("not member"),
            Refusal::Exists(_) => self.coverage.saw("exists"),
            _ => self.coverage.saw("other refusals"),
        }
    }
}
