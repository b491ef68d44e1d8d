//! One connection between a client and the relay: two reliable, ordered streams of frames, until it breaks.

use super::agenda::Conn;
use super::dice::Dice;
use super::session::Desk;
use bytes::Bytes;
use std::collections::VecDeque;

/// One direction. What is sent arrives in order and whole, or not at all.
#[derive(Debug, Default)]
pub struct Pipe {
    /// On their way; `None` is the stream's end.
    pub frames: VecDeque<Option<Bytes>>,
    /// When the last of them arrives.
    pub last: u64,
    /// Nothing arrives any more, and nobody was told.
    pub dead: bool,
}

/// A connection.
pub struct Connection {
    /// Whose.
    pub client: usize,
    /// To the relay.
    pub up: Pipe,
    /// To the client.
    pub down: Pipe,
    /// What the client sent arrives no sooner than this.
    pub late_until: u64,
    /// The relay's end, while it is open.
    pub desk: Option<Desk>,
    /// Whether the client's end is open.
    pub held: bool,
    /// Delays.
    pub dice: Dice,
}

impl Connection {
    /// An open connection.
    pub fn new(client: usize, desk: Desk, seed: u64, number: Conn) -> Self {
        Self {
            client,
            up: Pipe::default(),
            down: Pipe::default(),
            late_until: 0,
            desk: Some(desk),
            held: true,
            dice: Dice::new(seed, &[2, client as u64, u64::from(number)]),
        }
    }

    /// Both ends are open and everything arrives.
    pub fn is_whole(&self) -> bool {
        self.desk.is_some() && self.held && !self.up.dead && !self.down.dead
    }

    /// Nobody holds an end of it.
    pub fn is_over(&self) -> bool {
        self.desk.is_none() && !self.held
    }
}

impl Pipe {
    /// Something is sent; says when it arrives.
    pub fn send(&mut self, frame: Option<Bytes>, earliest: u64) -> u64 {
        self.frames.push_back(frame);
        self.last = self.last.max(earliest);
        self.last
    }
}
