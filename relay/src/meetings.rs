//! Meetings of a device with one that is not logged in: two mailboxes and what passes between them, in memory only (rules
//! `MEE-*`). Knows no clock and never blocks; the bodies mean nothing to it.

use crate::mailbox::{Mail, Mailbox};
use crate::session::Input;
use aside_protocol::limits::{MAX_MEETING, MEETING_MS, MEETING_WAITING, MEETINGS};
use aside_protocol::refusal::{Plain, RetryAfter, TooLarge};
use aside_protocol::request::{Answer, Done};
use aside_protocol::{Body, DeviceId, MeetingId, Refusal};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a guest waits for who finds another one there, or either side whose messages are not taken, in milliseconds.
const RETRY_AFTER_MS: u64 = 2_000;

/// What a session wants of its meetings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Talk {
    /// A device opens a meeting; answered with the token.
    Open {
        /// To come back with the answer.
        token: u64,
        /// Whose.
        device: DeviceId,
        /// Which.
        meeting: MeetingId,
    },
    /// It says something to the guest; answered with the token.
    Tell {
        /// To come back with the answer.
        token: u64,
        /// Which.
        meeting: MeetingId,
        /// What.
        body: Body,
    },
    /// A guest says something to the host; answered by [`Input::Meeting`].
    Meet {
        /// Which.
        meeting: MeetingId,
        /// What.
        body: Body,
    },
    /// The guest leaves.
    Leave,
    /// Time passed for a host.
    Tick,
}

/// Counts what one side said and the other has not taken: one more holder for each.
type Waiting = Arc<()>;

/// Something from the other side. An empty body says that the other side is gone.
#[derive(Debug)]
pub struct Said {
    /// Where.
    pub meeting: MeetingId,
    /// What.
    pub body: Body,
    _waiting: Option<Waiting>,
}

#[cfg(test)]
impl Said {
    /// As the other side's mailbox would have it.
    pub(crate) fn new(meeting: MeetingId, body: Body) -> Self {
        Self { meeting, body, _waiting: None }
    }
}

/// All meetings of a relay.
#[derive(Debug, Default)]
pub struct Meetings {
    open: Mutex<HashMap<MeetingId, Meeting>>,
}

#[derive(Debug)]
struct Meeting {
    device: DeviceId,
    host: Arc<Mailbox>,
    to_host: Waiting,
    /// By the steady clock.
    ends: u64,
    guest: Option<(Arc<Mailbox>, Waiting)>,
}

/// A connection's part in meetings. Dropping it ends those it is host of and leaves the one it is guest of.
#[derive(Debug)]
pub struct Seat {
    meetings: Arc<Meetings>,
    mailbox: Arc<Mailbox>,
    hosting: Vec<MeetingId>,
    guest: Option<MeetingId>,
}

impl Seat {
    /// In no meeting.
    pub fn new(meetings: Arc<Meetings>, mailbox: Arc<Mailbox>) -> Self {
        Self { meetings, mailbox, hosting: Vec::new(), guest: None }
    }

    /// Does what the session wants; answers come by its mailbox. `now` is the steady clock.
    pub fn take(&mut self, talk: Talk, now: u64) {
        match talk {
            Talk::Open { token, device, meeting } => {
                let opened = self.open(device, meeting, now);
                self.answer(token, opened);
            }
            Talk::Tell { token, meeting, body } => {
                let told = self.meetings.tell(&self.mailbox, meeting, body, now);
                self.answer(token, told);
            }
            Talk::Meet { meeting, body } => {
                let met = self.meet(meeting, body, now);
                self.mailbox.put(Mail::Input(Input::Meeting(met)));
            }
            Talk::Leave => self.leave(),
            Talk::Tick => self.end(now),
        }
    }

    fn answer(&self, token: u64, result: Result<(), Refusal>) {
        let answer = result.map_or_else(Answer::Refused, |()| Answer::Done(Done::default()));
        self.mailbox.put(Mail::Input(Input::Answer { token, answer }));
    }

    fn open(&mut self, device: DeviceId, meeting: MeetingId, now: u64) -> Result<(), Refusal> {
        self.end(now);
        if self.hosting.contains(&meeting) {
            return Ok(());
        }
        if self.hosting.len() >= MEETINGS {
            return Err(Refusal::TooLarge(TooLarge { limit: MEETINGS as u64 }));
        }
        self.meetings.open(&self.mailbox, device, meeting, now)?;
        self.hosting.push(meeting);
        Ok(())
    }

    /// The first message of a guest takes the meeting; it leaves another one for it.
    fn meet(&mut self, meeting: MeetingId, body: Body, now: u64) -> Result<(), Refusal> {
        if self.guest.is_some_and(|other| other != meeting) {
            self.leave();
        }
        self.meetings.meet(&self.mailbox, meeting, body, now)?;
        self.guest = Some(meeting);
        Ok(())
    }

    fn leave(&mut self) {
        if let Some(meeting) = self.guest.take() {
            self.meetings.leave(&self.mailbox, meeting);
        }
    }

    /// Ends the meetings whose time is over.
    fn end(&mut self, now: u64) {
        let (meetings, mailbox) = (&self.meetings, &self.mailbox);
        self.hosting.retain(|meeting| !meetings.end(mailbox, *meeting, Some(now)));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
        for meeting in &self.hosting {
            self.meetings.end(&self.mailbox, *meeting, None);
        }
    }
}

impl Meetings {
    /// A device that connected anew takes its meeting over; its guest has to come again.
    fn open(&self, host: &Arc<Mailbox>, device: DeviceId, meeting: MeetingId, now: u64) -> Result<(), Refusal> {
        let mut open = self.lock();
        if open.get(&meeting).is_some_and(|other| other.device != device) {
            return Err(Refusal::Invalid(Plain {}));
        }
        let (host, to_host) = (host.clone(), Waiting::default());
        let ends = now.saturating_add(MEETING_MS);
        if let Some(older) = open.insert(meeting, Meeting { device, host, to_host, ends, guest: None }) {
            older.dismiss(meeting);
        }
        Ok(())
    }

    fn tell(&self, host: &Arc<Mailbox>, meeting: MeetingId, body: Body, now: u64) -> Result<(), Refusal> {
        fits(&body)?;
        let open = self.lock();
        let ours = open.get(&meeting).filter(|found| Arc::ptr_eq(&found.host, host) && now < found.ends);
        match ours.and_then(|found| found.guest.as_ref()) {
            Some((guest, waiting)) => pass(guest, waiting, meeting, body),
            None => Err(Refusal::NotFound(Plain {})),
        }
    }

    fn meet(&self, guest: &Arc<Mailbox>, meeting: MeetingId, body: Body, now: u64) -> Result<(), Refusal> {
        fits(&body)?;
        let mut open = self.lock();
        let Some(found) = open.get_mut(&meeting).filter(|found| now < found.ends) else {
            return Err(Refusal::NotFound(Plain {}));
        };
        if found.guest.as_ref().is_some_and(|(other, _)| !Arc::ptr_eq(other, guest)) {
            return Err(busy());
        }
        pass(&found.host, &found.to_host, meeting, body)?;
        found.guest.get_or_insert_with(|| (guest.clone(), Waiting::default()));
        Ok(())
    }

    fn leave(&self, guest: &Arc<Mailbox>, meeting: MeetingId) {
        let mut open = self.lock();
        if let Some(found) = open.get_mut(&meeting)
            && found.guest.take_if(|(other, _)| Arc::ptr_eq(other, guest)).is_some()
        {
            say_gone(&found.host, meeting);
        }
    }

    /// Ends a host's meeting, if its time is over or there is no time. Says whether it is gone.
    fn end(&self, host: &Arc<Mailbox>, meeting: MeetingId, now: Option<u64>) -> bool {
        let mut open = self.lock();
        match open.get(&meeting) {
            Some(found) if !Arc::ptr_eq(&found.host, host) => true,
            Some(found) if now.is_some_and(|now| now < found.ends) => false,
            _ => {
                if let Some(found) = open.remove(&meeting) {
                    found.dismiss(meeting);
                }
                true
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<MeetingId, Meeting>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Meeting {
    /// Tells both sides that there is nobody any more.
    fn dismiss(self, meeting: MeetingId) {
        if let Some((guest, _)) = self.guest {
            say_gone(&guest, meeting);
            say_gone(&self.host, meeting);
        }
    }
}

fn fits(body: &Body) -> Result<(), Refusal> {
    match body.len() {
        0 => Err(Refusal::Invalid(Plain {})),
        1..=MAX_MEETING => Ok(()),
        _ => Err(Refusal::TooLarge(TooLarge { limit: MAX_MEETING as u64 })),
    }
}

fn pass(to: &Mailbox, waiting: &Waiting, meeting: MeetingId, body: Body) -> Result<(), Refusal> {
    if Arc::strong_count(waiting) > MEETING_WAITING {
        return Err(busy());
    }
    to.put(Mail::Input(Input::Said(Said { meeting, body, _waiting: Some(waiting.clone()) })));
    Ok(())
}

fn say_gone(to: &Mailbox, meeting: MeetingId) {
    to.put(Mail::Input(Input::Said(Said { meeting, body: Body::default(), _waiting: None })));
}

fn busy() -> Refusal {
    Refusal::Busy(RetryAfter { retry_after_ms: RETRY_AFTER_MS })
}

#[cfg(test)]
mod tests;
