//! The relay's process: real core, hub, backlog and applier, without their threads; killed, restarted, put back.

use super::agenda::{Conn, Event};
use super::dice::Dice;
use super::plan::{Plan, RelayDeath};
use super::world::World;
use aside_protocol::limits::MAX_BLOB;
use aside_protocol::login::Mode;
use aside_protocol::request::Answer;
use aside_protocol::{Hash, LogId};
use aside_relay::hub::Hub;
use aside_relay::identity::Identity;
use aside_relay::log::applier::{Applier, Committed, Record};
use aside_relay::log::backlog::{Backlog, Next};
use aside_relay::session::Setup;
use aside_relay_core::{BlobLimits, Command, Core, Location, Stamped};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// How often retention runs, in milliseconds.
const RETAIN_EVERY: u64 = 60_000;

/// The relay's process and its disk.
pub struct Relay {
    /// Its state, while the process runs.
    pub applier: Option<Applier>,
    /// What lies on its disk, while it does not.
    pub disk: Option<Core>,
    /// Who is connected.
    pub hub: Arc<Hub>,
    /// What waits for the writer.
    pub backlog: Backlog,
    /// What every session shares.
    pub setup: Arc<Setup>,
    /// Committed, and nobody was told.
    pub committed: Option<Committed>,
    /// How often it was started.
    pub life: u32,
    /// The writer is on the agenda.
    pub write_due: bool,
    /// The writer does nothing before this.
    pub stalled_until: u64,
    /// It dies at its next batch, and is started again after so long.
    pub doom: Option<(RelayDeath, u64)>,
    /// Every command on its disk, in order.
    pub log: Arc<Mutex<Vec<Stamped>>>,
    /// An older copy of its disk, and how many commands it holds.
    pub copy: Option<(Core, usize)>,
    /// Its delays.
    pub dice: Dice,
    seed: [u8; 32],
}

impl Relay {
    /// A new relay, running.
    pub fn new(plan: &Plan, wall: aside_protocol::Millis) -> Self {
        let mut dice = Dice::new(plan.seed, &[3]);
        let (seed, log_id) = (dice.bytes(), LogId(dice.bytes()));
        let mut core = Core::open(&Location::Memory).expect("a core");
        let first = [
            Stamped { time: wall, command: Command::Init { log: log_id } },
            Stamped {
                time: wall,
                command: Command::CreateInvite { secret: Hash([1; 32]), uses: 100, valid: u64::MAX >> 1 },
            },
        ];
        core.apply(&first, true).expect("the core applies");
        let hub = Hub::new();
        let mut relay = Self {
            applier: None,
            disk: Some(core),
            hub,
            backlog: Backlog::default(),
            setup: setup(&seed, log_id, plan.window),
            committed: None,
            life: 0,
            write_due: false,
            stalled_until: 0,
            doom: None,
            log: Arc::new(Mutex::new(first.to_vec())),
            copy: None,
            dice,
            seed,
        };
        relay.start(plan);
        relay
    }

    /// The process starts.
    pub fn start(&mut self, plan: &Plan) {
        let Some(core) = self.disk.take() else { return };
        let log = self.log.clone();
        let record: Record = Box::new(move |batch| {
            log.lock().expect("one thread").extend_from_slice(batch);
            Ok(())
        });
        let log_id = core.view().log().expect("read").expect("it has a log id");
        self.hub = Hub::new();
        self.setup = setup(&self.seed, log_id, plan.window);
        self.applier = Some(Applier::new(core, self.hub.clone(), Some(record)));
        self.life += 1;
    }

    /// The process dies: only the disk stays.
    fn stop(&mut self) {
        if let Some(applier) = self.applier.take() {
            self.disk = Some(applier.core().copy().expect("a copy"));
        }
        self.backlog = Backlog::default();
        self.committed = None;
        self.write_due = false;
        self.doom = None;
        self.life += 1;
    }

    /// Whether it runs.
    pub fn is_up(&self) -> bool {
        self.applier.is_some()
    }

    /// The state, running or not.
    pub fn core(&self) -> &Core {
        self.applier.as_ref().map(Applier::core).or(self.disk.as_ref()).expect("one or the other")
    }

    /// Applies commands by hand, before anything happens.
    pub fn apply(&mut self, commands: &[Stamped]) {
        let Some(applier) = self.applier.as_mut() else { return };
        let outcomes = applier.apply(commands, true).expect("the core applies");
        let refused = outcomes.iter().any(|outcome| matches!(outcome.answer, Answer::Refused(_)));
        assert!(!refused, "{outcomes:?}");
    }

    /// How many commands its disk holds.
    pub fn commands(&self) -> usize {
        self.log.lock().expect("one thread").len()
    }
}

fn setup(seed: &[u8; 32], log: LogId, window: usize) -> Arc<Setup> {
    let blobs = BlobLimits { quota: 1 << 30, most: MAX_BLOB };
    Arc::new(Setup { identity: Identity::from_seed(seed), mode: Mode::Direct, log, window, blobs })
}

impl World {
    /// The same moment as an instant of this process; only differences count.
    pub(super) fn instant(&self) -> Instant {
        self.origin + std::time::Duration::from_millis(self.now)
    }

    /// Puts the writer on the agenda.
    pub(super) fn wake_writer(&mut self) {
        if !self.relay.write_due && self.relay.committed.is_none() && self.relay.is_up() {
            self.relay.write_due = true;
            let at = (self.now + self.relay.dice.delay(6, 120)).max(self.relay.stalled_until);
            self.agenda.at(at, Event::Write(self.relay.life));
        }
    }

    /// The writer commits what waits; what follows comes a little later.
    pub(super) fn write(&mut self, life: u32) {
        if life != self.relay.life {
            return;
        }
        self.relay.write_due = false;
        if self.relay.stalled_until > self.now {
            return self.wake_writer();
        }
        let instant = self.instant();
        let batch = match self.relay.backlog.next(instant) {
            Next::Batch(batch) => batch,
            Next::At(due) => {
                self.relay.write_due = true;
                let wait = due.saturating_duration_since(instant).as_millis() as u64;
                return self.agenda.at(self.now + wait.max(1), Event::Write(life));
            }
            Next::Nothing | Next::Stopped => return,
        };
        let doom = self.relay.doom.take();
        let before = matches!(doom, Some((RelayDeath::BeforeCommit, _)))
            .then(|| (self.relay.core().copy().expect("a copy"), self.relay.commands()));
        let wall = self.wall();
        let applier = self.relay.applier.as_mut().expect("it runs");
        let committed = applier.commit(batch, instant, wall);
        self.trace.say(self.now, || "relay commits a batch".into());
        match doom {
            Some((RelayDeath::AfterCommit, down)) => {
                self.coverage.saw("relay died before answering");
                self.kill_relay(down);
            }
            Some((RelayDeath::AfterAnswers, down)) => {
                self.coverage.saw("relay died while answering");
                self.relay.applier.as_ref().expect("it runs").hand_out(committed);
                self.flush_some();
                self.kill_relay(down);
            }
            Some((RelayDeath::BeforeCommit, down)) => {
                // Whatever was said before the commit was done is out; the commit is not.
                self.coverage.saw("relay died before a commit");
                self.flush_some();
                self.kill_relay(down);
                let (core, commands) = before.expect("kept");
                self.relay.log.lock().expect("one thread").truncate(commands);
                self.relay.disk = Some(core);
            }
            _ => {
                self.relay.committed = Some(committed);
                self.wake_all();
                let at = self.now + self.relay.dice.delay(2, 30);
                self.agenda.at(at, Event::HandOut(life));
            }
        }
    }

    /// Answers, then pushes.
    pub(super) fn hand_out(&mut self, life: u32) {
        if life != self.relay.life {
            return;
        }
        if let (Some(committed), Some(applier)) = (self.relay.committed.take(), &self.relay.applier) {
            applier.hand_out(committed);
        }
        self.wake_all();
        self.wake_writer();
    }

    /// Some sessions get to say what they know before the process dies.
    fn flush_some(&mut self) {
        let conns: Vec<Conn> = self.connections.keys().copied().collect();
        for conn in conns {
            if !self.relay.dice.once_in(3) {
                self.session(conn);
            }
        }
    }

    /// The process dies, and is started again after so long.
    pub(super) fn kill_relay(&mut self, down: u64) {
        self.trace.say(self.now, || format!("relay dies, for {down} ms"));
        let conns: Vec<Conn> = self.connections.keys().copied().collect();
        for conn in conns {
            let heard = !self.relay.dice.once_in(4);
            self.close_desk(conn, heard);
        }
        self.relay.stop();
        self.agenda.at(self.now + down, Event::RelayStart);
    }

    /// The process starts.
    pub(super) fn start_relay(&mut self) {
        if self.relay.is_up() {
            return;
        }
        self.trace.say(self.now, || "relay starts".into());
        self.relay.start(&self.plan);
        self.agenda.at(self.now, Event::Retain(self.relay.life));
    }

    /// Its disk is put back to an older copy, and it is started as restored.
    pub(super) fn put_relay_back(&mut self) {
        let Some((core, commands)) = self.relay.copy.take() else { return };
        self.kill_relay(3_000);
        self.coverage.saw("relay put back");
        self.oracle.older_relay = Some(self.now);
        let mut core = core;
        let begin = [Stamped { time: self.wall(), command: Command::BeginLog { log: LogId(self.relay.dice.bytes()) } }];
        core.apply(&begin, true).expect("the core applies");
        let mut log = self.relay.log.lock().expect("one thread");
        log.truncate(commands);
        log.extend(begin);
        drop(log);
        self.relay.disk = Some(core);
    }

    /// Retention runs until there is nothing more to delete.
    pub(super) fn retain(&mut self, life: u32) {
        if life == self.relay.life {
            self.retain_all();
            self.agenda.at(self.now + RETAIN_EVERY, Event::Retain(life));
        }
    }

    /// The same, now.
    pub(super) fn retain_all(&mut self) {
        let wall = self.wall();
        if let Some(applier) = self.relay.applier.as_mut() {
            while applier.retain(wall) {}
        }
    }
}
