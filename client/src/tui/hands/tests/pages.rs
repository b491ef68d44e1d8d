//! Pages around what is unread and around an entry; reading them.

use super::*;

#[tokio::test]
async fn a_page_lies_around_what_is_unread() {
    let mut desk = Desk::open(|tx| {
        know(tx, 2);
        say(tx, 2, 1, 50);
    });
    let (page, _) = desk.load(2, Span::Newest, 3).await;
    assert_eq!((texts(&page), page.older, page.newer), (["48", "49", "50"].map(String::from).to_vec(), true, false));
    desk.ask(Cmd::MarkRead { peer: id(2), up_to: Key { part: 0, place: 20, row: i64::MAX } });
    let (page, _) = desk.load(2, Span::Unread, 2).await;
    assert_eq!(texts(&page), ["19", "20", "21", "22", "23"]);
    assert_eq!(page.unread_from, Some(page.entries[2].key));
    assert!(page.older && page.newer);
    assert_eq!(desk.chats().await[0].unread, 30);
    let around = Span::Around(page.entries[4].key);
    assert_eq!(texts(&desk.load(2, around, 1).await.0), ["22", "23", "24"]);
}

#[tokio::test]
async fn where_all_is_read_the_newest_are_shown() {
    let mut desk = Desk::open(|tx| {
        know(tx, 2);
        say(tx, 2, 1, 3);
    });
    let (page, _) = desk.load(2, Span::Newest, 9).await;
    let last = page.entries[2].key;
    desk.ask(Cmd::MarkRead { peer: id(2), up_to: last });
    let (page, _) = desk.load(2, Span::Unread, 2).await;
    assert_eq!((texts(&page), page.unread_from), (vec!["2".to_owned(), "3".to_owned()], None));
}

#[tokio::test]
async fn a_chat_that_is_not_there_yet_is_an_empty_page() {
    let mut desk = Desk::open(|tx| know(tx, 2));
    for number in [2, 77] {
        let (page, draft) = desk.load(number, Span::Unread, 9).await;
        assert_eq!((page, draft), (Page::default(), String::new()));
    }
}

#[tokio::test]
async fn two_keys_are_one_conversation_each_read_by_itself() {
    let mut desk = Desk::open(|tx| {
        know(tx, 2);
        know(tx, 102);
        say(tx, 2, 1, 2);
        say(tx, 102, 3, 4);
    });
    for number in [2, 102] {
        let (page, _) = desk.load(number, Span::Newest, 9).await;
        assert_eq!(texts(&page), ["1", "2", "<key>", "3", "4"]);
        assert_eq!(page.entries[2].key, first(1));
    }
    let second = desk.load(2, Span::Newest, 9).await.0.entries[1].key;
    let chats = desk.chats().await;
    let line: Vec<_> = chats.iter().map(|chat| (chat.peer, chat.unread, chat.key_changed)).collect();
    assert_eq!(line, [(id(2), 4, true)]);
    let up_to = desk.load(2, Span::Newest, 2).await.0.entries[0].key;
    desk.ask(Cmd::MarkRead { peer: id(2), up_to });
    assert_eq!(desk.chats().await[0].unread, 3, "what came under the other key was not on the screen");
    desk.ask(Cmd::MarkRead { peer: id(2), up_to: second });
    assert_eq!(desk.chats().await[0].unread, 1);
}
