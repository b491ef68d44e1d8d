//! Somebody who was away and fetches what is behind; checks that it is all there, once, in order.

use crate::error::BenchError;
use crate::fleet::Stamp;
use crate::member::{Member, address};
use crate::person::{Known, Person};
use crate::wire::{Transport, Wire};
use aside_protocol::ChatId;
use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_protocol::frame::RelayFrame;
use aside_protocol::invite::Invite;
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

    /// Its person, to be moved to another process.
    pub fn person(&self) -> &Person {
        &self.0
    }

    /// Somebody who registered in another process.
    pub fn from(person: Person) -> Self {
        Self(person)
    }

    /// Comes back, and attaches at the beginning.
    pub async fn come_back(&self, invite: &Invite, transport: Transport) -> Result<Member, BenchError> {
        self.come_back_over(Wire::connect(address(invite), transport).await?, invite).await
    }

    /// Comes back over a connection whose system buffers hold little, so that what is not read stays with the relay.
    pub async fn come_back_narrow(&self, invite: &Invite, transport: Transport) -> Result<Member, BenchError> {
        self.come_back_over(Wire::connect_narrow(address(invite), transport).await?, invite).await
    }

    async fn come_back_over(&self, wire: Wire, invite: &Invite) -> Result<Member, BenchError> {
        let mut member = Member::login_over(wire, invite, &self.0).await?;
        member.attach().await?;
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
        let Some(body) = envelope.body.as_ref().filter(|_| envelope.kind == EnvelopeKind::Message) else {
            return Ok(());
        };
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
