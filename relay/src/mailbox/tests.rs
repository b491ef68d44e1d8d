#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use aside_protocol::Pos;
use aside_protocol::frame::GoodbyeReason;
use bytes::Bytes;
use futures_util::FutureExt;

fn push(pos: u64) -> Push {
    Push { partition: PartitionId(0), pos: Pos(pos), weight: 1, frame: Bytes::from_static(b"frame") }
}

/// What waits, as positions; `0` for a lag.
fn taken(mailbox: &Mailbox) -> Vec<u64> {
    let mut mail = VecDeque::new();
    mailbox.take(&mut mail);
    mail.into_iter()
        .map(|mail| match mail {
            Mail::Input(Input::Push(push)) => push.pos.0,
            Mail::Input(Input::Lagged) => 0,
            other => panic!("unexpected {other:?}"),
        })
        .collect()
}

#[test]
fn what_does_not_fit_is_dropped_until_the_session_has_heard_of_it() {
    let mailbox = Mailbox::new(2);
    let mut wakes = Wakes::default();
    (1..=5).for_each(|pos| mailbox.offer(push(pos), &mut wakes));
    assert_eq!(taken(&mailbox), [1, 2, 0]);
    (6..=7).for_each(|pos| mailbox.offer(push(pos), &mut wakes));
    assert_eq!(taken(&mailbox), [6, 7]);
}

#[test]
fn answers_are_not_counted_against_pushes() {
    let mailbox = Mailbox::new(1);
    let mut wakes = Wakes::default();
    for _ in 0..10 {
        mailbox.leave(Mail::Input(Input::Tick), &mut wakes);
    }
    mailbox.offer(push(1), &mut wakes);
    let mut mail = VecDeque::new();
    mailbox.take(&mut mail);
    assert_eq!(mail.len(), 11);
    assert!(matches!(mail.back(), Some(Mail::Input(Input::Push(_)))));
}

#[test]
fn a_batch_wakes_each_session_once_and_at_its_end() {
    let mailbox = Mailbox::new(4);
    let mut wakes = Wakes::default();
    (1..=3).for_each(|pos| mailbox.offer(push(pos), &mut wakes));
    assert_eq!(wakes.0.len(), 1);
    drop(wakes);
    let mut wakes = Wakes::default();
    mailbox.offer(push(4), &mut wakes);
    assert!(wakes.0.is_empty(), "the session was woken already and has not looked yet");
}

#[test]
fn waiting_ends_with_what_comes() {
    let mailbox = Mailbox::new(4);
    assert!(mailbox.arrived().now_or_never().is_none());
    mailbox.put(Mail::Input(Input::Goodbye(GoodbyeReason::Replaced)));
    assert!(mailbox.arrived().now_or_never().is_some());
    let mut mail = VecDeque::new();
    mailbox.take(&mut mail);
    assert!(mailbox.arrived().now_or_never().is_none());
}
