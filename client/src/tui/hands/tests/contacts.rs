//! Names, safety numbers, new keys.

use super::*;
use aside_crypto::safety::safety_number;
use aside_tui::data::Info;

async fn look_up(desk: &mut Desk, typed: &str) -> Result<AccountId, String> {
    desk.ask(Cmd::LookUp(typed.into()));
    desk.until(|msg| match msg {
        Msg::Found(name, found) if name == typed => Some(found.clone()),
        _ => None,
    })
    .await
}

async fn info(desk: &mut Desk, number: u8) -> Info {
    desk.ask(Cmd::LoadInfo(id(number)));
    desk.until(|msg| match msg {
        Msg::Info(peer, info) if *peer == id(number) => Some(info.clone()),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_name_is_taken_as_people_type_it() {
    let mut desk = Desk::open(|tx| know(tx, 2));
    for typed in ["peer2", " @Peer2 "] {
        assert_eq!(look_up(&mut desk, typed).await, Ok(id(2)));
    }
    assert!(look_up(&mut desk, "no such name").await.unwrap_err().contains("3 to 32"));
}

#[tokio::test]
async fn a_name_nobody_can_be_asked_about_says_why_and_holds_nothing_up() {
    let mut desk = Desk::open(|tx| know(tx, 2));
    desk.ask(Cmd::LookUp("carol".into()));
    assert!(desk.chats().await.is_empty());
    let why = look_up(&mut desk, "carol").await.unwrap_err();
    assert!(why.contains("proxy"), "{why}");
}

#[tokio::test]
async fn a_contact_has_a_safety_number() {
    let mut desk = Desk::open(|tx| know(tx, 2));
    let shown = info(&mut desk, 2).await;
    assert_eq!((shown.name.as_str(), shown.devices), ("peer2", 1));
    assert_eq!(shown.safety_number, safety_number(&account(1).root, &account(2).root));
    assert_eq!((shown.account, shown.rival), (id(2).to_hex(), None));
}

#[tokio::test]
async fn a_new_key_stops_sending_until_it_is_accepted() {
    let mut desk = Desk::open(|tx| {
        know(tx, 2);
        know(tx, 102);
        say(tx, 2, 1, 1);
    });
    assert_eq!(look_up(&mut desk, "peer2").await, Ok(id(2)));
    desk.send(2, "hello");
    let (text, why) = desk.refused().await;
    assert!(text == "hello" && why.contains("new key"), "{why}");
    let before = info(&mut desk, 2).await;
    let number = safety_number(&account(1).root, &account(102).root);
    assert_eq!(before.rival, Some((id(102), number.clone())));
    assert!(desk.chats().await[0].key_changed);
    desk.ask(Cmd::SaveDraft { peer: id(2), text: "hel".into() });
    desk.ask(Cmd::AcceptKey { peer: id(2), rival: id(7) });
    assert_eq!(info(&mut desk, 2).await.rival, before.rival, "that key was not shown");
    desk.ask(Cmd::AcceptKey { peer: id(2), rival: id(102) });
    let after = info(&mut desk, 2).await;
    assert_eq!((after.safety_number, after.rival, after.account), (number, None, id(102).to_hex()));
    let (page, draft) = desk.load(2, Span::Newest, 9).await;
    assert_eq!((texts(&page), draft.as_str()), (vec!["1".to_owned(), "<key>".to_owned()], "hel"));
    desk.send(2, "hello");
    let (page, draft) = desk.load(102, Span::Newest, 9).await;
    assert_eq!((texts(&page)[2].as_str(), draft.as_str()), ("hello", ""));
    let chats = desk.chats().await;
    assert_eq!((chats.len(), chats[0].peer, chats[0].key_changed), (1, id(102), false));
}
