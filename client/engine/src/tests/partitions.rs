//! A relay of several partitions: cursors, windows and catching up count in each of them.

use super::*;
use aside_protocol::frame::{Ack, Attach};
use aside_protocol::limits::WINDOW_BYTES;
use aside_protocol::request::Send as Sending;
use aside_store::chats::Chat;

/// A login to a relay whose partitions are numbered from 0: for each, what was acknowledged, and its head.
fn login_to(positions: &[(u64, u64)]) -> LoginOk {
    let position = |(partition, &(acked, head)): (usize, &(u64, u64))| Position {
        partition: PartitionId(partition as u16),
        acked: Pos(acked),
        head: Pos(head),
    };
    LoginOk { positions: positions.iter().enumerate().map(position).collect(), ..login(0, 0) }
}

fn log_in(engine: &mut Engine, ok: &LoginOk) -> Vec<Effect> {
    engine.disconnected();
    engine.logged_in(ok, NOW, &mut Counting(0)).unwrap()
}

/// From where the login has each partition delivered, in the order of the partitions.
fn attached(effects: &[Effect]) -> Vec<u64> {
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

/// The stored cursors of the first partitions.
fn stored(engine: &mut Engine) -> [Option<u64>; 3] {
    [0, 1, 2].map(|partition| {
        let cursor = engine.read(|tx| Ok(tx.cursor(PartitionId(partition))?)).unwrap();
        cursor.map(|pos| pos.0)
    })
}

/// Something of a partition that says nothing.
fn from(partition: u16, pos: u64) -> RelayFrame {
    let partition = PartitionId(partition);
    RelayFrame::Deliver(Envelope { partition, seq: None, n: None, ..envelope(pos, 1, EnvelopeKind::Other(99)) })
}

fn read_up(partition: u16) -> RelayFrame {
    RelayFrame::CaughtUp(CaughtUp { partition: PartitionId(partition), pos: Pos(0) })
}

fn frames(engine: &mut Engine, frames: Vec<RelayFrame>) -> Vec<Effect> {
    engine.frames(frames, NOW, &mut Counting(0)).unwrap()
}

/// A chat that this device is in, as far as its row says.
fn enter_chat(engine: &mut Engine) {
    let enter = |step: &mut crate::Step| {
        let mut chat = step.tx.direct_chat(&step.account, &peer(), NOW)?;
        chat.enter(ChatState::Live, NOW);
        chat.seq = Seq(3);
        Ok(step.tx.save_chat(&chat)?)
    };
    engine.step(NOW, &mut Counting(0), enter).unwrap();
}

fn the_chat(engine: &mut Engine) -> Chat {
    engine.read(|tx| Ok(tx.chat(&chat())?.unwrap())).unwrap()
}

#[test]
fn the_first_login_begins_in_each_partition_where_the_relay_says() {
    let mut engine = engine();
    let first = log_in(&mut engine, &login_to(&[(4, 9), (0, 7), (6, 6)]));
    assert_eq!(attached(&first), [4, 0, 6]);
    assert_eq!(stored(&mut engine), [Some(4), Some(0), Some(6)]);
    // Each goes on by itself.
    frames(&mut engine, vec![from(1, 7), from(2, 8)]);
    let again = log_in(&mut engine, &login_to(&[(4, 9), (0, 7), (6, 8)]));
    assert_eq!(attached(&again), [4, 7, 8]);
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

#[test]
fn a_relay_that_grew_is_read_on_from_where_its_one_partition_was_read() {
    let mut engine = engine();
    log_in(&mut engine, &login(0, 9));
    enter_chat(&mut engine);
    frames(&mut engine, vec![from(0, 7)]);
    let grown = login_to(&[(5, 9), (5, 9), (5, 6)]);
    // A transaction that fails after it leaves nothing of it.
    let failed = engine.step(NOW, &mut Counting(0), |step| {
        step.attach(&grown)?;
        Err::<(), _>(EngineError::Bug("the power went".into()))
    });
    assert!(failed.is_err());
    assert_eq!(stored(&mut engine), [Some(7), None, None]);
    // Never behind a partition's head.
    assert_eq!(attached(&log_in(&mut engine, &grown)), [7, 7, 6]);
    assert_eq!(stored(&mut engine), [Some(7), Some(7), Some(6)]);
    assert_eq!(the_chat(&mut engine).state, ChatState::Live);
    // From here on the first partition says nothing of the others, in another process neither.
    frames(&mut engine, vec![from(0, 40), from(2, 8)]);
    let mut engine = Engine::new(engine.store, Config::default()).unwrap();
    assert_eq!(attached(&log_in(&mut engine, &login_to(&[(40, 40), (7, 9), (6, 8)]))), [40, 7, 8]);
    assert_eq!((the_chat(&mut engine).state, the_chat(&mut engine).shift), (ChatState::Live, 0));
}

#[test]
fn a_partition_read_up_to_0_is_not_one_that_was_never_met() {
    let mut engine = engine();
    log_in(&mut engine, &login_to(&[(3, 9), (0, 0)]));
    assert_eq!(attached(&log_in(&mut engine, &login_to(&[(3, 9), (0, 9)]))), [3, 0]);
}

#[test]
fn a_copy_from_before_the_relay_grew_is_an_older_copy() {
    let mut engine = engine();
    log_in(&mut engine, &login(0, 9));
    enter_chat(&mut engine);
    log_in(&mut engine, &login_to(&[(0, 9), (2, 9)]));
    assert_eq!(the_chat(&mut engine).state, ChatState::Broken);
}

#[test]
fn one_partition_that_shows_an_older_copy_shows_it_of_all() {
    let mut engine = engine();
    log_in(&mut engine, &login_to(&[(0, 9), (0, 9), (0, 9)]));
    enter_chat(&mut engine);
    let effects = log_in(&mut engine, &login_to(&[(0, 9), (0, 9), (4, 9)]));
    assert_eq!(the_chat(&mut engine).state, ChatState::Broken);
    // The relay counts from what it was told.
    assert_eq!(attached(&effects), [0, 0, 0]);
}

#[test]
fn a_relay_that_lost_one_partition_begins_anew_in_all() {
    let mut engine = engine();
    log_in(&mut engine, &login_to(&[(0, 9), (0, 9), (0, 9)]));
    enter_chat(&mut engine);
    frames(&mut engine, vec![from(0, 8), from(1, 8), from(2, 8)]);
    let effects = log_in(&mut engine, &login_to(&[(8, 9), (0, 2), (6, 9)]));
    assert_eq!(attached(&effects), [8, 0, 6]);
    assert_eq!(stored(&mut engine), [Some(8), Some(0), Some(6)]);
    let chat = the_chat(&mut engine);
    assert_eq!((chat.state, chat.seq, chat.shift), (ChatState::Unfounded, Seq(0), 3));
    // In a partition that lost nothing what was had may come again, and numbers go on where they were: nothing stops.
    let old = Envelope { partition: PartitionId(2), ..envelope(7, 3, EnvelopeKind::Message) };
    let new = Envelope { partition: PartitionId(2), ..envelope(9, 4, EnvelopeKind::Message) };
    frames(&mut engine, vec![RelayFrame::Deliver(old), RelayFrame::Deliver(new), read_up(0), read_up(1), read_up(2)]);
    assert!(engine.caught_up());
    let chat = the_chat(&mut engine);
    assert_eq!((chat.seq, chat.place(chat.seq)), (Seq(4), 7));
    assert_eq!(gaps(&mut engine), [Gap { first: 6, last: 7, why: Why::Unreadable }]);
    // It is over with that.
    log_in(&mut engine, &login_to(&[(8, 9), (0, 2), (9, 9)]));
    assert_eq!(the_chat(&mut engine).shift, 3);
}

#[test]
fn a_partition_that_is_not_named_keeps_its_cursor_in_the_same_log_alone() {
    let mut engine = engine();
    log_in(&mut engine, &login_to(&[(1, 9), (2, 9), (3, 9)]));
    enter_chat(&mut engine);
    log_in(&mut engine, &login_to(&[(1, 9), (2, 9)]));
    assert_eq!(stored(&mut engine), [Some(1), Some(2), Some(3)]);
    assert_eq!(attached(&log_in(&mut engine, &login_to(&[(1, 9), (2, 9), (3, 9)]))), [1, 2, 3]);
    assert_eq!(the_chat(&mut engine).state, ChatState::Live);
    let other = LoginOk { log: LogId([6; 16]), ..login_to(&[(4, 9), (5, 9)]) };
    assert_eq!(attached(&log_in(&mut engine, &other)), [4, 5]);
    assert_eq!(stored(&mut engine), [Some(4), Some(5), None]);
    assert_eq!(the_chat(&mut engine).shift, 3);
}
