//! A full disk: a clear refusal, nothing corrupted, and back to work when there is room.

use crate::client::Transport;
use crate::over_each;
use crate::people::{Person, Running, chat_of, found, message};
use aside_protocol::request::Answer;
use aside_protocol::{Refusal, Seq};
use aside_relay::admin::{Ask, client};
use aside_relay::data::admin_socket;

async fn a_full_disk_refuses_and_recovers(via: Transport) {
    let relay = Running::start(via).await;
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut from = relay.join(&alice).await;
    relay.join(&bob).await;
    let base = found(&mut from, &alice, &bob).await.seq;
    let (chat, text) = (chat_of(&alice, &bob), "x".repeat(60_000));
    let socket = admin_socket(&relay.folder.path().join("data"));
    limit(&socket, Some(1)).await;
    let mut n = 2;
    let refusal = loop {
        match from.ask(message(chat, n, base, &text)).await {
            Answer::Sent(_) if n < 100 => n += 1,
            other => break other,
        }
    };
    assert!(matches!(refusal, Answer::Refused(Refusal::Unavailable(_))), "{refusal:?}");
    limit(&socket, None).await;
    let Answer::Sent(sent) = from.ask(message(chat, n, base, &text)).await else { panic!("not sent") };
    assert_eq!(sent.seq, Seq(n), "the refused one left no trace");
}

async fn limit(socket: &std::path::Path, pages: Option<u32>) {
    let socket = socket.to_owned();
    let told = tokio::task::spawn_blocking(move || client::ask(&socket, &Ask::LimitPages { pages }));
    assert!(told.await.unwrap().unwrap().is_some());
}

over_each!(a_full_disk_refuses_and_recovers,);
