//! One connection as a pure state machine: inputs and the time go in, outputs come out. No sockets, no clock, no tasks.
//!
//! Hello, then login, then live; one type per state. `task` feeds it from a carrier and carries out what it says.

mod carrier;
mod deliveries;
mod delivery;
mod faults;
mod found;
mod hello;
mod live;
mod login;
mod out;
mod pages;
mod query;
pub mod task;

pub use carrier::{Carrier, Over};
pub use found::Found;
pub use out::Output;
pub use pages::{Pages, Wanted};
pub use query::Query;

use crate::clock::Now;
use crate::hub::Push;
use crate::identity::Identity;
use crate::meetings::Said;
use crate::nodes::Nodes;
use aside_protocol::frame::{self, ClientFrame, GoodbyeReason, Meet, Ping, RelayFrame};
use aside_protocol::limits::{LOGIN_MS, MEETING_MS, SILENCE_MS, UNANSWERED_REQUESTS};
use aside_protocol::login::Mode;
use aside_protocol::request::Answer;
use aside_protocol::{LogId, Nonce, PartitionId, Refusal, codec};
use aside_relay_core::{BlobLimits, Page};
use bytes::Bytes;
use out::Out;
use std::sync::Arc;

/// What every session of a relay shares.
pub struct Setup {
    /// Signs hello-ok.
    pub identity: Identity,
    /// Where TLS ends.
    pub mode: Mode,
    /// The log in which positions count.
    pub log: LogId,
    /// Envelopes a connection may have in flight in each partition.
    pub window: usize,
    /// What accounts may store.
    pub blobs: BlobLimits,
}

/// What is fresh in every connection.
pub struct Channel {
    /// 32 random bytes.
    pub nonce: Nonce,
    /// The TLS exporter, in direct mode.
    pub exporter: Option<Vec<u8>>,
}

/// Something happened.
#[derive(Debug)]
pub enum Input {
    /// A binary message arrived.
    Frame(Bytes),
    /// A text message arrived.
    Text,
    /// A message longer than a frame may be began to arrive.
    TooLong,
    /// The device asked for with [`Output::FindDevice`]; `Err` when it could not be read.
    Device(Result<Option<Box<Found>>, Unreadable>),
    /// A reader answered a question.
    ReadAnswer {
        /// The request's number.
        token: u64,
        /// The answer.
        answer: Answer,
    },
    /// The answer to a command or query.
    Answer {
        /// As submitted.
        token: u64,
        /// The answer.
        answer: Answer,
    },
    /// The page asked for with [`Output::NextPage`].
    Page {
        /// The partition.
        partition: PartitionId,
        /// What was read.
        page: Result<Page, Unreadable>,
    },
    /// The hub pushed an envelope.
    Push(Push),
    /// The hub dropped pushes; from now on it queues them again.
    Lagged,
    /// Whether what a guest said was passed on.
    Meeting(Result<(), Refusal>),
    /// The other side of a meeting said something.
    Said(Said),
    /// Where the relay's nodes are.
    Nodes(Arc<Nodes>),
    /// The connection has to end.
    Goodbye(GoodbyeReason),
    /// Some time passed.
    Tick,
}

/// The database could not be read; logged where it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

enum State {
    Hello(hello::AwaitHello),
    Login(login::AwaitLogin),
    Live(Box<live::Live>),
    Closed,
}

/// The state machine.
pub struct Session {
    setup: Arc<Setup>,
    state: State,
    nodes: Arc<Nodes>,
    /// When the time to log in began.
    opened: u64,
    heard: u64,
}

impl Session {
    /// A connection that was opened now.
    pub fn new(setup: Arc<Setup>, channel: Channel, now: Now) -> Self {
        let state = State::Hello(hello::AwaitHello { channel });
        Self { setup, state, nodes: Arc::default(), opened: now.steady, heard: now.steady }
    }

    /// Whether more frames may be read: not while too many requests wait for their answers.
    pub fn wants_frames(&self) -> bool {
        match &self.state {
            State::Live(live) => live.outstanding() < UNANSWERED_REQUESTS,
            State::Login(login) => !login.is_busy(),
            State::Hello(_) => true,
            State::Closed => false,
        }
    }

    /// Takes one input and says what to do, in order.
    pub fn handle(&mut self, input: Input, now: Now) -> Vec<Output> {
        let mut out = Out::default();
        match input {
            Input::Frame(bytes) => self.frame(&bytes, now, &mut out),
            Input::Text => faults::NOT_BINARY.raise(&mut out),
            Input::TooLong => faults::TOO_LONG.raise(&mut out),
            Input::Goodbye(reason) => out.goodbye(reason),
            Input::Nodes(nodes) => self.nodes(nodes, &mut out),
            Input::Tick => self.tick(now, &mut out),
            Input::Device(found) => self.device(found, now, &mut out),
            Input::Answer { token, answer } => self.answer(token, answer, &mut out),
            Input::ReadAnswer { token, answer } => match &mut self.state {
                State::Live(live) => live.read_answer(token, answer, &mut out),
                State::Login(login) => login.claimed(answer, &mut out),
                _ => {}
            },
            Input::Meeting(met) => {
                if let State::Login(login) = &mut self.state {
                    login.met(met, now, &mut out);
                }
            }
            Input::Said(said) => self.said(said, now, &mut out),
            other => {
                if let State::Live(live) = &mut self.state {
                    live.delivered(other, &mut out);
                }
            }
        }
        if out.is_closing() {
            self.state = State::Closed;
        }
        out.into_outputs()
    }

    fn frame(&mut self, bytes: &Bytes, now: Now, out: &mut Out) {
        self.heard = now.steady;
        let frame = match codec::decode::<ClientFrame>(bytes) {
            Ok(ClientFrame::Ping(_)) => return out.frame(&RelayFrame::Pong(Ping {})),
            Ok(ClientFrame::Unknown(code)) => return faults::unknown_frame(code).raise(out),
            Ok(frame) => frame,
            Err(error) => return faults::malformed(&error).raise(out),
        };
        self.state = match (std::mem::replace(&mut self.state, State::Closed), frame) {
            (State::Hello(state), ClientFrame::Hello(hello)) => state.hello(&self.setup, hello, out),
            (State::Login(state), ClientFrame::Login(login)) => State::Login(state.login(login, out)),
            (State::Login(state), ClientFrame::Register(register)) => State::Login(state.register(register, out)),
            (State::Login(state), ClientFrame::Claim(claim)) => State::Login(state.claim(&claim, out)),
            (State::Login(state), ClientFrame::Recover(recover)) => State::Login(state.recover(recover, out)),
            (State::Login(state), ClientFrame::Meet(meet)) => State::Login(state.meet(meet, out)),
            (State::Live(mut live), frame) => {
                live.frame(&self.setup, frame, now, out);
                State::Live(live)
            }
            (state, frame) => {
                faults::out_of_state(frame.name()).raise(out);
                state
            }
        };
    }

    fn device(&mut self, found: Result<Option<Box<Found>>, Unreadable>, now: Now, out: &mut Out) {
        self.state = match std::mem::replace(&mut self.state, State::Closed) {
            State::Login(state) => state.device((&self.setup, &self.nodes), found, now, out),
            state => state,
        };
    }

    /// Who is logged in is told when it makes a difference to them (rule `NOD-1`).
    fn nodes(&mut self, nodes: Arc<Nodes>, out: &mut Out) {
        let before = std::mem::replace(&mut self.nodes, nodes);
        if let State::Live(live) = &self.state {
            let told = before.for_account(&live.account());
            let addresses = self.nodes.for_account(&live.account());
            if addresses != told {
                out.frame(&RelayFrame::Nodes(frame::Nodes { addresses }));
            }
        }
    }

    fn answer(&mut self, token: u64, answer: Answer, out: &mut Out) {
        match &mut self.state {
            State::Live(live) => live.answer(token, answer, out),
            State::Login(login) => login.stored(answer, out),
            _ => {}
        }
    }

    /// A guest whose meeting is over has as long to log in as one that just came (rule `MEE-4`).
    fn said(&mut self, said: Said, now: Now, out: &mut Out) {
        let left = match &mut self.state {
            State::Login(login) => said.body.is_empty() && login.leave(),
            State::Live(_) => false,
            _ => return,
        };
        if left {
            self.opened = now.steady;
        }
        out.frame(&RelayFrame::Met(Meet { meeting: said.meeting, body: said.body }));
    }

    /// When it must have logged in, if it has not.
    fn deadline(&self) -> Option<u64> {
        let (since, wait) = match &self.state {
            State::Live(_) => return None,
            State::Login(login) => login.guest_since().map_or((self.opened, LOGIN_MS), |since| (since, MEETING_MS)),
            _ => (self.opened, LOGIN_MS),
        };
        Some(since.saturating_add(wait))
    }

    fn tick(&mut self, now: Now, out: &mut Out) {
        if self.deadline().is_some_and(|deadline| now.steady >= deadline) {
            faults::TOO_SLOW.raise(out);
        } else if now.steady.saturating_sub(self.heard) >= SILENCE_MS {
            out.goodbye(GoodbyeReason::Silent);
        } else if let State::Live(live) = &mut self.state {
            live.tick(now, out);
        }
    }
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
