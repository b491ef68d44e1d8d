#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::super::backlog::{MOST_BATCH, MOST_WAITING, Waiting};
use super::*;
use crate::mailbox::Wakes;
use aside_protocol::request::{Answer, Done, Send};
use aside_protocol::{AccountId, Body, ChatId, Hash, N, Seq};
use aside_relay_core::By;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

fn send(n: u64, size: usize) -> Command {
    let by = By { device: DeviceId([1; 16]), account: AccountId([2; 32]) };
    let body = Body::from(vec![7; size]);
    Command::Send(by, Hash::of(&body), Send { chat: ChatId([3; 32]), n: N(n), base: Seq(1), body })
}

fn reply() -> (Reply, Receiver<Answer>) {
    let (sender, receiver) = channel();
    (Box::new(move |answer, _| sender.send(answer).unwrap()), receiver)
}

fn take(queue: &Queue) -> Vec<Waiting> {
    match queue.next(Instant::now()) {
        Work::Batch(batch) => batch.commands,
        _ => Vec::new(),
    }
}

#[test]
fn a_retry_joins_the_send_that_still_waits_and_both_are_answered() {
    let (queue, now) = (Queue::default(), Instant::now());
    let ((one, first), (two, second)) = (reply(), reply());
    assert!(queue.submit(send(1, 10), one, now).is_ok());
    assert!(queue.submit(send(1, 10), two, now).is_ok());
    let commands = take(&queue);
    assert_eq!(commands.len(), 1);
    for waiting in commands {
        waiting.replies.into_iter().for_each(|reply| reply(Answer::Done(Done::default()), &mut Wakes::default()));
    }
    assert!(first.try_recv().is_ok() && second.try_recv().is_ok());
    assert!(queue.submit(send(1, 10), reply().0, now).is_ok(), "once taken, it is a command of its own");
    assert_eq!(take(&queue).len(), 1);
}

#[test]
fn other_bytes_under_the_same_number_do_not_join() {
    let (queue, now) = (Queue::default(), Instant::now());
    assert!(queue.submit(send(1, 10), reply().0, now).is_ok());
    assert!(queue.submit(send(1, 11), reply().0, now).is_ok());
    assert_eq!(take(&queue).len(), 2);
}

#[test]
fn a_full_queue_gives_the_reply_back() {
    let (queue, now) = (Queue::default(), Instant::now());
    for n in 0..MOST_WAITING as u64 {
        assert!(queue.submit(send(n, 1), reply().0, now).is_ok());
    }
    assert!(queue.submit(send(9_999_999, 1), reply().0, now).is_err());
    assert_eq!(take(&queue).len(), MOST_BATCH);
    assert!(queue.submit(send(9_999_999, 1), reply().0, now).is_ok());
}

#[test]
fn batches_end_once_they_have_enough_bytes() {
    let (queue, now) = (Queue::default(), Instant::now());
    for n in 0..10 {
        assert!(queue.submit(send(n, 64 << 10), reply().0, now).is_ok());
    }
    assert_eq!(take(&queue).len(), 4);
    assert_eq!(take(&queue).len(), 4);
    assert_eq!(take(&queue).len(), 2);
}

#[test]
fn acks_wait_for_company_and_keep_the_highest() {
    let (queue, now) = (Queue::default(), Instant::now());
    let device = DeviceId([1; 16]);
    for pos in [3, 9, 5] {
        queue.ack(device, Pos(pos), now);
    }
    assert!(matches!(queue.next(Instant::now()), Work::Idle), "alone they wait");
    assert!(queue.submit(send(1, 1), reply().0, now).is_ok());
    match queue.next(Instant::now()) {
        Work::Batch(batch) => assert_eq!(batch.acks, BTreeMap::from([(device, Pos(9))])),
        _ => panic!("there is work"),
    }
}

#[test]
fn a_stopped_queue_is_emptied_first() {
    let (queue, now) = (Queue::default(), Instant::now());
    assert!(queue.submit(send(1, 1), reply().0, now).is_ok());
    queue.ack(DeviceId([1; 16]), Pos(1), now);
    queue.stop();
    assert!(queue.submit(send(2, 1), reply().0, now).is_err());
    assert_eq!(take(&queue).len(), 1);
    assert!(matches!(queue.next(now), Work::Stopped));
}

#[test]
fn what_waits_for_too_long_is_taken_out_and_a_retry_is_no_part_of_it_any_more() {
    let (mut backlog, start) = (Backlog::default(), Instant::now());
    for n in 1..=2 {
        assert!(backlog.submit(send(n, 10), reply().0, start + Duration::from_secs(n)).is_ok());
    }
    assert!(backlog.overdue(start + Duration::from_secs(10)).is_empty());
    assert_eq!(backlog.overdue(start + Duration::from_secs(11)).len(), 1);
    assert!(backlog.submit(send(1, 10), reply().0, start + Duration::from_secs(11)).is_ok());
    let Next::Batch(batch) = backlog.next(start + Duration::from_secs(11)) else { panic!("two wait") };
    assert_eq!(batch.commands.len(), 2);
}
