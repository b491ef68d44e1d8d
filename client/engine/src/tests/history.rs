//! A history from one device to another of the account, without a relay: made, stored, stored again.

use super::*;
use aside_protocol::content::{Chunk, History};
use aside_protocol::device_list::{DeviceEntry, VerifiedList};
use aside_protocol::group::ChatKind;
use aside_protocol::request::BlobRef;
use aside_protocol::{GroupNonce, RequestId};
use aside_store::exports::ExportState;
use aside_store::imports::ImportState;
use aside_store::messages::{Arrival, Message};
use aside_store::transfers::{Direction, Transfer};
use std::collections::BTreeMap;

const NEW: DeviceId = DeviceId([9; 16]);
/// More than a part holds.
const MANY: u64 = 4_500;

type Relay = BTreeMap<Hash, Vec<u8>>;

/// The old device, whose account has the new one, with a history.
fn old(messages: u64) -> Engine {
    let mut engine = connected();
    let own = engine.account();
    let fill = |step: &mut crate::Step| {
        let account = step.tx.account(&own)?.unwrap();
        let mut list = account.list.list.clone();
        list.devices.push(DeviceEntry { device: NEW, key: DeviceKey::from_seed(&[9; 32]).public(), added: NOW });
        let list = VerifiedList { list, hash: account.list.hash };
        step.tx.save_account(&Account { list, ..account }, NOW)?;
        write(step, messages)
    };
    engine.step(NOW, &mut Counting(0), fill).unwrap();
    engine
}

/// Every third message is an own one; half are in a group.
fn write(step: &mut crate::Step, messages: u64) -> crate::Result<()> {
    let (own, founder) = (step.own_account()?.account, peer());
    let mut direct = step.tx.direct_chat(&own, &peer(), NOW)?;
    let origin = aside_protocol::request::Origin { account: founder, nonce: GroupNonce([3; 16]) };
    let mut group = step.tx.group_chat(&ChatId::group(&founder, &origin.nonce), ChatKind::Group, NOW)?;
    (group.title, group.origin) = ("plans".into(), Some(origin));
    for number in 0..messages {
        let chat = if number % 2 == 0 { &mut direct } else { &mut group };
        chat.seq = chat.seq.next();
        let mine = number % 3 == 0;
        let mut id = [7; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        step.tx.insert_arrival(
            chat.row,
            &Arrival {
                author: if mine { own } else { founder },
                device: DeviceId([if mine { 1 } else { 2 }; 16]),
                id: MessageId(id),
                own: mine,
                seq: chat.seq,
                place: chat.place(chat.seq),
                text: &format!("text {number}"),
                sent_at: Millis(1_000 + number),
                relay_time: Millis(1_000 + number),
            },
        )?;
    }
    direct.read_place = direct.place(direct.seq);
    step.tx.save_chat(&direct)?;
    step.tx.save_chat(&group)?;
    Ok(())
}

fn uploads(engine: &mut Engine) -> Vec<Transfer> {
    let wanted = engine.read(|tx| Ok(tx.wanted_transfers(99)?)).unwrap();
    wanted.into_iter().filter(|transfer| transfer.direction == Direction::Up).collect()
}

/// Uploads all there is, until the new device was told; what it was told.
fn hand_over(engine: &mut Engine, relay: &mut Relay, since: Millis) -> History {
    // Of what was handed over before no random number comes again.
    let first = if relay.is_empty() { 0 } else { 100 };
    engine.step(NOW, &mut Counting(first), |step| step.offer_history(NEW, since)).unwrap();
    for turn in first.. {
        assert!(turn < first + 99, "it comes to no end");
        let Some(upload) = uploads(engine).into_iter().next() else { break };
        let id = upload.blob.id;
        let bytes = engine.read(|tx| Ok(tx.transfer_bytes(&id, Direction::Up)?)).unwrap().unwrap();
        assert_eq!(Hash::of(&bytes), id);
        relay.insert(id, bytes);
        engine.step(NOW, &mut Counting(turn), |step| step.blob_done(&id, Direction::Up, None)).unwrap();
    }
    told(engine)
}

fn told(engine: &mut Engine) -> History {
    let export = engine.read(|tx| Ok(tx.export(&NEW)?)).unwrap().unwrap();
    assert_eq!(export.state, ExportState::Told);
    let body = engine.read(|tx| Ok(tx.sync_of(export.told.unwrap())?)).unwrap().unwrap();
    let sync: aside_protocol::content::Sync = aside_protocol::decode(&body.0).unwrap();
    match &sync.items[..] {
        [aside_protocol::content::SyncItem::History(offer)] => offer.clone(),
        other => panic!("{other:?}"),
    }
}

/// The new device: the same account, another device id.
fn new() -> Engine {
    let mut engine = connected();
    engine.me.device = NEW;
    engine
}

fn offered(engine: &mut Engine, offer: &History) {
    engine.step(NOW, &mut Counting(0), |step| step.take_history(offer)).unwrap();
}

/// Fetches one blob, or learns that it is gone; `false` when nothing is wanted.
fn fetch_one(engine: &mut Engine, relay: &Relay) -> bool {
    let wanted = engine.read(|tx| Ok(tx.wanted_transfers(99)?)).unwrap();
    let Some(wanted) = wanted.into_iter().find(|transfer| transfer.direction == Direction::Down) else { return false };
    let id = wanted.blob.id;
    let took = |step: &mut crate::Step| match relay.get(&id) {
        Some(bytes) => step.blob_done(&id, Direction::Down, Some(bytes)),
        None => step.blob_failed(&id, Direction::Down, "gone"),
    };
    engine.step(NOW, &mut Counting(0), took).unwrap();
    true
}

fn fetch_all(engine: &mut Engine, relay: &Relay) {
    while fetch_one(engine, relay) {}
}

fn group() -> ChatId {
    ChatId::group(&peer(), &GroupNonce([3; 16]))
}

/// All messages of a chat in order.
fn shown(engine: &mut Engine, chat: &ChatId) -> Vec<Message> {
    let read = engine.read(|tx| {
        let row = tx.chat(chat)?.unwrap().row;
        let ids = tx.past_before(Millis(0), i64::MAX, u32::MAX)?.into_iter().filter(|past| past.chat == row);
        ids.map(|past| Ok(tx.message(past.row)?.unwrap())).collect::<crate::Result<Vec<_>>>()
    });
    let mut messages = read.unwrap();
    messages.sort_by_key(|message| message.place);
    messages
}

fn seen(message: &Message) -> (u64, String, bool, Option<AccountId>, Option<Millis>) {
    (message.place, message.text.clone(), message.own, message.author, message.relay_time)
}

fn same(one: &mut Engine, other: &mut Engine) {
    for chat in [chat(), group()] {
        let (one, other) = (shown(one, &chat), shown(other, &chat));
        assert_eq!(one.iter().map(seen).collect::<Vec<_>>(), other.iter().map(seen).collect::<Vec<_>>());
    }
}

#[test]
fn every_message_is_handed_over_once_and_stands_where_it_stood() {
    let (mut old, mut new, mut relay) = (old(MANY), new(), Relay::new());
    let offer = hand_over(&mut old, &mut relay, Millis(0));
    assert_eq!((offer.manifest.messages, relay.len()), (MANY, 4), "three parts and their list");
    assert!(uploads(&mut old).is_empty() && old.read(|tx| Ok(tx.export_parts(&NEW)?)).unwrap().is_empty());
    offered(&mut new, &offer);
    fetch_all(&mut new, &relay);
    same(&mut old, &mut new);
    let import = new.read(|tx| Ok(tx.imports()?)).unwrap().remove(0);
    assert_eq!((import.state, import.stored, import.missing), (ImportState::Done, MANY, 0));
    let plans = new.read(|tx| Ok(tx.chat(&group())?)).unwrap().unwrap();
    assert_eq!((plans.kind, plans.title.as_str(), plans.state), (ChatKind::Group, "plans", ChatState::AwaitingWelcome));
    let direct = new.read(|tx| Ok(tx.chat(&chat())?)).unwrap().unwrap();
    assert_eq!((direct.peer, direct.read_place), (peer(), MANY / 2));
    assert!(new.read(|tx| Ok(tx.unprinted(0, 9)?)).unwrap().is_empty(), "nothing of it is news");
    // Offered again, or by another transfer, it changes nothing.
    offered(&mut new, &offer);
    assert!(!fetch_one(&mut new, &relay));
    let again = hand_over(&mut old, &mut relay, Millis(0));
    offered(&mut new, &History { transfer: again.transfer, ..again });
    fetch_all(&mut new, &relay);
    same(&mut old, &mut new);
}

#[test]
fn only_what_was_chosen_is_handed_over() {
    let (mut old, mut new, mut relay) = (old(100), new(), Relay::new());
    let offer = hand_over(&mut old, &mut relay, Millis(1_090));
    assert_eq!(offer.manifest.messages, 10);
    offered(&mut new, &History { device: DeviceId([8; 16]), ..offer.clone() });
    assert!(!fetch_one(&mut new, &relay), "it is another device's");
    offered(&mut new, &offer);
    fetch_all(&mut new, &relay);
    let texts: Vec<_> = shown(&mut new, &chat()).into_iter().map(|message| message.text).collect();
    assert_eq!(texts, ["text 90", "text 92", "text 94", "text 96", "text 98"]);
}

#[test]
fn after_a_kill_both_go_on_where_they_were() {
    let (mut old, mut relay) = (old(MANY), Relay::new());
    old.step(NOW, &mut Counting(0), |step| step.offer_history(NEW, Millis(0))).unwrap();
    let mut turn = 0;
    loop {
        // Killed after each upload.
        old = again(old, DeviceId([1; 16]));
        let Some(upload) = uploads(&mut old).into_iter().next() else { break };
        let id = upload.blob.id;
        relay.insert(id, old.read(|tx| Ok(tx.transfer_bytes(&id, Direction::Up)?)).unwrap().unwrap());
        turn += 50;
        old.step(NOW, &mut Counting(turn), |step| step.blob_done(&id, Direction::Up, None)).unwrap();
    }
    let offer = told(&mut old);
    assert_eq!((offer.manifest.messages, relay.len()), (MANY, 4));
    let mut new = new();
    offered(&mut new, &offer);
    while fetch_one(&mut new, &relay) {
        new = again(new, NEW);
    }
    same(&mut old, &mut new);
}

/// The same database in a new process, online again.
fn again(engine: Engine, device: DeviceId) -> Engine {
    let mut engine = Engine::new(engine.into_store(), Config::default()).unwrap();
    engine.me.device = device;
    engine.logged_in(&login(0, 0), NOW, &mut Counting(0)).unwrap();
    let up = RelayFrame::CaughtUp(CaughtUp { partition: PartitionId(0), pos: Pos(0) });
    engine.frames(vec![up], NOW, &mut Counting(0)).unwrap();
    engine
}

#[test]
fn a_part_that_is_gone_or_damaged_is_missing_and_the_rest_counts() {
    let (mut old, mut new, mut relay) = (old(MANY), new(), Relay::new());
    let offer = hand_over(&mut old, &mut relay, Millis(0));
    let parts: Vec<Hash> = relay.keys().copied().filter(|id| *id != offer.manifest.blob.id).collect();
    relay.remove(&parts[0]);
    relay.get_mut(&parts[1]).unwrap()[100] ^= 1;
    offered(&mut new, &offer);
    fetch_all(&mut new, &relay);
    let import = new.read(|tx| Ok(tx.imports()?)).unwrap().remove(0);
    assert_eq!((import.state, import.stored + import.missing), (ImportState::Done, MANY));
    assert!(import.stored > 0 && import.missing > 0, "{import:?}");
}

#[test]
fn a_list_that_does_not_open_ends_it() {
    let mut new = new();
    let blob = BlobRef { id: Hash::of(b"nonsense"), size: 8 };
    let manifest = Chunk { blob, key: Body::from(vec![1; 32]), messages: 5 };
    offered(&mut new, &History { device: NEW, transfer: RequestId([1; 16]), manifest });
    fetch_all(&mut new, &Relay::from([(blob.id, b"nonsense".to_vec())]));
    let import = new.read(|tx| Ok(tx.imports()?)).unwrap().remove(0);
    assert!(import.state == ImportState::Failed && import.error.is_some(), "{import:?}");
}

#[test]
fn places_are_those_of_the_old_device_also_after_the_relay_began_anew() {
    let (mut old, mut new, mut relay) = (old(100), new(), Relay::new());
    // A message that both have: the 51st of the chat, the first of the present log.
    let id = MessageId([0x77; 16]);
    let both = |seq: u64, shift: u64| {
        move |step: &mut crate::Step| {
            let own = step.own_account()?.account;
            let mut chat = step.tx.direct_chat(&own, &peer(), NOW)?;
            (chat.shift, chat.seq, chat.read_place) = (shift, Seq(seq), shift + seq);
            step.tx.save_chat(&chat)?;
            let (device, place) = (DeviceId([2; 16]), shift + seq);
            let (sent_at, relay_time) = (NOW, NOW);
            let author = peer();
            let arrival =
                Arrival { author, device, id, own: false, seq: Seq(seq), place, text: "both", sent_at, relay_time };
            step.tx.insert_arrival(chat.row, &arrival).map(drop)?;
            Ok(step.tx.add_gap(chat.row, Gap { first: place + 1, last: place + 3, why: Why::Expired })?)
        }
    };
    old.step(NOW, &mut Counting(0), both(1, 50)).unwrap();
    new.step(NOW, &mut Counting(0), both(1, 0)).unwrap();
    let offer = hand_over(&mut old, &mut relay, Millis(0));
    offered(&mut new, &offer);
    fetch_all(&mut new, &relay);
    same(&mut old, &mut new);
    let (direct, gaps) = new
        .read(|tx| {
            let chat = tx.chat(&chat())?.unwrap();
            let gaps = tx.gaps(chat.row, 9)?;
            Ok((chat, gaps))
        })
        .unwrap();
    assert_eq!((direct.shift, direct.read_place, gaps[0].first), (50, 51, 52));
}

#[test]
fn a_device_that_is_gone_gets_nothing_more() {
    let mut old = old(MANY);
    old.step(NOW, &mut Counting(0), |step| step.offer_history(NEW, Millis(0))).unwrap();
    assert!(!uploads(&mut old).is_empty());
    let own = old.account();
    let gone = |step: &mut crate::Step| {
        let account = step.tx.account(&own)?.unwrap();
        let mut list = account.list.list.clone();
        list.devices.retain(|entry| entry.device != NEW);
        let list = VerifiedList { list, hash: account.list.hash };
        Ok(step.tx.save_account(&Account { list, ..account }, NOW)?)
    };
    old.step(NOW, &mut Counting(0), gone).unwrap();
    assert!(uploads(&mut old).is_empty());
    assert!(old.read(|tx| Ok(tx.export(&NEW)?)).unwrap().is_none());
}
