//! A session of a cluster: three partitions, each with a cursor, a head and a window of its own.

use super::*;
use crate::session::fixtures;
use aside_protocol::envelope::Envelope;
use aside_protocol::frame::{Ack, CaughtUp};

const LOG: LogId = LogId([8; 16]);

fn cursor(partition: u16, pos: u64) -> Cursor {
    Cursor { log: LOG, partition: PartitionId(partition), pos: Pos(pos) }
}

fn envelope(partition: u16, pos: u64) -> Envelope {
    fixtures::envelope(DEVICE, PartitionId(partition), pos)
}

fn delivered(partition: u16, pos: u64) -> Output {
    Output::Send(codec::encode(&RelayFrame::Deliver(envelope(partition, pos))))
}

fn caught_up(partition: u16, pos: u64) -> Output {
    Output::Send(codec::encode(&RelayFrame::CaughtUp(CaughtUp { partition: PartitionId(partition), pos: Pos(pos) })))
}

fn start(partition: u16, pos: u64) -> Output {
    Output::StartCatchUp(DEVICE, PartitionId(partition), Pos(pos))
}

fn acked(partition: u16, pos: u64) -> Output {
    Output::Ack(DEVICE, PartitionId(partition), Pos(pos))
}

impl Talk {
    /// Logged in where three partitions have 20, 5 and nothing, and attached at those heads.
    fn attached() -> Self {
        let mut talk = Self::live_in(&[(7, 20), (5, 5), (0, 0)]);
        talk.attach_at(&[cursor(0, 20), cursor(1, 5)]);
        talk
    }

    /// The same with nothing more to be read.
    fn settled() -> Self {
        let mut talk = Self::attached();
        for (partition, head) in [(0, 20), (1, 5), (2, 0)] {
            assert_eq!(talk.done(partition, head), [caught_up(partition, head)]);
        }
        talk
    }

    fn attach_at(&mut self, cursors: &[Cursor]) -> Vec<Output> {
        self.frame(&ClientFrame::Attach(Attach { cursors: cursors.to_vec() }))
    }

    fn page(&mut self, partition: u16, envelopes: Vec<Envelope>, done: Option<u64>) -> Vec<Output> {
        let page = Ok(Page { envelopes, done_up_to: done.map(Pos) });
        self.input(Input::Page { partition: PartitionId(partition), page })
    }

    fn done(&mut self, partition: u16, head: u64) -> Vec<Output> {
        self.page(partition, vec![], Some(head))
    }

    fn push(&mut self, partition: u16, pos: u64) -> Vec<Output> {
        let Output::Send(frame) = delivered(partition, pos) else { panic!("no frame") };
        self.input(Input::Push(Push { partition: PartitionId(partition), pos: Pos(pos), weight: 1, frame }))
    }

    fn ack(&mut self, partition: u16, pos: u64) -> Vec<Output> {
        self.frame(&ClientFrame::Ack(Ack { partition: PartitionId(partition), pos: Pos(pos) }))
    }
}

/// Partitions whose log is read next, in order.
fn wanted(outputs: &[Output]) -> Vec<u16> {
    let partition = |output: &Output| match output {
        Output::NextPage { partition, .. } => Some(partition.0),
        _ => None,
    };
    outputs.iter().filter_map(partition).collect()
}

#[test]
fn each_partition_begins_at_its_own_cursor() {
    let mut talk = Talk::live_in(&[(7, 20), (5, 5), (3, 9)]);
    // The middle one is ahead of its head, though not of the first one's; the last one is not named.
    let outputs = talk.attach_at(&[cursor(1, 6), cursor(0, 12), cursor(9, 1)]);
    assert_eq!(wanted(&outputs), [0, 1, 2]);
    let rest: Vec<_> = outputs.into_iter().filter(|output| !matches!(output, Output::NextPage { .. })).collect();
    assert_eq!(rest, [acked(0, 12), start(0, 12), start(1, 0), start(2, 0)]);
    assert_eq!(said(&talk.attach_at(&[])), ("FRM-3".to_owned(), false), "once");
}

#[test]
fn pages_and_pushes_of_one_partition_leave_the_others_alone() {
    let mut talk = Talk::attached();
    assert_eq!(talk.done(1, 5), [caught_up(1, 5)]);
    assert_eq!(talk.push(1, 6), [delivered(1, 6)], "live, while the others are read");
    assert_eq!(talk.push(2, 1), [], "left for the log, which is being read");
    assert_eq!(talk.push(0, 6), [], "the same position in another partition is another place");
    assert_eq!(talk.done(0, 20), [caught_up(0, 20)]);
    assert_eq!(wanted(&talk.page(2, vec![envelope(2, 1)], None)), [2]);
    assert_eq!(talk.push(0, 21), [delivered(0, 21)]);
    assert_eq!(talk.push(1, 6), [], "it was sent");
    assert_eq!(talk.done(2, 1), [], "it has said that it caught up");
    assert_eq!(talk.push(2, 2), [delivered(2, 2)]);
    assert_eq!(talk.push(3, 1), [], "nobody knows of such a partition");
}

#[test]
fn an_acknowledgement_counts_in_its_partition_alone() {
    let mut talk = Talk::settled();
    assert_eq!(talk.push(1, 6), [delivered(1, 6)]);
    for (partition, pos) in [(0, 21), (1, 7), (2, 6), (3, 0), (u16::MAX, 1)] {
        assert_eq!(said(&talk.ack(partition, pos)), ("WIN-2".to_owned(), false), "{pos} of {partition} was not sent");
    }
    assert_eq!(talk.ack(1, 6), [acked(1, 6)]);
    assert_eq!(talk.ack(1, 6), [], "it is known");
    talk.push(2, 1);
    assert_eq!(talk.ack(2, 1), [acked(2, 1)]);
}

/// The window of four counts in each partition.
#[test]
fn a_full_window_holds_up_its_own_partition_alone() {
    let mut talk = Talk::settled();
    for pos in 21..25 {
        assert_eq!(talk.push(0, pos), [delivered(0, pos)]);
    }
    assert_eq!(talk.push(0, 25), [], "no room");
    assert_eq!(talk.push(1, 6), [delivered(1, 6)]);
    assert_eq!(talk.ack(1, 6), [acked(1, 6)], "room there is no room here");
    let outputs = talk.ack(0, 22);
    assert_eq!((&outputs[..2], wanted(&outputs)), (&[start(0, 24), outputs[1].clone()][..], vec![0]));
    assert_eq!(outputs[2..], [acked(0, 22)]);
}

/// Which partitions' pushes were dropped nobody knows: each of them is read, unless it is being read anyway.
#[test]
fn who_lagged_reads_every_partition_again() {
    let mut talk = Talk::attached();
    talk.done(0, 20);
    talk.done(1, 5);
    talk.push(1, 6);
    let outputs = talk.input(Input::Lagged);
    assert_eq!(wanted(&outputs), [0, 1]);
    assert!(outputs.contains(&start(0, 20)) && outputs.contains(&start(1, 6)), "{outputs:?}");
    assert_eq!(wanted(&talk.done(2, 0)), [2], "what was dropped may lie behind that page");
    for (partition, head) in [(0, 20), (1, 6), (2, 0)] {
        assert_eq!(talk.done(partition, head), [], "it caught up before");
        assert_eq!(talk.push(partition, head + 1), [delivered(partition, head + 1)]);
    }
}

#[test]
fn what_could_not_be_read_is_tried_again_where_it_failed() {
    let mut talk = Talk::attached();
    talk.done(0, 20);
    let failed = Input::Page { partition: PartitionId(1), page: Err(Unreadable) };
    assert_eq!(talk.input(failed), []);
    assert_eq!(talk.push(1, 6), []);
    let outputs = talk.wait(1);
    assert_eq!((wanted(&outputs), &outputs[0]), (vec![1], &start(1, 5)));
}
