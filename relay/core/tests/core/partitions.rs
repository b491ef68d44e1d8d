//! Partitions: which chat is where, and chat commands against what a partition has learned of accounts and devices.

use crate::spread::{Spread, empty, learn};
use crate::world::{Person, World, body, commit, devices, group_founding, refused, sent};
use aside_protocol::refusal::{DevicesChanged, Plain};
use aside_protocol::request::{Answer, FetchKeyPackages, Found, Leave, Origin, PutDeviceList, Suite};
use aside_protocol::{ChatId, GroupNonce, Hash, LogId, Millis, PartitionId, Pos, Refusal, RequestId, Seq};
use aside_relay_core::{Change, Command, CoreError, Layout, Stamped};

const INVALID: Refusal = Refusal::Invalid(Plain {});

/// The origin of a group of this founder's that is in a certain partition.
pub fn origin_in(layout: Layout, partition: PartitionId, founder: &Person) -> Origin {
    (0..=u8::MAX)
        .map(|number| Origin { account: founder.account(), nonce: GroupNonce([number; 16]) })
        .find(|origin| layout.of_chat(&ChatId::group(&origin.account, &origin.nonce)) == partition)
        .unwrap()
}

/// Two people with two devices each, known in the directory of four partitions alone, and a group in partition 3.
fn people() -> (Spread, Person, Person, Found) {
    let (alice, bob) = (Person::new("alice", 2), Person::new("bob", 2));
    let mut spread = Spread::of(&World::new(), 4);
    [&alice, &bob].iter().for_each(|person| spread.directory().settle(person));
    let origin = origin_in(spread.layout, PartitionId(3), &alice);
    let founding = group_founding(origin, &[alice.device(0), bob.device(0)], 1, "group");
    (spread, alice, bob, founding)
}

fn changes(spread: &mut Spread) -> Vec<Change> {
    spread.directory().core.view().changes_after(0, usize::MAX).unwrap()
}

#[test]
fn chats_spread_evenly_over_at_most_256_partitions() {
    assert_eq!([0, 257].map(Layout::new), [None, None]);
    assert_eq!(Layout::new(1), Some(Layout::ALONE));
    assert_eq!(Layout::new(256).unwrap().all().last(), Some(PartitionId(255)));
    let mut id = [0; 32];
    id[..9].copy_from_slice(&[1, 0, 0, 0, 0, 0, 1, 5, 0xff]);
    let layout = Layout::new(7).unwrap();
    assert_eq!(u64::from(layout.of_chat(&ChatId(id)).0), ((1u64 << 56) + 256 + 5) % 7, "big-endian, eight bytes");
    let mut count = [0; 7];
    for chat in 0..7_000u32 {
        count[usize::from(layout.of_chat(&ChatId(Hash::of(&chat.to_be_bytes()).0)).0)] += 1;
    }
    assert!(count.iter().all(|chats| (850..1_150).contains(chats)), "{count:?}");
    assert!(layout.all().all(|partition| layout.has(partition)) && !layout.has(PartitionId(7)));
}

#[test]
fn changes_are_learned_in_order_once_and_without_a_gap() {
    let (mut spread, alice, bob, _) = people();
    let all = changes(&mut spread);
    assert_eq!(all.iter().map(|change| change.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!((all[1].root, all[2].root), (alice.root(), bob.root()));
    let part = spread.part(PartitionId(2));
    assert_eq!(refused(&learn(part, &all[1..])), INVALID, "the first is missing");
    assert_eq!(refused(&learn(part, &[all[0].clone(), all[2].clone()])), INVALID);
    assert_eq!(part.core.view().learned().unwrap(), 0, "nothing of what has a gap");
    assert!(matches!(learn(part, &all[..2]), Answer::Done(_)));
    let (learned, hash) = (part.core.view().learned().unwrap(), part.core.state_hash().unwrap());
    assert_eq!((learned, part.core.view().device(&bob.device(0)).unwrap()), (2, None));
    assert!(matches!(learn(part, &all[..2]), Answer::Done(_)), "again");
    assert!(matches!(learn(part, &[]), Answer::Done(_)));
    assert_eq!(part.core.state_hash().unwrap(), hash);
    assert!(matches!(learn(part, &all), Answer::Done(_)), "what is known, and what follows");
    assert_eq!(part.core.view().learned().unwrap(), 4);
    let known = part.core.view().device(&bob.device(1)).unwrap().unwrap();
    assert_eq!((known.account, known.revoked), (bob.account(), false));
    assert_ne!(known.name, bob.name, "names are the directory's");
    assert_eq!(part.core.view().changes_after(0, usize::MAX).unwrap(), all, "lists as in the directory");
    assert_eq!(part.core.view().changes().unwrap(), 0, "it numbers none itself");
}

#[test]
fn what_is_no_list_of_the_account_is_not_learned() {
    let (mut spread, alice, bob, _) = people();
    let first = changes(&mut spread).remove(0);
    let part = spread.part(PartitionId(1));
    for wrong in [Change { list: body("junk"), ..first.clone() }, Change { root: bob.root(), ..first.clone() }] {
        assert_eq!(refused(&learn(part, &[wrong])), INVALID);
    }
    assert_eq!(part.core.view().device(&alice.device(0)).unwrap(), None);
    assert_eq!(refused(&learn(spread.directory(), &[])), INVALID, "the directory knows by itself");
}

#[test]
fn changes_are_given_in_pieces() {
    let (mut spread, ..) = people();
    let all = changes(&mut spread);
    let view = spread.directory().core.view();
    assert_eq!((view.changes().unwrap(), view.learned().unwrap()), (4, 4));
    assert_eq!(view.changes_after(1, 0).unwrap(), all[1..2], "at least one");
    let two = all[1].list.len() + all[2].list.len();
    assert_eq!(view.changes_after(1, two).unwrap(), all[1..3]);
    assert_eq!(view.changes_after(1, two - 1).unwrap(), all[1..2]);
    assert_eq!(view.changes_after(4, usize::MAX).unwrap(), []);
}

#[test]
fn a_chat_away_from_the_directory_is_a_chat_like_any() {
    let (mut spread, alice, bob, founding) = people();
    let chat = founding.chat;
    let by = alice.by(0);
    let found = Command::Found(by, Hash::of(&founding.body), founding);
    assert_eq!(refused(&spread.part(PartitionId(3)).apply(found.clone()).answer), INVALID, "nothing is learned yet");
    assert_eq!(sent(&spread.apply(found)).seq, Seq(1));
    let part = spread.part(PartitionId(3));
    assert_eq!(sent(&part.send(bob.by(0), chat, 1, Seq(1), "hi")).seq, Seq(2));
    let added = part.commit(alice.by(0), commit(chat, 2, Seq(1), &[bob.device(1)], &[]));
    assert_eq!(devices(&added.deliveries[1]), [bob.device(1)], "the welcome");
    let said = part.send(bob.by(1), chat, 1, Seq(3), "from the new device");
    assert!(said.deliveries[0].to.iter().eq([alice.device(0), bob.device(0)].iter()));
    assert_eq!(said.deliveries[0].envelope.partition, PartitionId(3));
    let got = part.catch_up(bob.device(1), Pos(0), 10);
    assert_eq!(got.iter().filter_map(|envelope| envelope.seq).collect::<Vec<_>>(), [Seq(4)]);
    assert!(got.iter().all(|envelope| envelope.partition == PartitionId(3)));
}

#[test]
fn a_new_device_has_acknowledged_nothing_where_it_is_learned() {
    let (mut spread, alice, bob, founding) = people();
    sent(&spread.apply(Command::Found(alice.by(0), Hash::of(&founding.body), founding)));
    let carol = Person::new("carol", 1);
    spread.directory().settle(&carol);
    let head = spread.part(PartitionId(3)).core.view().head().unwrap();
    assert_ne!(head, Pos(0));
    spread.part(PartitionId(3)).ack(carol.device(0), head);
    spread.learn(PartitionId(3));
    let view = spread.part(PartitionId(3)).core.view();
    let acked = [&carol, &bob].map(|person| view.device(&person.device(0)).unwrap().unwrap().acked);
    // Not the head: it may have been told of an earlier one before, and would take itself for an older copy.
    assert_eq!(acked, [Pos(0); 2]);
    assert_eq!(spread.part(PartitionId(3)).catch_up(carol.device(0), Pos(0), 10), []);
}

#[test]
fn a_removed_device_is_out_of_a_chat_once_the_partition_learns_it() {
    let (mut spread, alice, bob, mut founding) = people();
    founding.devices.push(bob.device(1));
    let chat = founding.chat;
    sent(&spread.apply(Command::Found(alice.by(0), Hash::of(&founding.body), founding)));
    sent(&spread.part(PartitionId(3)).send(alice.by(0), chat, 2, Seq(1), "to both"));
    let second = bob.list(2, &bob.first_list());
    let third = bob.list_of(3, &second, &bob.devices[..1]);
    let put = Command::PutDeviceList(bob.by(0), PutDeviceList { list: third });
    assert_eq!(spread.apply(put).revoked, [bob.device(1)], "connections end by the directory's outcome");
    spread.learn(PartitionId(3));
    let part = spread.part(PartitionId(3));
    assert_eq!(refused(&part.send(bob.by(1), chat, 1, Seq(1), "out").answer).name(), "Revoked");
    assert_eq!(devices(&part.send(alice.by(0), chat, 3, Seq(1), "to one").deliveries[0]), [bob.device(0)]);
    assert_eq!(part.seqs(bob.device(1)), [2], "what was routed to it before");
    let back = commit(chat, 4, Seq(1), &[bob.device(1)], &[]);
    let changed = DevicesChanged { account: bob.account(), version: 3 };
    assert_eq!(refused(&part.commit(alice.by(0), back).answer), Refusal::DevicesChanged(changed));
    assert_eq!(part.core.view().chats(&bob.device(0), &Default::default()).unwrap().chats.len(), 1);
}

#[test]
fn what_waits_for_a_removed_device_is_dropped_when_the_partition_learns_it() {
    let (mut spread, alice, bob, mut founding) = people();
    founding.devices.push(bob.device(1));
    founding.welcome.as_mut().unwrap().to = vec![bob.device(1)];
    let lists = bob.list(2, &bob.first_list());
    sent(&spread.apply(Command::Found(alice.by(0), Hash::of(&founding.body), founding)));
    assert_eq!(spread.part(PartitionId(3)).core.view().held().unwrap(), (1, 1), "the welcome waits");
    let third = bob.list_of(3, &lists, &bob.devices[..1]);
    spread.apply(Command::PutDeviceList(bob.by(0), PutDeviceList { list: third }));
    assert_eq!(spread.part(PartitionId(3)).core.view().held().unwrap(), (1, 1));
    spread.learn(PartitionId(3));
    assert_eq!(spread.part(PartitionId(3)).core.view().held().unwrap(), (1, 0));
}

#[test]
fn a_command_for_another_partition_is_refused() {
    let (mut spread, alice, bob, founding) = people();
    let chat = founding.chat;
    spread.layout.all().for_each(|partition| spread.learn(partition));
    let founded = Command::Found(alice.by(0), Hash::of(&founding.body), founding);
    let leave = Command::Leave(alice.by(0), Leave { chat, body: body("leave") });
    for partition in [0, 1, 2].map(PartitionId) {
        for command in [&founded, &leave] {
            assert_eq!(refused(&spread.part(partition).apply(command.clone()).answer), INVALID);
        }
    }
    let register = Command::Register(Person::new("carol", 1).registration());
    let list = PutDeviceList { list: bob.list(2, &bob.first_list()) };
    let fetch = FetchKeyPackages { id: RequestId([1; 16]), account: bob.account(), suite: Suite::Classical };
    let of_the_directory = [
        register,
        Command::PutDeviceList(bob.by(0), list),
        Command::FetchKeyPackages(alice.by(0), fetch),
        Command::CreateInvite { secret: Hash([9; 32]), uses: 1, valid: 1 },
        Command::PointTo(vec![]),
        Command::BlobGone { id: Hash([9; 32]) },
    ];
    let part = spread.part(PartitionId(3));
    let before = part.core.state_hash().unwrap();
    for command in of_the_directory {
        assert_eq!(refused(&part.apply(command).answer), INVALID);
    }
    assert_eq!(part.core.state_hash().unwrap(), before);
    sent(&part.apply(founded));
}

#[test]
fn partitions_that_are_told_the_same_are_the_same_and_differ_from_others() {
    let (mut spread, alice, bob, founding) = people();
    let chat = founding.chat;
    spread.part(PartitionId(3)).apply(Command::BeginLog { log: LogId([8; 16]) });
    sent(&spread.apply(Command::Found(alice.by(0), Hash::of(&founding.body), founding)));
    let part = spread.part(PartitionId(3));
    part.send(bob.by(0), chat, 1, Seq(1), "one");
    part.ack(bob.device(0), Pos(2));
    part.now = Millis(part.now.0 + 5);
    part.apply(Command::Retain { limit: 10 });
    let hash = part.core.state_hash().unwrap();
    // The invite and the log's name are of the relay alone; the first goes, and the second is told again.
    for (partition, batch, same) in [(3, 1, true), (3, 3, true), (3, 100, true), (2, 100, false)] {
        let mut core = empty(4, partition);
        let init = [Stamped { time: crate::world::START, command: Command::Init { log: LogId([3; 16]) } }];
        core.apply(&init, false).unwrap();
        for commands in part.applied.chunks(batch) {
            core.apply(commands, false).unwrap();
        }
        assert_eq!(core.state_hash().unwrap() == hash, same);
    }
}

#[test]
fn a_part_is_taken_once() {
    let mut core = empty(4, 2);
    let (four, three) = (Layout::new(4).unwrap(), Layout::new(3).unwrap());
    assert_eq!((core.partition(), core.layout()), (PartitionId(2), four));
    let copy = core.copy().unwrap();
    assert_eq!((copy.partition(), copy.layout(), copy.view().partition()), (PartitionId(2), four, PartitionId(2)));
    core.take_part(four, PartitionId(2)).unwrap();
    for (layout, partition) in [(four, 1), (three, 2), (Layout::ALONE, 0)] {
        assert!(matches!(core.take_part(layout, PartitionId(partition)), Err(CoreError::Parted)));
    }
    let mut alone = World::new();
    assert!(matches!(alone.core.take_part(four, PartitionId(4)), Err(CoreError::Parted)), "there is none");
    assert_eq!(alone.core.partition(), PartitionId(0));
    alone.check_replay();
}

#[test]
fn a_partition_that_has_left_its_log_learns_from_an_older_directory_and_loses_nobody() {
    let (mut spread, alice, bob, founding) = people();
    let chat = founding.chat;
    sent(&spread.apply(Command::Found(alice.by(0), Hash::of(&founding.body), founding)));
    // The directory that goes on has lost a registration, and has another one in its place, of the same name.
    let lost = Person::new("carol", 1);
    let other = Person { name: lost.name.clone(), ..Person::new("dave", 1) };
    let mut older = spread.directory().core.copy().unwrap();
    spread.directory().settle(&lost);
    spread.learn(PartitionId(3));
    std::mem::swap(&mut spread.directory().core, &mut older);
    spread.directory().settle(&other);
    spread.part(PartitionId(3)).core.leave_log().unwrap();
    spread.learn(PartitionId(3));
    let part = spread.part(PartitionId(3));
    assert_eq!(sent(&part.send(bob.by(0), chat, 1, Seq(1), "still here")).seq, Seq(2));
    let known = [&lost, &other].map(|person| part.core.view().device(&person.device(0)).unwrap().is_some());
    assert_eq!(known, [true, true]);
}
