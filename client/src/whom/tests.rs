#![allow(clippy::unwrap_used, clippy::panic)]
//! Titles, ids and names, in a store in memory.

use super::*;
use aside_protocol::group::ChatKind;
use aside_protocol::{ChatId, Millis};
use aside_store::Store;

/// Three groups, two of one title; all ids begin with different digits.
fn with_groups(look: impl FnOnce(&Tx)) {
    let mut store = Store::in_memory().unwrap();
    let looked: Result<(), EngineError> = store.transact(|tx| {
        for (number, title) in [(0xa1, "lunch"), (0xb2, "lunch"), (0xc3, "the house")] {
            let mut chat = tx.group_chat(&ChatId([number; 32]), ChatKind::Group, Millis(1))?;
            chat.title = title.into();
            tx.save_chat(&chat)?;
        }
        look(tx);
        Ok(())
    });
    looked.unwrap();
}

fn group(meant: Result<Meant, Unclear>) -> u8 {
    match meant {
        Ok(Meant::Group(chat)) => chat.chat.0[0],
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_title_names_its_group() {
    with_groups(|tx| {
        assert_eq!(group(read(tx, "#the house").unwrap()), 0xc3);
        assert_eq!(read_group(tx, "the house").unwrap().unwrap().chat.0[0], 0xc3, "without the mark");
        assert!(matches!(read(tx, "#nothing").unwrap(), Err(Unclear::NoGroup(_))));
    });
}

#[test]
fn of_two_with_one_title_the_ids_are_told() {
    with_groups(|tx| {
        let Err(Unclear::Several(_, ids)) = read(tx, "#lunch").unwrap() else { panic!("it is not clear") };
        assert!(ids.contains("a1a1a1a1a1a1") && ids.contains("b2b2b2b2b2b2"), "{ids}");
        assert_eq!(group(read(tx, "b2b2b2b2").unwrap()), 0xb2);
        assert_eq!(group(read(tx, "#B2B2B2B2b2").unwrap()), 0xb2);
    });
}

#[test]
fn one_that_was_left_does_not_stand_in_the_way() {
    with_groups(|tx| {
        let mut chat = tx.chat(&ChatId([0xa1; 32])).unwrap().unwrap();
        chat.enter(ChatState::Left, Millis(2));
        tx.save_chat(&chat).unwrap();
        assert_eq!(group(read(tx, "#lunch").unwrap()), 0xb2);
    });
}

#[test]
fn other_texts_are_names_of_people() {
    with_groups(|tx| {
        assert!(matches!(read(tx, "bob").unwrap(), Ok(Meant::Person(name)) if name.as_str() == "bob"));
        assert!(matches!(read(tx, "deadbeef").unwrap(), Ok(Meant::Person(_))), "no chat begins so");
        assert!(matches!(read(tx, "a1a1").unwrap(), Ok(Meant::Person(_))), "too short for an id");
        assert!(matches!(read(tx, "Not A Name").unwrap(), Err(Unclear::Name(_))));
        assert!(matches!(read(tx, &"d".repeat(64)).unwrap(), Err(Unclear::NoGroup(_))), "too long for a name");
    });
}
