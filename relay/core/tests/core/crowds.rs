//! Chats with many devices: what a command costs must not grow with the square of them.

use crate::world::{Person, World, body, commit, devices, group_founding, sent};
use aside_protocol::request::{Commit, Origin, Send, Welcome};
use aside_protocol::{ChatId, DeviceId, GroupNonce, Hash, N, Seq};
use aside_relay_core::{Command, Stamped};
use std::sync::Arc;
use std::time::Instant;

fn crowd(count: usize) -> (World, Vec<Person>, Origin) {
    let people: Vec<Person> = (0..count).map(|i| Person::new(&format!("p{i:05}"), 1)).collect();
    let mut world = World::new();
    world.apply(Command::CreateInvite { secret: Hash([2; 32]), uses: u32::MAX, valid: 1 << 40 });
    for person in &people {
        let mut registration = person.registration();
        registration.invite = Hash([2; 32]);
        world.apply(Command::Register(registration));
    }
    let origin = Origin { account: people[0].account(), nonce: GroupNonce([1; 16]) };
    (world, people, origin)
}

fn ids(people: &[Person]) -> Vec<DeviceId> {
    people.iter().map(|person| person.device(0)).collect()
}

#[test]
fn all_messages_of_a_chat_share_one_list_of_recipients() {
    let (mut world, people, origin) = crowd(100);
    let chat = ChatId::group(&origin.account, &origin.nonce);
    sent(&world.found_group(people[0].by(0), group_founding(origin, &ids(&people), 1, "x")));
    let one = world.send(people[0].by(0), chat, 2, Seq(1), "one").deliveries.remove(0);
    let two = world.send(people[1].by(0), chat, 1, Seq(1), "two").deliveries.remove(0);
    assert!(Arc::ptr_eq(one.to.shared(), two.to.shared()));
    assert_eq!((one.to.len(), one.to.except()), (99, Some(people[0].device(0))));
    assert!(!devices(&one).contains(&people[0].device(0)) && devices(&two).contains(&people[0].device(0)));
    sent(&world.commit(people[0].by(0), commit(chat, 3, Seq(1), &[], &[people[9].device(0)])));
    let three = world.send(people[1].by(0), chat, 2, Seq(4), "three").deliveries.remove(0);
    assert_eq!(three.to.len(), 98);
    assert!(!devices(&three).contains(&people[9].device(0)));
    let listed = world.core.view().routing(&people[0].device(0), &chat).unwrap().unwrap();
    assert_eq!(listed.devices.len(), 99, "what is kept beside the database is what stands in it");
}

/// Prints what commands cost; run it by name, with `--release -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn what_commands_cost_in_chats_of_500_and_10_000_devices() {
    for count in [500, 10_000] {
        let (mut world, people, origin) = crowd(count);
        let chat = ChatId::group(&origin.account, &origin.nonce);
        let ids = ids(&people);
        let timed = |what: &str, world: &mut World, work: &mut dyn FnMut(&mut World)| {
            let began = Instant::now();
            work(world);
            println!("{count:>6} devices: {what:<40} {:>10.3} ms", began.elapsed().as_secs_f64() * 1e3);
        };
        timed("found", &mut world, &mut |world| {
            sent(&world.found_group(people[0].by(0), group_founding(origin, &ids[..count - 1], 1, "x")));
        });
        timed("remove all but one, add all again", &mut world, &mut |world| {
            let (some, to) = (ids[1..count - 1].to_vec(), ids[1..count - 1].to_vec());
            let welcome = Some(Welcome { to, body: body("welcome"), blob: None });
            let (add, remove) = (some.clone(), some);
            let commit = Commit { chat, n: N(2), base: Seq(1), body: body("c"), add, remove, welcome, blob: None };
            sent(&world.commit(people[0].by(0), commit));
        });
        timed("add one", &mut world, &mut |world| {
            sent(&world.commit(people[0].by(0), commit(chat, 3, Seq(2), &ids[count - 1..], &[])));
        });
        timed("remove one", &mut world, &mut |world| {
            sent(&world.commit(people[0].by(0), commit(chat, 4, Seq(3), &[], &ids[count - 1..])));
        });
        let message = |n: u64| {
            let body = body(&format!("message {n}"));
            let hash = Hash::of(&body);
            let send = Send { chat, n: N(n), base: Seq(4), body };
            Stamped { time: world_time(), command: Command::Send(people[0].by(0), hash, send) }
        };
        let batch: Vec<Stamped> = (5..1_005).map(message).collect();
        timed("1,000 messages in one batch", &mut world, &mut |world| {
            let outcomes = world.core.apply(&batch, false).unwrap();
            assert_eq!(
                outcomes.iter().map(|outcome| outcome.deliveries[0].to.len()).sum::<usize>(),
                1_000 * (count - 2)
            );
        });
    }
}

fn world_time() -> aside_protocol::Millis {
    crate::world::START
}
