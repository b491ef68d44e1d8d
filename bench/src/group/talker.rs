//! A device of a group at a relay: writes if it is the first one, reads otherwise, and says that it has read.

use super::crowd::Voice;
use crate::error::BenchError;
use crate::fleet::{BODY, Stamp};
use crate::member::{Member, decode};
use crate::person::{random, random_body};
use crate::wire::Wire;
use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_protocol::frame::RelayFrame;
use aside_protocol::request::{Answer, Receipt, Receipts, Request, Send};
use aside_protocol::{Body, ChatId, DeviceId, N, Pos, Seq};
use bytes::Bytes;
use std::collections::HashSet;

/// Bytes of a receipt: two watermarks, sealed and signed.
const RECEIPT: usize = 160;

/// The chat all are in.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Which.
    pub chat: ChatId,
    /// The `seq` of its founding.
    pub base: Seq,
    /// Who writes.
    pub writer: DeviceId,
}

/// A device in it.
pub struct GroupTalker {
    member: Member,
    place: Place,
    n: N,
    body: [u8; BODY],
    receipt: Body,
}

/// What a frame meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The own message was answered.
    Answered,
    /// A message came.
    Message(Stamp),
    /// An own receipt was stored.
    Noted,
    /// Somebody's receipt came.
    Receipt,
    /// Something else.
    Nothing,
}

impl GroupTalker {
    /// Attached, and in the group.
    pub fn new(member: Member, place: Place) -> Result<Self, BenchError> {
        Ok(Self { member, place, n: N(2), body: random()?, receipt: random_body(RECEIPT)? })
    }

    /// How many receipts the relay holds of the chat, and of how many devices.
    pub async fn receipts(&mut self) -> Result<(u64, u64), BenchError> {
        let (mut after, mut count, mut devices) = (Pos(0), 0, HashSet::new());
        loop {
            let request = Request::Receipts(Receipts { chat: self.place.chat, after });
            let page = match self.member.ask(request).await? {
                Answer::Receipts(page) => page,
                other => return Err(BenchError::unexpected("receipts", &other)),
            };
            count += page.receipts.len() as u64;
            devices.extend(page.receipts.iter().map(|receipt| receipt.from));
            after = page.receipts.last().map_or(after, |last| last.pos);
            if !page.more {
                return Ok((count, devices.len() as u64));
            }
        }
    }

    fn came(&mut self, envelope: &Envelope) -> Result<Heard, BenchError> {
        self.member.saw(envelope);
        match &envelope.body {
            _ if envelope.kind == EnvelopeKind::Receipt => Ok(Heard::Receipt),
            Some(body) if envelope.from == self.place.writer && body.len() == BODY => {
                Ok(Heard::Message(Stamp::of(body)?))
            }
            // The founding, the welcome, and echoes of its own.
            _ => Ok(Heard::Nothing),
        }
    }
}

impl Voice for GroupTalker {
    fn wire(&mut self) -> &mut Wire {
        &mut self.member.wire
    }

    fn message(&mut self, stamp: Stamp) -> Bytes {
        stamp.put(&mut self.body);
        let body = Body(Bytes::copy_from_slice(&self.body));
        let send = Send { chat: self.place.chat, n: self.n, base: self.place.base, body };
        self.n = self.n.next();
        self.member.request(Request::Send(send))
    }

    fn receipt(&mut self) -> Option<Bytes> {
        let receipt = Receipt { chat: self.place.chat, base: self.place.base, body: self.receipt.clone() };
        Some(self.member.request(Request::Receipt(receipt)))
    }

    fn hear(&mut self, frame: &Bytes) -> Result<Heard, BenchError> {
        match decode(frame)? {
            RelayFrame::Answer(answered) => match answered.answer {
                Answer::Sent(_) => Ok(Heard::Answered),
                Answer::Done(_) => Ok(Heard::Noted),
                other => Err(BenchError::unexpected("that it was stored", &other)),
            },
            RelayFrame::Deliver(envelope) => self.came(&envelope),
            _ => Ok(Heard::Nothing),
        }
    }

    async fn settle(&mut self, all: bool) -> Result<(), BenchError> {
        self.member.ack(all).await
    }
}
