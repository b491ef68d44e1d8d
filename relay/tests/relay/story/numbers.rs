//! Order and once-ness: what is sent counts once, under its number, in one order for all.

use super::{Chapter, Met, Pair, caught_up};
use crate::people::{Person, body, message};
use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_protocol::refusal::{Conflict, OutOfOrder, Plain, Stale, TooLarge};
use aside_protocol::request::{Request, Send};
use aside_protocol::{DeviceId, Hash, N, Pos, Refusal, Seq};

pub const ORDER: Chapter = Chapter { requests: &[], refusals: &[] };

/// As all see an envelope: where it stands, whose it is, under which number, and what it says.
type Seen = (Pos, Option<Seq>, DeviceId, Option<N>, Option<Hash>);

fn seen(envelope: &Envelope) -> Seen {
    (envelope.pos, envelope.seq, envelope.from, envelope.n, envelope.hash)
}

/// Messages and foundings alone: a welcome is for one side only.
fn chat_wide(envelopes: &[Envelope]) -> Vec<Seen> {
    envelopes.iter().filter(|envelope| envelope.kind == EnvelopeKind::Message).map(seen).collect()
}

#[tokio::test]
async fn what_two_send_at_once_has_one_order_for_both_and_keeps_it() {
    let (met, mut pair) = (Met::default(), Pair::new().await);
    let (mut mine, mut yours) = (Vec::new(), Vec::new());
    for n in 1..=40 {
        mine.push(pair.a.post(message(pair.chat, n + 1, pair.base, &format!("a{n}"))).await);
        yours.push(pair.b.post(message(pair.chat, n, pair.base, &format!("b{n}"))).await);
    }
    for (mine, yours) in mine.into_iter().zip(yours) {
        pair.a.answer_to(mine).await;
        pair.b.answer_to(yours).await;
    }
    let mut live = (Vec::new(), Vec::new());
    while live.0.len() < 80 {
        live.0.extend(chat_wide(&[pair.a.envelope().await]));
    }
    while live.1.len() < 80 {
        live.1.extend(chat_wide(&[pair.b.envelope().await]));
    }
    assert_eq!(live.0, live.1, "both see the same");
    assert!(live.0.is_sorted_by(|one, other| one.0 < other.0), "positions rise");
    assert_eq!(live.0.iter().map(|seen| seen.1.unwrap().0).collect::<Vec<_>>(), (2..=81).collect::<Vec<_>>());
    for person in [&pair.alice, &pair.bob] {
        let numbers: Vec<_> =
            live.0.iter().filter(|seen| seen.2 == person.device).map(|seen| seen.3.unwrap()).collect();
        assert_eq!(numbers.len(), 40);
        assert!(numbers.is_sorted(), "each one's own order is kept");
    }
    let mut pair = pair.restart((Pos(0), Pos(0))).await;
    assert_eq!(chat_wide(&caught_up(&mut pair.a).await), live.0, "and it stays");
    assert_eq!(chat_wide(&caught_up(&mut pair.b).await), live.0);
    met.tells(&ORDER);
}

pub const ONCE: Chapter = Chapter {
    requests: &["Send", "Range"],
    refusals: &["OutOfOrder", "Conflict", "TooOld", "Stale", "NotMember", "Invalid", "TooLarge"],
};

#[tokio::test]
async fn a_number_counts_once_whenever_it_comes_again() {
    let (mut met, mut pair) = (Met::default(), Pair::new().await);
    let say = |n: u64, text: &str| message(pair.chat, n, pair.base, text);
    let first = met.sent(&mut pair.a, say(2, "two")).await;
    assert_eq!((first.n, first.seq), (N(2), Seq(2)));
    // The same twice in one batch, before either is answered.
    let both = [pair.a.post(say(3, "three")).await, pair.a.post(say(3, "three")).await];
    let answers = [pair.a.answer_to(both[0]).await, pair.a.answer_to(both[1]).await];
    assert_eq!(answers[0], answers[1]);
    assert_eq!(met.sent(&mut pair.a, say(2, "two")).await, first);
    met.refused(&mut pair.a, say(2, "x"), Refusal::Conflict(Conflict { n: N(2), hash: Hash::of(b"two") })).await;
    met.refused(&mut pair.a, say(5, "x"), Refusal::OutOfOrder(OutOfOrder { expected: N(4) })).await;
    met.refused(&mut pair.a, say(0, "x"), Refusal::Invalid(Plain {})).await;
    met.refused(&mut pair.a, say(4, ""), Refusal::Invalid(Plain {})).await;
    let stale = Refusal::Stale(Stale { base: pair.base });
    met.refused(&mut pair.a, message(pair.chat, 4, Seq(0), "x"), stale).await;
    let long = Send { chat: pair.chat, n: N(4), base: pair.base, body: body(&vec![1; 65_537]) };
    met.refused(&mut pair.a, Request::Send(long), Refusal::TooLarge(TooLarge { limit: 65_536 })).await;
    let mut carol = pair.relay.join(&Person::new("carol")).await;
    met.refused(&mut carol, say(1, "x"), Refusal::NotMember(Plain {})).await;
    assert_eq!(met.sent(&mut pair.a, say(4, "four")).await.seq, Seq(4), "what was refused left no trace");
    assert_eq!(met.held(&mut pair.b, pair.chat).await, (vec![2, 3, 4], 1));

    let mut pair = pair.restart((Pos(0), Pos(0))).await;
    let say = |n: u64, text: &str| message(pair.chat, n, pair.base, text);
    assert_eq!(met.sent(&mut pair.a, say(2, "two")).await, first, "nor does a restart forget it");
    for n in 5..=67 {
        met.sent(&mut pair.a, say(n, "more")).await;
    }
    assert_eq!(met.sent(&mut pair.a, say(4, "four")).await.seq, Seq(4), "the last 64 answers are kept");
    met.refused(&mut pair.a, say(3, "three"), Refusal::TooOld(Plain {})).await;
    met.tells(&ONCE);
}
