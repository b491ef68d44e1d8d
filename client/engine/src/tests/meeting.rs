//! The host's side of a meeting: opened again on each connection, bodies in both directions.

use super::*;
use crate::MeetingState;
use aside_protocol::MeetingId;
use aside_protocol::frame::Meet;
use aside_protocol::refusal::Refusal;
use aside_protocol::request::{Done, OpenMeeting, Tell};

const MEETING: MeetingId = MeetingId([8; 16]);

fn opened(asked: &[(u64, Request)]) -> Option<u64> {
    asked.iter().find_map(|(id, request)| match request {
        Request::OpenMeeting(OpenMeeting { meeting: MEETING }) => Some(*id),
        _ => None,
    })
}

fn open(engine: &mut Engine) -> Vec<(u64, Request)> {
    let open = |step: &mut crate::Step| {
        step.open_meeting(MEETING);
        Ok(())
    };
    requests(engine.step(NOW, &mut Counting(0), open).unwrap().1)
}

fn said(body: u8, meeting: MeetingId) -> RelayFrame {
    RelayFrame::Met(Meet { meeting, body: Body::from(vec![body]) })
}

#[test]
fn a_meeting_is_opened_on_each_connection_and_carries_what_is_said() {
    let mut engine = connected();
    let id = opened(&open(&mut engine)).unwrap();
    assert_eq!(engine.meeting(), Some(&MeetingState::Asked));
    take(&mut engine, vec![RelayFrame::Answer(Answered { id, answer: Answer::Done(Done::default()) })]);
    assert_eq!(engine.meeting(), Some(&MeetingState::Open));
    take(&mut engine, vec![said(1, MEETING), said(2, MeetingId([7; 16])), said(3, MEETING)]);
    assert_eq!(
        [engine.heard(), engine.heard(), engine.heard()],
        [Some(Body::from(vec![1])), Some(Body::from(vec![3])), None]
    );
    let tell = |step: &mut crate::Step| {
        step.tell_guest(Body::from(vec![4]));
        Ok(())
    };
    let told = requests(engine.step(NOW, &mut Counting(0), tell).unwrap().1);
    assert!(matches!(&told[..], [(_, Request::Tell(Tell { meeting: MEETING, body }))] if body[..] == [4]), "{told:?}");
    // A guest that is gone is nobody's fault.
    let gone = Answer::Refused(Refusal::NotFound(Default::default()));
    take(&mut engine, vec![RelayFrame::Answer(Answered { id: told[0].0, answer: gone })]);
    engine.disconnected();
    assert_eq!(engine.meeting(), Some(&MeetingState::Wanted));
    let again = requests(engine.logged_in(&login(0, 0), NOW, &mut Counting(0)).unwrap());
    assert!(opened(&again).is_some());
}

#[test]
fn a_refused_meeting_says_why_and_a_closed_one_hears_nothing() {
    let mut engine = connected();
    let id = opened(&open(&mut engine)).unwrap();
    let refusal = Refusal::Unsupported(Default::default());
    take(&mut engine, vec![RelayFrame::Answer(Answered { id, answer: Answer::Refused(refusal.clone()) })]);
    assert_eq!(engine.meeting(), Some(&MeetingState::Refused(refusal)));
    let close = |step: &mut crate::Step| {
        step.close_meeting();
        Ok(())
    };
    engine.step(NOW, &mut Counting(0), close).unwrap();
    take(&mut engine, vec![said(1, MEETING)]);
    assert_eq!(engine.meeting(), None);
    assert_eq!(engine.heard(), None);
}

#[test]
fn a_relay_cannot_fill_memory_with_what_a_guest_said() {
    let mut engine = connected();
    open(&mut engine);
    take(&mut engine, (0..100).map(|n| said(n, MEETING)).collect());
    let heard = std::iter::from_fn(|| engine.heard()).count();
    assert!((2..=32).contains(&heard), "{heard}");
}
