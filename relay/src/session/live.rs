//! The last state: requests and their answers, attaching, acknowledging.

use super::deliveries::Deliveries;
use super::out::{Out, Output};
use super::{Input, Query, Setup, faults};
use crate::clock::Now;
use crate::meetings::Talk;
use aside_protocol::frame::{ClientFrame, Position};
use aside_protocol::limits::MEETING_MS;
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Answer, Commit, Request};
use aside_protocol::{AccountId, Hash, Refusal};
use aside_relay_core::{By, Command};
use std::collections::VecDeque;

/// A logged-in device.
pub(super) struct Live {
    by: By,
    deliveries: Deliveries,
    outstanding: usize,
    /// Questions that wait for the one under way: their answers may be large, and the client may not take them.
    questions: VecDeque<(u64, Query)>,
    asking: bool,
    /// When the last meeting it asked for ends, by the steady clock.
    meetings_until: Option<u64>,
}

impl Live {
    pub(super) fn new(by: By, positions: Vec<Position>, window: usize) -> Self {
        let (deliveries, questions) = (Deliveries::new(by.device, positions, window), VecDeque::new());
        Self { by, deliveries, outstanding: 0, questions, asking: false, meetings_until: None }
    }

    /// Whose device it is.
    pub(super) fn account(&self) -> AccountId {
        self.by.account
    }

    /// Requests without an answer yet.
    pub(super) fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// A frame of the client, except pings.
    pub(super) fn frame(&mut self, setup: &Setup, frame: ClientFrame, now: Now, out: &mut Out) {
        match frame {
            ClientFrame::Request(asked) => self.request(setup, asked.id, asked.request, now, out),
            ClientFrame::Attach(attach) if !self.deliveries.is_attached() => {
                self.deliveries.attach(&setup.log, &attach, out);
            }
            ClientFrame::Ack(ack) if self.deliveries.is_attached() => self.deliveries.ack(ack, out),
            other => faults::misplaced(other.name()).raise(out),
        }
    }

    /// Some time passed: what failed is tried again, meetings end.
    pub(super) fn tick(&mut self, now: Now, out: &mut Out) {
        if let Some(until) = self.meetings_until {
            self.meetings_until = Some(until).filter(|until| now.steady < *until);
            out.push(Output::Meeting(Talk::Tick));
        }
        self.delivered(Input::Tick, out);
    }

    /// Pages, pushes and their like.
    pub(super) fn delivered(&mut self, input: Input, out: &mut Out) {
        self.deliveries.delivered(input, out);
    }

    /// An answer from a reader; the next question is asked once this one is on its way to the client.
    pub(super) fn read_answer(&mut self, token: u64, answer: Answer, out: &mut Out) {
        self.asking = false;
        self.answer(token, answer, out);
        self.next_question(out);
    }

    /// An answer from the log.
    pub(super) fn answer(&mut self, token: u64, answer: Answer, out: &mut Out) {
        self.outstanding = self.outstanding.saturating_sub(1);
        out.answer(token, answer);
    }

    fn request(&mut self, setup: &Setup, id: u64, request: Request, now: Now, out: &mut Out) {
        let (by, device) = (self.by, self.by.device);
        let command = match request {
            Request::Lookup(query) => return self.read(id, Query::Lookup(query), out),
            Request::Range(query) => return self.read(id, Query::Range(query), out),
            Request::Routing(query) => return self.read(id, Query::Routing(query), out),
            Request::Chats(query) => return self.read(id, Query::Chats(query), out),
            Request::Receipts(query) => return self.read(id, Query::Receipts(query), out),
            Request::OpenMeeting(open) => {
                self.meetings_until = Some(now.steady.saturating_add(MEETING_MS));
                return self.talk(Talk::Open { token: id, device, meeting: open.meeting }, out);
            }
            Request::Tell(tell) => {
                return self.talk(Talk::Tell { token: id, meeting: tell.meeting, body: tell.body }, out);
            }
            Request::PutKeyPackages(request) => Command::PutKeyPackages(by, request),
            Request::FetchKeyPackages(request) => Command::FetchKeyPackages(by, request),
            Request::PutDeviceList(request) => Command::PutDeviceList(by, request),
            Request::Found(request) => Command::Found(by, Hash::of(&request.body), request),
            Request::Send(request) => Command::Send(by, Hash::of(&request.body), request),
            Request::Commit(request) => Command::Commit(by, commit_hash(&request), request),
            Request::Route(request) => Command::Route(by, request),
            Request::Receipt(request) => Command::Receipt(by, request),
            Request::Upload(request) => Command::ReserveBlob(by, request.blob, setup.blobs),
            Request::Rejoin(request) => Command::Rejoin(by, request),
            Request::Leave(request) => Command::Leave(by, request),
            Request::Join(request) => Command::Join(by, request),
            other => {
                tracing::debug!(?device, request = other.name(), "unsupported request");
                return out.answer(id, Answer::Refused(Refusal::Unsupported(Plain {})));
            }
        };
        self.outstanding += 1;
        out.push(Output::Submit { token: id, command: Box::new(command) });
    }

    fn talk(&mut self, talk: Talk, out: &mut Out) {
        self.outstanding += 1;
        out.push(Output::Meeting(talk));
    }

    fn read(&mut self, token: u64, query: Query, out: &mut Out) {
        self.outstanding += 1;
        self.questions.push_back((token, query));
        self.next_question(out);
    }

    fn next_question(&mut self, out: &mut Out) {
        if !self.asking
            && let Some((token, query)) = self.questions.pop_front()
        {
            self.asking = true;
            out.push(Output::Read { token, device: self.by.device, query });
        }
    }
}

/// Of a commit that is a blob, its id (rule `BLB-5`).
fn commit_hash(commit: &Commit) -> Hash {
    commit.blob.map_or_else(|| Hash::of(&commit.body), |blob| blob.id)
}
