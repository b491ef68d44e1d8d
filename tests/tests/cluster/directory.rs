//! A node whose replica of the directory is late: nobody at that node hears of somebody before the node knows who that is.
//! Connections that speak frames, which do not ask again as a client does.

use super::common::*;
use super::placing::*;
use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_protocol::frame::{Asked, Attach, ClientFrame, Ping, RelayFrame};
use aside_protocol::invite::Invite;
use aside_protocol::request::{Answer, Found, Lookup, Request, Send, Welcome, Who};
use aside_protocol::{AccountId, Body, ChatId, N};
use aside_tests::cluster::{NODES, PARTITIONS};
use aside_tests::raw::{Person, Raw};
use aside_tests::{Cluster, Road, wait_some};
use rusqlite::Connection;
use std::time::{Duration, Instant};

/// Less than a node waits for its own database.
const LATE: Duration = Duration::from_secs(2);
/// On the way to the slow node, and back.
const FAR: Duration = Duration::from_millis(200);

fn account(person: &Person) -> AccountId {
    AccountId::of(&person.root.public())
}

fn chat_of(one: &Person, other: &Person) -> ChatId {
    ChatId::direct(&account(one), &account(other))
}

/// People with whom somebody has chats elsewhere than in the directory: as many as are asked for, of each partition in turn.
fn strangers(bob: &Person, count: usize) -> Vec<Person> {
    let names = ('c'..='z').map(|letter| Person::new(&letter.to_string().repeat(3)));
    let elsewhere = |person: &Person| of_chat(PARTITIONS, &chat_of(bob, person)) != 0;
    names.filter(elsewhere).take(count).collect()
}

async fn ask(connection: &mut Raw, request: Request) -> Answer {
    connection.frame(&ClientFrame::Request(Asked { id: 1, request })).await;
    loop {
        match connection.hear().await {
            Some(RelayFrame::Answer(answered)) => return answered.answer,
            Some(RelayFrame::Deliver(_) | RelayFrame::CaughtUp(_)) => {}
            other => panic!("no answer but {other:?}"),
        }
    }
}

/// Somebody registers at a node and welcomes bob to a chat of the two, which counts there at once.
async fn welcomes(cluster: &Cluster, node: usize, invite: &Invite, person: &Person, bob: &Person) -> Raw {
    let mut connection = Raw::connect(cluster.address(node)).await;
    connection.register(person.name.as_str(), invite).await;
    let welcome = Some(Welcome { to: vec![bob.device], body: Body::from(b"welcome".to_vec()), blob: None });
    let (accounts, devices) = (vec![account(person), account(bob)], vec![person.device, bob.device]);
    let (chat, body) = (chat_of(person, bob), Body::from(b"founding".to_vec()));
    let found = Found { chat, accounts, incarnation: 1, devices, body, welcome, origin: None };
    let answer = ask(&mut connection, Request::Found(found)).await;
    assert!(matches!(answer, Answer::Sent(_)), "not founded: {answer:?}");
    connection
}

/// The next welcome.
async fn welcomed(bob: &mut Raw) -> Envelope {
    loop {
        match bob.hear().await {
            Some(RelayFrame::Deliver(envelope)) if envelope.kind == EnvelopeKind::Welcome => return envelope,
            Some(RelayFrame::Deliver(_) | RelayFrame::CaughtUp(_)) => {}
            other => panic!("no welcome but {other:?}"),
        }
    }
}

/// Bob hears of somebody, asks who that is, and writes back, all at once.
async fn meets(bob: &mut Raw, stranger: &Person) {
    let welcome = welcomed(bob).await;
    assert_eq!((welcome.account, welcome.from), (account(stranger), stranger.device));
    let who = Request::Lookup(Lookup { who: Who::Account(welcome.account), from_version: 1 });
    match ask(bob, who).await {
        Answer::Account(found) => assert_eq!(found.root, stranger.root.public()),
        other => panic!("the node does not know of whom it has told: {other:?}"),
    }
    let body = Body::from(b"hello".to_vec());
    let hello = Request::Send(Send { chat: welcome.chat, n: N(1), base: welcome.base.unwrap(), body });
    let answer = ask(bob, hello).await;
    assert!(matches!(answer, Answer::Sent(_)), "not sent: {answer:?}");
}

#[tokio::test]
async fn nobody_hears_of_somebody_whom_the_node_does_not_know_yet() {
    let cluster = Cluster::start_linked();
    // A node that appends nothing: whoever appends to a chat's partition waits for its own directory.
    let (owner, slow, other) = (0, 1, 2);
    wait_some("a node that appends to each partition", SOON, || cluster.owners());
    cluster.move_all(owner);
    let invite = |node: usize| Invite::from_link(&cluster.new_invite(node)).unwrap();
    let bob = Person::new("bob");
    let mut at_bob = Raw::connect(cluster.address(slow)).await;
    at_bob.register("bob", &invite(slow)).await;
    at_bob.frame(&ClientFrame::Attach(Attach { cursors: vec![] })).await;
    let strangers = strangers(&bob, 6);
    let invites: Vec<Invite> = strangers.iter().map(|_| invite(other)).collect();
    let mut there = Vec::new();

    cluster.links().node(slow, Road::Slow(FAR));
    let (far, late) = strangers.split_at(4);
    for (stranger, invite) in far.iter().zip(&invites) {
        there.push(welcomes(&cluster, other, invite, stranger, &bob).await);
        meets(&mut at_bob, stranger).await;
    }
    cluster.links().heal();

    // Now of that node's partitions the directory alone is late: its database is in somebody else's hands for a while.
    for (stranger, invite) in late.iter().zip(&invites[4..]) {
        let directory = Connection::open(&cluster.databases(slow)[0]).unwrap();
        directory.execute_batch("BEGIN IMMEDIATE").unwrap();
        let held = Instant::now();
        there.push(welcomes(&cluster, other, invite, stranger, &bob).await);
        // What is told early is told by then: the node has had time for it, and answers in between.
        while held.elapsed() < LATE {
            at_bob.frame(&ClientFrame::Ping(Ping {})).await;
            loop {
                match at_bob.hear().await {
                    Some(RelayFrame::Pong(_)) => break,
                    Some(RelayFrame::Deliver(envelope)) if envelope.from == bob.device => {}
                    other => panic!("told of somebody whom the node does not know: {other:?}"),
                }
            }
        }
        directory.execute_batch("ROLLBACK").unwrap();
        meets(&mut at_bob, stranger).await;
    }
    drop(there);
    cluster.agree(NODES);
}
