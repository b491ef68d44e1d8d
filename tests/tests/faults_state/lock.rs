//! Two processes started on one profile.

use super::common::*;
use aside_tests::wait_for;

#[test]
fn a_second_process_says_who_is_there_and_harms_nobody() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let mut first = bob.follow();
    say(&alice, &bob, "one");
    printed(&first, "one");
    let commands: [&[&str]; 5] =
        [&["recv", "--json"], &["send", "alice", "hi"], &["history", "alice"], &["chats"], &["whoami"]];
    for command in commands {
        let run = fails_with(bob.run(command), 1, "another aside process");
        assert!(run.stderr.contains(&first.pid().to_string()), "it names the other one: {run:#?}");
        assert!(run.stdout.is_empty() && run.stderr.lines().count() == 1, "{run:#?}");
    }
    assert!(first.is_running());
    say(&alice, &bob, "two");
    assert_eq!(printed(&first, "two"), ["one", "two"]);
    // A killed process leaves nothing that keeps the next one out.
    first.kill();
    say(&alice, &bob, "three");
    hear(&bob, &["three"]);
    say(&bob, &alice, "back");
    hear(&alice, &["back"]);
    finish(relay);
}

#[test]
fn a_second_relay_on_one_folder_says_so_and_harms_nobody() {
    let (relay, alice, bob) = two();
    let mut follower = bob.follow();
    wait_for("bob to run", SOON, || follower.is_running());
    let data = relay.data();
    let second = relay.admin(&["serve", "--data", &data.to_string_lossy(), "--listen", "127.0.0.1:0"]);
    fails_with(second, 1, "another relay is using");
    say(&alice, &bob, "still there");
    printed(&follower, "still there");
    assert_eq!(follower.terminate(SOON), Some(0));
    finish(relay);
}
