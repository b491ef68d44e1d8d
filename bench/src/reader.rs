//! Somebody who was away and fetches what is behind; checks that it is all there, once, in order.

use crate::error::BenchError;
use crate::fleet::{BODY, Stamp};
use crate::member::Member;
use crate::person::{Known, Person};
use crate::wire::Transport;
use aside_protocol::envelope::Envelope;
use aside_protocol::frame::RelayFrame;
use aside_protocol::invite::Invite;
use aside_protocol::{ChatId, Pos};
use std::collections::HashMap;

/// A registered person without a connection.
pub struct Reader(Person);

impl Reader {
    /// Registers, and goes away.
    pub async fn register(invite: &Invite, number: usize, transport: Transport) -> Result<Self, BenchError> {
        let person = Person::new(number)?;
        drop(Member::register(invite, &person, transport).await?);
        Ok(Self(person))
    }

    /// What others know.
    pub fn known(&self) -> Known {
        self.0.known()
    }

    /// Comes back, and attaches at the beginning.
    pub async fn come_back(&self, invite: &Invite, transport: Transport) -> Result<Member, BenchError> {
        let mut member = Member::login(invite, &self.0, transport).await?;
        member.attach(Pos(0)).await?;
        Ok(member)
    }

    /// Comes back and fetches `messages` in all, then acknowledges the last.
    pub async fn fetch(&self, invite: &Invite, messages: u64, transport: Transport) -> Result<(), BenchError> {
        let mut member = self.come_back(invite, transport).await?;
        let mut check = Check::default();
        while check.messages < messages {
            let mut frame = Some(member.next().await?);
            while let Some(heard) = frame {
                if let RelayFrame::Deliver(envelope) = heard {
                    member.saw(&envelope);
                    check.take(&envelope)?;
                }
                frame = member.ready()?;
            }
            member.ack(check.messages == messages).await?;
            member.wire.flush().await?;
        }
        Ok(())
    }
}

/// What came so far, by chat.
#[derive(Default)]
struct Check {
    last: HashMap<ChatId, u64>,
    messages: u64,
}

impl Check {
    fn take(&mut self, envelope: &Envelope) -> Result<(), BenchError> {
        let Some(body) = envelope.body.as_ref().filter(|body| body.len() == BODY) else { return Ok(()) };
        let number = Stamp::of(body)?.number;
        let last = self.last.entry(envelope.chat).or_default();
        if number != *last + 1 {
            return Err(BenchError::Misbehaved(format!("message {number} came after {last}")));
        }
        *last = number;
        self.messages += 1;
        Ok(())
    }
}
