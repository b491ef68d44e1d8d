//! What is read where several partitions are, each a database of its own: four that hold the same people, each with
//! the chats that fall to it.

use crate::people::{Person, body, chat_of, founding};
use aside_protocol::frame::Position;
use aside_protocol::invite::InviteSecret;
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Answer, Chats, Lookup, Range, Receipt, Receipts, Routing, Send, Who};
use aside_protocol::{ChatId, DeviceId, Hash, LogId, Millis, N, PartitionId, Pos, Refusal, Seq};
use aside_relay::data::DataDir;
use aside_relay::readers::{Readers, States, Views};
use aside_relay::session::{Found, Query};
use aside_relay_core::command::Registration;
use aside_relay_core::{By, Command, Core, Layout, Location, Stamped};
use std::path::PathBuf;
use std::sync::mpsc;
use tempfile::TempDir;

/// Not three: 256 is 1 modulo 3, and the order of the bytes of an id would make no difference.
const PARTITIONS: u16 = 4;
const SECRET: InviteSecret = InviteSecret([1; 16]);

/// Alice, who talks to everybody.
struct World {
    cores: Vec<Core>,
    data: DataDir,
    alice: Person,
    others: Vec<Person>,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::lock(&folder.path().join("data")).unwrap();
        let cores = data.databases(PARTITIONS).into_iter().zip(layout().all()).map(open);
        let others = (0..12).map(|number| Person::new(&format!("other-{number}"))).collect();
        let (cores, alice) = (cores.collect(), Person::new("alice"));
        let mut world = Self { cores, data, alice, others, _folder: folder };
        let all = || 0..PARTITIONS;
        all().for_each(|at| world.apply(at, Command::Init { log: LogId([5; 16]) }));
        let invite = Command::CreateInvite { secret: SECRET.hash(), uses: 99, valid: 1_000 };
        world.apply(0, invite);
        let people: Vec<Command> = world.others.iter().chain([&world.alice]).map(registration).collect();
        people.into_iter().for_each(|command| world.apply(0, command));
        all().skip(1).for_each(|at| world.learn(at));
        for number in 0..world.others.len() {
            let request = founding(&world.alice, &world.others[number]);
            world.apply(place(&request.chat), Command::Found(by(&world.alice), Hash::of(&request.body), request));
        }
        world
    }

    fn apply(&mut self, partition: u16, command: Command) {
        let stamped = Stamped { time: Millis(1_000_000), command };
        let outcomes = self.cores[usize::from(partition)].apply(&[stamped], true).unwrap();
        assert!(!matches!(outcomes[0].answer, Answer::Refused(_)), "{:?}", outcomes[0].answer);
    }

    /// A partition learns what the directory has.
    fn learn(&mut self, partition: u16) {
        let learned = self.cores[usize::from(partition)].view().learned().unwrap();
        let changes = self.cores[0].view().changes_after(learned, usize::MAX).unwrap();
        self.apply(partition, Command::Learn { changes });
    }

    fn states(&self) -> States {
        States::open(&self.data.databases(PARTITIONS)).unwrap()
    }

    fn chats(&self) -> Vec<ChatId> {
        self.others.iter().map(|other| chat_of(&self.alice, other)).collect()
    }

    fn head(&self, partition: u16) -> Pos {
        self.cores[usize::from(partition)].view().head().unwrap()
    }
}

fn layout() -> Layout {
    Layout::new(PARTITIONS).unwrap()
}

fn open((file, partition): (PathBuf, PartitionId)) -> Core {
    let mut core = Core::open(&Location::File(file)).unwrap();
    core.take_part(layout(), partition).unwrap();
    core
}

fn registration(person: &Person) -> Command {
    let (name, root, list) = (person.name.clone(), person.root(), person.list());
    Command::Register(Registration { invite: SECRET.hash(), name, root, list })
}

fn by(person: &Person) -> By {
    By { device: person.device, account: person.account() }
}

/// The partition of a chat: the first 8 bytes of its id, big-endian, modulo their number.
fn place(chat: &ChatId) -> u16 {
    let first = chat.0[..8].iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    (first % u128::from(PARTITIONS)) as u16
}

#[test]
fn a_chat_is_looked_for_in_its_partition() {
    let mut world = World::new();
    let (chats, device) = (world.chats(), world.alice.device);
    let mut places: Vec<u16> = chats.iter().map(place).collect();
    for (chat, partition) in chats.iter().zip(&places) {
        let other = world.others.iter().find(|other| chat_of(&world.alice, other) == *chat).unwrap();
        let receipt = Receipt { chat: *chat, base: Seq(1), body: body(b"read") };
        world.apply(*partition, Command::Receipt(by(other), receipt));
        let send = Send { chat: *chat, n: N(2), base: Seq(1), body: body(b"text") };
        world.apply(*partition, Command::Send(by(&world.alice), Hash::of(&send.body), send));
    }
    let states = world.states();
    let ask = |query: Query, device: &DeviceId| query.answer(&states, device).unwrap();
    for chat in chats {
        let Answer::Routing(routed) = ask(Query::Routing(Routing { chat }), &device) else { panic!("not routed") };
        assert_eq!((routed.devices.len(), routed.last), (2, Seq(2)));
        let range = Query::Range(Range { chat, from: Seq(1), to: Seq(9) });
        let Answer::Envelopes(range) = ask(range, &device) else { panic!("no envelopes") };
        let last = range.envelopes.last().unwrap();
        assert_eq!((range.first, last.chat, last.seq), (Seq(1), chat, Some(Seq(2))));
        let receipts = Query::Receipts(Receipts { chat, after: Pos(0) });
        let Answer::Receipts(found) = ask(receipts.clone(), &device) else { panic!("no receipts") };
        assert_eq!((found.receipts.len(), found.receipts[0].chat), (1, chat));
        let stranger = DeviceId([9; 16]);
        assert_eq!(ask(receipts, &stranger), Answer::Refused(Refusal::NotMember(Plain {})));
    }
    places.sort_unstable();
    places.dedup();
    assert_eq!(places, [0, 1, 2, 3], "the chats are spread");
}

#[test]
fn the_chats_of_all_partitions_are_one_list() {
    let world = World::new();
    let states = world.states();
    let mut wanted = world.chats();
    wanted.sort_unstable();
    let ask = |person: &Person, after: Option<ChatId>| {
        let Answer::Chats(page) = Query::Chats(Chats { after }).answer(&states, &person.device).unwrap() else {
            panic!("no chats");
        };
        assert!(!page.more);
        page.chats.iter().map(|found| found.chat).collect::<Vec<_>>()
    };
    assert_eq!(ask(&world.alice, None), wanted);
    assert_eq!(ask(&world.alice, Some(wanted[4])), wanted[5..]);
    for other in &world.others {
        assert_eq!(ask(other, None), [chat_of(&world.alice, other)]);
    }
}

#[test]
fn a_login_finds_where_every_partition_stands() {
    let mut world = World::new();
    let newcomer = Person::new("newcomer");
    world.apply(0, registration(&newcomer));
    world.apply(1, Command::Ack { device: world.alice.device, pos: Pos(1) });
    let heads: Vec<Pos> = (0..PARTITIONS).map(|partition| world.head(partition)).collect();
    assert!(heads.iter().all(|head| head.0 > 1), "{heads:?}");
    let at = |partition: u16, acked: Pos| {
        let head = heads[usize::from(partition)];
        Position { partition: PartitionId(partition), acked, head }
    };

    let states = world.states();
    let find = |device: &DeviceId| Found::read(&states, device).unwrap();
    let alice = find(&world.alice.device).unwrap();
    assert_eq!(alice.info.name, world.alice.name);
    assert_eq!(alice.positions, [at(0, Pos(0)), at(1, Pos(1)), at(2, Pos(0)), at(3, Pos(0))]);
    // The other partitions have not heard of this one. It is told what they will say once they have: would that be more, it
    // would take itself for an older copy.
    let told = [at(0, heads[0]), at(1, Pos(0)), at(2, Pos(0)), at(3, Pos(0))];
    assert_eq!(find(&newcomer.device).unwrap().positions, told);
    (1..PARTITIONS).for_each(|partition| world.learn(partition));
    assert_eq!(find(&newcomer.device).unwrap().positions, told);
    let lookup = Query::Lookup(Lookup { who: Who::Name(newcomer.name.clone()), from_version: 1 });
    let Answer::Account(account) = lookup.answer(&states, &world.alice.device).unwrap() else { panic!("not there") };
    assert_eq!(account.root, newcomer.root());
}

#[test]
fn every_reader_thread_reads_every_partition() {
    let world = World::new();
    let readers = Readers::start(&world.data.databases(PARTITIONS)).unwrap();
    let (tell, told) = mpsc::channel();
    for _ in 0..20 {
        let tell = tell.clone();
        readers.run(move |states| {
            let head = |partition| (partition, states.read(PartitionId(partition), |view| view.head()).unwrap());
            let heads = (0..PARTITIONS).map(head);
            assert!(states.read(PartitionId(PARTITIONS), |view| view.head()).is_err());
            tell.send(heads.collect::<Vec<_>>()).unwrap();
        });
    }
    readers.stop();
    drop(tell);
    let wanted: Vec<_> = (0..PARTITIONS).map(|partition| (partition, world.head(partition))).collect();
    let told: Vec<_> = told.iter().collect();
    assert_eq!(told.len(), 20);
    assert!(told.iter().all(|heads| *heads == wanted));
    assert!(Readers::start(&[]).is_err(), "a relay has a directory");
}
