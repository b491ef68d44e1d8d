//! Somebody who writes many messages into chats of others who are away, as fast as a window lets.

use crate::error::BenchError;
use crate::fleet::{BODY, Stamp};
use crate::member::Member;
use crate::person::{Known, Person, random_body};
use crate::wire::Transport;
use aside_protocol::frame::RelayFrame;
use aside_protocol::invite::Invite;
use aside_protocol::request::{Answer, Request, Send};
use aside_protocol::{Body, ChatId, N, Seq};
use bytes::Bytes;

/// A connected writer and its chats.
pub struct Writer {
    member: Member,
    chats: Vec<Chat>,
    body: Vec<u8>,
}

struct Chat {
    chat: ChatId,
    base: Seq,
    sent: u64,
}

impl Writer {
    /// Registers somebody and founds a chat with each of the others.
    pub async fn new(
        invite: &Invite,
        number: usize,
        others: &[Known],
        transport: Transport,
    ) -> Result<Self, BenchError> {
        let mut member = Member::register(invite, &Person::new(number)?, transport).await?;
        let mut chats = Vec::new();
        for other in others {
            let (chat, base) = member.found(*other).await?;
            chats.push(Chat { chat, base, sent: 0 });
        }
        Ok(Self { member, chats, body: random_body(BODY)?.to_vec() })
    }

    /// Writes messages of so many bytes from here on.
    pub fn with_bodies(mut self, bytes: usize) -> Result<Self, BenchError> {
        self.body = random_body(bytes)?.to_vec();
        Ok(self)
    }

    /// Writes so many messages into each chat, at most `window` unanswered, and waits for every answer. Not attached,
    /// so nothing but answers comes back.
    pub async fn write(&mut self, each: u64, window: u64) -> Result<(), BenchError> {
        let all = each * self.chats.len() as u64;
        let (mut sent, mut answered) = (0, 0);
        while answered < all {
            while sent < all && sent - answered < window {
                let frame = self.message(sent);
                self.member.wire.feed(frame).await?;
                sent += 1;
            }
            self.member.wire.flush().await?;
            answered += self.hear().await?;
        }
        Ok(())
    }

    /// The next message, in the chats by turns.
    fn message(&mut self, turn: u64) -> Bytes {
        let index = usize::try_from(turn).unwrap_or(0) % self.chats.len();
        let chat = &mut self.chats[index];
        chat.sent += 1;
        // A founding was the first envelope of this device.
        let n = N(chat.sent + 1);
        Stamp { number: chat.sent, nanos: 0 }.put(&mut self.body);
        let send = Send { chat: chat.chat, n, base: chat.base, body: Body(Bytes::copy_from_slice(&self.body)) };
        self.member.request(Request::Send(send))
    }

    /// Waits for at least one answer; how many came.
    async fn hear(&mut self) -> Result<u64, BenchError> {
        let mut frame = Some(self.member.next().await?);
        let mut answers = 0;
        while let Some(heard) = frame {
            match heard {
                RelayFrame::Answer(answered) => match answered.answer {
                    Answer::Sent(_) => answers += 1,
                    other => return Err(BenchError::unexpected("that a message was sent", &other)),
                },
                other => return Err(BenchError::unexpected("an answer", &other)),
            }
            frame = self.member.ready()?;
        }
        Ok(answers)
    }
}
