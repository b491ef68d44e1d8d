//! What happens next: events in the order of their virtual times.

use aside_protocol::DeviceId;
use aside_relay::session::{Query, Wanted};
use aside_relay_core::CatchUp;
use std::collections::BTreeMap;

/// A connection, numbered as they are made.
pub type Conn = u32;

/// Something due.
#[derive(Debug)]
pub enum Event {
    /// The next action of the plan.
    Act,
    /// A frame of a client, or its connection's end, reaches the relay.
    Up(Conn),
    /// A frame of the relay, or its connection's end, reaches the client.
    Down(Conn),
    /// The relay notices that a connection is gone.
    UpLost(Conn),
    /// The client notices that a connection is gone.
    DownLost(Conn),
    /// A session takes inputs.
    Session(Conn),
    /// Five seconds passed for a session.
    SessionTick(Conn),
    /// A reader answers.
    Read(Conn, Job),
    /// The writer looks for work. With the relay's life that it belongs to.
    Write(u32),
    /// The writer says what it committed.
    HandOut(u32),
    /// Retention runs.
    Retain(u32),
    /// The relay is started.
    RelayStart,
    /// A client takes frames that arrived.
    Take(usize),
    /// A second passed for a client. With its link that it belongs to.
    Tick(usize, u32),
    /// A client dials.
    Dial(usize, u32),
    /// A client has waited long enough for its login.
    LoginLate(usize, Conn),
    /// A client's process is started.
    ClientStart(usize),
}

/// What a session asked a reader for.
#[derive(Debug)]
pub enum Job {
    /// What a login needs to know.
    Device(DeviceId),
    /// The answer to a request.
    Answer(u64, DeviceId, Query),
    /// A page of a queue, with what was lent for it.
    Page(Wanted, Box<CatchUp>),
}

impl Event {
    /// Whether it comes by itself as time passes, rather than from something that happened.
    fn is_timer(&self) -> bool {
        matches!(self, Self::SessionTick(_) | Self::Retain(_) | Self::Tick(..) | Self::LoginLate(..))
    }
}

/// Everything due.
#[derive(Debug, Default)]
pub struct Agenda {
    due: BTreeMap<(u64, u64), Event>,
    serial: u64,
    busy: usize,
}

impl Agenda {
    /// Something is due at a time; among equal times, in the order of these calls.
    pub fn at(&mut self, time: u64, event: Event) {
        self.serial += 1;
        self.busy += usize::from(!event.is_timer());
        self.due.insert((time, self.serial), event);
    }

    /// The next event and its time.
    pub fn pop(&mut self) -> Option<(u64, Event)> {
        let ((time, _), event) = self.due.pop_first()?;
        self.busy -= usize::from(!event.is_timer());
        Some((time, event))
    }

    /// Whether nothing will happen but what time brings.
    pub fn is_quiet(&self) -> bool {
        self.busy == 0
    }
}
