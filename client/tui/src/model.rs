//! Everything the screen is drawn from. Changed by [`crate::update`] alone.

pub mod composer;
pub mod conversation;
pub mod desk;
pub mod overlay;
pub mod rows;

pub use composer::Composer;
pub use conversation::{Anchor, Conversation};
pub use desk::{Desk, Focus};
pub use overlay::Overlay;

use crate::closed::Closed;
use crate::data::Link;
use crate::data::devices::Moving;
use crate::setup::Setup;
use aside_protocol::Millis;
use jiff::tz::TimeZone;

/// How long a sentence stays in the status line, in ms.
pub const NOTE_STAYS: u64 = 6_000;
/// Within this time, in ms, a second Ctrl-C leaves.
pub const TWICE: u64 = 3_000;

/// The whole state.
#[derive(Debug)]
pub struct Model {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Whether the terminal has the focus. One that never says so counts as having it.
    pub focused: bool,
    /// The time, as of the last tick.
    pub now: Millis,
    /// Where the user is.
    pub zone: TimeZone,
    /// Whether colours are used; `NO_COLOR` turns them off.
    pub colours: bool,
    /// How things stand with the relay.
    pub link: Link,
    /// History on its way between own devices.
    pub moving: Option<Moving>,
    /// A sentence for the status line, and until when.
    pub note: Option<(String, Millis)>,
    /// Until when another Ctrl-C leaves.
    pub leaving: Option<Millis>,
    /// Something could not be read or stored, so that with the next tick everything is read and stored again.
    pub doubt: bool,
    /// What is shown.
    pub stage: Stage,
}

/// What the screen is about.
#[derive(Debug)]
pub enum Stage {
    /// The profile is being opened.
    Opening,
    /// The first run.
    Setup(Box<Setup>),
    /// Nothing can be done with this profile now.
    Closed(Closed),
    /// Chats.
    Desk(Box<Desk>),
}

impl Model {
    /// At the start: `now` and `zone` are the user's, `colours` says whether any are wanted.
    pub fn new(size: (u16, u16), now: Millis, zone: TimeZone, colours: bool) -> Self {
        Self {
            size,
            focused: true,
            now,
            zone,
            colours,
            link: Link::Connecting,
            moving: None,
            note: None,
            leaving: None,
            doubt: false,
            stage: Stage::Opening,
        }
    }

    /// Says something in the status line for a while.
    pub fn say(&mut self, sentence: impl Into<String>) {
        self.note = Some((sentence.into(), Millis(self.now.0.saturating_add(NOTE_STAYS))));
    }

    /// The chats, if they are what is shown.
    pub fn desk(&self) -> Option<&Desk> {
        match &self.stage {
            Stage::Desk(desk) => Some(desk),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn desk_mut(&mut self) -> Option<&mut Desk> {
        match &mut self.stage {
            Stage::Desk(desk) => Some(desk),
            _ => None,
        }
    }

    /// The open conversation.
    pub fn open_mut(&mut self) -> Option<&mut Conversation> {
        self.desk_mut().and_then(|desk| desk.open.as_mut())
    }
}
