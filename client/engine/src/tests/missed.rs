//! What expired while nobody looked: asked for on whichever connection, and never waited for in vain.

use super::batches::{Writer, texts};
use super::*;
use aside_protocol::limits::RETENTION_MS;
use aside_protocol::refusal::{Refusal, Stale};
use aside_protocol::request::Routed;

/// A live chat with peer 2, the queue read.
pub(super) fn live() -> Engine {
    let mut engine = engine();
    let (_, mut frames) = Writer::founding(&mut engine);
    frames.push(RelayFrame::CaughtUp(CaughtUp { partition: PartitionId(0), pos: Pos(2) }));
    take(&mut engine, frames);
    assert_eq!(state(&mut engine), ChatState::Live);
    engine
}

fn state(engine: &mut Engine) -> ChatState {
    engine.read(|tx| Ok(tx.chat(&chat())?.unwrap().state)).unwrap()
}

fn answer(engine: &mut Engine, id: u64, answer: Answer) -> Vec<(u64, Request)> {
    take(engine, vec![RelayFrame::Answer(Answered { id, answer })])
}

fn nothing() -> Answer {
    Answer::Envelopes(Envelopes { envelopes: Vec::new(), first: Seq(0) })
}

#[test]
fn a_commit_that_is_gone_is_asked_for_and_not_waited_for() {
    let mut engine = live();
    let to = peer();
    let (_, effects) =
        engine.step(NOW, &mut Counting(0), |step| step.send_text(&to, MessageId([7; 16]), "hello")).unwrap();
    let (id, _) = requests(effects).into_iter().find(|(_, request)| matches!(request, Request::Send(_))).unwrap();
    let asked = answer(&mut engine, id, Answer::Refused(Refusal::Stale(Stale { base: Seq(9) })));
    let [(id, Request::Range(range))] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((range.from, range.to), (Seq(2), Seq(9)));
    answer(&mut engine, *id, nothing());
    assert_eq!(state(&mut engine), ChatState::Broken);
    assert_eq!(gaps(&mut engine), [Gap { first: 2, last: 9, why: Why::Expired }]);
    assert_eq!(texts(&mut engine), ["hello"]);
}

#[test]
fn an_absence_is_remembered_until_the_relay_has_said_what_was_missed() {
    let mut engine = live();
    let later = Millis(NOW.0 + RETENTION_MS);
    let log_in = |engine: &mut Engine| {
        engine.disconnected();
        let mut asked = requests(engine.logged_in(&login(0, 2), later, &mut Counting(0)).unwrap());
        let read = RelayFrame::CaughtUp(CaughtUp { partition: PartitionId(0), pos: Pos(2) });
        asked.extend(requests(engine.frames(vec![read], later, &mut Counting(0)).unwrap()));
        asked.into_iter().find(|(_, request)| matches!(request, Request::Routing(_))).map(|(id, _)| id)
    };
    assert!(log_in(&mut engine).is_some());
    // From here on the connection before does not look long ago; the answer to the first question did not come.
    engine.step(later, &mut Counting(0), |step| Ok(step.tx.set_last_resort(later)?)).unwrap();
    let id = log_in(&mut engine).unwrap();
    let stands = Routed { devices: Vec::new(), incarnation: 1, base: Seq(1), last: Seq(4) };
    let asked = answer(&mut engine, id, Answer::Routing(stands.clone()));
    assert!(matches!(asked[..], [(_, Request::Range(_))]), "{asked:?}");
    let id = log_in(&mut engine).unwrap();
    let (id, _) = answer(&mut engine, id, Answer::Routing(stands)).pop().unwrap();
    answer(&mut engine, id, nothing());
    assert_eq!(gaps(&mut engine), [Gap { first: 2, last: 4, why: Why::Expired }]);
    assert!(log_in(&mut engine).is_none());
}
