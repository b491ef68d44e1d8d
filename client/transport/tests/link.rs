//! Logging in, and what a link does until it ends.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use aside_protocol::frame::{ClientFrame, GoodbyeReason, Ping, Register, RelayFrame};
use aside_protocol::invite::InviteSecret;
use aside_protocol::limits::MAX_FRAME;
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Request, Send};
use aside_protocol::{Body, ChatId, N, Name, PublicKey, Refusal, Seq, Signature};
use aside_transport::{Link, LinkEvent, Timing, TransportError, dial_with};
use common::{Act, DEVICE, Relay, device_key, fault, goodbye, login_signature, refused, request, timing};
use ed25519_dalek::Signer;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

async fn linked(relay: &Relay, timing: &Timing) -> Link {
    let greeted = dial_with(&relay.target(), timing).await.unwrap();
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
    Act::Says(frames.iter().map(|frame| Message::Binary(aside_protocol::encode(frame))).collect())
}

#[tokio::test]
async fn requests_are_answered_in_order() {
    let relay = Relay::start(Act::Honest).await;
    let mut link = linked(&relay, &timing()).await;
    for id in 0..50 {
        link.frames.send(request(id)).await.unwrap();
    }
    for id in 0..50 {
        assert_eq!(event(&mut link).await, LinkEvent::Frame(refused(id)));
    }
}

#[tokio::test]
async fn a_login_with_a_wrong_signature_is_told_as_the_relay_tells_it() {
    let relay = Relay::start(Act::Honest).await;
    let greeted = dial_with(&relay.target(), &timing()).await.unwrap();
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

#[tokio::test]
async fn registering_logs_in() {
    let relay = Relay::start(Act::Honest).await;
    let greeted = dial_with(&relay.target(), &timing()).await.unwrap();
    let register = registration(greeted.transcript());
    let (_link, ok) = greeted.register(register).await.unwrap();
    assert_eq!(ok.name.as_str(), "alice");
}

#[tokio::test]
async fn a_refused_registration_says_why() {
    let refused = Refusal::NameTaken(Plain {});
    let relay = Relay::start(Act::InsteadOfLogin(RelayFrame::LoginRefused(refused.clone()))).await;
    let greeted = dial_with(&relay.target(), &timing()).await.unwrap();
    let register = registration(greeted.transcript());
    let error = greeted.register(register).await.expect_err("refused");
    assert_eq!(error, TransportError::Refused(refused));
}

#[tokio::test]
async fn a_quiet_link_pings_and_stays() {
    let quick = Timing { ping: Duration::from_millis(30), silence: Duration::from_secs(5), ..timing() };
    let relay = Relay::start(Act::Honest).await;
    let link = linked(&relay, &quick).await;
    relay.wait_got(|got| got.iter().filter(|name| *name == "Ping").count() >= 5).await;
    assert!(!link.frames.is_closed(), "pongs keep it open");
}

#[tokio::test]
async fn a_silent_relay_is_given_up() {
    let quick = Timing { ping: Duration::from_millis(40), silence: Duration::from_millis(200), ..timing() };
    let relay = Relay::start(Act::Mute).await;
    let mut link = linked(&relay, &quick).await;
    assert_eq!(end(&mut link).await, TransportError::Silent);
    let got = relay.wait_got(|got| got.contains(&"end".to_owned())).await;
    assert!(got.contains(&"Ping".to_owned()), "it asked before it gave up: {got:?}");
}

#[tokio::test]
async fn sending_without_being_answered_does_not_hide_silence() {
    let quick = Timing { ping: Duration::from_millis(40), silence: Duration::from_millis(300), ..timing() };
    let relay = Relay::start(Act::Mute).await;
    let mut link = linked(&relay, &quick).await;
    let frames = link.frames.clone();
    tokio::spawn(async move {
        while frames.send(request(1)).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert_eq!(end(&mut link).await, TransportError::Silent);
}

#[tokio::test]
async fn goodbyes_and_fatal_faults_end_a_link_and_others_do_not() {
    let mild = fault("FRM-4", false);
    let relay = Relay::start(says(&[mild.clone(), goodbye(GoodbyeReason::ShuttingDown)])).await;
    let mut link = linked(&relay, &timing()).await;
    assert_eq!(event(&mut link).await, LinkEvent::Frame(mild));
    assert!(matches!(end(&mut link).await, TransportError::Goodbye(g) if g.reason == GoodbyeReason::ShuttingDown));
    let relay = Relay::start(says(&[fault("WIN-2", true)])).await;
    assert!(matches!(end(&mut linked(&relay, &timing()).await).await, TransportError::Fault(f) if f.rule == "WIN-2"));
}

#[tokio::test]
async fn the_relays_last_words_are_heard_though_it_died() {
    let relay = Relay::start(Act::SaysAndDies(fault("COD-2", true))).await;
    let mut link = linked(&relay, &timing()).await;
    link.frames.send(ClientFrame::Ping(Ping {})).await.unwrap();
    assert!(matches!(end(&mut link).await, TransportError::Fault(f) if f.rule == "COD-2"));
}

#[tokio::test]
async fn bad_bytes_end_a_link_and_unknown_frames_do_not() {
    let unknown = aside_protocol::encode(&(250_u64, "from a later version"));
    let act = Act::Says(vec![Message::Binary(unknown), Message::Binary(vec![0xff, 0x00].into())]);
    let relay = Relay::start(act).await;
    let error = end(&mut linked(&relay, &timing()).await).await;
    assert!(matches!(&error, TransportError::Protocol(why) if why.contains("COD-2")), "{error}");
    let relay = Relay::start(Act::Says(vec![Message::text("hello")])).await;
    let error = end(&mut linked(&relay, &timing()).await).await;
    assert!(matches!(&error, TransportError::Protocol(why) if why.contains("FRM-1")), "{error}");
}

#[tokio::test]
async fn a_frame_too_large_is_not_read() {
    let relay = Relay::start(Act::Says(vec![Message::Binary(vec![0; MAX_FRAME + 1].into())])).await;
    let error = end(&mut linked(&relay, &timing()).await).await;
    assert!(matches!(&error, TransportError::Protocol(why) if why.contains("COD-1")), "{error}");
}

#[tokio::test]
async fn a_frame_too_large_is_not_sent() {
    let relay = Relay::start(Act::Honest).await;
    let quick = Timing { close: Duration::from_millis(100), ..timing() };
    let mut link = linked(&relay, &quick).await;
    let body = Body::from(vec![0; MAX_FRAME]);
    let send = Request::Send(Send { chat: ChatId([0; 32]), n: N(1), base: Seq(1), body });
    let asked = aside_protocol::frame::Asked { id: 1, request: send };
    link.frames.send(ClientFrame::Request(asked)).await.unwrap();
    let error = end(&mut link).await;
    assert!(matches!(&error, TransportError::Protocol(why) if why.contains("COD-1")), "{error}");
}

#[tokio::test]
async fn a_slow_taker_gets_everything_in_order() {
    let count = 2_000;
    let relay = Relay::start(Act::Floods(count)).await;
    let mut link = linked(&relay, &timing()).await;
    for i in 0..count {
        if i % 97 == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(event(&mut link).await, LinkEvent::Frame(fault(&format!("T-{i}"), false)));
    }
}

#[tokio::test]
async fn closing_sends_what_waits() {
    let relay = Relay::start(Act::Honest).await;
    let link = linked(&relay, &timing()).await;
    for id in 0..60 {
        link.frames.try_send(request(id)).unwrap();
    }
    link.close().await;
    let got = relay.wait_got(|got| got.contains(&"end".to_owned())).await;
    assert_eq!(got.iter().filter(|name| *name == "Request").count(), 60);
}

#[tokio::test]
async fn dropping_closes_the_socket() {
    let relay = Relay::start(Act::Honest).await;
    let link = linked(&relay, &timing()).await;
    let frames = link.frames.clone();
    drop(link);
    relay.wait_got(|got| got.contains(&"end".to_owned())).await;
    frames.closed().await;
}
