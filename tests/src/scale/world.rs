//! A cluster's logs, nodes and NATS servers, in virtual time: what is due is done in its order until the time is over.

use super::agenda::Agenda;
use super::draw::Draw;
use super::node::{Bundle, Comers, Node, Record};
use super::report::{Report, Tally};
use super::spec::Spec;
use super::traffic::Following;
use super::{Nanos, SECOND, seconds};
use std::collections::VecDeque;

/// Something due.
#[derive(Debug)]
pub(super) enum Event {
    /// The devices of a node send.
    Tick(usize),
    /// A bundle has gone through its node, and goes to whoever appends.
    Submitted(Bundle),
    /// It has come there, in this reign.
    Arrived(Bundle, u32),
    /// A record was appended to a partition's log, in this reign.
    Appended(usize, Record, u32),
    /// A node's process has applied it.
    Applied(usize, u32, Record),
    /// What was refused or lost is sent again.
    Again(Bundle),
    /// People dial.
    Dial(Comers),
    /// Logins of a node's process are done.
    LoggedIn(usize, u32, Comers),
    /// A failure.
    Fault(usize),
    /// Somebody takes a partition's lease, if this reign is still the last.
    TakeOver(usize, u32),
    /// A node's process starts.
    Start(usize),
    /// It has caught up.
    Serve(usize, u32),
    /// NATS has a leader again.
    NatsBack(Nanos),
    /// The nodes have not heard NATS for so long that they end their connections.
    Deaf(Nanos),
    /// A second has passed.
    Second,
}

/// Everything there is.
pub struct World {
    pub(super) spec: Spec,
    pub(super) now: Nanos,
    pub(super) agenda: Agenda<Event>,
    pub(super) nodes: Vec<Node>,
    pub(super) following: Following,
    /// One for each partition.
    pub(super) logs: Vec<Log>,
    /// Until when NATS has no leader.
    pub(super) no_leader: Nanos,
    /// Receipts and acknowledgements that are still to come, soon and later.
    pub(super) owed: Owed,
    /// When each node's devices sent last.
    pub(super) sent: Vec<Nanos>,
    pub(super) serial: u64,
    pub(super) chance: Chance,
    pub(super) tally: Tally,
}

/// A partition's log.
pub(super) struct Log {
    /// Who appends; counts reigns.
    pub(super) owner: Option<usize>,
    pub(super) reign: u32,
    /// What waits for being appended, and whether a record is on its way.
    pub(super) queue: VecDeque<Bundle>,
    pub(super) appending: bool,
}

/// What follows from messages and did not happen yet.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Owed {
    pub(super) receipts: [f64; 2],
    pub(super) acks: [f64; 2],
}

/// Dice for each purpose.
pub(super) struct Chance {
    pub(super) traffic: Draw,
    pub(super) people: Draw,
    pub(super) failures: Draw,
}

/// Mean time until what is owed comes: acknowledgements and first receipts within a second, reading within a minute.
pub(super) const OWED_S: [f64; 2] = [0.5, 30.0];

/// Plays it and tells what was seen.
pub fn run(spec: &Spec) -> Report {
    let mut world = World::new(spec.clone());
    let end = seconds(spec.lasts);
    while let Some((at, event)) = world.agenda.pop() {
        if at > end {
            break;
        }
        world.now = at;
        world.happen(event);
    }
    world.now = end;
    world.tally.end(&world.nodes, end);
    Report::of(spec, world.tally)
}

impl World {
    fn new(spec: Spec) -> Self {
        let node = |_| Node::new(spec.cores, spec.partitions, spec.devices / spec.nodes as f64);
        let nodes: Vec<Node> = (0..spec.nodes).map(node).collect();
        let log = |number| Log { owner: Some(number % spec.nodes), reign: 1, queue: VecDeque::new(), appending: false };
        let logs = (0..spec.partitions).map(log).collect();
        let draw = |purpose| Draw::new(spec.seed, purpose);
        let chance = Chance { traffic: draw(1), people: draw(2), failures: draw(3) };
        let following = spec.traffic.following();
        let (sent, tally) = (vec![0; spec.nodes], Tally::new(&spec));
        let mut world = Self {
            now: 0,
            agenda: Agenda::default(),
            nodes,
            following,
            logs,
            no_leader: 0,
            owed: Owed::default(),
            sent,
            serial: 0,
            chance,
            tally,
            spec,
        };
        world.begin();
        world
    }

    /// As if it had gone on like this for a while.
    fn begin(&mut self) {
        let rate = self.messages_a_second() * self.spec.devices;
        let soon = [self.following.receipts_at_once, self.following.acks_at_once];
        let later = [self.following.receipts - soon[0], self.following.acks - soon[1]];
        self.owed.receipts = [soon[0] * rate * OWED_S[0], later[0] * rate * OWED_S[1]];
        self.owed.acks = [soon[1] * rate * OWED_S[0], later[1] * rate * OWED_S[1]];
        (0..self.nodes.len()).for_each(|node| self.agenda.at(0, Event::Tick(node)));
        self.agenda.at(SECOND, Event::Second);
        for (number, fault) in self.spec.faults.clone().iter().enumerate() {
            self.agenda.at(seconds(fault.at), Event::Fault(number));
        }
    }

    /// Messages a second of each device, at this time of the day.
    pub(super) fn messages_a_second(&self) -> f64 {
        let time = self.spec.begins + super::in_seconds(self.now) * self.spec.pace;
        self.spec.traffic.messages_a_second() * self.spec.traffic.curve(time)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tick(node) => self.tick(node),
            Event::Submitted(bundle) => self.submitted(bundle),
            Event::Arrived(bundle, reign) => self.arrived(bundle, reign),
            Event::Appended(partition, record, reign) => self.appended(partition, record, reign),
            Event::Applied(node, life, record) => self.applied(node, life, &record),
            Event::Again(bundle) => self.again(bundle),
            Event::Dial(comers) => self.dial(comers),
            Event::LoggedIn(node, life, comers) => self.logged_in(node, life, comers),
            Event::Fault(number) => self.fault(number),
            Event::TakeOver(partition, reign) => self.take_over(partition, reign),
            Event::Start(node) => self.start(node),
            Event::Serve(node, life) => self.serve(node, life),
            Event::NatsBack(since) => self.nats_back(since),
            Event::Deaf(until) => self.deaf(until),
            Event::Second => self.second(),
        }
    }

    fn second(&mut self) {
        self.agenda.at(self.now + SECOND, Event::Second);
        self.give_up();
        self.churn();
        let connected: f64 = self.nodes.iter().map(|node| node.connected).sum();
        let waiting: f64 = self.nodes.iter().map(|node| node.asked).sum();
        self.tally.second(connected, waiting, &self.nodes);
    }
}
