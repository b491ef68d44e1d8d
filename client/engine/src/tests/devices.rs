//! The own device list: changed, refused, changed by somebody else at the same time, sent again after a kill.

use super::*;
use crate::{ListState, NotAdded, NotRevoked};
use aside_crypto::lists::next_list;
use aside_protocol::device_list::{DeviceEntry, SignedDeviceList, VerifiedList};
use aside_protocol::refusal::{DevicesChanged, Refusal};
use aside_protocol::request::{Done, PutDeviceList};
use aside_protocol::{codec, limits};

const LAPTOP: DeviceId = DeviceId([9; 16]);

fn key(number: u8) -> PublicKey {
    DeviceKey::from_seed(&[number; 32]).public()
}

fn add(engine: &mut Engine, device: DeviceId, number: u8) -> (Result<(), NotAdded>, Vec<(u64, Request)>) {
    let add = |step: &mut crate::Step| step.add_own_device(device, key(number), "laptop");
    let (added, effects) = engine.step(NOW, &mut Counting(0), add).unwrap();
    (added, requests(effects))
}

fn lists(asked: &[(u64, Request)]) -> Vec<(u64, Body)> {
    let lists = asked.iter().filter_map(|(id, request)| match request {
        Request::PutDeviceList(PutDeviceList { list }) => Some((*id, list.clone())),
        _ => None,
    });
    lists.collect()
}

fn answer(engine: &mut Engine, id: u64, answer: Answer) -> Vec<(u64, Request)> {
    take(engine, vec![RelayFrame::Answer(Answered { id, answer })])
}

fn state(engine: &mut Engine, device: DeviceId) -> ListState {
    engine.step(NOW, &mut Counting(0), |step| step.list_state(&device)).unwrap().0
}

fn devices(engine: &mut Engine) -> Vec<DeviceId> {
    let own = engine.step(NOW, &mut Counting(0), |step| step.own_devices()).unwrap().0;
    own.into_iter().map(|own| own.entry.device).collect()
}

fn first() -> VerifiedList {
    identity(1).1.list
}

/// What the relay says of the own account when it has this list after the first.
fn record(list: &Body) -> Answer {
    let (root, own, first) = identity(1);
    Answer::Account(Record { name: own.name, root: root.public(), lists: vec![first, list.clone()] })
}

/// The engine online, with the look-up of its own account answered.
pub(super) fn settled() -> Engine {
    let mut engine = engine();
    engine.logged_in(&login(0, 0), NOW, &mut Counting(0)).unwrap();
    let asked = take(&mut engine, vec![RelayFrame::CaughtUp(CaughtUp { partition: PartitionId(0), pos: Pos(0) })]);
    let (id, _) = asked.into_iter().find(|(_, request)| matches!(request, Request::Lookup(_))).unwrap();
    let (root, own, list) = identity(1);
    answer(&mut engine, id, Answer::Account(Record { name: own.name, root: root.public(), lists: vec![list] }));
    engine
}

#[test]
fn a_device_is_added_and_named_in_messages_from_then_on() {
    let mut engine = settled();
    let (added, asked) = add(&mut engine, LAPTOP, 9);
    added.unwrap();
    let (id, list) = lists(&asked).pop().unwrap();
    let verified = verify_next(&identity(1).0.public(), Some(&first()), &list).unwrap();
    assert_eq!(verified.list.devices[1], DeviceEntry { device: LAPTOP, key: key(9), added: NOW });
    assert_eq!(state(&mut engine, LAPTOP), ListState::Waiting);
    answer(&mut engine, id, Answer::Done(Done::default()));
    assert_eq!(state(&mut engine, LAPTOP), ListState::Done);
    assert_eq!(devices(&mut engine), [DeviceId([1; 16]), LAPTOP]);
    let profile = engine.read(|tx| Ok(tx.profile()?)).unwrap().unwrap();
    assert_eq!((profile.list_version, profile.list_hash), (2, verified.hash));
    assert_eq!(engine.read(|tx| Ok(tx.machine(&LAPTOP)?)).unwrap().as_deref(), Some("laptop"));
    // Once more changes nothing.
    let (added, asked) = add(&mut engine, LAPTOP, 9);
    added.unwrap();
    assert!(lists(&asked).is_empty(), "{asked:?}");
}

#[test]
fn a_list_that_was_on_its_way_when_the_process_ended_is_sent_again_byte_for_byte() {
    let mut engine = settled();
    let before = lists(&add(&mut engine, LAPTOP, 9).1).pop().unwrap().1;
    let mut engine = Engine::new(engine.into_store(), Config::default()).unwrap();
    engine.logged_in(&login(0, 0), NOW, &mut Counting(0)).unwrap();
    let asked = take(&mut engine, vec![RelayFrame::CaughtUp(CaughtUp { partition: PartitionId(0), pos: Pos(0) })]);
    let (id, _) = asked.into_iter().find(|(_, request)| matches!(request, Request::Lookup(_))).unwrap();
    // The relay has it already: the change is done, and nothing is sent.
    let asked = answer(&mut engine, id, record(&before));
    assert!(lists(&asked).is_empty(), "{asked:?}");
    assert_eq!((state(&mut engine, LAPTOP), devices(&mut engine).len()), (ListState::Done, 2));
    // The relay does not have it: the same bytes again.
    let mut engine = settled();
    let again = lists(&add(&mut engine, LAPTOP, 9).1).pop().unwrap().1;
    assert_eq!(again, before);
}

#[test]
fn a_change_is_made_again_on_top_of_somebody_elses() {
    let mut engine = settled();
    let (id, _) = lists(&add(&mut engine, LAPTOP, 9).1).pop().unwrap();
    let account = engine.account();
    let asked =
        answer(&mut engine, id, Answer::Refused(Refusal::DevicesChanged(DevicesChanged { account, version: 2 })));
    let (lookup, _) = asked.iter().find(|(_, request)| matches!(request, Request::Lookup(_))).unwrap();
    let mut both = first().list.devices;
    both.push(DeviceEntry { device: DeviceId([5; 16]), key: key(5), added: NOW });
    let theirs = next_list(&first(), (DeviceId([1; 16]), &DeviceKey::from_seed(&[1; 32])), both);
    let asked = answer(&mut engine, *lookup, record(&theirs));
    let (_, list) = lists(&asked).pop().unwrap();
    let second = verify_next(&identity(1).0.public(), Some(&first()), &theirs).unwrap();
    let third = verify_next(&identity(1).0.public(), Some(&second), &list).unwrap();
    let devices: Vec<_> = third.list.devices.iter().map(|entry| entry.device).collect();
    assert_eq!((third.list.version, devices), (3, vec![DeviceId([1; 16]), DeviceId([5; 16]), LAPTOP]));
}

#[test]
fn what_the_relay_will_not_have_is_given_up_and_said() {
    let mut engine = settled();
    let (id, _) = lists(&add(&mut engine, LAPTOP, 9).1).pop().unwrap();
    let refusal = Refusal::AlreadyRegistered(Default::default());
    answer(&mut engine, id, Answer::Refused(refusal.clone()));
    assert_eq!((state(&mut engine, LAPTOP), devices(&mut engine).len()), (ListState::Refused(refusal), 1));
    assert!(lists(&requests(engine.tick(NOW, &mut Counting(0)).unwrap())).is_empty());
}

#[test]
fn a_device_is_removed_by_another_one_only() {
    let mut engine = settled();
    let (id, _) = lists(&add(&mut engine, LAPTOP, 9).1).pop().unwrap();
    answer(&mut engine, id, Answer::Done(Done::default()));
    let mut revoke = |device| {
        let (result, effects) = engine.step(NOW, &mut Counting(0), |step| step.revoke_own_device(device)).unwrap();
        (result, lists(&requests(effects)))
    };
    assert_eq!(revoke(DeviceId([1; 16])).0, Err(NotRevoked::This));
    assert_eq!(revoke(DeviceId([77; 16])).0, Err(NotRevoked::Unknown));
    let (result, mut asked) = revoke(LAPTOP);
    result.unwrap();
    // The own account is being looked up after the last change; the removal follows.
    let pending = asked.pop();
    assert_eq!(state(&mut engine, LAPTOP), ListState::Waiting);
    let (_, list) = pending.unwrap_or_else(|| {
        let list = engine.read(|tx| Ok(tx.list_changes()?)).unwrap();
        assert_eq!(list.len(), 1);
        (0, Body::default())
    });
    if !list.is_empty() {
        let signed: SignedDeviceList = codec::decode(&list.0).unwrap();
        let list: aside_protocol::device_list::DeviceList = codec::decode(&signed.list.0).unwrap();
        assert_eq!((list.version, list.devices.len()), (3, 1));
    }
}

#[test]
fn there_are_no_more_devices_than_an_account_may_have() {
    let mut engine = settled();
    let mut many = first().list.devices;
    let more = (10..).take(limits::MAX_DEVICES - 1);
    many.extend(more.map(|n| DeviceEntry { device: DeviceId([n; 16]), key: key(n), added: NOW }));
    let full = next_list(&first(), (DeviceId([1; 16]), &DeviceKey::from_seed(&[1; 32])), many);
    let own = engine.account();
    let full = verify_next(&identity(1).0.public(), Some(&first()), &full).unwrap();
    let save = |step: &mut crate::Step| {
        let account = Account { list: full, ..step.tx.account(&own)?.unwrap() };
        Ok(step.tx.save_account(&account, NOW)?)
    };
    engine.step(NOW, &mut Counting(0), save).unwrap();
    assert_eq!(add(&mut engine, LAPTOP, 9).0, Err(NotAdded::TooMany));
    assert_eq!(add(&mut engine, DeviceId([10; 16]), 9).0, Err(NotAdded::Used));
}
