//! A relay of several partitions: cursors, windows and catching up count in each of them.

use super::*;
use aside_protocol::frame::{Ack, Attach};
use aside_protocol::limits::WINDOW_BYTES;
use aside_protocol::request::Send as Sending;
use aside_store::chats::Chat;

/// A login to a relay whose partitions are numbered from 0: for each, what was acknowledged, and its head.
pub(super) fn login_to(positions: &[(u64, u64)]) -> LoginOk {
    let position = |(partition, &(acked, head)): (usize, &(u64, u64))| Position {
        partition: PartitionId(partition as u16),
        acked: Pos(acked),
        head: Pos(head),
    };
    LoginOk { positions: positions.iter().enumerate().map(position).collect(), ..login(0, 0) }
}

pub(super) fn log_in(engine: &mut Engine, ok: &LoginOk) -> Vec<Effect> {
    engine.disconnected();
    engine.logged_in(ok, NOW, &mut Counting(0)).unwrap()
}

/// From where the login has each partition delivered, in the order of the partitions.
pub(super) fn attached(effects: &[Effect]) -> Vec<u64> {
    let attaches: Vec<&Attach> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send(ClientFrame::Attach(attach)) => Some(attach),
            _ => None,
        })
        .collect();
    let [attach] = attaches[..] else { panic!("{attaches:?}") };
    assert!(attach.cursors.iter().enumerate().all(|(at, cursor)| usize::from(cursor.partition.0) == at));
    attach.cursors.iter().map(|cursor| cursor.pos.0).collect()
}

fn acks(effects: &[Effect]) -> Vec<(u16, u64)> {
    let ack = |effect: &Effect| match effect {
        Effect::Send(ClientFrame::Ack(Ack { partition, pos })) => Some((partition.0, pos.0)),
        _ => None,
    };
    effects.iter().filter_map(ack).collect()
}

/// Something of a partition that says nothing.
pub(super) fn from(partition: u16, pos: u64) -> RelayFrame {
    let partition = PartitionId(partition);
    RelayFrame::Deliver(Envelope { partition, seq: None, n: None, ..envelope(pos, 1, EnvelopeKind::Other(99)) })
}

pub(super) fn read_up(partition: u16) -> RelayFrame {
    RelayFrame::CaughtUp(CaughtUp { partition: PartitionId(partition), pos: Pos(0) })
}

pub(super) fn frames(engine: &mut Engine, frames: Vec<RelayFrame>) -> Vec<Effect> {
    engine.frames(frames, NOW, &mut Counting(0)).unwrap()
}

pub(super) fn the_chat(engine: &mut Engine) -> Chat {
    engine.read(|tx| Ok(tx.chat(&chat())?.unwrap())).unwrap()
}

#[test]
fn the_most_partitions_there_may_be_are_attached_to() {
    let mut engine = engine();
    let positions: Vec<(u64, u64)> = (0..256).map(|pos| (pos, 2 * pos)).collect();
    assert_eq!(attached(&log_in(&mut engine, &login_to(&positions))), (0..256).collect::<Vec<_>>());
    frames(&mut engine, (0..255).map(read_up).collect());
    assert!(!engine.caught_up());
    frames(&mut engine, vec![read_up(255)]);
    assert!(engine.caught_up());
}

#[test]
fn nothing_is_sent_before_every_partition_is_read() {
    let mut live = super::missed::live();
    let ok = login_to(&[(2, 9), (2, 9), (2, 9)]);
    send(&mut live, 7, "hello").unwrap();
    let is_sent = |effects: Vec<Effect>| {
        requests(effects).iter().any(|(_, request)| matches!(request, Request::Send(Sending { .. })))
    };
    assert!(!is_sent(log_in(&mut live, &ok)));
    // The chat's own partition is not enough, nor one of which it was said already, nor one that the login did not name.
    for partition in [0, 2, 2, 9] {
        assert!(!is_sent(frames(&mut live, vec![read_up(partition)])));
        assert!(!live.caught_up());
    }
    assert!(!is_sent(live.tick(NOW, &mut Counting(0)).unwrap()));
    assert!(is_sent(frames(&mut live, vec![read_up(1)])));
    assert!(live.caught_up());
    // A new connection begins anew.
    log_in(&mut live, &ok);
    frames(&mut live, vec![read_up(1)]);
    assert!(!live.caught_up());
}

#[test]
fn what_is_confirmed_counts_as_lost_only_when_every_partition_is_read() {
    let mut engine = super::missed::live();
    let to = peer();
    let step = engine.step(NOW, &mut Counting(0), |step| step.send_text(&to, MessageId([7; 16]), "hello")).unwrap();
    let (id, _) = requests(step.1).into_iter().find(|(_, request)| matches!(request, Request::Send(_))).unwrap();
    let sent = aside_protocol::request::Sent { n: N(1), seq: Seq(2), time: NOW };
    frames(&mut engine, vec![RelayFrame::Answer(Answered { id, answer: Answer::Sent(sent) })]);
    log_in(&mut engine, &login_to(&[(2, 9), (2, 9), (2, 9)]));
    frames(&mut engine, vec![read_up(0), read_up(2)]);
    assert_eq!(the_chat(&mut engine).state, ChatState::Live);
    frames(&mut engine, vec![read_up(1)]);
    assert_eq!(the_chat(&mut engine).state, ChatState::Broken);
}

#[test]
fn each_partition_has_its_own_window() {
    let half = WINDOW_ENVELOPES as u64 / 2;
    let mut engine = engine();
    log_in(&mut engine, &login_to(&[(0, 0), (0, 0), (0, 0)]));
    let many = |partition, count| (1..=count).map(move |pos| from(partition, pos));
    // Together they are more than half a window, none of them alone.
    let below = many(0, half - 1).chain(many(1, half - 1)).chain(many(2, 5)).collect();
    assert_eq!(acks(&frames(&mut engine, below)), []);
    // One that is half full is acknowledged alone: the relay waits for none of the others yet.
    assert_eq!(acks(&frames(&mut engine, vec![from(1, half)])), [(1, half)]);
    assert_eq!(acks(&frames(&mut engine, vec![from(0, half)])), [(0, half)]);
    frames(&mut engine, vec![from(1, half + 1)]);
    assert_eq!(acks(&engine.tick(NOW, &mut Counting(0)).unwrap()), [(1, half + 1), (2, 5)]);
    assert_eq!(acks(&engine.tick(NOW, &mut Counting(0)).unwrap()), []);
    // Bytes count in the same way.
    let heavy = |partition, pos| {
        let RelayFrame::Deliver(light) = from(partition, pos) else { panic!() };
        RelayFrame::Deliver(Envelope { body: Some(Body::from(vec![1; WINDOW_BYTES / 4])), ..light })
    };
    assert_eq!(acks(&frames(&mut engine, vec![heavy(0, half + 1), heavy(2, 6)])), []);
    assert_eq!(acks(&frames(&mut engine, vec![heavy(2, 7)])), [(2, 7)]);
    assert_eq!(acks(&engine.last_acks()), [(0, half + 1)]);
}

#[test]
fn a_copy_does_not_take_an_acknowledgement_back() {
    let mut engine = engine();
    log_in(&mut engine, &login_to(&[(0, 0), (0, 0)]));
    frames(&mut engine, vec![from(1, 5), from(1, 3)]);
    assert_eq!(acks(&engine.tick(NOW, &mut Counting(0)).unwrap()), [(1, 5)]);
}
