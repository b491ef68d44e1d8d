//! Conversations: windows without holes, over every key a name has had; one line each in the chat list.

use super::*;
use crate::accounts::{Account, Trust};
use crate::conversation::{Conversation, Line, SIDE_BYTES, Spot, Window};
use crate::outbox::MAX_UNDELIVERED;
use crate::summaries::{ChatSummary, Shown};
use aside_protocol::device_list::{DeviceList, VerifiedList};
use aside_protocol::{Hash, Name, PublicKey};

const NEW: AccountId = AccountId([3; 32]);

fn with_store(work: impl FnOnce(&Tx)) {
    let mut store = Store::in_memory().unwrap();
    let done = store.transact::<_, StoreError>(|tx| {
        work(tx);
        Ok(())
    });
    done.unwrap();
}

fn save(tx: &Tx, account: AccountId, trust: Trust, seen: u64) {
    let list = DeviceList { account, version: 1, previous: Hash([0; 32]), devices: Vec::new() };
    let list = VerifiedList { list, hash: Hash([0; 32]) };
    let name = Name::new("robin").unwrap();
    tx.save_account(&Account { account, name, root: PublicKey(account.0), list, trust }, Millis(seen)).unwrap();
}

/// Messages `from..=to` of an account in its chat, each under the `seq` of its number.
fn say(tx: &Tx, author: AccountId, from: u8, to: u8) -> i64 {
    let chat = tx.direct_chat(&ME, &author, Millis(1)).unwrap().row;
    for n in from..=to {
        let text = format!("{}:{n}", author.0[0]);
        let device = DeviceId([author.0[0]; 16]);
        tx.insert_arrival(chat, &Arrival { author, device, relay_time: Millis(n.into()), ..arrival(n, &text) })
            .unwrap();
    }
    chat
}

fn show(window: &Window) -> Vec<String> {
    let line = |(_, line): &(Spot, Line)| match line {
        Line::Entry(Entry::Message(message)) => message.text.clone(),
        Line::Entry(Entry::Gap(gap)) => format!("gap {}-{}", gap.first, gap.last),
        Line::KeyChanged => "key changed".to_owned(),
    };
    assert!(window.lines.windows(2).all(|pair| pair[0].0 < pair[1].0), "{window:?}");
    window.lines.iter().map(line).collect()
}

/// Two keys of one name: three messages under the first, two under the second.
fn two_keys(tx: &Tx, trusts: [Trust; 2]) -> Conversation {
    save(tx, PEER, trusts[0], 1);
    save(tx, NEW, trusts[1], 2);
    say(tx, PEER, 1, 3);
    say(tx, NEW, 4, 5);
    tx.conversation(&PEER).unwrap()
}

#[test]
fn the_chats_of_a_name_follow_one_another() {
    with_store(|tx| {
        let whole = two_keys(tx, [Trust::Replaced, Trust::InUse]);
        assert_eq!(whole.peer, NEW);
        assert_eq!(tx.conversation(&NEW).unwrap(), whole);
        let newest = tx.newest(&whole, 9).unwrap();
        assert_eq!(show(&newest), ["2:1", "2:2", "2:3", "key changed", "3:4", "3:5"]);
        assert!(!newest.older && !newest.newer);
    });
}

#[test]
fn every_window_is_the_part_of_the_whole_around_its_spot() {
    with_store(|tx| {
        let whole = two_keys(tx, [Trust::InUse, Trust::Pending]);
        let chat = whole.chat(0).unwrap();
        tx.add_gap(chat, Gap { first: 7, last: 8, why: Why::Expired }).unwrap();
        tx.insert_notice(chat, 8, "noted", Millis(8)).unwrap();
        let all = tx.newest(&whole, 99).unwrap();
        let texts = show(&all);
        for (at, (spot, _)) in all.lines.iter().enumerate() {
            for reach in 0..10 {
                let window = tx.around(&whole, *spot, reach).unwrap();
                let first = at.saturating_sub(reach as usize);
                let last = (at + reach as usize).min(texts.len() - 1);
                assert_eq!(show(&window), texts[first..=last], "around {at} by {reach}");
                assert_eq!((window.older, window.newer), (first > 0, last < texts.len() - 1), "around {at} by {reach}");
            }
        }
    });
}

#[test]
fn a_spot_that_is_gone_is_between_its_neighbours() {
    with_store(|tx| {
        let whole = two_keys(tx, [Trust::InUse, Trust::Pending]);
        let mut spot = tx.newest(&whole, 1).unwrap().lines[0].0;
        spot.cursor.row += 1;
        assert_eq!(show(&tx.around(&whole, spot, 1).unwrap()), ["3:5"]);
        spot.part = 77;
        assert_eq!(show(&tx.around(&whole, spot, 2).unwrap()), ["3:4", "3:5"]);
    });
}

#[test]
fn a_side_holds_so_much_text_but_one_message_however_long() {
    with_store(|tx| {
        let chat = tx.direct_chat(&ME, &PEER, Millis(1)).unwrap().row;
        let long = "x".repeat(SIDE_BYTES + 1);
        for n in 1..=3 {
            tx.insert_arrival(chat, &arrival(n, &long)).unwrap();
        }
        let whole = tx.conversation(&PEER).unwrap();
        let newest = tx.newest(&whole, 9).unwrap();
        assert_eq!((newest.lines.len(), newest.older), (1, true));
        let middle = newest.lines[0].0;
        let window = tx.around(&whole, middle, 9).unwrap();
        assert_eq!((window.lines.len(), window.older, window.newer), (2, true, false));
    });
}

#[test]
fn what_is_unread_begins_in_the_first_part_that_has_any() {
    with_store(|tx| {
        let whole = two_keys(tx, [Trust::Replaced, Trust::InUse]);
        let read = |part: u32, place: u64| {
            let mut chat = tx.chat_at(whole.chat(part).unwrap()).unwrap().unwrap();
            chat.read_place = place;
            tx.save_chat(&chat).unwrap();
            tx.first_unread(&whole).unwrap().map(|spot| (spot.part, spot.cursor.place))
        };
        assert_eq!(read(0, 1), Some((0, 2)));
        assert_eq!(read(0, 3), Some((1, 4)));
        assert_eq!(read(1, 5), None);
    });
}

#[test]
fn a_key_accepted_before_anything_was_written_shows_at_the_end() {
    with_store(|tx| {
        save(tx, PEER, Trust::Replaced, 1);
        save(tx, NEW, Trust::InUse, 2);
        say(tx, PEER, 1, 1);
        let whole = tx.conversation(&PEER).unwrap();
        assert_eq!(show(&tx.newest(&whole, 9).unwrap()), ["2:1", "key changed"]);
        // Nobody knows this one: nothing is there.
        let stranger = tx.conversation(&AccountId([9; 32])).unwrap();
        assert_eq!(show(&tx.newest(&stranger, 9).unwrap()), [""; 0]);
        assert_eq!(tx.first_unread(&stranger).unwrap(), None);
    });
}

fn only(tx: &Tx) -> ChatSummary {
    let mut lines = tx.summaries(Shown { text: 2, unread: 4 }).unwrap();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.pop().unwrap()
}

#[test]
fn a_name_with_two_keys_has_one_line() {
    with_store(|tx| {
        two_keys(tx, [Trust::InUse, Trust::Pending]);
        let line = only(tx);
        assert_eq!((line.peer, line.name.as_str(), line.unread), (PEER, "robin", 5));
        assert_eq!((line.last.as_deref(), line.time), (Some("3:"), Some(Millis(5))));
        assert!(line.key_changed && line.draft.is_none());
        save(tx, PEER, Trust::Replaced, 1);
        save(tx, NEW, Trust::InUse, 2);
        let line = only(tx);
        assert_eq!((line.peer, line.key_changed), (NEW, false));
    });
}

#[test]
fn what_is_unread_is_counted_so_far_as_it_is_shown() {
    with_store(|tx| {
        say(tx, PEER, 1, 9);
        assert_eq!(only(tx).unread, 4);
        assert_eq!(tx.summaries(Shown::WHOLE).unwrap()[0].unread, 9);
    });
}

#[test]
fn a_line_shows_what_stands_behind_a_nul() {
    with_store(|tx| {
        let chat = tx.direct_chat(&ME, &PEER, Millis(1)).unwrap().row;
        tx.insert_arrival(chat, &arrival(1, "\0é!")).unwrap();
        assert_eq!(only(tx).last.as_deref(), Some("\0é"));
    });
}

#[test]
fn a_draft_alone_is_a_line_and_follows_its_name() {
    with_store(|tx| {
        save(tx, PEER, Trust::InUse, 1);
        assert!(tx.summaries(Shown::WHOLE).unwrap().is_empty());
        tx.save_draft(&PEER, "well", Millis(7)).unwrap();
        let line = only(tx);
        assert_eq!((line.peer, line.time, line.draft), (PEER, None, Some(Millis(7))));
        save(tx, PEER, Trust::Replaced, 1);
        save(tx, NEW, Trust::InUse, 2);
        tx.move_draft(&PEER, &NEW).unwrap();
        assert_eq!((tx.draft(&NEW).unwrap().as_str(), tx.draft(&PEER).unwrap().as_str()), ("well", ""));
        assert_eq!(only(tx).peer, NEW);
        tx.save_draft(&NEW, "", Millis(8)).unwrap();
        assert!(tx.summaries(Shown::WHOLE).unwrap().is_empty());
    });
}

#[test]
fn a_key_that_waits_is_a_line_where_nothing_was_written() {
    with_store(|tx| {
        save(tx, PEER, Trust::InUse, 1);
        save(tx, NEW, Trust::Pending, 2);
        let line = only(tx);
        assert_eq!((line.peer, line.key_changed, line.time), (PEER, true, None));
    });
}

#[test]
fn what_was_never_encrypted_is_told_from_what_may_have_left() {
    with_store(|tx| {
        let chat = tx.direct_chat(&ME, &PEER, Millis(1)).unwrap().row;
        let device = DeviceId([1; 16]);
        let rows: Vec<i64> = (1..=3u8)
            .map(|n| {
                let row = tx.insert_pending(chat, (&ME, &device, &MessageId([n; 16])), "mine", Millis(1)).unwrap();
                tx.enqueue(chat, row, None).unwrap();
                row
            })
            .collect();
        let sealed = tx.outgoing_of(rows[0]).unwrap()[0].row;
        tx.seal_outgoing(sealed, aside_protocol::N(1), Seq(1), &Hash([0; 32]), &vec![1].into()).unwrap();
        let unsent = |tx: &Tx| -> Vec<(i64, bool)> {
            let whole = tx.conversation(&PEER).unwrap();
            tx.unsent(&whole, 9).unwrap().iter().map(|(message, tried)| (message.row, *tried)).collect()
        };
        let expected = [(rows[0], true), (rows[1], false), (rows[2], false)];
        assert_eq!(unsent(tx), expected);
        assert_eq!(only(tx).pending, 3);
        // Numbers that begin again do not undo what happened.
        tx.renumber_outbox(chat).unwrap();
        assert_eq!(unsent(tx), expected);
        tx.enqueue_undelivered(chat, &device, 0).unwrap();
        assert_eq!(unsent(tx), expected);
        tx.delete_message(rows[1]).unwrap();
        assert_eq!(unsent(tx), [expected[0], expected[2]]);
        assert!(MAX_UNDELIVERED > 3 && !tx.is_queued(rows[1]).unwrap());
    });
}
