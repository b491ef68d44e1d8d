//! Cursors and receipts: where a device goes on, and what it says it has seen.

use super::{Chapter, Met, Pair, acknowledge, caught_up};
use crate::people::{body, message};
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::frame::RelayFrame;
use aside_protocol::refusal::{Plain, TooLarge};
use aside_protocol::request::{Receipt, Receipts, ReceiptsOf, Request};
use aside_protocol::{LogId, Pos, Refusal, Seq};

pub const CURSORS: Chapter = Chapter { requests: &["Send"], refusals: &[] };

#[tokio::test]
async fn a_device_goes_on_where_it_says_and_the_relay_remembers_what_it_has() {
    let (mut met, mut pair) = (Met::default(), Pair::new().await);
    let mut positions = Vec::new();
    for n in 2..6 {
        met.sent(&mut pair.a, message(pair.chat, n, pair.base, &format!("m{n}"))).await;
    }
    while positions.len() < 5 {
        positions.push(pair.b.envelope().await.pos);
    }
    assert!(positions.is_sorted());
    acknowledge(&mut pair.b, pair.chat, positions[2]).await;
    // Nothing that was not sent yet can be acknowledged.
    pair.b.ack(Pos(1_000)).await;
    let RelayFrame::Fault(fault) = pair.b.other().await.unwrap() else { panic!("no fault") };
    assert_eq!((fault.rule.as_str(), fault.fatal), ("WIN-2", false));

    let (cursor, log) = (positions[2], pair.b.log());
    let mut pair = pair.restart((Pos(0), cursor)).await;
    let place = pair.b.position(&pair.chat);
    assert_eq!((place.acked, place.head, pair.b.log()), (cursor, positions[4], log), "over a restart");
    let after: Vec<_> = caught_up(&mut pair.b).await.iter().map(|envelope| envelope.pos).collect();
    assert_eq!(after, positions[3..]);
    // An older cursor gets what was acknowledged again, except what was for this device alone; so does one of another
    // log, or one ahead of this one.
    let cursors = [(log, positions[0]), (log, Pos(1_000)), (LogId([9; 16]), positions[3])];
    for (log, pos) in cursors {
        let mut again = pair.relay.connect().await.login(&pair.bob).await;
        again.attach(log, pos).await;
        let got: Vec<_> = caught_up(&mut again).await.iter().map(|envelope| envelope.pos).collect();
        assert_eq!(got, positions[1..], "from {pos:?} of {log:?}");
    }
    met.tells(&CURSORS);
}

pub const RECEIPTS: Chapter =
    Chapter { requests: &["Receipt", "Receipts"], refusals: &["Invalid", "NotMember", "TooLarge"] };

#[tokio::test]
async fn a_receipt_takes_the_place_of_the_one_before() {
    let (mut met, mut pair) = (Met::default(), Pair::new().await);
    let receipt = |base: Seq, text: &[u8]| Request::Receipt(Receipt { chat: pair.chat, base, body: body(text) });
    for text in [&b"one"[..], b"two"] {
        met.done(&mut pair.b, receipt(pair.base, text)).await;
        loop {
            let envelope = pair.a.envelope().await;
            if envelope.kind == EnvelopeKind::Receipt {
                assert_eq!((envelope.seq, &envelope.body.unwrap()[..]), (None, text));
                break;
            }
        }
    }
    met.refused(&mut pair.b, receipt(pair.base, b""), Refusal::Invalid(Plain {})).await;
    met.refused(&mut pair.b, receipt(Seq(9), b"x"), Refusal::Invalid(Plain {})).await;
    met.refused(&mut pair.b, receipt(pair.base, &[1; 513]), Refusal::TooLarge(TooLarge { limit: 512 })).await;
    let elsewhere = Receipt { chat: aside_protocol::ChatId([1; 32]), base: pair.base, body: body(b"x") };
    met.refused(&mut pair.b, Request::Receipt(elsewhere), Refusal::NotMember(Plain {})).await;

    let mut pair = pair.restart((Pos(0), Pos(0))).await;
    let receipts = caught_up(&mut pair.a).await.into_iter().filter(|envelope| envelope.kind == EnvelopeKind::Receipt);
    let bodies: Vec<_> = receipts.map(|envelope| envelope.body.unwrap()).collect();
    assert_eq!(bodies, [body(b"two")], "the last one alone is kept");
    let asked = Request::Receipts(Receipts { chat: pair.chat, after: Pos(0) });
    let aside_protocol::request::Answer::Receipts(ReceiptsOf { receipts, more }) = met.ask(&mut pair.a, asked).await
    else {
        panic!("no receipts");
    };
    assert_eq!((receipts.len(), receipts[0].from, more), (1, pair.bob.device, false));
    met.tells(&RECEIPTS);
}
