//! What a person writes before it leaves, and what they ask for: drafts, withdrawing, reading, trying again.

use super::missed::live;
use super::*;
use crate::{KeyChange, NotWithdrawn, Step};
use aside_protocol::refusal::{Refusal, RetryAfter};
use aside_store::conversation::Spot;
use aside_store::history::PageCursor;
use aside_store::messages::Arrival;

fn act<T>(engine: &mut Engine, work: impl FnOnce(&mut Step) -> crate::Result<T>) -> (T, Vec<Effect>) {
    engine.step(NOW, &mut Counting(0), work).unwrap()
}

fn draft(engine: &mut Engine) -> String {
    engine.read(|tx| Ok(tx.draft(&peer())?)).unwrap()
}

fn withdraw(engine: &mut Engine, row: i64) -> Result<(), NotWithdrawn> {
    act(engine, |step| step.withdraw(row)).0
}

fn changes(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Changed))
}

/// Two accounts of one name, the second not decided about.
fn two_keys(engine: &mut Engine) -> KeyChange {
    let [before, mut now] = [2, 3].map(|number| identity(number).1);
    (now.name, now.trust) = (before.name.clone(), Trust::Pending);
    act(engine, |step| {
        step.tx.save_account(&before, NOW)?;
        Ok(step.tx.save_account(&now, NOW)?)
    });
    KeyChange { before, now }
}

#[test]
fn a_draft_is_kept_until_it_is_sent_or_emptied() {
    let mut engine = engine();
    act(&mut engine, |step| Ok(step.tx.save_account(&identity(2).1, NOW)?));
    let (to, id) = (peer(), MessageId([7; 16]));
    assert!(changes(&act(&mut engine, |step| step.save_draft(&to, "we")).1));
    assert!(!changes(&act(&mut engine, |step| step.save_draft(&to, "well")).1), "nothing in the chat list changed");
    assert_eq!(draft(&mut engine), "well");
    let long = "x".repeat(MAX_TEXT + 1);
    act(&mut engine, |step| step.send_written(&to, id, &long)).0.unwrap_err();
    assert_eq!(draft(&mut engine), "well");
    act(&mut engine, |step| step.send_written(&to, id, "well, well")).0.unwrap();
    assert_eq!(draft(&mut engine), "");
    act(&mut engine, |step| step.save_draft(&to, "more"));
    assert!(changes(&act(&mut engine, |step| step.save_draft(&to, "")).1));
    assert_eq!(draft(&mut engine), "");
}

#[test]
fn what_is_written_to_somebody_unknown_is_a_draft_until_it_is_known_who_that_is() {
    let mut engine = engine();
    let refused = act(&mut engine, |step| step.send_written(&peer(), MessageId([7; 16]), "hello")).0;
    assert_eq!(refused.unwrap_err(), Refused::Unknown);
    assert_eq!(draft(&mut engine), "hello");
    assert_eq!(engine.read(|tx| Ok(tx.unsent_count()?)).unwrap(), 0);
}

#[test]
fn nothing_is_sent_while_a_key_waits_and_then_to_the_new_one() {
    let mut engine = engine();
    let change = two_keys(&mut engine);
    let (old, new) = (change.before.account, change.now.account);
    act(&mut engine, |step| step.save_draft(&old, "hello"));
    for to in [old, new] {
        let refused = act(&mut engine, |step| step.send_written(&to, MessageId([7; 16]), "hello")).0;
        assert_eq!(refused.unwrap_err(), Refused::KeyChanged(change.now.name.clone()));
    }
    assert_eq!(engine.read(|tx| Ok(tx.unsent_count()?)).unwrap(), 0);
    act(&mut engine, |step| step.accept_key(&change));
    assert_eq!(engine.read(|tx| Ok(tx.draft(&new)?)).unwrap(), "hello");
    let sent = act(&mut engine, |step| step.send_written(&old, MessageId([7; 16]), "hello")).0.unwrap();
    assert_eq!(engine.read(|tx| Ok(tx.message(sent.row)?.unwrap().peer)).unwrap(), new);
    assert_eq!(engine.read(|tx| Ok(tx.draft(&new)?)).unwrap(), "");
}

#[test]
fn what_was_never_encrypted_goes_to_the_key_that_is_accepted() {
    let mut engine = live();
    let left = send(&mut engine, 1, "left").unwrap().row;
    engine.disconnected();
    let waits = [2, 3].map(|id| send(&mut engine, id, "waits").unwrap().row);
    let change = two_keys(&mut engine);
    act(&mut engine, |step| step.accept_key_for_waiting(&change));
    let new = ChatId::direct(&engine.account(), &change.now.account);
    let (there, queued) = engine
        .read(|tx| {
            let chat = tx.chat(&new)?.unwrap().row;
            let queued: Vec<i64> = tx.unsent_after(chat, 0, 9)?.iter().map(|outgoing| outgoing.message).collect();
            let there = [left, waits[0], waits[1]].map(|row| tx.message(row).unwrap().unwrap().chat == chat);
            Ok((there, queued))
        })
        .unwrap();
    assert_eq!((there, queued), ([false, true, true], waits.to_vec()));
}

#[test]
fn what_was_never_encrypted_can_be_taken_back() {
    let mut engine = engine();
    let rows = [1, 2].map(|id| send(&mut engine, id, "hello").unwrap().row);
    assert_eq!(withdraw(&mut engine, rows[0]), Ok(()));
    assert_eq!(withdraw(&mut engine, rows[0]), Err(NotWithdrawn::Gone));
    let left = engine.read(|tx| Ok((tx.message(rows[0])?.is_some(), tx.unsent_count()?))).unwrap();
    assert_eq!(left, (false, 1));
}

#[test]
fn what_may_have_left_cannot_be_taken_back() {
    let mut engine = live();
    let row = send(&mut engine, 7, "hello").unwrap().row;
    assert_eq!(withdraw(&mut engine, row), Err(NotWithdrawn::Left));
    // Numbers begin again, with another group; the relay may have what went out before.
    act(&mut engine, |step| Ok(step.tx.renumber_outbox(step.tx.chat(&chat())?.unwrap().row)?));
    assert_eq!(withdraw(&mut engine, row), Err(NotWithdrawn::Left));
}

#[test]
fn what_others_wrote_cannot_be_taken_back() {
    let mut engine = engine();
    let row = arrives(&mut engine, 1);
    assert_eq!(withdraw(&mut engine, row), Err(NotWithdrawn::Gone));
}

/// A message of peer 2's at a place; its row.
fn arrives(engine: &mut Engine, place: u64) -> i64 {
    let id = MessageId([100 + place as u8; 16]);
    let device = DeviceId([2; 16]);
    let stored = act(engine, |step| {
        let mut chat = step.tx.direct_chat(&step.account, &peer(), NOW)?;
        chat.seq = chat.seq.max(Seq(place));
        step.tx.save_chat(&chat)?;
        let (seq, author) = (Seq(place), peer());
        let times = (NOW, NOW);
        let arrival =
            Arrival { author, device, id, own: false, seq, place, text: "hi", sent_at: times.0, relay_time: times.1 };
        step.tx.insert_arrival(chat.row, &arrival)?;
        Ok(step.tx.message_by_id(&device, &id)?.unwrap().row)
    });
    stored.0
}

fn see(engine: &mut Engine, part: u32, place: u64, row: i64) -> u64 {
    let spot = Spot { part, cursor: PageCursor { place, row } };
    act(engine, |step| step.seen_up_to(&peer(), spot));
    engine.read(|tx| Ok(tx.chat(&chat())?.unwrap().read_place)).unwrap()
}

#[test]
fn what_was_seen_is_read_and_reading_goes_forward_only() {
    let mut engine = engine();
    arrives(&mut engine, 1);
    arrives(&mut engine, 2);
    arrives(&mut engine, 3);
    assert_eq!(see(&mut engine, 0, 2, 0), 2);
    assert_eq!(see(&mut engine, 0, 1, 0), 2);
    assert_eq!(see(&mut engine, 7, 3, 0), 2, "there is no such part");
    let row = send(&mut engine, 7, "mine").unwrap().row;
    let place = engine.read(|tx| Ok(tx.message(row)?.unwrap().place)).unwrap();
    assert_eq!(see(&mut engine, 0, place, row), 2, "an own message that waits says nothing of what was seen");
}

#[test]
fn seeing_something_under_a_new_key_reads_nothing_under_the_one_before() {
    let mut engine = engine();
    two_keys(&mut engine);
    arrives(&mut engine, 4);
    act(&mut engine, |step| Ok(step.tx.direct_chat(&step.account, &identity(3).1.account, NOW).map(drop)?));
    assert_eq!(see(&mut engine, 1, 9, 1), 0);
}

#[test]
fn a_person_who_asks_ends_the_pause() {
    let mut engine = live();
    let (_, effects) = act(&mut engine, |step| step.send_text(&peer(), MessageId([7; 16]), "hello"));
    let (id, _) = requests(effects).into_iter().find(|(_, request)| matches!(request, Request::Send(_))).unwrap();
    let answer = Answer::Refused(Refusal::Unavailable(RetryAfter { retry_after_ms: 30_000 }));
    let asked = take(&mut engine, vec![RelayFrame::Answer(Answered { id, answer })]);
    let row = engine.read(|tx| Ok(tx.chat(&chat())?.unwrap().row)).unwrap();
    assert!(asked.is_empty() && engine.trouble_in(row).is_some(), "{asked:?}");
    assert!(engine.trouble_in(row + 1).is_none());
    let quiet = requests(engine.tick(NOW, &mut Counting(0)).unwrap());
    assert!(quiet.is_empty(), "{quiet:?}");
    let again = requests(act(&mut engine, |step| step.retry()).1);
    assert!(matches!(again[..], [(_, Request::Send(_))]), "{again:?}");
    assert!(engine.trouble().is_none() && engine.trouble_in(row).is_none());
    // Nobody to ask: nothing goes out, and nothing breaks.
    engine.disconnected();
    assert!(requests(act(&mut engine, |step| step.retry()).1).is_empty());
}
