//! What is simulated: how many devices on how many nodes of which size, when, and what fails.

use super::traffic::Traffic;

/// Where devices go whose node is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// To any of the others: something in front of the nodes, or chance, spreads them.
    Even,
    /// To the next in the list that all of that node's devices have: what clients do by themselves.
    Next,
}

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum What {
    /// The owner of partition 0 dies, and is started again after so many seconds.
    OwnerDies(f64),
    /// Another one does.
    OtherDies(f64),
    /// The owner of partition 0 is stopped in order, and started again after so many seconds.
    OwnerStops(f64),
    /// The NATS server that leads dies; its peers elect another one for so many seconds.
    NatsLeaderDies(f64),
}

/// A failure and when it comes, in seconds from the beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// When.
    pub at: f64,
    /// What.
    pub what: What,
}

/// A cluster with its nodes, and what happens to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Connected devices at the beginning, all there are.
    pub devices: f64,
    /// Partitions, over which chats are spread evenly.
    pub partitions: usize,
    /// Nodes, each of which applies all logs.
    pub nodes: usize,
    /// Cores of a node.
    pub cores: usize,
    /// What people do.
    pub traffic: Traffic,
    /// Where devices go whose node is gone.
    pub spread: Spread,
    /// Seconds since midnight when it begins.
    pub begins: f64,
    /// How long it lasts, in seconds.
    pub lasts: f64,
    /// How many seconds of the day's curve pass in one second: a day fits into less time, while everything else has its
    /// real pace.
    pub pace: f64,
    /// What fails.
    pub faults: Vec<Fault>,
    /// Of all chance.
    pub seed: u64,
}

impl Spec {
    /// The busiest minute of a day, without faults.
    pub fn busiest(devices: f64, nodes: usize, cores: usize, seed: u64) -> Self {
        let traffic = Traffic::default();
        let begins = traffic.busiest();
        let (partitions, lasts, pace, faults) = (super::plan::PARTITIONS, 60.0, 1.0, Vec::new());
        Self { devices, partitions, nodes, cores, traffic, spread: Spread::Even, begins, lasts, pace, faults, seed }
    }

    /// A whole day in so many seconds, in which each kind of failure comes in the busy hours.
    pub fn day(devices: f64, nodes: usize, cores: usize, seed: u64, lasts: f64) -> Self {
        let at = |hour: f64| lasts * hour / 24.0;
        let faults = vec![
            Fault { at: at(10.0), what: What::OwnerDies(60.0) },
            Fault { at: at(13.0), what: What::NatsLeaderDies(4.0) },
            Fault { at: at(16.0), what: What::OtherDies(60.0) },
            Fault { at: at(18.0), what: What::NatsLeaderDies(10.0) },
            Fault { at: at(20.0), what: What::OwnerStops(20.0) },
        ];
        let pace = super::traffic::DAY_S / lasts;
        Self { begins: 0.0, lasts, pace, faults, ..Self::busiest(devices, nodes, cores, seed) }
    }

    /// With one failure.
    #[must_use]
    pub fn with(mut self, at: f64, what: What) -> Self {
        self.faults.push(Fault { at, what });
        self
    }
}
