//! Short scenarios that the simulation found and that once broke a promise, kept as they were when shrunk.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use aside_tests::sim::plan::{Action, Cut, DAY, Death, Flavour, Planned, RelayDeath};
use aside_tests::sim::{Plan, run};

/// The plan of a seed with these actions alone.
fn holds(seed: u64, flavour: Flavour, actions: &[(u64, Action)]) {
    let actions = actions.iter().map(|&(at, action)| Planned { at, action }).collect();
    let plan = Plan {
        seed,
        flavour,
        in_group: false,
        people: 3,
        two_devices: false,
        window: 2,
        push_queue: 1,
        update_after: 3,
        delays: (5, 50),
        actions,
    };
    let report = run(&plan, true);
    if let Some(failure) = report.failure {
        panic!("{failure}\n{}", report.trace.join("\n"));
    }
}

/// The echo expired before its writer came back: the message counted as lost by the relay, at each login again.
#[test]
fn an_own_message_whose_echo_expired_is_settled() {
    let actions = [
        (80_000, Action::Write(0, 1)),
        (270_000, Action::Write(1, 0)),
        (270_005, Action::Leave(1)),
        (271_000, Action::Sleep(100 * DAY)),
    ];
    holds(19, Flavour::LongAbsence, &actions);
}

/// One leaves, the other writes on, and all of it expires.
fn long_absence() -> Vec<(u64, Action)> {
    let write = |at| (at, Action::Write(1, 0));
    let mut actions = [80_046, 82_370].map(write).to_vec();
    actions.push((100_421, Action::Leave(0)));
    actions.extend([100_479, 100_487, 364_508, 365_570].map(write));
    actions.push((452_409, Action::Sleep(31 * DAY)));
    actions
}

/// Nobody wrote after the absence, so nothing showed what was missed; and the commit in it was never noticed.
#[test]
fn a_commit_that_expired_is_noticed_and_what_was_missed_shows() {
    holds(19, Flavour::LongAbsence, &long_absence());
}

/// The first login after the absence broke before the relay was asked what had expired, and the next one did not look like
/// one after an absence: the chat waited for ever for a commit that was gone.
#[test]
fn a_login_that_breaks_after_an_absence_does_not_forget_the_absence() {
    let then =
        [(452_410, Action::Return(0)), (452_510, Action::Crash(0, Death::Now, 500)), (500_000, Action::Write(0, 1))];
    holds(19, Flavour::LongAbsence, &[long_absence(), then.to_vec()].concat());
}

/// `Stale` came after the chat was known to be broken, and kept it waiting for a commit that was gone.
#[test]
fn a_late_stale_does_not_keep_a_broken_chat_waiting() {
    let actions = [
        (14, Action::Leave(1)),
        (718, Action::Write(0, 1)),
        (10_007, Action::Write(0, 1)),
        (12_171, Action::Write(1, 0)),
        (12_648, Action::Write(0, 1)),
        (12_914, Action::Return(1)),
        (14_955, Action::Leave(1)),
        (71_954, Action::Write(1, 0)),
        (76_778, Action::Sleep(100 * DAY)),
        (77_417, Action::KillRelay(RelayDeath::AfterCommit, 2_025)),
        (183_754, Action::Write(0, 1)),
    ];
    holds(597, Flavour::LongAbsence, &actions);
}

/// A founder who did not hear of its founding for so long that it expired; the other side wrote meanwhile.
#[test]
fn a_founding_whose_echo_expired_does_not_leave_the_chat_in_two() {
    let actions = [
        (2_381, Action::Write(2, 0)),
        (2_500, Action::Cut(2, Cut::HalfOpen)),
        (13_844, Action::Leave(2)),
        (176_937, Action::Sleep(31 * DAY)),
        (352_049, Action::Write(0, 2)),
    ];
    holds(230, Flavour::LongAbsence, &actions);
}

/// What the relay had lost went out again behind what was written later and was still pending.
#[test]
fn what_the_relay_lost_is_sent_again_before_what_was_written_later() {
    let actions = [
        (1_000, Action::Write(0, 1)),
        (30_000, Action::Write(1, 0)),
        (60_000, Action::BackUpRelay),
        (61_000, Action::Leave(1)),
        (65_000, Action::Write(0, 1)),
        (66_000, Action::Write(0, 1)),
        (90_000, Action::Leave(0)),
        (91_000, Action::Write(0, 1)),
        (92_000, Action::PutRelayBack),
        (120_000, Action::Return(0)),
        (160_000, Action::Return(1)),
    ];
    holds(3, Flavour::OlderRelay, &actions);
}
