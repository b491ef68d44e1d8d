//! What only a relay alone does, whatever log the other tests are about.
//!
//! - A full disk is a refusal. A node of a cluster whose disk is full stops serving instead: what it was asked stands in the
//!   log already, and the other nodes have it.
//! - It can write its commands down and replay them. In a cluster the log is that record.

use crate::client::{Transport, Unauthenticated};
use crate::commands::{Process, one_line, program};
use crate::over_each;
use crate::people::{Person, Running, chat_of, found, message};
use aside_protocol::request::Answer;
use aside_protocol::{Refusal, Seq};
use aside_relay::admin::{Ask, client};
use aside_relay::data::admin_socket;
use std::process::Command;

async fn a_full_disk_refuses_and_recovers(via: Transport) {
    let relay = Running::alone(via).await;
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

async fn its_record_replays(via: Transport) {
    let folder = tempfile::tempdir().unwrap();
    let (data, record) = (folder.path().join("data"), folder.path().join("record"));
    let mut serve = program(&["serve", "--listen", "127.0.0.1:0", "--json"], &data);
    let (mut relay, invite, _) = Process::start(serve.arg("--record").arg(&record));
    Unauthenticated::connect(&invite, via).await.register(&Person::new("alice"), invite.secret).await;
    assert_eq!(relay.terminate(), Some(0));
    let replayed = Command::new(env!("CARGO_BIN_EXE_aside-relay")).arg("replay").arg(&record).output().unwrap();
    assert_eq!(replayed.status.code(), Some(0));
    assert!(one_line(&replayed).contains("commands, state "));
}

over_each!(a_full_disk_refuses_and_recovers, its_record_replays,);
