//! A relay core and real engines in one process, over a network and a clock made of a seeded list of events.
//!
//! The engines' databases are files, so that a crash is what it is for a user: the process is gone, the file stays.
//! Relay pushes are left out: a device reads its queue, as it does when pushes overflow.

use aside_crypto::lists::first_list;
use aside_crypto::{DeviceKey, RootKey};
use aside_engine::{Config, Effect, Engine, Random};
use aside_protocol::device_list::verify_next;
use aside_protocol::frame::{Answered, Asked, CaughtUp, ClientFrame, LoginOk, Position, RelayFrame};
use aside_protocol::login::Mode;
use aside_protocol::request::{Answer, Request};
use aside_protocol::{AccountId, ChatId, DeviceId, Hash, LogId, MessageId, Millis, Name, PartitionId, Pos, Refusal};
use aside_relay_core::command::Registration;
use aside_relay_core::{By, CatchUp, Command, Core, Location, Stamped};
use aside_store::accounts::{Account, Trust};
use aside_store::history::{Entry, PageCursor};
use aside_store::profile::{Profile, RelayPlace};
use aside_store::{ProfileFolder, Store};
use std::collections::VecDeque;
use tempfile::TempDir;
use zeroize::Zeroizing;

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, the same everywhere.
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.roll() % n.max(1) as u64).expect("small")
    }
}

impl Random for Dice {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.roll().to_le_bytes()[0]);
    }
}

/// One device and its connection.
pub struct Peer {
    /// Its engine.
    pub engine: Engine,
    /// Its account.
    pub account: AccountId,
    /// Texts it accepted for sending, by recipient.
    pub accepted: Vec<(AccountId, String)>,
    device: DeviceId,
    folder: TempDir,
    copy: Option<TempDir>,
    up: VecDeque<ClientFrame>,
    down: VecDeque<RelayFrame>,
    catch_up: Option<(CatchUp, bool)>,
}

/// The relay and everybody.
pub struct World {
    /// The relay.
    pub core: Core,
    /// The devices.
    pub peers: Vec<Peer>,
    /// Now.
    pub now: Millis,
    /// Where every decision comes from.
    pub dice: Dice,
    /// Every command applied, for a replay.
    pub log: Vec<Stamped>,
    config: Config,
}

const LOG: LogId = LogId([5; 16]);

impl World {
    /// A relay and `peers` registered devices.
    pub fn new(seed: u64, peers: usize, config: Config) -> Self {
        let core = Core::open(&Location::Memory).expect("a core");
        let now = Millis(1_795_000_000_000);
        let mut world = Self { core, peers: Vec::new(), now, dice: Dice(seed), log: Vec::new(), config };
        world.apply(Command::Init { log: LOG });
        world.apply(Command::CreateInvite { secret: Hash([1; 32]), uses: 100, valid: u64::MAX });
        for number in 0..peers {
            world.register(number);
        }
        world
    }

    /// Applies one command.
    pub fn apply(&mut self, command: Command) -> Answer {
        let stamped = Stamped { time: self.now, command };
        self.log.push(stamped.clone());
        self.core.apply(&[stamped], true).expect("the core applies").remove(0).answer
    }

    fn register(&mut self, number: usize) {
        let mut entropy = [0; 32];
        self.dice.fill(&mut entropy);
        let root = RootKey::from_entropy(&entropy);
        let (mut seed, mut device) = ([0; 32], [0; 16]);
        self.dice.fill(&mut seed);
        self.dice.fill(&mut device);
        let device = DeviceId(device);
        let list = first_list(&root, device, DeviceKey::from_seed(&seed).public(), self.now);
        let verified = verify_next(&root.public(), None, &list).expect("a sound list");
        let name = Name::new(format!("peer{number}")).expect("a name");
        let registration =
            Registration { invite: Hash([1; 32]), name: name.clone(), root: root.public(), list: list.clone() };
        let answer = self.apply(Command::Register(registration));
        assert!(!matches!(answer, Answer::Refused(_)), "{answer:?}");
        let profile = Profile {
            account: root.account(),
            name: name.clone(),
            root: root.public(),
            device,
            seed: Zeroizing::new(seed),
            list,
            list_version: 1,
            list_hash: verified.hash,
            relay: RelayPlace { addresses: vec!["relay:1".into()], pin: Hash([0; 32]), mode: Mode::Direct },
            registering: None,
            log: None,
            last_resort: Millis(0),
            created: self.now,
        };
        let own = Account { account: profile.account, name, root: profile.root, list: verified, trust: Trust::InUse };
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::create(&ProfileFolder::new(folder.path()), [7; 48]).expect("a store");
        let now = self.now;
        store
            .transact::<_, aside_store::StoreError>(|tx| {
                tx.begin_profile(&profile)?;
                tx.confirm_profile()?;
                tx.save_account(&own, now)
            })
            .expect("a profile");
        self.peers.push(Peer {
            engine: Engine::new(store, self.config.clone()).expect("an engine"),
            account: profile.account,
            accepted: Vec::new(),
            device,
            folder,
            copy: None,
            up: VecDeque::new(),
            down: VecDeque::new(),
            catch_up: None,
        });
    }

    /// Whether a peer has a connection.
    pub fn is_up(&self, peer: usize) -> bool {
        self.peers[peer].catch_up.is_some()
    }

    /// Logs a peer in.
    pub fn connect(&mut self, peer: usize) {
        let info = self.core.view().device(&self.peers[peer].device).expect("read").expect("registered");
        let ok = LoginOk {
            account: info.account,
            name: info.name,
            log: LOG,
            positions: vec![Position { partition: PartitionId(0), acked: info.acked, head: info.head }],
            key_packages: info.key_packages,
            time: self.now,
        };
        let (now, dice) = (self.now, &mut self.dice);
        let effects = self.peers[peer].engine.logged_in(&ok, now, dice).expect("login");
        self.peers[peer].catch_up = Some((CatchUp::new(self.peers[peer].device, Pos(0)), false));
        self.take(peer, effects);
    }

    fn take(&mut self, peer: usize, effects: Vec<Effect>) {
        let frames = effects.into_iter().filter_map(|effect| match effect {
            Effect::Send(frame) => Some(frame),
            Effect::Changed => None,
        });
        self.peers[peer].up.extend(frames);
    }

    /// The connection breaks: what was on its way either way is gone.
    pub fn cut(&mut self, peer: usize) {
        let peer = &mut self.peers[peer];
        peer.up.clear();
        peer.down.clear();
        peer.catch_up = None;
        peer.engine.disconnected();
    }

    /// The process is killed and started again: only the file stays.
    pub fn crash(&mut self, peer: usize) {
        self.cut(peer);
        self.reopen(peer);
    }

    fn reopen(&mut self, peer: usize) {
        let config = self.config.clone();
        let peer = &mut self.peers[peer];
        let aside = copy_of(&peer.folder);
        // The lock belongs to the old engine, so the new one works on a copy, and takes its place.
        let store = Store::open(&ProfileFolder::new(aside.path())).expect("the file opens");
        peer.engine = Engine::new(store, config).expect("an engine");
        peer.folder = aside;
    }

    /// Keeps a copy of a peer's database as it is now.
    pub fn back_up(&mut self, peer: usize) {
        let peer = &mut self.peers[peer];
        peer.copy = Some(copy_of(&peer.folder));
    }

    /// Puts the copy back, if there is one; says whether.
    pub fn restore(&mut self, peer: usize) -> bool {
        let Some(copy) = self.peers[peer].copy.take() else { return false };
        self.cut(peer);
        self.peers[peer].folder = copy;
        self.reopen(peer);
        true
    }

    /// The relay's database is put back to what it was after its first `commands` commands.
    pub fn restore_relay(&mut self, commands: usize) {
        (0..self.peers.len()).for_each(|peer| self.cut(peer));
        self.log.truncate(commands);
        self.core = Core::open(&Location::Memory).expect("a core");
        self.core.apply(&self.log, true).expect("the core applies");
    }

    /// The relay takes the next frame of a peer.
    pub fn relay_takes(&mut self, peer: usize) -> bool {
        let Some(frame) = self.peers[peer].up.pop_front() else { return false };
        match frame {
            ClientFrame::Attach(attach) => {
                let at = attach.cursors.first().map_or(Pos(0), |cursor| cursor.pos);
                self.peers[peer].catch_up = Some((CatchUp::new(self.peers[peer].device, at), false));
            }
            ClientFrame::Ack(ack) => {
                self.apply(Command::Ack { device: self.peers[peer].device, pos: ack.pos });
            }
            ClientFrame::Request(Asked { id, request }) => {
                let answer = self.answer(peer, request);
                self.peers[peer].down.push_back(RelayFrame::Answer(Answered { id, answer }));
            }
            _ => {}
        }
        true
    }

    fn answer(&mut self, peer: usize, request: Request) -> Answer {
        let by = By { device: self.peers[peer].device, account: self.peers[peer].account };
        let not_found = || Answer::Refused(Refusal::NotFound(Default::default()));
        let view = self.core.view();
        match request {
            Request::Lookup(lookup) => view.account(&lookup).expect("read").map_or_else(not_found, Answer::Account),
            Request::Range(range) => {
                view.range(&by.device, &range).expect("read").map_or_else(not_found, Answer::Envelopes)
            }
            Request::Routing(routing) => {
                view.routing(&by.device, &routing.chat).expect("read").map_or_else(not_found, Answer::Routing)
            }
            Request::PutKeyPackages(put) => self.apply(Command::PutKeyPackages(by, put)),
            Request::FetchKeyPackages(fetch) => self.apply(Command::FetchKeyPackages(by, fetch)),
            Request::Found(found) => self.apply(Command::Found(by, Hash::of(&found.body), found)),
            Request::Send(send) => self.apply(Command::Send(by, Hash::of(&send.body), send)),
            Request::Commit(commit) => self.apply(Command::Commit(by, Hash::of(&commit.body), commit)),
            Request::Route(route) => self.apply(Command::Route(by, route)),
            Request::Receipt(receipt) => self.apply(Command::Receipt(by, receipt)),
            Request::Rejoin(rejoin) => self.apply(Command::Rejoin(by, rejoin)),
            other => panic!("unexpected request {}", other.name()),
        }
    }

    /// The relay reads a page of a peer's queue.
    pub fn relay_delivers(&mut self, peer: usize, most: usize) -> bool {
        // Nothing is delivered before the attach frame has come.
        if self.peers[peer].up.iter().any(|frame| matches!(frame, ClientFrame::Attach(_))) {
            return false;
        }
        let Some((mut catch_up, said)) = self.peers[peer].catch_up.take() else { return false };
        let page = catch_up.next_page(&self.core.view(), most, 1 << 20).expect("read");
        let count = page.envelopes.len();
        let frames = page.envelopes.into_iter().map(RelayFrame::Deliver);
        self.peers[peer].down.extend(frames);
        let done = page.done_up_to.filter(|_| !said);
        if let Some(pos) = done {
            self.peers[peer].down.push_back(RelayFrame::CaughtUp(CaughtUp { partition: PartitionId(0), pos }));
        }
        self.peers[peer].catch_up = Some((catch_up, said || done.is_some()));
        count > 0 || done.is_some()
    }

    /// A peer takes some frames, in one transaction. With `lost`, it dies before the effects.
    pub fn peer_takes(&mut self, peer: usize, most: usize, lost: bool) -> bool {
        let count = most.min(self.peers[peer].down.len());
        if count == 0 {
            return false;
        }
        let frames: Vec<RelayFrame> = self.peers[peer].down.drain(..count).collect();
        let (now, dice) = (self.now, &mut self.dice);
        let effects = self.peers[peer].engine.frames(frames, now, dice).expect("frames");
        if lost {
            self.crash(peer)
        } else {
            self.take(peer, effects)
        }
        true
    }

    /// A peer writes to another.
    pub fn send(&mut self, from: usize, to: usize, text: &str) {
        let mut id = [0; 16];
        self.dice.fill(&mut id);
        let to = self.peers[to].account;
        let (now, dice) = (self.now, &mut self.dice);
        let peer = &mut self.peers[from];
        // A front end looks a name up before it writes; here every account is known by id and learnt when founding.
        let sent = peer.engine.step(now, dice, |step| step.send_text(&to, MessageId(id), text)).expect("stored");
        sent.0.expect("accepted");
        peer.accepted.push((to, text.to_owned()));
        self.take(from, sent.1);
    }

    /// A peer has read everything.
    pub fn read(&mut self, peer: usize) {
        let (now, dice) = (self.now, &mut self.dice);
        let (_, effects) = self.peers[peer]
            .engine
            .step(now, dice, |step| {
                let rows: Vec<_> = step.tx.unprinted(0, 1000)?.iter().map(|message| message.row).collect();
                step.printed(&rows)
            })
            .expect("read");
        self.take(peer, effects);
    }

    /// Time passes for a peer.
    pub fn tick(&mut self, peer: usize) {
        let (now, dice) = (self.now, &mut self.dice);
        let effects = self.peers[peer].engine.tick(now, dice).expect("tick");
        self.take(peer, effects);
    }

    /// Everybody connects, and time passes until nothing happens any more for three minutes.
    pub fn settle(&mut self) {
        let mut quiet = 0;
        for _ in 0..60 {
            let before = self.log.len();
            for peer in 0..self.peers.len() {
                if !self.is_up(peer) {
                    self.connect(peer);
                }
            }
            while (0..self.peers.len()).fold(false, |busy, peer| busy | self.exchange(peer)) {}
            quiet = if self.log.len() == before { quiet + 1 } else { 0 };
            if quiet == 3 {
                return;
            }
            self.now.0 += 61_000;
            (0..self.peers.len()).for_each(|peer| self.tick(peer));
        }
        let last: Vec<_> = self.log.iter().rev().take(6).map(|s| s.command.clone()).collect();
        let states: Vec<_> = (0..self.peers.len()).map(|peer| self.describe(peer)).collect();
        panic!("an hour passes and the world is not at rest: {last:#?}\n{states:#?}");
    }

    fn exchange(&mut self, peer: usize) -> bool {
        self.relay_takes(peer) | self.relay_delivers(peer, 7) | self.peer_takes(peer, 5, false)
    }

    /// What a peer's history shows of its chat with another: own and other's texts in order, gaps counted.
    pub fn history(&mut self, peer: usize, with: usize) -> (Vec<String>, u64) {
        let chat = ChatId::direct(&self.peers[peer].account, &self.peers[with].account);
        let entries = self.peers[peer].engine.read(|tx| {
            let Some(chat) = tx.chat(&chat)? else { return Ok(Vec::new()) };
            Ok(tx.page(chat.row, PageCursor::NEWEST, 100_000)?.entries)
        });
        let state = self.describe(peer);
        let (mut texts, mut gaps) = (Vec::new(), 0);
        for entry in entries.expect("a page") {
            match entry {
                Entry::Message(message) if !message.notice => {
                    assert!(message.seq.is_some(), "still pending: {}; {state}", message.text);
                    texts.push(message.text);
                }
                Entry::Message(_) => {}
                Entry::Gap(gap) => gaps += gap.last - gap.first + 1,
            }
        }
        (texts, gaps)
    }

    /// A peer's whole history with another, with notices and gaps, for failing tests.
    pub fn story(&mut self, peer: usize, with: usize) -> String {
        let chat = ChatId::direct(&self.peers[peer].account, &self.peers[with].account);
        let page = self.peers[peer].engine.read(|tx| {
            let chat = tx.chat(&chat)?.map_or(0, |chat| chat.row);
            Ok(tx.page(chat, PageCursor::NEWEST, 100_000)?)
        });
        let lines = page.expect("a page").entries.into_iter().map(|entry| match entry {
            Entry::Message(m) => format!("{:>4} {}\n", m.place, m.text),
            Entry::Gap(gap) => format!("{:>4} gap to {}: {}\n", gap.first, gap.last, gap.why.word()),
        });
        lines.collect()
    }

    /// Where a peer's chats stand, for failing tests.
    pub fn describe(&mut self, peer: usize) -> String {
        let link = self.peers[peer].engine.describe_link();
        let chats = self.peers[peer].engine.read(|tx| Ok(tx.chats()?)).expect("chats");
        let chats = chats
            .iter()
            .map(|c| format!("{:?} inc {} base {} seq {} n {}; ", c.state, c.incarnation, c.base, c.seq, c.next_n));
        chats.chain([link]).collect()
    }
}

fn copy_of(folder: &TempDir) -> TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    crate::search::copy_folder(folder.path(), copy.path());
    copy
}
