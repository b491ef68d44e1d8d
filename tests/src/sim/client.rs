//! A client's process: a real engine over a database in memory, and what `client/src/agent` does around it.

use super::agenda::{Conn, Event};
use super::dice::Dice;
use super::oracle::View;
use super::wire::Wire;
use super::world::World;
use aside_crypto::lists::first_list;
use aside_crypto::{DeviceKey, RootKey};
use aside_engine::{Config, Effect, Engine};
use aside_protocol::device_list::verify_next;
use aside_protocol::frame::{ClientFrame, Hello, Ping, RelayFrame};
use aside_protocol::login::{Mode, Transcript};
use aside_protocol::{AccountId, DeviceId, Hash, Millis, Name};
use aside_relay_core::command::Registration;
use aside_relay_core::{Command, Stamped};
use aside_store::Store;
use aside_store::accounts::{Account, Trust};
use aside_store::profile::{Profile, RelayPlace};
use aside_transport::Backoff;
use std::collections::VecDeque;
use zeroize::Zeroizing;

/// Who takes part.
pub const NAMES: [&str; 4] = ["anna", "ben", "cleo", "dora"];
/// Most frames that an engine takes in one transaction.
const BATCH: usize = 128;
/// How long a client waits for its login.
const LOGIN_PATIENCE: u64 = 15_000;
/// How often a client that waits for nothing looks at its clock; one that does looks every second.
const LAZY_TICK: u64 = 5_000;

/// How far a client's connection has come.
pub enum Link {
    /// None.
    Offline,
    /// Said hello.
    Greeting(Conn, Hello),
    /// Asked to be logged in.
    LoggingIn(Conn),
    /// Logged in.
    Online(Conn),
}

/// Something that arrived.
pub enum Arrived {
    /// A frame.
    Frame(Box<RelayFrame>),
    /// The connection's end; come back no sooner than in so many milliseconds.
    Closed(u64),
}

/// A client's process and its disk.
pub struct Client {
    /// For people.
    pub name: &'static str,
    /// Its account.
    pub account: AccountId,
    /// Its device.
    pub device: DeviceId,
    /// The process, while it runs.
    pub engine: Option<Engine>,
    /// The disk, while it does not.
    pub disk: Option<Store>,
    /// Its connection.
    pub link: Link,
    /// How many connections and processes it had.
    pub life: u32,
    /// Checks of what passes on the present connection.
    pub wire: Wire,
    /// What arrived and was not taken.
    pub inbox: VecDeque<Arrived>,
    /// Taking is on the agenda.
    pub take_due: bool,
    /// Its user wants no connection.
    pub away: bool,
    /// Nothing passes between it and the relay before this.
    pub blocked_until: u64,
    /// It does nothing before this.
    pub stalled_until: u64,
    /// It dies at its next transaction, after so many effects, for so long.
    pub doom: Option<(u8, u64)>,
    /// How wrong its clock is.
    pub skew: i64,
    /// A tick has passed since it last took something.
    pub ticked: bool,
    /// What its database should hold.
    pub view: View,
    /// An older copy of its disk.
    pub copy: Option<(Store, View)>,
    /// Its randomness.
    pub dice: Dice,
    backoff: Backoff,
    heard: u64,
    said: u64,
}

impl Client {
    /// A registered client that was never connected.
    pub fn new(number: usize, world_seed: u64, wall: Millis) -> (Self, Registration) {
        let mut dice = Dice::new(world_seed, &[4, number as u64]);
        let root = RootKey::from_entropy(&dice.bytes());
        let (seed, device) = (dice.bytes(), DeviceId(dice.bytes()));
        let list = first_list(&root, device, DeviceKey::from_seed(&seed).public(), wall);
        let verified = verify_next(&root.public(), None, &list).expect("a sound list");
        let name = Name::new(NAMES[number].to_owned()).expect("a name");
        let profile = Profile {
            account: root.account(),
            name: name.clone(),
            root: root.public(),
            device,
            seed: Zeroizing::new(seed),
            list: list.clone(),
            list_version: 1,
            list_hash: verified.hash,
            relay: RelayPlace { addresses: vec!["relay:1".into()], pin: Hash([0; 32]), mode: Mode::Direct },
            registering: None,
            log: None,
            last_resort: Millis(0),
            created: wall,
        };
        let registration = Registration { invite: Hash([1; 32]), name: name.clone(), root: root.public(), list };
        let own = Account { account: profile.account, name, root: profile.root, list: verified, trust: Trust::InUse };
        let mut disk = empty_store();
        disk.transact::<_, aside_store::StoreError>(|tx| {
            tx.begin_profile(&profile)?;
            tx.confirm_profile()?;
            tx.save_account(&own, wall)
        })
        .expect("a profile");
        let client = Self {
            name: NAMES[number],
            account: profile.account,
            device,
            engine: None,
            disk: Some(disk),
            link: Link::Offline,
            life: 0,
            wire: Wire::default(),
            inbox: VecDeque::new(),
            take_due: false,
            away: false,
            blocked_until: 0,
            stalled_until: 0,
            doom: None,
            skew: 0,
            ticked: false,
            view: View::default(),
            copy: None,
            dice,
            backoff: Backoff::new(),
            heard: 0,
            said: 0,
        };
        (client, registration)
    }

    /// The connection it holds, logged in or not.
    pub fn conn(&self) -> Option<Conn> {
        match self.link {
            Link::Offline => None,
            Link::Greeting(conn, _) | Link::LoggingIn(conn) | Link::Online(conn) => Some(conn),
        }
    }

    /// Whether it is logged in.
    pub fn is_online(&self) -> bool {
        matches!(self.link, Link::Online(_))
    }
}

thread_local! {
    // Migrations take longer than a copy of what they make.
    static EMPTY: Store = Store::in_memory().expect("a store");
}

fn empty_store() -> Store {
    EMPTY.with(|empty| empty.copy().expect("a copy"))
}

impl World {
    /// Makes and registers the clients.
    pub(super) fn register(&mut self) {
        for number in 0..self.plan.people {
            let (client, registration) = Client::new(number, self.plan.seed, self.wall());
            let command = Stamped { time: self.wall(), command: Command::Register(registration) };
            self.relay.apply(&[command]);
            self.words.name(client.name, client.device, client.account);
            self.clients.push(client);
            self.start_client(number);
        }
        self.words.name_chats();
    }

    /// A client's clock, right or wrong.
    fn clock(&self, who: usize) -> Millis {
        Millis(self.wall().0.saturating_add_signed(self.clients[who].skew))
    }

    /// Runs something in a client's engine, and what follows from it.
    pub(super) fn in_engine<T>(
        &mut self,
        who: usize,
        work: impl FnOnce(&mut Engine, Millis, &mut Dice) -> Result<(T, Vec<Effect>), aside_engine::EngineError>,
    ) -> Option<T> {
        let now = self.clock(who);
        let client = &mut self.clients[who];
        let engine = client.engine.as_mut()?;
        let (value, effects) = work(engine, now, &mut client.dice)
            .unwrap_or_else(|error| panic!("{}'s engine fails: {error}", client.name));
        self.observe(who);
        self.run_effects(who, effects);
        Some(value)
    }

    fn run_effects(&mut self, who: usize, effects: Vec<Effect>) {
        let frames = effects.into_iter().filter_map(|effect| match effect {
            Effect::Send(frame) => Some(frame),
            Effect::Changed => None,
        });
        let frames: Vec<ClientFrame> = frames.collect();
        frames.iter().for_each(|frame| self.send_up(who, frame));
    }

    /// The process starts.
    pub(super) fn start_client(&mut self, who: usize) {
        let config = Config {
            update_after_messages: self.plan.update_after,
            key_package_stock: 3,
            key_package_low: 2,
            ..Config::default()
        };
        let client = &mut self.clients[who];
        let Some(disk) = client.disk.take() else { return };
        client.engine = Some(Engine::new(disk, config).expect("an engine"));
        client.backoff = Backoff::new();
        client.life += 1;
        self.trace.say(self.now, || format!("{} starts", client.name));
        self.dial_later(who, 0);
    }

    /// The process dies; only the disk stays. What it sent may still arrive.
    pub(super) fn crash(&mut self, who: usize, power_off: bool, down: u64) {
        let name = self.clients[who].name;
        self.trace.say(self.now, || format!("{name} dies, for {down} ms"));
        let Some(engine) = self.clients[who].engine.take() else { return };
        self.clients[who].disk = Some(engine.into_store());
        self.clients[who].doom = None;
        self.drop_link(who, !power_off);
        self.agenda.at(self.now + down, Event::ClientStart(who));
    }

    /// The client's end of its connection is closed; the relay hears of it after what was sent, or not at all.
    fn drop_link(&mut self, who: usize, heard: bool) {
        if let Some(conn) = self.clients[who].conn() {
            // What it sent last may be late, later than its next login.
            if let Some(connection) = self.connections.get_mut(&conn)
                && connection.dice.once_in(3)
            {
                connection.late_until = self.now + connection.dice.delay(2_000, 20_000);
            }
            if heard {
                self.up(conn, None);
            }
            if let Some(connection) = self.connections.get_mut(&conn) {
                connection.held = false;
            }
            self.forget_if_over(conn);
        }
        let client = &mut self.clients[who];
        client.link = Link::Offline;
        client.life += 1;
        client.inbox.clear();
        client.wire = Wire::default();
    }

    /// The process goes on without a connection. Acknowledgements that were held back go out first, if they can.
    pub(super) fn disconnect(&mut self, who: usize) {
        let Some(engine) = self.clients[who].engine.as_mut() else { return };
        let last = engine.last_acks();
        engine.disconnected();
        self.run_effects(who, last);
        self.drop_link(who, true);
    }

    /// Dials again after a pause that grows with each failure.
    pub(super) fn dial_later(&mut self, who: usize, at_least: u64) {
        let client = &mut self.clients[who];
        if client.away || client.engine.is_none() {
            return;
        }
        let pause = client.backoff.next(client.dice.below(1000) as f64 / 1000.0).as_millis() as u64;
        let life = client.life;
        self.agenda.at(self.now + pause.max(at_least), Event::Dial(who, life));
    }

    /// Opens a connection, if the relay can be reached.
    pub(super) fn dial(&mut self, who: usize, life: u32) {
        let client = &mut self.clients[who];
        if client.away || client.engine.is_none() || client.life != life || client.conn().is_some() {
            return;
        }
        if !self.relay.is_up() || client.blocked_until > self.now {
            self.trace.say(self.now, || format!("{} cannot reach the relay", client.name));
            return self.dial_later(who, 500);
        }
        let conn = self.connect(who);
        let client = &mut self.clients[who];
        let hello = super::login::hello(&mut client.dice);
        client.link = Link::Greeting(conn, hello.clone());
        (client.heard, client.said) = (self.now, self.now);
        self.send_up(who, &ClientFrame::Hello(hello));
        self.agenda.at(self.now + LOGIN_PATIENCE, Event::LoginLate(who, conn));
    }

    /// A login that took too long is given up.
    pub(super) fn login_late(&mut self, who: usize, conn: Conn) {
        let client = &self.clients[who];
        if client.conn() == Some(conn) && !client.is_online() {
            self.lose_link(who, 0);
        }
    }

    /// The connection is gone; another one is tried.
    pub(super) fn lose_link(&mut self, who: usize, at_least: u64) {
        self.trace.say(self.now, || format!("{} loses its connection", self.clients[who].name));
        self.disconnect(who);
        self.dial_later(who, at_least);
    }

    /// A frame arrived at the client.
    pub(super) fn arrived(&mut self, who: usize, conn: Conn, frame: RelayFrame) {
        let client = &mut self.clients[who];
        client.heard = self.now;
        match (&client.link, frame) {
            (Link::Greeting(_, hello), RelayFrame::HelloOk(ok)) => {
                let transcript = super::login::check(hello, ok, &self.relay.setup.identity.pin());
                self.log_in(who, conn, &transcript);
            }
            (Link::LoggingIn(_), RelayFrame::LoginOk(ok)) => {
                client.link = Link::Online(conn);
                let life = client.life;
                self.agenda.at(self.now + 1_000, Event::Tick(who, life));
                self.in_engine(who, |engine, now, dice| Ok(((), engine.logged_in(&ok, now, dice)?)));
            }
            (Link::Online(_), RelayFrame::Goodbye(goodbye)) => {
                self.coverage.saw("goodbye");
                self.came(who, Arrived::Closed(goodbye.retry_after_ms));
            }
            (Link::Online(_), RelayFrame::Fault(fault)) => panic!("{}: fault {}", client.name, fault.rule),
            (Link::Online(_), RelayFrame::Pong(_)) => {}
            (Link::Online(_), frame) => {
                client.wire.arrived(&frame, &client.device).unwrap_or_else(|e| panic!("{}: {e}", client.name));
                self.cover_frame(who, &frame);
                self.came(who, Arrived::Frame(Box::new(frame)));
            }
            (_, RelayFrame::Fault(fault)) if fault.rule != "LOG-4" => panic!("{}: {}", client.name, fault.message),
            // A goodbye, a refusal or an end before the login.
            _ => self.lose_link(who, 0),
        }
    }

    fn log_in(&mut self, who: usize, conn: Conn, transcript: &Transcript) {
        let client = &mut self.clients[who];
        let Some(engine) = &client.engine else { return };
        let login = super::login::login(engine.me(), transcript);
        client.link = Link::LoggingIn(conn);
        self.send_up(who, &login);
    }

    /// Something waits to be taken.
    pub(super) fn came(&mut self, who: usize, what: Arrived) {
        self.clients[who].inbox.push_back(what);
        self.wake_client(who);
    }

    fn wake_client(&mut self, who: usize) {
        let client = &mut self.clients[who];
        if !client.take_due && !client.inbox.is_empty() {
            client.take_due = true;
            let at = (self.now + client.dice.delay(5, 300)).max(client.stalled_until);
            self.agenda.at(at, Event::Take(who));
        }
    }

    /// The engine takes frames that arrived, in one transaction.
    pub(super) fn take(&mut self, who: usize) {
        let client = &mut self.clients[who];
        client.take_due = false;
        if client.stalled_until > self.now {
            return self.wake_client(who);
        }
        let most = if client.dice.once_in(3) { client.dice.index(3) + 1 } else { BATCH };
        let mut frames = Vec::new();
        let mut closed = None;
        while frames.len() < most {
            match client.inbox.pop_front() {
                Some(Arrived::Frame(frame)) => frames.push(*frame),
                Some(Arrived::Closed(wait)) => {
                    closed = Some(wait);
                    break;
                }
                None => break,
            }
        }
        if !frames.is_empty() {
            client.backoff.reset();
            self.take_frames(who, frames);
        }
        match closed {
            Some(wait) if self.clients[who].engine.is_some() => self.lose_link(who, wait),
            _ => self.wake_client(who),
        }
    }

    fn take_frames(&mut self, who: usize, frames: Vec<RelayFrame>) {
        let now = self.clock(who);
        let client = &mut self.clients[who];
        client.ticked = false;
        let Some(engine) = client.engine.as_mut() else { return };
        let effects = engine
            .frames(frames, now, &mut client.dice)
            .unwrap_or_else(|error| panic!("{}'s engine fails: {error}", client.name));
        let doom = client.doom.take();
        self.observe(who);
        self.cover_held(who);
        match doom {
            Some((count, down)) => {
                let sends: Vec<Effect> = effects.into_iter().filter(|e| matches!(e, Effect::Send(_))).collect();
                let some = sends.len() > usize::from(count) && count > 0;
                self.coverage.saw(if some { "client died among its effects" } else { "client died after a commit" });
                self.run_effects(who, sends.into_iter().take(count.into()).collect());
                self.crash(who, false, down);
            }
            None => self.run_effects(who, effects),
        }
    }

    /// A second passed for a client.
    pub(super) fn tick(&mut self, who: usize, life: u32) {
        let client = &mut self.clients[who];
        if client.life != life || !client.is_online() {
            return;
        }
        let lazy = client.ticked && self.agenda.is_quiet();
        let at = (self.now + if lazy { LAZY_TICK } else { 1_000 }).max(client.stalled_until);
        self.agenda.at(at, Event::Tick(who, life));
        if self.now.saturating_sub(client.heard) >= aside_protocol::limits::SILENCE_MS && client.inbox.is_empty() {
            self.coverage.saw("silence");
            return self.lose_link(who, 0);
        }
        let quiet_since = client.heard.min(client.said);
        client.ticked = true;
        self.in_engine(who, |engine, now, dice| Ok(((), engine.tick(now, dice)?)));
        if self.now.saturating_sub(quiet_since) >= aside_protocol::limits::PING_MS {
            self.send_up(who, &ClientFrame::Ping(Ping {}));
        }
    }

    /// A client sends a frame on its connection, if it has one.
    fn send_up(&mut self, who: usize, frame: &ClientFrame) {
        let client = &mut self.clients[who];
        let Some(conn) = client.conn() else { return };
        client.said = self.now;
        client.wire.sent(frame);
        self.trace.say(self.now, || format!("{}>relay #{conn} {}", client.name, self.words.client_frame(frame)));
        let bytes = aside_protocol::codec::encode(frame);
        self.cover_request(frame);
        self.up(conn, Some(bytes));
    }
}
