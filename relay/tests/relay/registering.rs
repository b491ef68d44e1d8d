//! Invites, registration, login.

use crate::client::{Transport, Unauthenticated};
use crate::over_each;
use crate::people::{Person, Running};
use aside_protocol::frame::{ClientFrame, Fault, RelayFrame};
use aside_protocol::invite::InviteSecret;
use aside_protocol::refusal::Plain;
use aside_protocol::{PartitionId, Refusal};
use std::time::Duration;

async fn a_newcomer_registers_and_logs_in_again(via: Transport) {
    let relay = Running::start(via).await;
    let alice = Person::new("alice");
    let first = relay.join(&alice).await;
    assert_eq!((first.welcome.account, first.welcome.name.as_str()), (alice.account(), "alice"));
    let again = relay.login(&alice, 0).await;
    assert_eq!(again.welcome.log, first.welcome.log);
    assert_eq!(again.welcome.positions[0].partition, PartitionId(0));
}

async fn a_registration_whose_answer_was_lost_succeeds_again_and_uses_the_invite_once(via: Transport) {
    let relay = Running::start(via).await;
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let invite = relay.server.invite(1, Duration::from_secs(60)).await.unwrap();
    for _ in 0..2 {
        Unauthenticated::connect(&invite, via).await.register(&alice, invite.secret).await;
    }
    let refused = Unauthenticated::connect(&invite, via).await.try_register(&bob, invite.secret).await;
    assert_eq!(refused.err(), Some(Refusal::InviteUsed(Plain {})));
}

async fn what_is_wrong_with_a_registration_is_said_and_it_can_be_tried_again(via: Transport) {
    let relay = Running::start(via).await;
    let (alice, mallory) = (Person::new("alice"), Person::new("mallory"));
    relay.join(&alice).await;
    let invite = relay.invite().await;
    let expired = relay.server.invite(1, Duration::ZERO).await.unwrap();
    let taken = Person { name: alice.name.clone(), ..Person::new("mallory") };
    let unknown = InviteSecret([9; 16]);

    let mut connection = Unauthenticated::connect(&invite, via).await;
    let transcript = connection.transcript().await;
    let tries = [
        (&mallory, unknown, Refusal::InviteUnknown(Plain {})),
        (&mallory, expired.secret, Refusal::InviteExpired(Plain {})),
        (&taken, invite.secret, Refusal::NameTaken(Plain {})),
    ];
    for (person, secret, wanted) in tries {
        connection.send(&ClientFrame::Register(person.registration(&transcript, secret))).await;
        assert_eq!(connection.receive().await, Some(RelayFrame::LoginRefused(wanted)));
    }
    connection.send(&ClientFrame::Register(mallory.registration(&transcript, invite.secret))).await;
    assert!(connection.logged_in().await.is_ok());
}

async fn a_login_by_another_key_or_for_another_connection_is_a_fault(via: Transport) {
    let relay = Running::start(via).await;
    let alice = Person::new("alice");
    relay.join(&alice).await;
    let impostor = Person { key: Person::new("mallory").key, ..Person::new("alice") };
    let nobody = Person::new("nobody");
    for person in [&impostor, &nobody] {
        let mut connection = relay.connect().await;
        let transcript = connection.transcript().await;
        connection.send(&ClientFrame::Login(person.login(&transcript))).await;
        assert_fatal(connection, "LOG-3").await;
    }
    let recorded = alice.login(&relay.connect().await.transcript().await);
    let mut replayed = relay.connect().await;
    replayed.transcript().await;
    replayed.send(&ClientFrame::Login(recorded)).await;
    assert_fatal(replayed, "LOG-3").await;
}

/// The next frame is a fatal fault of that rule, and then the connection ends.
pub async fn assert_fatal(mut connection: Unauthenticated, wanted: &str) {
    match connection.receive().await {
        Some(RelayFrame::Fault(Fault { rule, fatal: true, .. })) => assert_eq!(rule, wanted),
        other => panic!("no fatal fault {wanted} but {other:?}"),
    }
    assert_eq!(connection.receive().await, None);
}

over_each!(
    a_newcomer_registers_and_logs_in_again,
    a_registration_whose_answer_was_lost_succeeds_again_and_uses_the_invite_once,
    what_is_wrong_with_a_registration_is_said_and_it_can_be_tried_again,
    a_login_by_another_key_or_for_another_connection_is_a_fault,
);
