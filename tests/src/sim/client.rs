//! A client's process: a real engine over a database in memory, and what `client/src/agent` does around it.

use super::agenda::{Conn, Event};
use super::dice::Dice;
use super::oracle::View;
use super::wire::Wire;
use super::world::World;
use aside_crypto::lists::{first_list, next_list};
use aside_crypto::{DeviceKey, RootKey};
use aside_engine::{Config, Effect, Engine};
use aside_protocol::device_list::{DeviceEntry, verify_next};
use aside_protocol::frame::{ClientFrame, Hello, RelayFrame};
use aside_protocol::login::Mode;
use aside_protocol::request::PutDeviceList;
use aside_protocol::{AccountId, DeviceId, Hash, Millis, Name};
use aside_relay_core::command::Registration;
use aside_relay_core::{By, Command, Stamped};
use aside_store::Store;
use aside_store::accounts::{Account, Trust};
use aside_store::profile::{Profile, RelayPlace};
use aside_transport::Backoff;
use std::collections::VecDeque;
use zeroize::Zeroizing;

/// Who takes part.
pub const NAMES: [&str; 8] = ["anna", "ben", "cleo", "dora", "emil", "fay", "gus", "hana"];
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
    /// When it dials again.
    pub backoff: Backoff,
    /// When it last heard something.
    pub heard: u64,
    /// When it last said something.
    pub said: u64,
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
        (Self::with(number, &profile, disk, dice), registration)
    }

    /// Another device of a registered client's account, whose list names both from here on.
    pub fn beside(number: usize, first: &mut Self, world_seed: u64, wall: Millis) -> (Self, PutDeviceList) {
        let mut dice = Dice::new(world_seed, &[4, number as u64]);
        let (seed, device) = (dice.bytes(), DeviceId(dice.bytes()));
        let disk = first.disk.as_mut().expect("it does not run yet");
        let own: Profile =
            disk.read::<_, aside_store::StoreError>(|tx| tx.profile()).expect("read").expect("a profile");
        let before = verify_next(&own.root, None, &own.list).expect("a sound list");
        let mut devices = before.list.devices.clone();
        devices.push(DeviceEntry { device, key: DeviceKey::from_seed(&seed).public(), added: wall });
        let key = DeviceKey::from_seed(&own.seed);
        let next = next_list(&before, (own.device, &key), devices);
        let list = verify_next(&own.root, Some(&before), &next).expect("a sound list");
        let profile =
            Profile { device, seed: Zeroizing::new(seed), list_version: 2, list_hash: list.hash, ..own.clone() };
        let account =
            Account { account: own.account, name: own.name.clone(), root: own.root, list, trust: Trust::InUse };
        let lists = [own.list.clone(), next.clone()];
        let both = |tx: &aside_store::Tx| {
            tx.set_own_list(2, &account.list.hash)?;
            tx.save_lists(&account.account, 1, &lists)?;
            tx.save_account(&account, wall)
        };
        disk.transact::<_, aside_store::StoreError>(both).expect("a list");
        let mut disk = empty_store();
        disk.transact::<_, aside_store::StoreError>(|tx| {
            tx.begin_profile(&profile)?;
            tx.confirm_profile()?;
            both(tx)
        })
        .expect("a profile");
        (Self::with(number, &profile, disk, dice), PutDeviceList { list: next })
    }

    fn with(number: usize, profile: &Profile, disk: Store, dice: Dice) -> Self {
        Self {
            name: NAMES[number],
            account: profile.account,
            device: profile.device,
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
        }
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
            if self.plan.two_devices && number + 1 == self.plan.people {
                self.register_beside(number);
                continue;
            }
            let (client, registration) = Client::new(number, self.plan.seed, self.wall());
            let command = Stamped { time: self.wall(), command: Command::Register(registration) };
            self.relay.apply(&[command]);
            self.words.name(client.name, client.device, client.account);
            self.clients.push(client);
        }
        self.words.name_chats();
        (0..self.plan.people).for_each(|number| self.start_client(number));
    }

    /// The first client's account gets another device.
    fn register_beside(&mut self, number: usize) {
        let wall = self.wall();
        let (seed, first) = (self.plan.seed, &mut self.clients[0]);
        let by = By { device: first.device, account: first.account };
        let (client, put) = Client::beside(number, first, seed, wall);
        self.relay.apply(&[Stamped { time: wall, command: Command::PutDeviceList(by, put) }]);
        self.words.name(client.name, client.device, client.account);
        self.clients.push(client);
    }

    /// A client's clock, right or wrong.
    pub(super) fn clock(&self, who: usize) -> Millis {
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
        let sends = effects.iter().any(|effect| matches!(effect, Effect::Send(_)));
        // A step that sends nothing, as most ticks, is no occasion to die.
        let doom = if sends { client.doom.take() } else { None };
        self.observe(who);
        self.run_effects_unless_doomed(who, effects, doom);
        Some(value)
    }

    pub(super) fn run_effects(&mut self, who: usize, effects: Vec<Effect>) {
        let frames = effects.into_iter().filter_map(|effect| match effect {
            Effect::Send(frame) => Some(frame),
            Effect::Changed | Effect::Transfers => None,
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
}
