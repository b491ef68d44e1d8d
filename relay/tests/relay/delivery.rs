//! Messages from one to another: stored once, in order, through windows, catch-up and live, over restarts.

use crate::client::{Client, Transport};
use crate::over_each;
use crate::people::{Person, Running, chat_of, found, message};
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::frame::RelayFrame;
use aside_protocol::refusal::{Conflict, OutOfOrder, Stale};
use aside_protocol::request::{Answer, Envelopes, Range, Receipt, Request, Routing};
use aside_protocol::{ChatId, Hash, N, Pos, Refusal, Seq};

struct Pair {
    relay: Running,
    alice: Person,
    bob: Person,
    from: Client,
    to: Client,
    chat: ChatId,
    base: Seq,
}

impl Pair {
    async fn on(relay: Running) -> Self {
        let (alice, bob) = (Person::new("alice"), Person::new("bob"));
        let (mut from, to) = (relay.join(&alice).await, relay.join(&bob).await);
        let base = found(&mut from, &alice, &bob).await.seq;
        let chat = chat_of(&alice, &bob);
        Self { relay, alice, bob, from, to, chat, base }
    }

    async fn say(&mut self, n: u64, text: &str) -> Answer {
        self.from.ask(message(self.chat, n, self.base, text)).await
    }
}

async fn a_message_reaches_the_other_and_echoes_without_its_body(via: Transport) {
    let mut pair = Pair::on(Running::start(via).await).await;
    let Answer::Sent(sent) = pair.say(2, "hi bob").await else { panic!("not sent") };
    assert_eq!((sent.n, sent.seq), (N(2), Seq(2)));
    let welcome = pair.to.envelope().await;
    assert_eq!((welcome.kind, welcome.incarnation), (EnvelopeKind::Welcome, Some(1)));
    let got = pair.to.envelope().await;
    assert_eq!(
        (got.kind, got.seq, got.n, got.base),
        (EnvelopeKind::Message, Some(Seq(2)), Some(N(2)), Some(pair.base))
    );
    assert_eq!(&got.body.unwrap()[..], b"hi bob");
    assert_eq!((got.from, got.account), (pair.alice.device, pair.alice.account()));
    let (founding, echo) = (pair.from.envelope().await, pair.from.envelope().await);
    assert_eq!((founding.kind, founding.body, founding.n), (EnvelopeKind::Founding, None, Some(N(1))));
    assert_eq!((echo.n, echo.body, echo.hash), (Some(N(2)), None, Some(Hash::of(b"hi bob"))));
}

async fn numbers_are_compared_and_swapped(via: Transport) {
    let mut pair = Pair::on(Running::start(via).await).await;
    let Answer::Sent(first) = pair.say(2, "one").await else { panic!("not sent") };
    assert_eq!(pair.say(2, "one").await, Answer::Sent(first), "a retry gets the recorded answer");
    let conflict = Conflict { n: N(2), hash: Hash::of(b"one") };
    assert_eq!(pair.say(2, "other").await, Answer::Refused(Refusal::Conflict(conflict)));
    let expected = OutOfOrder { expected: N(3) };
    assert_eq!(pair.say(5, "later").await, Answer::Refused(Refusal::OutOfOrder(expected)));
    let stale = pair.from.ask(message(pair.chat, 3, Seq(0), "stale")).await;
    assert_eq!(stale, Answer::Refused(Refusal::Stale(Stale { base: pair.base })));
    let Answer::Sent(next) = pair.say(3, "two").await else { panic!("not sent") };
    assert_eq!(next.seq, Seq(3), "refused numbers leave no hole");
}

async fn who_was_away_for_a_thousand_messages_gets_each_once_through_the_window(via: Transport) {
    let mut pair = Pair::on(Running::start(via).await).await;
    pair.to.socket.close().await;
    for n in 2..1_002 {
        pair.from.post(message(pair.chat, n, pair.base, &format!("m{n}"))).await;
        if n % 100 == 0 {
            pair.from.answer_to(n).await;
        }
    }
    pair.from.answer_to(1_001).await;
    let mut back = pair.relay.login(&pair.bob, 0).await;
    assert_eq!(back.envelope().await.kind, EnvelopeKind::Welcome);
    for n in 2..1_002 {
        let envelope = back.envelope().await;
        assert_eq!(envelope.seq, Some(Seq(n)));
        assert_eq!(&envelope.body.unwrap()[..], format!("m{n}").as_bytes());
        if n % 128 == 0 {
            back.ack(envelope.pos).await;
        }
    }
    assert!(matches!(back.next().await, Some(RelayFrame::CaughtUp(_))));
}

async fn an_unacknowledged_window_holds_delivery_back(via: Transport) {
    let mut pair = Pair::on(Running::with(via, |options| options.window = 3).await).await;
    for n in 2..12 {
        pair.say(n, "x").await;
    }
    let mut got = Vec::new();
    while got.len() < 3 {
        got.push(pair.to.envelope().await);
    }
    // The answer to a question asked now comes before any further envelope: none is under way.
    pair.to.ask(Request::Routing(Routing { chat: pair.chat })).await;
    let more = pair.to.inbox.iter().filter(|frame| matches!(frame, RelayFrame::Deliver(_))).count();
    assert_eq!(more, 0);
    while got.len() < 11 {
        pair.to.ack(got.last().unwrap().pos).await;
        got.push(pair.to.envelope().await);
    }
    let seqs: Vec<_> = got.iter().filter_map(|envelope| envelope.seq).collect();
    assert_eq!(seqs, (2..12).map(Seq).collect::<Vec<_>>());
}

async fn tiny_buffers_under_load_lose_and_repeat_nothing(via: Transport) {
    let relay = Running::with(via, |options| (options.push_queue, options.window) = (1, 2)).await;
    let mut pair = Pair::on(relay).await;
    let (chat, base) = (pair.chat, pair.base);
    let mut from = pair.from;
    let sending = tokio::spawn(async move {
        // The sender acknowledges nothing, so that its echoes never block its answers.
        for n in 2..402 {
            from.post(message(chat, n, base, "x")).await;
            if n % 32 == 0 {
                from.answer_to(n).await;
            }
        }
        from.answer_to(401).await;
        from
    });
    let mut last = Pos(0);
    for wanted in 2..402 {
        let envelope = loop {
            let envelope = pair.to.envelope().await;
            assert!(envelope.pos > last);
            last = envelope.pos;
            pair.to.ack(last).await;
            if envelope.kind == EnvelopeKind::Message {
                break envelope;
            }
        };
        assert_eq!(envelope.seq, Some(Seq(wanted)));
        // Reconnecting in the middle, each time from the last acknowledged position.
        if wanted % 67 == 0 {
            pair.to = pair.relay.login(&pair.bob, last.0).await;
        }
    }
    sending.await.unwrap();
}

async fn a_restarted_relay_goes_on_where_it_was(via: Transport) {
    let mut pair = Pair::on(Running::start(via).await).await;
    let Answer::Sent(sent) = pair.say(2, "before").await else { panic!("not sent") };
    let (log, pin) = (pair.from.log(), pair.relay.invite().await.pin);
    let relay = pair.relay.restart().await;
    assert!(matches!(pair.to.other().await, Some(RelayFrame::Goodbye(_))));
    assert_eq!(relay.invite().await.pin, pin);
    let mut from = relay.login(&pair.alice, 0).await;
    assert_eq!(from.log(), log);
    let retried = from.ask(message(pair.chat, 2, pair.base, "before")).await;
    assert_eq!(retried, Answer::Sent(sent));
    from.ask(message(pair.chat, 3, pair.base, "after")).await;
    let mut to = relay.login(&pair.bob, 0).await;
    let bodies: Vec<_> =
        [to.envelope().await, to.envelope().await, to.envelope().await].map(|e| e.body.unwrap()).into();
    assert_eq!(bodies.iter().map(|body| &body[..]).collect::<Vec<_>>(), [&b"welcome"[..], b"before", b"after"]);
}

async fn receipts_reach_the_other_and_are_replaced(via: Transport) {
    let mut pair = Pair::on(Running::start(via).await).await;
    for text in [&b"one"[..], b"two"] {
        let receipt = Receipt { chat: pair.chat, base: pair.base, body: crate::people::body(text) };
        assert!(matches!(pair.to.ask(Request::Receipt(receipt)).await, Answer::Done(done) if done.pos.is_some()));
    }
    let mut again = pair.relay.login(&pair.alice, 0).await;
    assert_eq!(again.envelope().await.kind, EnvelopeKind::Founding);
    let receipt = again.envelope().await;
    assert_eq!((receipt.kind, receipt.seq, receipt.base), (EnvelopeKind::Receipt, None, Some(pair.base)));
    assert_eq!(&receipt.body.unwrap()[..], b"two");
    assert!(matches!(again.next().await, Some(RelayFrame::CaughtUp(_))));
}

async fn envelopes_can_be_asked_for_again(via: Transport) {
    let mut pair = Pair::on(Running::start(via).await).await;
    for n in 2..5 {
        pair.say(n, &format!("m{n}")).await;
    }
    let range = Range { chat: pair.chat, from: Seq(1), to: Seq(3) };
    let Answer::Envelopes(Envelopes { envelopes, first }) = pair.to.ask(Request::Range(range)).await else {
        panic!("no envelopes");
    };
    let seqs: Vec<_> = envelopes.iter().map(|envelope| envelope.seq.unwrap().0).collect();
    assert_eq!((seqs, first), (vec![2, 3], Seq(1)), "the founding is not bob's to have");
    let Answer::Routing(routed) = pair.to.ask(Request::Routing(Routing { chat: pair.chat })).await else {
        panic!("no routing");
    };
    assert_eq!((routed.devices.len(), routed.base, routed.last, routed.incarnation), (2, pair.base, Seq(4), 1));
}

over_each!(
    a_message_reaches_the_other_and_echoes_without_its_body,
    numbers_are_compared_and_swapped,
    who_was_away_for_a_thousand_messages_gets_each_once_through_the_window,
    an_unacknowledged_window_holds_delivery_back,
    tiny_buffers_under_load_lose_and_repeat_nothing,
    a_restarted_relay_goes_on_where_it_was,
    receipts_reach_the_other_and_are_replaced,
    envelopes_can_be_asked_for_again,
);
