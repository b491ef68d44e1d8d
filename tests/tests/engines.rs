//! Engines and a relay core under seeded faults: cuts, crashes, older copies, renewed keys.
//!
//! At rest both histories of a chat must be the same, hold every accepted message once, and be in order.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use aside_engine::Config;
use aside_relay_core::command_log::replay;
use aside_tests::rounds;
use aside_tests::world::World;
use std::collections::HashSet;

const PEERS: usize = 3;

fn config() -> Config {
    Config { update_after_messages: 7, ..Config::default() }
}

/// `ASIDE_SEED` replays one.
fn seeds() -> std::ops::Range<u64> {
    match std::env::var("ASIDE_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..rounds(25, 200) as u64,
    }
}

/// One random event.
fn event(world: &mut World, number: usize, faults: bool) {
    let peer = world.dice.below(PEERS);
    match world.dice.below(24) {
        0 | 1 if !world.is_up(peer) => world.connect(peer),
        2 if faults => world.cut(peer),
        3 if faults => world.crash(peer),
        4..=6 => {
            let to = (peer + 1 + world.dice.below(PEERS - 1)) % PEERS;
            world.send(peer, to, &format!("{peer}>{to} {number}"));
        }
        7 => world.read(peer),
        8 => {
            world.now.0 += 700;
            world.tick(peer);
        }
        9..=14 => drop(world.relay_takes(peer)),
        15..=18 => {
            let most = 1 + world.dice.below(5);
            world.relay_delivers(peer, most);
        }
        _ => {
            let (most, lost) = (1 + world.dice.below(6), faults && world.dice.below(25) == 0);
            world.peer_takes(peer, most, lost);
        }
    }
}

fn check_equal(world: &mut World, seed: u64) {
    for one in 0..PEERS {
        for other in one + 1..PEERS {
            let (mine, my_gaps) = world.history(one, other);
            let (theirs, their_gaps) = world.history(other, one);
            let state = format!("seed {seed}: {} | {}", world.describe(one), world.describe(other));
            if (my_gaps, their_gaps) != (0, 0) {
                panic!("gaps; {state}\n{}\n{}", world.story(one, other), world.story(other, one));
            }
            assert_eq!(mine, theirs, "{state}");
            check_order(&mine, one, other, seed);
            let accepted = |from: usize, to: usize| {
                let to = world.peers[to].account;
                world.peers[from].accepted.iter().filter(move |(t, _)| *t == to).count()
            };
            assert_eq!(mine.len(), accepted(one, other) + accepted(other, one), "lost or doubled; {state}");
        }
    }
}

/// Nothing twice, and each sender's messages in the order they were written.
fn check_order(texts: &[String], one: usize, other: usize, seed: u64) {
    assert_eq!(texts.iter().collect::<HashSet<_>>().len(), texts.len(), "seed {seed}: twice in {texts:?}");
    for from in [one, other] {
        let numbers: Vec<usize> = texts
            .iter()
            .filter(|text| text.starts_with(&format!("{from}>")))
            .map(|text| text.rsplit(' ').next().unwrap().parse().unwrap())
            .collect();
        assert!(numbers.is_sorted(), "seed {seed}: out of order: {numbers:?}");
    }
}

fn replayed(world: &World) {
    let whole = replay(&world.log, 1000).unwrap();
    assert_eq!(whole, replay(&world.log, 3).unwrap(), "the state depends on how commands are batched");
    assert_eq!(whole, world.core.state_hash().unwrap(), "the replay is not what happened");
}

#[test]
fn cuts_and_crashes_lose_and_double_nothing() {
    for seed in seeds() {
        let mut world = World::new(seed, PEERS, config());
        (0..700).for_each(|number| event(&mut world, number, true));
        world.settle();
        check_equal(&mut world, seed);
        replayed(&world);
    }
}

/// A device whose database is an older copy: everybody can talk again, nothing is shown twice, what is missing shows.
#[test]
fn older_copies_rejoin() {
    for seed in seeds() {
        let mut world = World::new(seed ^ 0xc0ffee, PEERS, config());
        (0..150).for_each(|number| event(&mut world, number, false));
        let victims = 1 + world.dice.below(2);
        (0..victims).for_each(|victim| world.back_up(victim));
        (150..400).for_each(|number| event(&mut world, number, true));
        (0..victims).for_each(|victim| assert!(world.restore(victim)));
        (400..500).for_each(|number| event(&mut world, number, true));
        world.settle();
        for one in 0..PEERS {
            for other in (0..PEERS).filter(|&other| other != one) {
                world.send(one, other, &format!("{one}>{other} 9999"));
            }
        }
        world.settle();
        check_restored(&mut world, victims, seed);
        replayed(&world);
    }
}

/// A relay whose database is an older copy: what it lost and nobody had is sent again, and everybody can talk.
#[test]
fn an_older_relay_is_made_up_for() {
    for seed in seeds() {
        let mut world = World::new(seed ^ 0x4e1a, PEERS, config());
        (0..250).for_each(|number| event(&mut world, number, true));
        let copy = world.log.len();
        (250..450).for_each(|number| event(&mut world, number, true));
        world.restore_relay(copy);
        // Everybody notices before anybody writes on: a device that was away meanwhile cannot know.
        (0..PEERS).for_each(|peer| world.connect(peer));
        (450..600).for_each(|number| event(&mut world, number, true));
        world.settle();
        for one in 0..PEERS {
            for other in (0..PEERS).filter(|&other| other != one) {
                check_complete(&mut world, one, other, seed);
            }
        }
        replayed(&world);
    }
}

/// Everything that was written to a peer is there, once.
fn check_complete(world: &mut World, one: usize, other: usize, seed: u64) {
    let account = world.peers[other].account;
    let accepted = world.peers[one].accepted.iter().filter(|(to, _)| *to == account).map(|(_, text)| text.clone());
    let accepted: HashSet<String> = accepted.collect();
    let (texts, _) = world.history(other, one);
    let received: Vec<String> = texts.into_iter().filter(|text| text.starts_with(&format!("{one}>"))).collect();
    let state = format!("seed {seed}: {one} to {other}: {} | {}", world.describe(one), world.describe(other));
    assert_eq!(received.len(), received.iter().collect::<HashSet<_>>().len(), "twice; {state} {received:?}");
    let missing: Vec<_> = accepted.iter().filter(|text| !received.contains(text)).collect();
    let stories = [world.story(one, other), world.story(other, one)];
    assert!(missing.is_empty(), "lost {missing:?}; {state}\nsender:\n{}\nreader:\n{}", stories[0], stories[1]);
}

fn check_restored(world: &mut World, victims: usize, seed: u64) {
    for one in 0..PEERS {
        for other in (0..PEERS).filter(|&other| other != one) {
            let (texts, _) = world.history(one, other);
            let state = format!("seed {seed}: {one} with {other}: {} | {}", world.describe(one), world.describe(other));
            for last in [format!("{one}>{other} 9999"), format!("{other}>{one} 9999")] {
                assert!(texts.contains(&last), "cannot talk again; {state}");
            }
            assert_eq!(texts.iter().collect::<HashSet<_>>().len(), texts.len(), "twice; {state} {texts:?}");
            // Who was not restored has everything the other one wrote after, and knew before.
            if one >= victims && other >= victims {
                let (theirs, _) = world.history(other, one);
                assert_eq!(texts, theirs, "{state}");
            }
        }
    }
}
