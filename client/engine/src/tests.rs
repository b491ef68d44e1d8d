#![allow(clippy::unwrap_used)]
//! The engine alone, with frames made by hand: what it stores, what it asks, what it refuses.
//!
//! Whole conversations, with real MLS on both sides and a relay core between them, are in the workspace's `tests/`.

mod batches;
mod cursors;
mod devices;
mod groups;
mod history;
mod meeting;
mod missed;
mod partitions;
mod sync;
mod writing;

use crate::{Config, Contact, Effect, Engine, EngineError, Random, Refused};
use aside_crypto::lists::first_list;
use aside_crypto::{DeviceKey, RootKey};
use aside_protocol::device_list::verify_next;
use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_protocol::frame::{Answered, CaughtUp, ClientFrame, LoginOk, Position, RelayFrame};
use aside_protocol::limits::{MAX_TEXT, WINDOW_ENVELOPES};
use aside_protocol::login::Mode;
use aside_protocol::request::{Account as Record, Answer, Envelopes, Request};
use aside_protocol::{
    AccountId, Body, ChatId, DeviceId, Hash, LogId, MessageId, Millis, N, Name, PartitionId, Pos, PublicKey, Seq,
};
use aside_store::accounts::{Account, Trust};
use aside_store::chats::ChatState;
use aside_store::gaps::{Gap, Why};
use aside_store::profile::{Profile, RelayPlace};
use aside_store::{Store, StoreError};
use zeroize::Zeroizing;

const NOW: Millis = Millis(1_795_000_000_000);
const LOG: LogId = LogId([5; 16]);

struct Counting(u8);

impl Random for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| {
            self.0 = self.0.wrapping_add(1);
            self.0
        });
    }
}

fn identity(number: u8) -> (RootKey, Account, Body) {
    let root = RootKey::from_entropy(&[number; 32]);
    let key = DeviceKey::from_seed(&[number; 32]).public();
    let bytes = first_list(&root, DeviceId([number; 16]), key, NOW);
    let list = verify_next(&root.public(), None, &bytes).unwrap();
    let name = Name::new(format!("peer{number}")).unwrap();
    let account = Account { account: root.account(), name, root: root.public(), list, trust: Trust::InUse };
    (root, account, bytes)
}

fn engine() -> Engine {
    let (root, own, list) = identity(1);
    let profile = Profile {
        account: root.account(),
        name: own.name.clone(),
        root: root.public(),
        device: DeviceId([1; 16]),
        seed: Zeroizing::new([1; 32]),
        list,
        list_version: 1,
        list_hash: own.list.hash,
        relay: RelayPlace { addresses: vec!["relay:1".into()], pin: Hash([0; 32]), mode: Mode::Direct },
        registering: None,
        log: None,
        last_resort: Millis(0),
        created: NOW,
    };
    let mut store = Store::in_memory().unwrap();
    store
        .transact::<_, StoreError>(|tx| {
            tx.begin_profile(&profile)?;
            tx.confirm_profile()?;
            tx.save_account(&own, NOW)
        })
        .unwrap();
    Engine::new(store, Config::default()).unwrap()
}

fn peer() -> AccountId {
    identity(2).1.account
}

fn chat() -> ChatId {
    ChatId::direct(&identity(1).1.account, &peer())
}

fn login(acked: u64, head: u64) -> LoginOk {
    let position = Position { partition: PartitionId(0), acked: Pos(acked), head: Pos(head) };
    let name = Name::new("peer1").unwrap();
    LoginOk {
        account: identity(1).1.account,
        name,
        log: LOG,
        positions: vec![position],
        key_packages: Vec::new(),
        time: NOW,
        addresses: Vec::new(),
    }
}

fn requests(effects: Vec<Effect>) -> Vec<(u64, Request)> {
    let frames = effects.into_iter().filter_map(|effect| match effect {
        Effect::Send(ClientFrame::Request(asked)) => Some((asked.id, asked.request)),
        _ => None,
    });
    frames.collect()
}

fn envelope(pos: u64, seq: u64, kind: EnvelopeKind) -> Envelope {
    Envelope {
        partition: PartitionId(0),
        pos: Pos(pos),
        kind,
        chat: chat(),
        from: DeviceId([2; 16]),
        account: peer(),
        time: NOW,
        seq: Some(Seq(seq)),
        n: Some(N(seq)),
        base: Some(Seq(0)),
        incarnation: None,
        hash: Some(Hash([0; 32])),
        body: Some(Body::from(vec![1, 2, 3])),
        blob: None,
        routing: None,
    }
}

fn take(engine: &mut Engine, frames: Vec<RelayFrame>) -> Vec<(u64, Request)> {
    requests(engine.frames(frames, NOW, &mut Counting(0)).unwrap())
}

fn connected() -> Engine {
    let mut engine = engine();
    engine.logged_in(&login(0, 0), NOW, &mut Counting(0)).unwrap();
    take(&mut engine, vec![RelayFrame::CaughtUp(CaughtUp { partition: PartitionId(0), pos: Pos(0) })]);
    engine
}

fn gaps(engine: &mut Engine) -> Vec<Gap> {
    engine.read(|tx| Ok(tx.gaps(tx.chat(&chat())?.unwrap().row, 9)?)).unwrap()
}

fn send(engine: &mut Engine, id: u8, text: &str) -> Result<crate::Accepted, Refused> {
    let to = peer();
    engine.step(NOW, &mut Counting(0), |step| step.send_text(&to, MessageId([id; 16]), text)).unwrap().0
}

#[test]
fn a_message_is_stored_before_anybody_is_asked_and_once_per_id() {
    let mut engine = engine();
    let first = send(&mut engine, 7, "hello").unwrap();
    let again = send(&mut engine, 7, "another text").unwrap();
    assert_eq!((first.row, first.repeated, again.repeated), (again.row, false, true));
    let stored = engine.read(|tx| Ok(tx.message(first.row)?)).unwrap().unwrap();
    assert_eq!((stored.text.as_str(), stored.status.word()), ("hello", "pending"));
}

#[test]
fn what_cannot_be_sent_is_refused_at_once() {
    let mut engine = engine();
    assert_eq!(send(&mut engine, 1, "").unwrap_err(), Refused::Empty);
    let long = "x".repeat(MAX_TEXT + 1);
    assert_eq!(send(&mut engine, 2, &long).unwrap_err(), Refused::TooLong(MAX_TEXT + 1));
    let me = engine.account();
    let own = engine.step(NOW, &mut Counting(0), |step| step.send_text(&me, MessageId([3; 16]), "me")).unwrap().0;
    assert!(own.is_ok(), "the chat with oneself is a chat");
}

#[test]
fn nothing_is_encrypted_or_founded_before_the_queue_is_read() {
    let mut engine = engine();
    send(&mut engine, 1, "hello").unwrap();
    let before = requests(engine.logged_in(&login(0, 0), NOW, &mut Counting(0)).unwrap());
    assert!(before.iter().all(|(_, request)| matches!(request, Request::PutKeyPackages(_))), "{before:?}");
    let after = take(&mut engine, vec![RelayFrame::CaughtUp(CaughtUp { partition: PartitionId(0), pos: Pos(0) })]);
    assert!(after.iter().any(|(_, request)| matches!(request, Request::Lookup(_))), "{after:?}");
}

#[test]
fn a_copy_of_an_envelope_changes_nothing() {
    let mut engine = connected();
    let unknown = RelayFrame::Deliver(envelope(1, 1, EnvelopeKind::Other(99)));
    take(&mut engine, vec![unknown.clone(), unknown]);
    // The same number again under another position is as old.
    take(&mut engine, vec![RelayFrame::Deliver(envelope(2, 1, EnvelopeKind::Message))]);
    assert_eq!(gaps(&mut engine), [Gap { first: 1, last: 1, why: Why::TooNew }]);
}

#[test]
fn a_hole_is_asked_for_and_shown_if_it_stays() {
    let mut engine = connected();
    let asked = take(&mut engine, vec![RelayFrame::Deliver(envelope(9, 4, EnvelopeKind::Message))]);
    let (id, range) = asked.into_iter().find(|(_, request)| matches!(request, Request::Range(_))).unwrap();
    assert!(matches!(range, Request::Range(range) if range.from == Seq(1) && range.to == Seq(3)));
    let found = Envelopes { envelopes: vec![envelope(3, 2, EnvelopeKind::Message)], first: Seq(2) };
    take(&mut engine, vec![RelayFrame::Answer(Answered { id, answer: Answer::Envelopes(found) })]);
    // 1 is gone; 2 came but cannot be read; 3 is asked for again before 4 is processed.
    let shown = gaps(&mut engine);
    assert_eq!(shown[0], Gap { first: 1, last: 1, why: Why::Expired });
    assert_eq!(shown[1], Gap { first: 2, last: 2, why: Why::Unreadable });
    assert_eq!(engine.read(|tx| Ok(tx.chat(&chat())?.unwrap().seq)).unwrap(), Seq(2));
}

#[test]
fn an_older_copy_distrusts_its_chats_and_a_relay_that_lost_its_log_begins_anew() {
    let mut engine = connected();
    take(&mut engine, vec![RelayFrame::Deliver(envelope(5, 1, EnvelopeKind::Message))]);
    engine
        .step(NOW, &mut Counting(0), |step| {
            let mut chat = step.tx.chat(&chat())?.unwrap();
            chat.enter(ChatState::Live, NOW);
            Ok(step.tx.save_chat(&chat)?)
        })
        .unwrap();
    engine.logged_in(&login(8, 9), NOW, &mut Counting(0)).unwrap();
    assert_eq!(engine.read(|tx| Ok(tx.chat(&chat())?.unwrap().state)).unwrap(), ChatState::Broken);
    engine.logged_in(&login(0, 2), NOW, &mut Counting(0)).unwrap();
    let chat = engine.read(|tx| Ok(tx.chat(&chat())?.unwrap())).unwrap();
    assert_eq!((chat.state, chat.seq, chat.shift), (ChatState::Unfounded, Seq(0), 1));
}

fn look_up(engine: &mut Engine, name: &Name) -> Vec<Effect> {
    let looked_up = engine.step(NOW, &mut Counting(0), |step| {
        step.look_up(name);
        Ok(())
    });
    looked_up.unwrap().1
}

#[test]
fn a_second_key_for_a_name_waits_for_a_decision() {
    let mut engine = connected();
    let name = Name::new("robin").unwrap();
    for number in [2, 3] {
        let (root, _, list) = identity(number);
        let asked = name.clone();
        let effects = look_up(&mut engine, &asked);
        let (id, _) = requests(effects).pop().unwrap();
        let record = Record { name: name.clone(), root: root.public(), lists: vec![list] };
        take(&mut engine, vec![RelayFrame::Answer(Answered { id, answer: Answer::Account(record) })]);
    }
    let wanted = name.clone();
    let contact = |step: &mut crate::Step| step.contact(&wanted);
    let (found, _) = engine.step(NOW, &mut Counting(0), contact).unwrap();
    let Contact::KeyChanged(change) = found else { panic!("{found:?}") };
    assert_eq!(change.before.account, identity(2).1.account);
    engine.step(NOW, &mut Counting(0), |step| step.accept_key(&change)).unwrap();
    let (found, _) = engine.step(NOW, &mut Counting(0), contact).unwrap();
    assert!(matches!(found, Contact::Account(account) if account.account == identity(3).1.account));
}

#[test]
fn a_relay_cannot_move_a_name_to_another_contact() {
    let mut engine = connected();
    let mut learn = |asked: &str, said: &str, number: u8| {
        let (root, _, list) = identity(number);
        let (id, _) = requests(look_up(&mut engine, &Name::new(asked).unwrap())).pop().unwrap();
        let record = Record { name: Name::new(said).unwrap(), root: root.public(), lists: vec![list] };
        take(&mut engine, vec![RelayFrame::Answer(Answered { id, answer: Answer::Account(record) })]);
    };
    learn("robin", "robin", 2);
    learn("carol", "carol", 3);
    // Robin's true record, under carol's name.
    learn("carol", "carol", 2);
    for (name, number) in [("robin", 2), ("carol", 3)] {
        let name = Name::new(name).unwrap();
        let found = engine.step(NOW, &mut Counting(0), |step| step.contact(&name)).unwrap().0;
        let account = identity(number).1.account;
        assert!(matches!(&found, Contact::Account(known) if known.account == account), "{name}: {found:?}");
    }
}

#[test]
fn the_clock_set_back_does_not_silence_a_broken_chat() {
    let mut engine = connected();
    take(&mut engine, vec![RelayFrame::Deliver(envelope(5, 1, EnvelopeKind::Message))]);
    let asks = |engine: &mut Engine, now: u64| {
        let effects = engine.tick(Millis(NOW.0 + now), &mut Counting(0)).unwrap();
        requests(effects).iter().filter(|(_, request)| matches!(request, Request::Rejoin(_))).count()
    };
    // A message in a chat without a group: its welcome is due. Patience first, then a request, whatever the clock does.
    assert_eq!(asks(&mut engine, 1_000), 0);
    engine
        .step(NOW, &mut Counting(0), |step| {
            let mut chat = step.tx.chat(&chat())?.unwrap();
            chat.since = Millis(NOW.0 + 86_400_000);
            Ok(step.tx.save_chat(&chat)?)
        })
        .unwrap();
    assert_eq!(asks(&mut engine, 2_000), 1);
}

#[test]
fn a_list_that_does_not_lead_to_its_root_is_not_believed() {
    let mut engine = connected();
    let name = Name::new("robin").unwrap();
    let asked = name.clone();
    let effects = look_up(&mut engine, &asked);
    let (id, _) = requests(effects).pop().unwrap();
    let record = Record { name: name.clone(), root: PublicKey([9; 32]), lists: vec![identity(2).2] };
    take(&mut engine, vec![RelayFrame::Answer(Answered { id, answer: Answer::Account(record) })]);
    let found = engine.step(NOW, &mut Counting(0), |step| step.contact(&name)).unwrap().0;
    assert!(matches!(found, Contact::Unknown));
}

#[test]
fn acknowledgements_wait_for_half_a_window_or_a_tick() {
    let mut engine = connected();
    let acks = |effects: &[Effect]| effects.iter().filter(|e| matches!(e, Effect::Send(ClientFrame::Ack(_)))).count();
    let deliver = |pos: u64| RelayFrame::Deliver(envelope(pos, pos, EnvelopeKind::Other(99)));
    let one = engine.frames(vec![deliver(1)], NOW, &mut Counting(0)).unwrap();
    assert_eq!(acks(&one), 0);
    assert_eq!(acks(&engine.tick(NOW, &mut Counting(0)).unwrap()), 1);
    let half = (2..2 + WINDOW_ENVELOPES as u64 / 2).map(deliver).collect();
    assert_eq!(acks(&engine.frames(half, NOW, &mut Counting(0)).unwrap()), 1);
}

#[test]
fn an_unfinished_registration_is_not_a_profile() {
    let store = Store::in_memory().unwrap();
    assert!(matches!(Engine::new(store, Config::default()), Err(EngineError::NotRegistered)));
}

/// Rules `NOD-1`, `NOD-2`.
#[test]
fn what_the_relay_tells_of_its_nodes_is_kept_until_it_tells_something_else() {
    let mut engine = engine();
    let texts = |addresses: &[&str]| addresses.iter().map(|address| (*address).to_owned()).collect::<Vec<_>>();
    let known = |engine: &mut Engine| engine.read(|tx| Ok(tx.nodes()?)).unwrap();
    let told = LoginOk { addresses: texts(&["b:1", "a:1"]), ..login(0, 0) };
    engine.logged_in(&told, NOW, &mut Counting(0)).unwrap();
    assert_eq!(known(&mut engine), ["b:1", "a:1"]);
    engine.disconnected();
    assert_eq!(known(&mut engine), ["b:1", "a:1"], "it is for the next connection");
    engine.logged_in(&told, NOW, &mut Counting(0)).unwrap();
    let nodes = RelayFrame::Nodes(aside_protocol::frame::Nodes { addresses: texts(&["a:1", "nonsense", "c:1"]) });
    engine.frames(vec![nodes], NOW, &mut Counting(0)).unwrap();
    assert_eq!(known(&mut engine), ["a:1", "c:1"]);
    engine.logged_in(&login(0, 0), NOW, &mut Counting(0)).unwrap();
    assert!(known(&mut engine).is_empty(), "it has nothing to tell any more");
}
