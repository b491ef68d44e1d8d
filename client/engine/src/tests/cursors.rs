//! From where each partition's queue is read, and what it means when that does not fit (rule `GAP-4`).

use super::partitions::{attached, frames, from, log_in, login_to, read_up, the_chat};
use super::*;

/// The stored cursors of the first partitions.
fn stored(engine: &mut Engine) -> [Option<u64>; 3] {
    [0, 1, 2].map(|partition| {
        let cursor = engine.read(|tx| Ok(tx.cursor(PartitionId(partition))?)).unwrap();
        cursor.map(|pos| pos.0)
    })
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

/// What was numbered by the log that is over is numbered from its beginning, also where nobody is any more: somebody may
/// let this device in again.
#[test]
fn receipts_of_a_chat_that_was_left_are_asked_for_anew_in_a_new_log() {
    let mut engine = engine();
    log_in(&mut engine, &login(0, 9));
    enter_chat(&mut engine);
    let leave = |step: &mut crate::Step| {
        let mut chat = step.tx.chat(&chat())?.unwrap();
        chat.enter(ChatState::Left, NOW);
        chat.receipts_pos = Pos(8);
        Ok(step.tx.save_chat(&chat)?)
    };
    engine.step(NOW, &mut Counting(0), leave).unwrap();
    log_in(&mut engine, &LoginOk { log: LogId([6; 16]), ..login(0, 3) });
    let chat = the_chat(&mut engine);
    assert_eq!((chat.state, chat.receipts_pos), (ChatState::Left, Pos(0)));
}
