//! What a client may rely on within one connection (rules `REQ-1`, `WIN-3`, `ENV-4`), checked frame by frame.

use aside_protocol::frame::{ClientFrame, RelayFrame};
use aside_protocol::request::{Answer, Request};
use aside_protocol::{DeviceId, Pos, Refusal};
use std::collections::{BTreeSet, VecDeque};

/// The state of the checks of one connection.
#[derive(Debug, Default)]
pub struct Wire {
    last: Option<Pos>,
    caught_up: bool,
    asked: BTreeSet<u64>,
    /// Requests that change something, in order, and whether they are sends.
    changing: VecDeque<(u64, bool)>,
    /// Answers that came early since their send joined an earlier copy of it.
    pub joined: u64,
    /// Envelopes that came since the last acknowledgement was sent.
    pub unacked: usize,
}

impl Wire {
    /// The client sent something.
    pub fn sent(&mut self, frame: &ClientFrame) {
        match frame {
            ClientFrame::Request(asked) => {
                self.asked.insert(asked.id);
                if !matches!(asked.request, Request::Lookup(_) | Request::Range(_) | Request::Routing(_)) {
                    self.changing.push_back((asked.id, matches!(asked.request, Request::Send(_))));
                }
            }
            ClientFrame::Attach(attach) => self.last = attach.cursors.first().map(|cursor| cursor.pos),
            ClientFrame::Ack(_) => self.unacked = 0,
            _ => {}
        }
    }

    /// The client got something.
    pub fn arrived(&mut self, frame: &RelayFrame, me: &DeviceId) -> Result<(), String> {
        match frame {
            RelayFrame::Deliver(envelope) => {
                self.unacked += 1;
                if self.last.is_some_and(|last| last >= envelope.pos) {
                    return Err(format!("WIN-3: {:?} comes after {:?}", envelope.pos, self.last));
                }
                self.last = Some(envelope.pos);
                if envelope.from == *me && envelope.body.is_some() {
                    return Err("ENV-4: an echo has a body".into());
                }
                Ok(())
            }
            RelayFrame::CaughtUp(_) if std::mem::replace(&mut self.caught_up, true) => {
                Err("WIN-3: caught up twice".into())
            }
            RelayFrame::Answer(answered) => self.answered(answered.id, &answered.answer),
            _ => Ok(()),
        }
    }

    fn answered(&mut self, id: u64, answer: &Answer) -> Result<(), String> {
        if !self.asked.remove(&id) {
            return Err(format!("REQ-1: request {id} is answered, and was not asked or answered before"));
        }
        let early = matches!(answer, Answer::Refused(Refusal::Busy(_) | Refusal::Unsupported(_)));
        let Some(place) = self.changing.iter().position(|&(other, _)| other == id) else { return Ok(()) };
        let Some((_, send)) = self.changing.remove(place) else { return Ok(()) };
        match place {
            0 => Ok(()),
            _ if early => Ok(()),
            _ if send => {
                self.joined += 1;
                Ok(())
            }
            _ => Err(format!("REQ-1: {id} is answered before {:?}", self.changing[0])),
        }
    }
}
