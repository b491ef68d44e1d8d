//! A protocol client: hello with the relay's proof checked, registration or login, requests, acknowledgements.

use crate::error::BenchError;
use crate::person::{Known, Person, founding};
use crate::wire::{Transport, Wire};
use aside_protocol::envelope::Envelope;
use aside_protocol::frame::{Ack, Asked, Attach, ClientFrame, Hello, LoginOk, Ping, Position, RelayFrame, VERSION};
use aside_protocol::invite::Invite;
use aside_protocol::login::{Mode, Transcript, pin};
use aside_protocol::request::{Answer, Found, Request};
use aside_protocol::{ChatId, Cursor, Nonce, PartitionId, Pos, Seq, codec};
use bytes::Bytes;
use std::collections::BTreeMap;

/// Envelopes after which a client acknowledges: half of the window, as the real client does.
const ACK_AFTER: usize = 128;

/// A logged-in connection of a person.
pub struct Member {
    /// Who.
    pub known: Known,
    /// The connection.
    pub wire: Wire,
    login: LoginOk,
    next_id: u64,
    /// The highest positions that came since the last acknowledgement, by partition, and how many envelopes.
    seen: BTreeMap<PartitionId, Pos>,
    unacked: usize,
}

impl Member {
    /// Connects and registers, without attaching.
    pub async fn register(invite: &Invite, person: &Person, transport: Transport) -> Result<Self, BenchError> {
        let (wire, transcript) = greet(Wire::connect(address(invite), transport).await?, invite).await?;
        let frame = ClientFrame::Register(person.registration(&transcript, invite.secret));
        Self::enter(wire, person.known(), &frame).await
    }

    /// Logs in over a connection, without attaching.
    pub async fn login_over(wire: Wire, invite: &Invite, person: &Person) -> Result<Self, BenchError> {
        let (wire, transcript) = greet(wire, invite).await?;
        let frame = ClientFrame::Login(person.login(&transcript));
        Self::enter(wire, person.known(), &frame).await
    }

    async fn enter(mut wire: Wire, known: Known, frame: &ClientFrame) -> Result<Self, BenchError> {
        send(&mut wire, frame).await?;
        match next(&mut wire).await? {
            RelayFrame::LoginOk(login) => {
                Ok(Self { known, wire, login, next_id: 1, seen: BTreeMap::new(), unacked: 0 })
            }
            other => Err(BenchError::unexpected("a login", &other)),
        }
    }

    /// Starts delivery, from the beginning of every partition.
    pub async fn attach(&mut self) -> Result<(), BenchError> {
        let cursor = |at: &Position| Cursor { log: self.login.log, partition: at.partition, pos: Pos(0) };
        let cursors = self.login.positions.iter().map(cursor).collect();
        send(&mut self.wire, &ClientFrame::Attach(Attach { cursors })).await
    }

    /// Asks whether the relay lives; it answers with a pong.
    pub async fn ping(&mut self) -> Result<(), BenchError> {
        send(&mut self.wire, &ClientFrame::Ping(Ping {})).await
    }

    /// The next frame.
    pub async fn next(&mut self) -> Result<RelayFrame, BenchError> {
        next(&mut self.wire).await
    }

    /// The next frame, if one has come already.
    pub fn ready(&mut self) -> Result<Option<RelayFrame>, BenchError> {
        self.wire.ready()?.map(|bytes| decode(&bytes)).transpose()
    }

    /// A request with the next number, encoded.
    pub fn request(&mut self, request: Request) -> Bytes {
        let id = self.next_id;
        self.next_id += 1;
        codec::encode(&ClientFrame::Request(Asked { id, request }))
    }

    /// Sends a request and waits for its answer; envelopes that come before it are counted and dropped.
    pub async fn ask(&mut self, request: Request) -> Result<Answer, BenchError> {
        let frame = self.request(request);
        self.wire.feed(frame).await?;
        self.wire.flush().await?;
        loop {
            match self.next().await? {
                RelayFrame::Answer(answered) => return Ok(answered.answer),
                RelayFrame::Deliver(envelope) => self.saw(&envelope),
                _ => {}
            }
        }
    }

    /// Founds the chat with somebody. Returns it and the `seq` of its founding.
    pub async fn found(&mut self, other: Known) -> Result<(ChatId, Seq), BenchError> {
        self.found_as(founding(self.known, other)?).await
    }

    /// Founds a chat.
    pub async fn found_as(&mut self, found: Found) -> Result<(ChatId, Seq), BenchError> {
        let chat = found.chat;
        match self.ask(Request::Found(found)).await? {
            Answer::Sent(sent) => Ok((chat, sent.seq)),
            other => Err(BenchError::unexpected("a founding", &other)),
        }
    }

    /// Notes an envelope that came.
    pub fn saw(&mut self, envelope: &Envelope) {
        let seen = self.seen.entry(envelope.partition).or_default();
        *seen = envelope.pos.max(*seen);
        self.unacked += 1;
    }

    /// Feeds an acknowledgement of each partition, if so many are due; `all` for any.
    pub async fn ack(&mut self, all: bool) -> Result<(), BenchError> {
        if self.unacked >= ACK_AFTER || (all && self.unacked > 0) {
            self.unacked = 0;
            for (partition, pos) in std::mem::take(&mut self.seen) {
                self.wire.feed(codec::encode(&ClientFrame::Ack(Ack { partition, pos }))).await?;
            }
        }
        Ok(())
    }
}

/// Where the relay of an invite listens.
pub fn address(invite: &Invite) -> &str {
    invite.addresses.first().map_or("", String::as_str)
}

/// Hello, and the relay's proof that it is the one the invite names.
async fn greet(mut wire: Wire, invite: &Invite) -> Result<(Wire, Transcript), BenchError> {
    let nonce = Nonce(crate::person::random()?);
    let hello = Hello { versions: vec![VERSION], capabilities: Vec::new(), nonce, mode: Mode::Direct };
    send(&mut wire, &ClientFrame::Hello(hello.clone())).await?;
    let ok = match next(&mut wire).await? {
        RelayFrame::HelloOk(ok) => ok,
        other => return Err(BenchError::unexpected("a hello", &other)),
    };
    let transcript = Transcript::of(hello, &ok, invite.pin, wire.exporter.clone());
    let proved = pin(&ok.identity) == invite.pin && ok.identity.verifies(&transcript.relay_signs(), &ok.signature);
    if proved { Ok((wire, transcript)) } else { Err(BenchError::Misbehaved("it did not prove its identity".into())) }
}

async fn send(wire: &mut Wire, frame: &ClientFrame) -> Result<(), BenchError> {
    wire.feed(codec::encode(frame)).await?;
    wire.flush().await
}

async fn next(wire: &mut Wire) -> Result<RelayFrame, BenchError> {
    decode(&wire.next().await?)
}

/// A relay's frame; anything that says the client did wrong is an error.
pub fn decode(bytes: &Bytes) -> Result<RelayFrame, BenchError> {
    match codec::decode(bytes) {
        Ok(RelayFrame::Fault(fault)) => Err(BenchError::unexpected("anything else", &fault)),
        Ok(RelayFrame::Goodbye(goodbye)) => Err(BenchError::unexpected("anything else", &goodbye)),
        Ok(frame) => Ok(frame),
        Err(error) => Err(BenchError::Misbehaved(format!("it sent a bad frame: {error}"))),
    }
}
