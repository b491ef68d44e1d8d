#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::collections::VecDeque;

const HOST: DeviceId = DeviceId([1; 16]);
const MEETING: MeetingId = MeetingId([7; 16]);

/// What a session would have got, in short.
#[derive(Debug, PartialEq, Eq)]
enum Got {
    Done,
    Refused(&'static str),
    Passed,
    Said(Vec<u8>),
}

struct Side {
    seat: Seat,
    mailbox: Arc<Mailbox>,
}

impl Side {
    fn new(meetings: &Arc<Meetings>) -> Self {
        let mailbox = Mailbox::new(1);
        Self { seat: Seat::new(meetings.clone(), mailbox.clone()), mailbox }
    }

    fn got(&self) -> Vec<Got> {
        let mut mail = VecDeque::new();
        self.mailbox.take(&mut mail);
        let short = |mail| match mail {
            Mail::Input(Input::Answer { answer: Answer::Refused(refusal), .. }) => Got::Refused(refusal.name()),
            Mail::Input(Input::Answer { .. }) => Got::Done,
            Mail::Input(Input::Meeting(Ok(()))) => Got::Passed,
            Mail::Input(Input::Meeting(Err(refusal))) => Got::Refused(refusal.name()),
            Mail::Input(Input::Said(said)) => Got::Said(said.body.to_vec()),
            other => panic!("{other:?}"),
        };
        mail.into_iter().map(short).collect()
    }

    fn open_as(&mut self, device: DeviceId, meeting: MeetingId, now: u64) -> Vec<Got> {
        self.seat.take(Talk::Open { token: 1, device, meeting }, now);
        self.got()
    }

    fn open(&mut self, now: u64) -> Vec<Got> {
        self.open_as(HOST, MEETING, now)
    }

    fn meet(&mut self, text: &[u8], now: u64) -> Vec<Got> {
        self.seat.take(Talk::Meet { meeting: MEETING, body: Body::from(text.to_vec()) }, now);
        self.got()
    }

    fn tell(&mut self, text: &[u8], now: u64) -> Vec<Got> {
        self.seat.take(Talk::Tell { token: 2, meeting: MEETING, body: Body::from(text.to_vec()) }, now);
        self.got()
    }
}

fn sides() -> (Side, Side, Side, Arc<Meetings>) {
    let meetings = Arc::default();
    let mut host = Side::new(&meetings);
    assert_eq!(host.open(0), [Got::Done]);
    (host, Side::new(&meetings), Side::new(&meetings), meetings)
}

fn gone() -> Vec<Got> {
    vec![Got::Said(vec![])]
}

#[test]
fn what_is_said_is_passed_on_both_ways() {
    let (mut host, mut guest, ..) = sides();
    assert_eq!(host.tell(b"nobody there", 1), [Got::Refused("NotFound")]);
    assert_eq!(guest.meet(b"hello", 1), [Got::Passed]);
    assert_eq!(host.got(), [Got::Said(b"hello".to_vec())]);
    assert_eq!(host.tell(b"welcome", 1), [Got::Done]);
    assert_eq!(guest.got(), [Got::Said(b"welcome".to_vec())]);
}

#[test]
fn the_first_guest_takes_it_and_the_next_one_comes_when_it_has_left() {
    let (mut host, mut first, mut second, _) = sides();
    first.meet(b"first", 1);
    assert_eq!(second.meet(b"second", 1), [Got::Refused("Busy")]);
    assert_eq!(host.got(), [Got::Said(b"first".to_vec())]);
    first.seat.take(Talk::Leave, 1);
    assert_eq!(host.got(), gone());
    assert_eq!(host.tell(b"who", 1), [Got::Refused("NotFound")]);
    assert_eq!(second.meet(b"second", 1), [Got::Passed]);
    drop(second);
    assert_eq!(host.got(), [Got::Said(b"second".to_vec()), Got::Said(vec![])]);
    assert_eq!(first.meet(b"again", 1), [Got::Passed]);
}

#[test]
fn it_ends_with_its_time_or_its_host() {
    let (mut host, mut guest, ..) = sides();
    guest.meet(b"hello", MEETING_MS - 1);
    host.got();
    host.seat.take(Talk::Tick, MEETING_MS - 1);
    assert_eq!((host.got(), guest.got()), (vec![], vec![]));
    assert_eq!(guest.meet(b"late", MEETING_MS), [Got::Refused("NotFound")]);
    assert_eq!(host.tell(b"late", MEETING_MS), [Got::Refused("NotFound")]);
    host.seat.take(Talk::Tick, MEETING_MS);
    assert_eq!((host.got(), guest.got()), (gone(), gone()));

    let (host, mut guest, ..) = sides();
    guest.meet(b"hello", 1);
    guest.got();
    drop(host);
    assert_eq!(guest.got(), gone());
    assert_eq!(guest.meet(b"hello", 1), [Got::Refused("NotFound")]);
}

#[test]
fn a_host_has_few_and_opens_one_twice_without_harm() {
    let (mut host, mut guest, _, meetings) = sides();
    guest.meet(b"hello", 1);
    host.got();
    assert_eq!(host.open(1), [Got::Done]);
    assert_eq!(host.tell(b"still here", 1), [Got::Done]);
    for number in 1..MEETINGS as u8 {
        assert_eq!(host.open_as(HOST, MeetingId([number; 16]), 1), [Got::Done]);
    }
    let fifth = MeetingId([99; 16]);
    assert_eq!(host.open_as(HOST, fifth, 1), [Got::Refused("TooLarge")]);
    assert_eq!(host.open_as(HOST, fifth, MEETING_MS), [Got::Said(vec![]), Got::Done], "the first one's time is over");
    let mut other = Side::new(&meetings);
    assert_eq!(other.open_as(DeviceId([2; 16]), fifth, MEETING_MS), [Got::Refused("Invalid")]);
}

#[test]
fn a_host_that_connected_anew_takes_its_meeting_over() {
    let (mut host, mut guest, _, meetings) = sides();
    guest.meet(b"hello", 1);
    host.got();
    let mut again = Side::new(&meetings);
    assert_eq!(again.open(2), [Got::Done]);
    assert_eq!((host.got(), guest.got()), (gone(), gone()));
    assert_eq!(host.tell(b"old", 2), [Got::Refused("NotFound")]);
    drop(host);
    assert_eq!(guest.meet(b"once more", 2), [Got::Passed]);
    assert_eq!(again.got(), [Got::Said(b"once more".to_vec())]);
}

#[test]
fn sizes_and_what_is_under_way_are_bounded() {
    let (mut host, mut guest, ..) = sides();
    assert_eq!(guest.meet(b"", 1), [Got::Refused("Invalid")]);
    assert_eq!(guest.meet(&vec![1; MAX_MEETING + 1], 1), [Got::Refused("TooLarge")]);
    for _ in 0..MEETING_WAITING {
        assert_eq!(guest.meet(&vec![1; MAX_MEETING], 1), [Got::Passed]);
    }
    assert_eq!(guest.meet(b"one more", 1), [Got::Refused("Busy")]);
    assert_eq!(host.got().len(), MEETING_WAITING);
    assert_eq!(guest.meet(b"one more", 1), [Got::Passed]);
    for _ in 0..MEETING_WAITING {
        host.seat.take(Talk::Tell { token: 2, meeting: MEETING, body: Body::from(vec![1]) }, 1);
    }
    host.got();
    assert_eq!(host.tell(b"one more", 1), [Got::Refused("Busy")]);
    assert_eq!(guest.got().len(), MEETING_WAITING);
    assert_eq!(host.tell(b"one more", 1), [Got::Done]);
}
