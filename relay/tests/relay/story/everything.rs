//! The story is whole: every request and every refusal of the protocol is met in a chapter, or is named here with a reason.
//! And what all of it must bear: more at once than the log takes.

use super::{Chapter, VIA, accounts, cursors, groups, numbers, retention};
use crate::client::Unauthenticated;
use crate::people::{Person, Running};
use aside_protocol::refusal::RetryAfter;
use aside_protocol::request::Request;
use aside_protocol::{Refusal, codec};
use aside_relay::invite::InviteError;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;

const CHAPTERS: [&Chapter; 11] = [
    &accounts::DEVICES,
    &accounts::MEETINGS,
    &accounts::REGISTERING,
    &cursors::CURSORS,
    &cursors::RECEIPTS,
    &groups::FOUNDING,
    &groups::MEMBERS,
    &numbers::ONCE,
    &numbers::ORDER,
    &retention::ACKNOWLEDGED,
    &retention::AGE,
];

/// What no chapter meets.
fn not_met() -> [(Refusal, &'static str); 1] {
    let unavailable = Refusal::Unavailable(RetryAfter { retry_after_ms: 2_000 });
    [(unavailable, "asks for a disk that takes nothing: `alone` has one, and the suites with real processes")]
}

/// How many variants an enum of the wire has. One that is not known decodes whatever comes with it.
fn variants<T: for<'de> serde::Deserialize<'de> + std::fmt::Debug>() -> usize {
    let known = |code: &u64| match codec::decode::<T>(&codec::encode(&(*code, ()))) {
        Ok(value) => !format!("{value:?}").starts_with("Unknown("),
        Err(_) => true,
    };
    (0..1_000).filter(known).count()
}

#[test]
fn every_request_and_every_refusal_is_in_the_story() {
    let mut requests: BTreeSet<&str> = CHAPTERS.iter().flat_map(|chapter| chapter.requests).copied().collect();
    assert!(requests.remove("Unknown"), "one that the relay does not know is asked, too");
    assert_eq!(requests.len(), variants::<Request>(), "of the requests only these are met: {requests:?}");
    let mut refusals: BTreeSet<&str> = CHAPTERS.iter().flat_map(|chapter| chapter.refusals).copied().collect();
    for (refusal, reason) in not_met() {
        assert!(refusals.insert(refusal.name()), "{} is met, though {reason}", refusal.name());
    }
    assert_eq!(refusals.len(), variants::<Refusal>(), "of the refusals only these are met or named: {refusals:?}");
}

/// Invites go through the log like everything else, and can be asked for without a connection each. They are asked for while
/// the database cannot be written.
#[tokio::test]
async fn what_is_too_much_at_once_is_refused_at_once_and_the_rest_counts() {
    let relay = Running::start(VIA).await;
    let database = rusqlite::Connection::open(relay.folder.path().join("data/relay.db")).unwrap();
    database.execute_batch("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE").unwrap();
    let asked = (0..8_000).map(|_| relay.server.invite(1, Duration::from_secs(60)));
    // All are asked for before anything else goes on.
    let answers = tokio::task::unconstrained(join_all(asked));
    let (answers, ()) = tokio::join!(answers, async { drop(database) });
    let (mut made, mut refused) = (Vec::new(), 0);
    for answer in answers {
        match answer {
            Ok(invite) => made.push(invite),
            Err(InviteError::Refused(Refusal::Busy(later))) if later.retry_after_ms > 0 => refused += 1,
            Err(other) => panic!("neither made nor refused: {other}"),
        }
    }
    assert!(refused >= 1_000 && made.len() >= 4_096, "{} made, {refused} refused", made.len());
    for (invite, name) in [(made.first(), "alice"), (made.last(), "bob")] {
        let invite = invite.unwrap();
        let connection = Unauthenticated::connect(invite, VIA).await;
        connection.register(&Person::new(name), invite.secret).await;
    }
}
