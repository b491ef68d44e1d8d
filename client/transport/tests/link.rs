//! Logging in, and what a link does until it ends.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use aside_protocol::frame::{ClientFrame, GoodbyeReason, Ping, Register, RelayFrame};
use aside_protocol::invite::InviteSecret;
use aside_protocol::limits::MAX_FRAME;
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Request, Send};
use aside_protocol::{Body, ChatId, N, Name, PublicKey, Refusal, Seq, Signature};
use aside_transport::{Link, LinkEvent, Plan, Timing, Transport, TransportError, dial_with};
use common::{
    Act, DEVICE, Relay, Said, by, by_with, device_key, fault, goodbye, login_signature, refused, request, timing,
};
use ed25519_dalek::Signer;
use std::time::Duration;

async fn linked(relay: &Relay, plan: &Plan) -> Link {
    let greeted = dial_with(&relay.target(), plan).await.unwrap();
    let signature = login_signature(&greeted);
    greeted.login(DEVICE, signature).await.unwrap().0
}

async fn event(link: &mut Link) -> LinkEvent {
    let next = tokio::time::timeout(Duration::from_secs(10), link.events.recv()).await;
    next.expect("in time").expect("not ended")
}

/// The reason a link ends for; frames before it are skipped, and nothing may follow.
async fn end(link: &mut Link) -> TransportError {
    loop {
        if let LinkEvent::Closed(reason) = event(link).await {
            assert_eq!(link.events.recv().await, None, "nothing follows the end");
            return reason;
        }
    }
}

fn says(frames: &[RelayFrame]) -> Act {
    Act::Says(frames.iter().map(|frame| Said::Frame(aside_protocol::encode(frame))).collect())
}

async fn requests_are_answered_in_order(via: Transport) {
    let relay = Relay::start(Act::Honest).await;
    let mut link = linked(&relay, &by(via)).await;
    for id in 0..50 {
        link.frames.send(request(id)).await.unwrap();
    }
    for id in 0..50 {
        assert_eq!(event(&mut link).await, LinkEvent::Frame(refused(id)));
    }
}

async fn a_login_with_a_wrong_signature_is_told_as_the_relay_tells_it(via: Transport) {
    let relay = Relay::start(Act::Honest).await;
    let greeted = dial_with(&relay.target(), &by(via)).await.unwrap();
    let error = greeted.login(DEVICE, Signature([1; 64])).await.expect_err("wrong");
    assert!(matches!(&error, TransportError::Fault(fault) if fault.rule == "LOG-3"));
    assert!(error.is_fatal());
}

fn registration(transcript: &aside_protocol::login::Transcript) -> Register {
    let secret = InviteSecret([4; 16]);
    let name = Name::new("alice").unwrap();
    let (root, list) = (PublicKey([8; 32]), Body::from(vec![1, 2, 3]));
    let signs = transcript.registration_signs(&secret.0, name.as_str(), &root, &list.0);
    let signature = Signature(device_key().sign(&signs).to_bytes());
    Register { secret, name, root, list, signature }
}

async fn registering_logs_in(via: Transport) {
    let relay = Relay::start(Act::Honest).await;
    let greeted = dial_with(&relay.target(), &by(via)).await.unwrap();
    let register = registration(greeted.transcript());
    let (_link, ok) = greeted.register(register).await.unwrap();
    assert_eq!(ok.name.as_str(), "alice");
}

async fn a_refused_registration_says_why(via: Transport) {
    let refused = Refusal::NameTaken(Plain {});
    let relay = Relay::start(Act::InsteadOfLogin(RelayFrame::LoginRefused(refused.clone()))).await;
    let greeted = dial_with(&relay.target(), &by(via)).await.unwrap();
    let register = registration(greeted.transcript());
    let error = greeted.register(register).await.expect_err("refused");
    assert_eq!(error, TransportError::Refused(refused));
}

async fn a_quiet_link_pings_and_stays(via: Transport) {
    let quick = Timing { ping: Duration::from_millis(30), silence: Duration::from_secs(5), ..timing() };
    let relay = Relay::start(Act::Honest).await;
    let link = linked(&relay, &by_with(via, quick)).await;
    relay.wait_got(|got| got.iter().filter(|name| *name == "Ping").count() >= 5).await;
    assert!(!link.frames.is_closed(), "pongs keep it open");
}

async fn a_silent_relay_is_given_up(via: Transport) {
    let quick = Timing { ping: Duration::from_millis(40), silence: Duration::from_millis(200), ..timing() };
    let relay = Relay::start(Act::Mute).await;
    let mut link = linked(&relay, &by_with(via, quick)).await;
    assert_eq!(end(&mut link).await, TransportError::Silent);
    let got = relay.wait_got(|got| got.contains(&"end".to_owned())).await;
    assert!(got.contains(&"Ping".to_owned()), "it asked before it gave up: {got:?}");
}

async fn sending_without_being_answered_does_not_hide_silence(via: Transport) {
    let quick = Timing { ping: Duration::from_millis(40), silence: Duration::from_millis(300), ..timing() };
    let relay = Relay::start(Act::Mute).await;
    let mut link = linked(&relay, &by_with(via, quick)).await;
    let frames = link.frames.clone();
    tokio::spawn(async move {
        while frames.send(request(1)).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert_eq!(end(&mut link).await, TransportError::Silent);
}

async fn goodbyes_and_fatal_faults_end_a_link_and_others_do_not(via: Transport) {
    let mild = fault("FRM-4", false);
    let relay = Relay::start(says(&[mild.clone(), goodbye(GoodbyeReason::ShuttingDown)])).await;
    let mut link = linked(&relay, &by(via)).await;
    assert_eq!(event(&mut link).await, LinkEvent::Frame(mild));
    assert!(matches!(end(&mut link).await, TransportError::Goodbye(g) if g.reason == GoodbyeReason::ShuttingDown));
    let relay = Relay::start(says(&[fault("WIN-2", true)])).await;
    assert!(matches!(end(&mut linked(&relay, &by(via)).await).await, TransportError::Fault(f) if f.rule == "WIN-2"));
}

async fn the_relays_last_words_are_heard_though_it_died(via: Transport) {
    let relay = Relay::start(Act::SaysAndDies(fault("COD-2", true))).await;
    let mut link = linked(&relay, &by(via)).await;
    link.frames.send(ClientFrame::Ping(Ping {})).await.unwrap();
    assert!(matches!(end(&mut link).await, TransportError::Fault(f) if f.rule == "COD-2"));
}

async fn bad_bytes_end_a_link_and_unknown_frames_do_not(via: Transport) {
    let unknown = aside_protocol::encode(&(250_u64, "from a later version"));
    let act = Act::Says(vec![Said::Frame(unknown), Said::Frame(vec![0xff, 0x00].into())]);
    let relay = Relay::start(act).await;
    let error = end(&mut linked(&relay, &by(via)).await).await;
    assert!(matches!(&error, TransportError::Protocol(why) if why.contains("COD-2")), "{error}");
}

#[tokio::test]
async fn a_text_message_ends_a_websocket() {
    let relay = Relay::start(Act::Says(vec![Said::Text("hello")])).await;
    let error = end(&mut linked(&relay, &by(Transport::WebSocket)).await).await;
    assert!(matches!(&error, TransportError::Protocol(why) if why.contains("FRM-1")), "{error}");
}

async fn a_frame_too_large_is_not_read(via: Transport) {
    let too_large = match via {
        Transport::WebSocket => Said::Frame(vec![0; MAX_FRAME + 1].into()),
        // The length alone is enough.
        Transport::Quic => Said::Raw(aside_protocol::stream::head(MAX_FRAME + 1).to_vec().into()),
    };
    let relay = Relay::start(Act::Says(vec![too_large])).await;
    let error = end(&mut linked(&relay, &by(via)).await).await;
    assert!(matches!(&error, TransportError::Protocol(why) if why.contains("COD-1")), "{error}");
}

async fn a_frame_too_large_is_not_sent(via: Transport) {
    let relay = Relay::start(Act::Honest).await;
    let quick = Timing { close: Duration::from_millis(100), ..timing() };
    let mut link = linked(&relay, &by_with(via, quick)).await;
    let body = Body::from(vec![0; MAX_FRAME]);
    let send = Request::Send(Send { chat: ChatId([0; 32]), n: N(1), base: Seq(1), body });
    let asked = aside_protocol::frame::Asked { id: 1, request: send };
    link.frames.send(ClientFrame::Request(asked)).await.unwrap();
    let error = end(&mut link).await;
    assert!(matches!(&error, TransportError::Protocol(why) if why.contains("COD-1")), "{error}");
}

async fn a_slow_taker_gets_everything_in_order(via: Transport) {
    let count = 2_000;
    let relay = Relay::start(Act::Floods(count)).await;
    let mut link = linked(&relay, &by(via)).await;
    for i in 0..count {
        if i % 97 == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(event(&mut link).await, LinkEvent::Frame(fault(&format!("T-{i}"), false)));
    }
}

async fn closing_sends_what_waits(via: Transport) {
    let relay = Relay::start(Act::Honest).await;
    let link = linked(&relay, &by(via)).await;
    for id in 0..60 {
        link.frames.try_send(request(id)).unwrap();
    }
    link.close().await;
    let got = relay.wait_got(|got| got.contains(&"end".to_owned())).await;
    assert_eq!(got.iter().filter(|name| *name == "Request").count(), 60);
}

async fn dropping_closes_the_socket(via: Transport) {
    let relay = Relay::start(Act::Honest).await;
    let link = linked(&relay, &by(via)).await;
    let frames = link.frames.clone();
    drop(link);
    relay.wait_got(|got| got.contains(&"end".to_owned())).await;
    frames.closed().await;
}

over_each!(
    requests_are_answered_in_order,
    a_login_with_a_wrong_signature_is_told_as_the_relay_tells_it,
    registering_logs_in,
    a_refused_registration_says_why,
    a_quiet_link_pings_and_stays,
    a_silent_relay_is_given_up,
    sending_without_being_answered_does_not_hide_silence,
    goodbyes_and_fatal_faults_end_a_link_and_others_do_not,
    the_relays_last_words_are_heard_though_it_died,
    bad_bytes_end_a_link_and_unknown_frames_do_not,
    a_frame_too_large_is_not_read,
    a_frame_too_large_is_not_sent,
    a_slow_taker_gets_everything_in_order,
    closing_sends_what_waits,
    dropping_closes_the_socket,
);
