//! What the own devices tell each other: gathered, sent once, taken in any order.

use super::*;
use aside_protocol::content::{Decided, Drafted, Muted, ReadUpTo, Sync, SyncItem};
use aside_protocol::device_list::{DeviceEntry, VerifiedList};

/// The engine online, of an account with two devices.
fn with_two() -> Engine {
    let mut engine = connected();
    let own = engine.account();
    let save = |step: &mut crate::Step| {
        let account = step.tx.account(&own)?.unwrap();
        let mut list = account.list.list.clone();
        let key = DeviceKey::from_seed(&[9; 32]).public();
        list.devices.push(DeviceEntry { device: DeviceId([9; 16]), key, added: NOW });
        let list = VerifiedList { list, hash: account.list.hash };
        Ok(step.tx.save_account(&Account { list, ..account }, NOW)?)
    };
    engine.step(NOW, &mut Counting(0), save).unwrap();
    engine
}

fn own_chat(engine: &mut Engine) -> Vec<Sync> {
    let own = engine.account();
    let sent = engine.read(|tx| {
        let Some(chat) = tx.chat(&ChatId::direct(&own, &own))? else { return Ok(Vec::new()) };
        let waiting = tx.unsent_after(chat.row, 0, 99)?;
        Ok(waiting.into_iter().map(|outgoing| tx.sync_of(outgoing.message)).collect::<Result<Vec<_>, _>>()?)
    });
    let sent = sent.unwrap().into_iter().flatten();
    sent.map(|body| aside_protocol::decode(&body.0).unwrap()).collect()
}

fn mute(engine: &mut Engine, until: u64) {
    engine.step(NOW, &mut Counting(0), |step| step.mute(&chat(), Millis(until))).unwrap();
}

fn take_sync(engine: &mut Engine, items: Vec<SyncItem>) {
    engine.step(NOW, &mut Counting(0), |step| step.take_sync(&Sync { items })).unwrap();
}

#[test]
fn changes_gather_and_the_newest_is_told_once() {
    let mut engine = with_two();
    mute(&mut engine, 5);
    mute(&mut engine, 7);
    engine.tick(Millis(NOW.0 + 1_000), &mut Counting(0)).unwrap();
    assert!(own_chat(&mut engine).is_empty());
    engine.tick(Millis(NOW.0 + 3_000), &mut Counting(0)).unwrap();
    let told = [Sync { items: vec![SyncItem::Mute(Muted { chat: chat(), until: Millis(7) })] }];
    assert_eq!(own_chat(&mut engine), told);
    engine.tick(Millis(NOW.0 + 9_000), &mut Counting(90)).unwrap();
    assert_eq!(own_chat(&mut engine), told);
    // Nobody sees a chat for it.
    let listed = engine.read(|tx| Ok(tx.summaries(aside_store::summaries::Shown::WHOLE)?)).unwrap();
    assert!(listed.is_empty(), "{listed:?}");
}

#[test]
fn who_has_one_device_tells_nobody() {
    let mut engine = connected();
    mute(&mut engine, 5);
    engine.tick(Millis(NOW.0 + 9_000), &mut Counting(90)).unwrap();
    assert!(own_chat(&mut engine).is_empty());
}

#[test]
fn what_is_told_twice_or_late_takes_nothing_back() {
    let mut engine = with_two();
    let (root, other, _) = identity(2);
    engine
        .step(NOW, &mut Counting(0), |step| {
            step.tx.save_account(&Account { trust: Trust::Pending, ..other.clone() }, NOW)?;
            let mut chat = step.tx.direct_chat(&step.own_account()?.account, &other.account, NOW)?;
            chat.seq = Seq(9);
            Ok(step.tx.save_chat(&chat)?)
        })
        .unwrap();
    let read = |seq| SyncItem::Read(ReadUpTo { chat: chat(), seq: Seq(seq) });
    let decided = |trust, verified| {
        let name = other.name.to_string();
        SyncItem::Contact(Decided { root: root.public(), name, trust, verified: Millis(verified) })
    };
    let place = |engine: &mut Engine| engine.read(|tx| Ok(tx.chat(&chat())?.unwrap().read_place)).unwrap();
    take_sync(&mut engine, vec![read(5), decided(0, 50)]);
    assert_eq!(place(&mut engine), 5);
    take_sync(&mut engine, vec![read(3), decided(1, 0)]);
    assert_eq!(place(&mut engine), 5);
    let known =
        engine.read(|tx| Ok((tx.account(&other.account)?.unwrap().trust, tx.verified(&other.account)?))).unwrap();
    assert_eq!(known, (Trust::InUse, Some(Millis(50))));
    // Not past what is here.
    take_sync(&mut engine, vec![read(99)]);
    assert_eq!(place(&mut engine), 9);
    take_sync(&mut engine, vec![SyncItem::Draft(Drafted { chat: chat(), since: NOW }), SyncItem::Unknown(77)]);
    assert_eq!(engine.read(|tx| Ok(tx.drafted_elsewhere(&chat())?)).unwrap(), Some(NOW));
    take_sync(&mut engine, vec![SyncItem::Draft(Drafted { chat: chat(), since: Millis(0) })]);
    assert_eq!(engine.read(|tx| Ok(tx.drafted_elsewhere(&chat())?)).unwrap(), None);
}

#[test]
fn a_groups_draft_is_told_under_its_own_id_and_taken_back_when_it_is_sent() {
    let mut engine = with_two();
    let group = ChatId([8; 32]);
    let found = |step: &mut crate::Step| {
        let mut chat = step.tx.group_chat(&group, aside_protocol::group::ChatKind::Group, NOW)?;
        chat.title = "garden".into();
        step.tx.save_chat(&chat)?;
        step.save_draft(&AccountId(group.0), "begun")
    };
    engine.step(NOW, &mut Counting(0), found).unwrap();
    engine.tick(Millis(NOW.0 + 3_000), &mut Counting(0)).unwrap();
    let since = |at| [Sync { items: vec![SyncItem::Draft(Drafted { chat: group, since: Millis(at) })] }];
    assert_eq!(own_chat(&mut engine), since(NOW.0));
    let id = aside_protocol::MessageId([5; 16]);
    let send = |step: &mut crate::Step| step.send_written(&AccountId(group.0), id, "begun");
    let sent = engine.step(Millis(NOW.0 + 4_000), &mut Counting(0), send).unwrap().0;
    sent.unwrap();
    engine.tick(Millis(NOW.0 + 9_000), &mut Counting(90)).unwrap();
    assert_eq!(own_chat(&mut engine).last(), since(0).last());
}

fn read(seq: u64) -> SyncItem {
    SyncItem::Read(ReadUpTo { chat: chat(), seq: Seq(seq) })
}

/// Numbers of the chat, as they come; none can be read, but they count.
fn arrive(engine: &mut Engine, seqs: std::ops::RangeInclusive<u64>) {
    let frames = seqs.map(|seq| RelayFrame::Deliver(envelope(seq, seq, EnvelopeKind::Message))).collect();
    take(engine, frames);
}

fn read_place(engine: &mut Engine) -> u64 {
    engine.read(|tx| Ok(tx.chat(&chat())?.unwrap().read_place)).unwrap()
}

fn waiting(engine: &mut Engine) -> usize {
    engine.read(|tx| Ok(tx.reads_ahead()?.len())).unwrap()
}

/// Rule `SYN-3`.
#[test]
fn a_read_mark_that_comes_before_its_chat_waits_for_it() {
    let mut engine = with_two();
    // Not even the chat is known yet.
    take_sync(&mut engine, vec![read(4)]);
    // Nor is it all there when the queue is read, on another connection, long after.
    engine.disconnected();
    let later = Millis(NOW.0 + 86_400_000);
    engine.logged_in(&login(0, 9), later, &mut Counting(0)).unwrap();
    let first = (1..=2).map(|seq| RelayFrame::Deliver(envelope(seq, seq, EnvelopeKind::Message))).collect();
    engine.frames(first, later, &mut Counting(0)).unwrap();
    assert_eq!((read_place(&mut engine), waiting(&mut engine)), (2, 1));
    let rest = (3..=6).map(|seq| RelayFrame::Deliver(envelope(seq, seq, EnvelopeKind::Message)));
    let rest = rest.chain([RelayFrame::CaughtUp(CaughtUp { partition: PartitionId(0), pos: Pos(9) })]).collect();
    engine.frames(rest, later, &mut Counting(0)).unwrap();
    // What came after it is not read.
    assert_eq!((read_place(&mut engine), waiting(&mut engine)), (4, 0));
}

#[test]
fn a_read_mark_of_what_never_came_does_not_silence_what_comes_later() {
    let mut engine = with_two();
    arrive(&mut engine, 1..=2);
    take_sync(&mut engine, vec![read(99)]);
    arrive(&mut engine, 3..=3);
    engine.tick(Millis(NOW.0 + 59_999), &mut Counting(0)).unwrap();
    assert_eq!((read_place(&mut engine), waiting(&mut engine)), (3, 1));
    engine.tick(Millis(NOW.0 + 60_000), &mut Counting(0)).unwrap();
    arrive(&mut engine, 4..=9);
    assert_eq!((read_place(&mut engine), waiting(&mut engine)), (3, 0));
    // Nor does one of a log that is over.
    take_sync(&mut engine, vec![read(99)]);
    assert_eq!(waiting(&mut engine), 1);
    engine.logged_in(&LoginOk { log: LogId([6; 16]), ..login(0, 9) }, NOW, &mut Counting(0)).unwrap();
    assert_eq!(waiting(&mut engine), 0);
}
