//! Short scenarios that the simulation found and that once broke a promise, kept as they were when shrunk.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use aside_tests::sim::plan::{Action, Cut, DAY, Death, Deed, Flavour, Planned, RelayDeath};
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

/// A group's plan of a seed with these actions alone.
fn holds_in_group(seed: u64, actions: &[(u64, Action)]) {
    let actions = actions.iter().map(|&(at, action)| Planned { at, action }).collect();
    let report = run(&Plan { actions, ..Plan::of_hard_group(seed) }, true);
    if let Some(failure) = report.failure {
        panic!("{failure}\n{}", report.trace.join("\n"));
    }
}

/// Everybody waited for somebody to add them: what the restored relay still had looked like a group that others are in.
#[test]
fn a_group_is_founded_again_after_its_relay_was_restored() {
    let actions = [
        (10, Action::Group(0, Deed::Make(183))),
        (1_786, Action::Group(3, Deed::Title(3))),
        (3_115, Action::BackUpRelay),
        (3_341, Action::PutRelayBack),
    ];
    holds_in_group(12, &actions);
}

/// The echo of its founding expired, and nobody else was there who could have been asked.
#[test]
fn a_group_of_one_is_founded_again() {
    let actions = [(10, Action::Group(0, Deed::Make(184))), (691, Action::Leave(0)), (58_737, Action::Sleep(31 * DAY))];
    holds_in_group(272, &actions);
}

/// The only member left while its commit that added another one was on its way, and was out for itself alone.
#[test]
fn who_leaves_waits_for_its_own_commit() {
    let actions = [
        (10, Action::Group(0, Deed::Make(57))),
        (36, Action::Cut(0, Cut::Left)),
        (211, Action::Group(0, Deed::Write)),
        (1_159, Action::Group(0, Deed::Add(2))),
        (1_940, Action::Crash(0, Death::PowerOff, 139)),
        (7_245, Action::Group(0, Deed::Quit)),
    ];
    holds_in_group(688, &actions);
}

/// Nobody's state was in order but that of one who was to be removed.
#[test]
fn nobody_waits_for_one_who_is_going() {
    let actions = [
        (10, Action::Group(0, Deed::Make(54))),
        (19, Action::Leave(2)),
        (92_278, Action::Group(3, Deed::Write)),
        (99_052, Action::Group(1, Deed::Write)),
        (99_067, Action::KillRelay(RelayDeath::BeforeCommit, 854)),
        (101_770, Action::Group(0, Deed::Remove(1))),
        (102_827, Action::Write(1, 0)),
        (106_691, Action::Sleep(100 * DAY)),
    ];
    holds_in_group(1082, &actions);
}

/// The copy held a welcome that its newer self had used: it joined with old ratchets, and missed what came since.
#[test]
fn an_older_copy_uses_no_welcome_that_waits_in_it() {
    let actions = [
        (10, Action::Group(0, Deed::Make(64))),
        (12_289, Action::Leave(2)),
        (13_019, Action::Group(0, Deed::Quit)),
        (17_232, Action::Write(1, 3)),
        (28_454, Action::BackUp(0)),
        (39_463, Action::Write(1, 0)),
        (114_902, Action::PutBack(0)),
    ];
    holds_in_group(1215, &actions);
}
