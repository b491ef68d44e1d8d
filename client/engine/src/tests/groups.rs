//! Groups: what is refused, what the relay does not take, what must not hold everything else up.

use super::devices::settled;
use super::*;
use crate::Denied;
use crate::outbox::postponing::culprit;
use aside_protocol::codec;
use aside_protocol::group::{ChatKind, LeaveRequest, Role, RosterEntry, SignedLeave, leave_signs};
use aside_protocol::refusal::Refusal;
use aside_protocol::request::{Done, Found, Sent};
use aside_store::chats::Chat;
use aside_store::tasks::TaskKind;

fn create(engine: &mut Engine, members: &[AccountId]) -> (ChatId, Vec<(u64, Request)>) {
    let make = |step: &mut crate::Step| step.create_group(ChatKind::Group, "garden", members);
    let (made, effects) = engine.step(NOW, &mut Counting(7), make).unwrap();
    let next = engine.tick(NOW, &mut Counting(0)).unwrap();
    (made.unwrap(), requests(effects.into_iter().chain(next).collect()))
}

fn of(engine: &mut Engine, id: ChatId) -> Chat {
    engine.read(|tx| Ok(tx.chat(&id)?.unwrap())).unwrap()
}

fn answer(engine: &mut Engine, id: u64, answer: Answer) -> Vec<(u64, Request)> {
    take(engine, vec![RelayFrame::Answer(Answered { id, answer })])
}

fn refused(refusal: Refusal) -> Answer {
    Answer::Refused(refusal)
}

fn founding(asked: &[(u64, Request)]) -> Option<(u64, Found)> {
    asked.iter().find_map(|(id, request)| match request {
        Request::Found(found) => Some((*id, found.clone())),
        _ => None,
    })
}

fn has_task(engine: &mut Engine, chat: ChatId, kind: TaskKind) -> bool {
    let row = of(engine, chat).row;
    engine.read(|tx| Ok(tx.tasks(row)?.iter().any(|task| task.kind == kind))).unwrap()
}

/// A group of this account alone, founded.
fn live(engine: &mut Engine) -> ChatId {
    let (chat, asked) = create(engine, &[]);
    let (id, found) = founding(&asked).unwrap();
    let hash = Hash::of(&found.body);
    let sent = Sent { n: N(1), seq: Seq(1), time: NOW };
    let echo = Envelope {
        chat,
        from: DeviceId([1; 16]),
        account: engine.account(),
        hash: Some(hash),
        incarnation: Some(1),
        body: Some(found.body),
        ..envelope(1, 1, EnvelopeKind::Founding)
    };
    answer(engine, id, Answer::Sent(sent));
    take(engine, vec![RelayFrame::Deliver(echo)]);
    assert_eq!(of(engine, chat).state, ChatState::Live);
    chat
}

/// Another account stands in the roster, with a role.
fn join(engine: &mut Engine, chat: ChatId, role: Role) {
    let row = of(engine, chat).row;
    let list = identity(2).1.list;
    let entry = RosterEntry { account: peer(), role, version: 1, hash: list.hash, since: 1 };
    engine.step(NOW, &mut Counting(0), |step| Ok(step.tx.put_member(row, &entry, 1)?)).unwrap();
}

#[test]
fn a_group_is_founded_without_an_account_that_the_relay_does_not_know() {
    let mut engine = settled();
    let (chat, asked) = create(&mut engine, &[peer()]);
    let (id, _) = asked.iter().find(|(_, request)| matches!(request, Request::Lookup(_))).unwrap();
    assert!(founding(&asked).is_none(), "its devices are asked for first");
    let asked = answer(&mut engine, *id, refused(Refusal::NotFound(Default::default())));
    let again = requests(engine.tick(NOW, &mut Counting(0)).unwrap());
    assert!(founding(&asked).or(founding(&again)).is_some(), "{asked:?} {again:?}");
    let looked = |request: &Request| matches!(request, Request::Lookup(lookup) if lookup.who == aside_protocol::request::Who::Account(peer()));
    assert!(!again.iter().any(|(_, request)| looked(request)), "not asked for each second");
    assert!(has_task(&mut engine, chat, TaskKind::Add), "added later");
}

#[test]
fn a_founding_that_the_relay_refuses_is_not_sent_again_and_again() {
    let mut engine = settled();
    let (chat, asked) = create(&mut engine, &[]);
    let (id, _) = founding(&asked).unwrap();
    let asked = answer(&mut engine, id, refused(Refusal::NotMember(Default::default())));
    assert!(founding(&asked).is_none());
    assert_eq!(of(&mut engine, chat).state, ChatState::AwaitingWelcome);
    assert!(!has_task(&mut engine, chat, TaskKind::Found));
}

#[test]
fn nobody_leaves_a_group_whose_founding_is_on_its_way() {
    let mut engine = settled();
    let (chat, _) = create(&mut engine, &[]);
    let row = of(&mut engine, chat).row;
    let leave = |engine: &mut Engine| engine.step(NOW, &mut Counting(0), |step| step.leave(row)).unwrap().0;
    assert_eq!(leave(&mut engine), Err(Denied::Founding));
    let mut offline = super::engine();
    let (chat, _) = create(&mut offline, &[]);
    let row = of(&mut offline, chat).row;
    offline.step(NOW, &mut Counting(0), |step| step.leave(row)).unwrap().0.unwrap();
    assert_eq!(of(&mut offline, chat).state, ChatState::Left);
}

#[test]
fn a_change_that_the_relay_does_not_take_waits_and_messages_do_not() {
    for refusal in
        [Refusal::Invalid(Default::default()), Refusal::TooLarge(aside_protocol::refusal::TooLarge { limit: 1 })]
    {
        let mut engine = settled();
        let chat = live(&mut engine);
        let row = of(&mut engine, chat).row;
        let rename = |step: &mut crate::Step| step.rename_group(row, "orchard");
        let (_, mut effects) = engine.step(NOW, &mut Counting(0), rename).unwrap();
        effects.extend(engine.tick(NOW, &mut Counting(0)).unwrap());
        let (id, _) = requests(effects).into_iter().find(|(_, r)| matches!(r, Request::Commit(_))).unwrap();
        answer(&mut engine, id, refused(refusal));
        let to = aside_store::chats::group_peer(&chat);
        let send = |step: &mut crate::Step| step.send_text(&to, MessageId([1; 16]), "hello");
        let asked = requests(engine.step(NOW, &mut Counting(0), send).unwrap().1);
        assert!(asked.iter().any(|(_, request)| matches!(request, Request::Send(_))), "{asked:?}");
        assert!(has_task(&mut engine, chat, TaskKind::Title), "tried again later");
    }
}

#[test]
fn a_forged_wish_to_leave_silences_nobody() {
    let mut engine = settled();
    let chat = live(&mut engine);
    join(&mut engine, chat, Role::Owner);
    let account = engine.account();
    let ask = |engine: &mut Engine, pos: u64, seed: u8| {
        let request = LeaveRequest { chat, incarnation: 1, account, device: DeviceId([1; 16]), since: 1 };
        let request = Body(codec::encode(&request));
        let signature = DeviceKey::from_seed(&[seed; 32]).sign(&leave_signs(&request));
        let body = Some(Body(codec::encode(&SignedLeave { request, signature })));
        let (from, kind) = (DeviceId([1; 16]), EnvelopeKind::Leave);
        let leave = Envelope { chat, account, from, seq: None, n: None, body, ..envelope(pos, 1, kind) };
        take(engine, vec![RelayFrame::Deliver(leave)]);
    };
    ask(&mut engine, 2, 66);
    assert!(!has_task(&mut engine, chat, TaskKind::Quit));
    ask(&mut engine, 3, 1);
    assert!(has_task(&mut engine, chat, TaskKind::Quit));
}

#[test]
fn whoever_leaves_may_stay_and_does_as_the_last_owner() {
    let mut engine = settled();
    let chat = live(&mut engine);
    let row = of(&mut engine, chat).row;
    join(&mut engine, chat, Role::Owner);
    let leave = |engine: &mut Engine| engine.step(NOW, &mut Counting(0), |step| step.leave(row)).unwrap();
    let (left, effects) = leave(&mut engine);
    left.unwrap();
    let (id, _) = requests(effects).into_iter().find(|(_, request)| matches!(request, Request::Leave(_))).unwrap();
    assert!(engine.step(NOW, &mut Counting(0), |step| step.stay(row)).unwrap().0);
    answer(&mut engine, id, Answer::Done(Done { pos: None, hash: None }));
    assert_eq!(of(&mut engine, chat).state, ChatState::Live, "an answer to what is not wanted any more");
    leave(&mut engine).0.unwrap();
    join(&mut engine, chat, Role::Member);
    engine.tick(NOW, &mut Counting(0)).unwrap();
    assert!(!has_task(&mut engine, chat, TaskKind::Quit), "the others would be without an owner");
}

#[test]
fn a_group_that_is_not_founded_yet_outlives_the_relays_log() {
    let mut engine = settled();
    let (chat, _) = create(&mut engine, &[peer()]);
    let anew = LoginOk { log: LogId([6; 16]), ..login(0, 0) };
    engine.disconnected();
    engine.logged_in(&anew, NOW, &mut Counting(0)).unwrap();
    assert_eq!(of(&mut engine, chat).state, ChatState::Unfounded);
    assert!(has_task(&mut engine, chat, TaskKind::Found) && has_task(&mut engine, chat, TaskKind::Add));
}

#[test]
fn some_of_those_who_join_a_big_group_renew_their_leaf() {
    let mut engine = settled();
    let chat = live(&mut engine);
    let before = of(&mut engine, chat);
    let chosen = |engine: &mut Engine, devices: u64, seed: u8| {
        let chat = Chat { devices, ..before.clone() };
        engine.step(NOW, &mut Counting(seed), |step| crate::outbox::drafts::warm(step, &chat)).unwrap();
        let task = engine.read(|tx| Ok(tx.task(chat.row, TaskKind::Warm, &[])?)).unwrap();
        engine.step(NOW, &mut Counting(0), |step| Ok(step.tx.drop_task(chat.row, TaskKind::Warm, &[])?)).unwrap();
        task.map(|task| task.due.0 - NOW.0)
    };
    let many =
        |engine: &mut Engine, devices| (0..=255).filter_map(|seed| chosen(engine, devices, seed)).collect::<Vec<_>>();
    assert!(many(&mut engine, 63).is_empty(), "a small tree warms by itself");
    let due = many(&mut engine, 128);
    assert!((16..64).contains(&due.len()), "about one in eight: {}", due.len());
    assert!(due.iter().all(|wait| *wait < 3_600_000));
    // The one chosen makes a commit for that alone, once it is due.
    let (due, made) = (Millis(NOW.0 + 5_000), before.clone());
    let task =
        move |step: &mut crate::Step| step.add_task(&made, TaskKind::Warm, Vec::new(), Body::default(), due, false);
    engine.step(NOW, &mut Counting(0), task).unwrap();
    let commits = |effects| requests(effects).into_iter().any(|(_, request)| matches!(request, Request::Commit(_)));
    assert!(!commits(engine.tick(Millis(due.0 - 1), &mut Counting(0)).unwrap()));
    assert!(commits(engine.tick(due, &mut Counting(0)).unwrap()));
}

#[test]
fn one_at_fault_among_many_is_found_with_few_tries() {
    for (count, guilty) in [(1, 0), (2, 1), (500, 0), (500, 321), (500, 499)] {
        let mut tries = 0;
        let found = culprit(count, |first| {
            tries += 1;
            Ok(first > guilty)
        });
        assert_eq!((found.unwrap(), tries < 12), (Some(guilty), true));
    }
    assert_eq!(culprit(5, |_| Ok(true)).unwrap(), None, "it fails with none of them");
}
