//! The host's side of a meeting with a device that is being linked: opened at the relay, bodies passed both ways (rules
//! `MEE-1` to `MEE-3`). What they say is known to who asked for the meeting; nothing of it is stored.

use crate::link::Pending;
use crate::step::Step;
use aside_protocol::frame::Meet;
use aside_protocol::refusal::Refusal;
use aside_protocol::request::{Answer, OpenMeeting, Request, Tell};
use aside_protocol::{Body, MeetingId};
use std::collections::VecDeque;

/// What a guest said and nobody has looked at; more is dropped, since a guest says two things.
const MOST_HEARD: usize = 16;

/// Where a meeting stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeetingState {
    /// To be opened as soon as there is a connection.
    Wanted,
    /// Asked for.
    Asked,
    /// A guest may come.
    Open,
    /// The relay does not want it.
    Refused(Refusal),
}

/// A meeting on this connection, and on the next one if this one breaks.
#[derive(Debug, Clone)]
pub(crate) struct Meeting {
    pub id: MeetingId,
    pub state: MeetingState,
    pub heard: VecDeque<Body>,
}

impl Meeting {
    /// The connection is gone, and the meeting with it; it is opened again on the next one.
    pub fn reset(&mut self) {
        if matches!(self.state, MeetingState::Asked | MeetingState::Open) {
            self.state = MeetingState::Wanted;
        }
    }
}

impl Step<'_> {
    /// Opens a meeting, now or as soon as there is a connection; an earlier one is forgotten.
    pub fn open_meeting(&mut self, id: MeetingId) {
        self.link.meeting = Some(Meeting { id, state: MeetingState::Wanted, heard: VecDeque::new() });
    }

    /// No guest is waited for any more.
    pub fn close_meeting(&mut self) {
        self.link.meeting = None;
    }

    /// Says something to the guest. Without a connection it is lost: the guest begins again.
    pub fn tell_guest(&mut self, body: Body) {
        if let Some(meeting) = self.link.meeting.as_ref().filter(|meeting| meeting.state == MeetingState::Open) {
            let request = Request::Tell(Tell { meeting: meeting.id, body });
            self.ask(request, Pending::Told);
        }
    }

    pub(crate) fn pump_meeting(&mut self) {
        if let Some(meeting) = self.link.meeting.as_mut().filter(|meeting| meeting.state == MeetingState::Wanted) {
            meeting.state = MeetingState::Asked;
            let id = meeting.id;
            self.ask(Request::OpenMeeting(OpenMeeting { meeting: id }), Pending::Meeting(id));
        }
    }

    pub(crate) fn meeting_answered(&mut self, id: MeetingId, answer: Answer) {
        if let Some(meeting) = self.link.meeting.as_mut().filter(|meeting| meeting.id == id) {
            meeting.state = match answer {
                Answer::Done(_) => MeetingState::Open,
                Answer::Refused(refusal) => MeetingState::Refused(refusal),
                _ => MeetingState::Refused(Refusal::Invalid(Default::default())),
            };
        }
    }

    /// The guest said something.
    pub(crate) fn guest_said(&mut self, said: Meet) {
        if let Some(meeting) = self.link.meeting.as_mut().filter(|meeting| meeting.id == said.meeting)
            && meeting.heard.len() < MOST_HEARD
        {
            meeting.heard.push_back(said.body);
            self.changed();
        }
    }
}
