//! Groups and channels: links, titles, ids, and how the list shows them.

use super::*;
use crate::members::Member;
use crate::summaries::{ChatSummary, Shown};
use crate::tasks::{Task, TaskKind};
use aside_protocol::channel::LinkSecret;
use aside_protocol::group::{ChatKind, Role, RosterEntry};
use aside_protocol::{Body, ChatId, Hash};

fn made(tx: &Tx, number: u8, kind: ChatKind, title: &str) -> crate::chats::Chat {
    let mut chat = tx.group_chat(&ChatId([number; 32]), kind, Millis(1)).unwrap();
    chat.title = title.into();
    tx.save_chat(&chat).unwrap();
    chat
}

fn in_store(work: impl FnOnce(&Tx)) {
    let mut store = Store::in_memory().unwrap();
    store.transact::<_, StoreError>(|tx| Ok(work(tx))).unwrap();
}

#[test]
fn the_secret_of_a_link_is_kept_until_it_is_dropped() {
    in_store(|tx| {
        let chat = made(tx, 1, ChatKind::Channel, "news");
        assert_eq!(tx.link_secret(chat.row).unwrap(), None);
        for secret in [LinkSecret([1; 32]), LinkSecret([2; 32])] {
            tx.save_link_secret(chat.row, &secret).unwrap();
            assert_eq!(tx.link_secret(chat.row).unwrap(), Some(secret));
        }
        tx.drop_link_secret(chat.row).unwrap();
        assert_eq!(tx.link_secret(chat.row).unwrap(), None);
    });
}

#[test]
fn chats_are_found_by_the_beginning_of_their_ids() {
    in_store(|tx| {
        made(tx, 0xab, ChatKind::Group, "one");
        made(tx, 0xac, ChatKind::Channel, "two");
        tx.direct_chat(&ME, &PEER, Millis(1)).unwrap();
        let titles = |digits: &str| -> Vec<String> {
            tx.chats_beginning(digits).unwrap().into_iter().map(|chat| chat.title).collect()
        };
        assert_eq!(titles("abab"), ["one"]);
        assert_eq!(titles("ACAC"), ["two"]);
        assert_eq!(titles("a"), ["one", "two"]);
        assert_eq!(titles("%"), Vec::<String>::new());
        assert_eq!(tx.group_chats().unwrap().len(), 2, "direct chats are no groups");
    });
}

fn line(tx: &Tx, title: &str) -> ChatSummary {
    tx.summaries(Shown::WHOLE).unwrap().into_iter().find(|line| line.name == title).unwrap()
}

#[test]
fn drafts_of_groups_are_in_the_list_and_who_founds_one_owns_it() {
    in_store(|tx| {
        let chat = made(tx, 1, ChatKind::Group, "lunch");
        assert_eq!((line(tx, "lunch").kind, line(tx, "lunch").draft), (ChatKind::Group, None));
        assert_eq!(line(tx, "lunch").role, Some(Role::Member));
        let (value, due) = (Body::default(), Millis(1));
        let task = Task { chat: chat.row, kind: TaskKind::Found, subject: vec![], value, made: due, due, asked: true };
        tx.save_task(&task).unwrap();
        assert_eq!(line(tx, "lunch").role, Some(Role::Owner));
        tx.save_draft(&chat.peer, "half a", Millis(9)).unwrap();
        assert_eq!(line(tx, "lunch").draft, Some(Millis(9)));
        let mut left = chat;
        left.enter(crate::chats::ChatState::Left, Millis(2));
        tx.save_chat(&left).unwrap();
        assert_eq!(line(tx, "lunch").role, None);
    });
}

#[test]
fn a_message_in_a_group_has_its_author_even_before_the_name_is_known() {
    in_store(|tx| {
        let chat = made(tx, 1, ChatKind::Group, "lunch");
        let arrival = crate::messages::Arrival {
            author: PEER,
            device: DeviceId([4; 16]),
            id: MessageId([5; 16]),
            own: false,
            seq: aside_protocol::Seq(3),
            place: 3,
            text: "hello",
            sent_at: Millis(1),
            relay_time: Millis(1),
        };
        assert!(tx.insert_arrival(chat.row, &arrival).unwrap());
        let message = tx.messages_with_id(&MessageId([5; 16])).unwrap().remove(0);
        assert_eq!((message.peer_name.as_str(), message.kind), ("lunch", ChatKind::Group));
        assert_eq!(message.author_name, Some(format!("?{}", &PEER.to_hex()[..8])));
        assert_eq!(line(tx, "lunch").last_by, message.author_name);
        let entry = RosterEntry { account: PEER, role: Role::Member, version: 1, hash: Hash([0; 32]), since: 1 };
        tx.put_member(chat.row, &entry, 0).unwrap();
        let members: Vec<Member> = tx.members(chat.row).unwrap();
        assert!(members[0].account.is_none() && members[0].delivered == 0);
    });
}
