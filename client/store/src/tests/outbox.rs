//! What waits for the relay, and in which order.

use super::*;
use crate::messages::Status;
use crate::outbox::MAX_UNDELIVERED;
use aside_protocol::ChatId;

const DEVICE: DeviceId = DeviceId([1; 16]);

/// An own message with its own id, pending.
fn write(tx: &Tx, chat: i64, number: u64) -> i64 {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    tx.insert_pending(chat, (&ME, &DEVICE, &MessageId(id)), "mine", Millis(number)).unwrap()
}

/// An own message that the relay took at a place, as long ago as its number says.
fn taken(tx: &Tx, chat: i64, number: u64) -> i64 {
    let row = write(tx, chat, number);
    tx.place_message(row, Seq(number), number, Millis(number)).unwrap();
    row
}

fn queued(tx: &Tx, chat: i64) -> Vec<i64> {
    tx.unsent_after(chat, 0, 100_000).unwrap().iter().map(|outgoing| outgoing.message).collect()
}

fn with_chat(work: impl FnOnce(&Tx, i64)) {
    let mut store = Store::in_memory().unwrap();
    let done = store.transact::<_, StoreError>(|tx| {
        work(tx, tx.direct_chat(&ME, &PEER, Millis(1))?.row);
        Ok(())
    });
    done.unwrap();
}

#[test]
fn what_is_put_back_goes_out_before_what_was_written_later() {
    with_chat(|tx, chat| {
        let known = taken(tx, chat, 1);
        let (lost, unconfirmed, lost_too) = (taken(tx, chat, 2), taken(tx, chat, 3), taken(tx, chat, 4));
        let pending = write(tx, chat, 5);
        tx.enqueue(chat, pending, None).unwrap();
        tx.enqueue(chat, unconfirmed, Some(Seq(3))).unwrap();
        let before = tx.unsent_after(chat, 0, 9).unwrap();
        tx.enqueue_undelivered(chat, &DEVICE, 1).unwrap();
        assert_eq!(queued(tx, chat), [lost, unconfirmed, lost_too, pending]);
        assert!(!tx.is_queued(known).unwrap());
        let after = tx.unsent_after(chat, 0, 9).unwrap();
        assert!(after.iter().all(|outgoing| outgoing.row > before[1].row), "ids are used again");
        assert_eq!(after[1].again, Some(Seq(3)));
        // Again and again, it is the same.
        tx.enqueue_undelivered(chat, &DEVICE, 1).unwrap();
        assert_eq!(queued(tx, chat), [lost, unconfirmed, lost_too, pending]);
    });
}

#[test]
fn only_the_newest_are_put_back_however_often() {
    with_chat(|tx, chat| {
        let rows: Vec<i64> = (1..=MAX_UNDELIVERED + 2).map(|number| taken(tx, chat, number)).collect();
        for _ in 0..2 {
            tx.enqueue_undelivered(chat, &DEVICE, 0).unwrap();
            assert_eq!(queued(tx, chat), rows[2..]);
        }
    });
}

#[test]
fn a_message_sent_again_is_as_old_as_its_last_sending() {
    with_chat(|tx, chat| {
        let row = taken(tx, chat, 3);
        tx.place_message(row, Seq(1), 8, Millis(1_000)).unwrap();
        let message = tx.message(row).unwrap().unwrap();
        assert_eq!((message.place, message.resent, message.relay_time), (3, Some(Seq(1)), Some(Millis(1_000))));
        // Its echo says the same as Sent did, and one with its first place changes nothing.
        tx.place_message(row, Seq(3), 3, Millis(9)).unwrap();
        assert_eq!(tx.message(row).unwrap().unwrap().relay_time, Some(Millis(1_000)));
    });
}

#[test]
fn who_comes_later_does_not_count_for_what_was_said_before() {
    let mut store = Store::in_memory().unwrap();
    store
        .transact::<_, StoreError>(|tx| {
            let group = ChatId([7; 32]);
            let chat = tx.group_chat(&group, aside_protocol::group::ChatKind::Group, Millis(1))?.row;
            let entry = |account: AccountId| aside_protocol::group::RosterEntry {
                account,
                role: aside_protocol::group::Role::Member,
                version: 1,
                hash: aside_protocol::Hash([0; 32]),
                since: 1,
            };
            tx.put_member(chat, &entry(ME), 1)?;
            tx.put_member(chat, &entry(PEER), 1)?;
            let device = DeviceId([1; 16]);
            let row = tx.insert_pending(chat, (&ME, &device, &MessageId([1; 16])), "hello", Millis(1))?;
            tx.place_message(row, Seq(2), 2, Millis(1))?;
            tx.raise_marks(chat, &DeviceId([9; 16]), &PEER, 2, 2)?;
            let status = || Ok::<_, StoreError>(tx.message(row)?.unwrap().status);
            assert_eq!(status()?, Status::Read);
            tx.put_member(chat, &entry(AccountId([8; 32])), 3)?;
            assert_eq!(status()?, Status::Read, "it never got this one");
            tx.put_member(chat, &entry(AccountId([9; 32])), 1)?;
            tx.put_member(chat, &entry(AccountId([9; 32])), 5)?;
            assert_eq!(status()?, Status::Sent, "who was in keeps its place when its role changes");
            Ok(())
        })
        .unwrap();
}

#[test]
fn the_newest_receipt_key_up_to_a_place_is_found() {
    let mut store = Store::in_memory().unwrap();
    store
        .transact::<_, StoreError>(|tx| {
            let chat = tx.direct_chat(&ME, &PEER, Millis(1))?.row;
            for base in [1, 4, 9] {
                tx.save_receipt_key(chat, Seq(base), &[base as u8; 32], Millis(1))?;
            }
            let newest = |until| Ok::<_, StoreError>(tx.newest_receipt_key(chat, Seq(until))?.map(|(base, _)| base));
            assert_eq!((newest(0)?, newest(6)?, newest(9)?), (None, Some(Seq(4)), Some(Seq(9))));
            Ok(())
        })
        .unwrap();
}
