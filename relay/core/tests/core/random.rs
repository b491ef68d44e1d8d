//! Random command sequences: answers as the model says, equal states however they are batched, and what was pushed is
//! what is caught up on.

use crate::model::{Chat, Devices, Verdict};
use crate::shadow::Shadow;
use crate::world::{Person, World, body, chat_of, founding, group_founding};
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::limits::{LEAVES_PER_HOUR, REJOINS_PER_HOUR, ROUTES_PER_HOUR};
use aside_protocol::request::{Chats, Commit, Found, Leave, Origin, PutDeviceList, Receipt, Rejoin, Route, Send};
use aside_protocol::{Body, ChatId, DeviceId, GroupNonce, Hash, Millis, N, Pos, Seq};
use aside_relay_core::command_log::replay;
use aside_relay_core::{By, Command, Outcome};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// One step; numbers are reduced to what exists when it is taken.
#[derive(Debug, Clone)]
enum Op {
    Send { who: usize, with: usize, n: i64, stale: bool, text: u8 },
    Found { who: usize, with: usize, ahead: i64, text: u8, most: u8 },
    Commit { who: usize, with: usize, n: i64, stale: bool, add: u8, remove: u8 },
    Route { who: usize, with: usize, stale: bool, back: u64 },
    Receipt { who: usize, with: usize },
    Rejoin { who: usize, with: usize },
    Leave { who: usize, with: usize },
    Devices { person: usize, both: bool },
    Ack { who: usize, part: u64 },
    Retain { limit: u32 },
    Wait { ms: u64 },
}

/// Mostly right, sometimes off by one.
fn off() -> impl Strategy<Value = i64> {
    prop_oneof![8 => Just(0i64), 1 => Just(-1), 1 => Just(1)]
}

fn ops(routes: bool) -> impl Strategy<Value = Vec<Op>> {
    let (who, with) = (0..6usize, 0..=GROUP);
    let stale = prop::bool::weighted(0.1);
    let send = (who.clone(), with.clone(), off(), stale, 0..3u8).prop_map(|(who, with, n, stale, text)| Op::Send {
        who,
        with,
        n,
        stale,
        text,
    });
    let found = (who.clone(), with.clone(), off(), 0..2u8, any::<u8>())
        .prop_map(|(who, with, ahead, text, most)| Op::Found { who, with, ahead, text, most });
    let commit = (who.clone(), with.clone(), off(), stale, any::<u8>(), any::<u8>())
        .prop_map(|(who, with, n, stale, add, remove)| Op::Commit { who, with, n, stale, add, remove });
    let back = prop_oneof![3 => Just(0), 2 => 0..9u64];
    let route = (who.clone(), with.clone(), stale, back).prop_map(|(who, with, stale, back)| Op::Route {
        who,
        with,
        stale,
        back,
    });
    let receipt = (who.clone(), with.clone()).prop_map(|(who, with)| Op::Receipt { who, with });
    let rejoin = (who.clone(), with.clone()).prop_map(|(who, with)| Op::Rejoin { who, with });
    let leave = (who.clone(), with).prop_map(|(who, with)| Op::Leave { who, with });
    let ack = (who, 0..100u64).prop_map(|(who, part)| Op::Ack { who, part });
    let devices = (0..3usize, any::<bool>()).prop_map(|(person, both)| Op::Devices { person, both });
    let retain = (1..20u32).prop_map(|limit| Op::Retain { limit });
    let wait = (0..5_000u64).prop_map(|ms| Op::Wait { ms });
    let op = prop_oneof![
        12 => send, 3 => found, 4 => commit, u32::from(routes) * 3 => route, 2 => receipt, 1 => rejoin, 2 => ack,
        4 => prop_oneof![retain, wait, leave, devices]
    ];
    prop::collection::vec(op, 1..120)
}

/// Instead of a person to chat with: the group of all.
const GROUP: usize = 3;

/// Three accounts of two devices each, their chats in the core and in the model, and what was pushed to whom.
struct Run {
    world: World,
    people: Vec<Person>,
    chats: BTreeMap<ChatId, Chat>,
    pushed: BTreeMap<DeviceId, BTreeMap<Pos, EnvelopeKind>>,
    acked: BTreeMap<DeviceId, Pos>,
    all: Devices,
    /// Each one's standing list and its version.
    lists: Vec<(u64, Body)>,
    ever_revoked: BTreeSet<DeviceId>,
    /// When a device last began an hour of asking in a chat, and how often it asked since: by what it asked.
    asked: BTreeMap<(DeviceId, ChatId, u64), (Millis, u64)>,
    /// The same relay, once it is spread over partitions.
    shadow: Option<Shadow>,
}

impl Run {
    fn new() -> Self {
        let people: Vec<Person> = ["alice", "bob", "carol"].iter().map(|name| Person::new(name, 2)).collect();
        let world = World::with(&people.iter().collect::<Vec<_>>());
        let accounts = people.iter().map(|person| person.devices.iter().map(|(device, _)| *device).collect()).collect();
        let all = Devices { accounts, revoked: BTreeSet::new() };
        let lists = people.iter().map(|person| (2, person.list(2, &person.first_list()))).collect();
        let (chats, pushed, acked, ever_revoked, asked, shadow) = Default::default();
        Self { world, people, chats, pushed, acked, all, lists, ever_revoked, asked, shadow }
    }

    fn by(&self, who: usize) -> By {
        self.people[who / 2].by(who % 2)
    }

    fn origin(&self) -> Origin {
        Origin { account: self.people[0].account(), nonce: GroupNonce([7; 16]) }
    }

    fn chat(&self, who: usize, with: usize) -> ChatId {
        match self.people.get(with) {
            Some(other) => chat_of(&self.people[who / 2], other),
            None => ChatId::group(&self.origin().account, &self.origin().nonce),
        }
    }

    /// Who may be in a chat.
    fn devices(&self, one: usize, other: usize) -> BTreeSet<DeviceId> {
        if other == GROUP {
            return self.people.iter().flat_map(|person| person.devices.iter().map(|(device, _)| *device)).collect();
        }
        [one, other].iter().flat_map(|person| self.people[*person].devices.iter().map(|(device, _)| *device)).collect()
    }

    fn apply(&mut self, command: Command) -> Outcome {
        let outcome = self.world.apply(command.clone());
        if let Some(shadow) = &mut self.shadow {
            shadow.follow(&self.world, &command, &outcome);
        }
        for delivery in &outcome.deliveries {
            for device in delivery.to.iter().chain(&delivery.echo) {
                let before =
                    self.pushed.entry(*device).or_default().insert(delivery.envelope.pos, delivery.envelope.kind);
                assert_eq!(before, None, "one push a position and device");
            }
        }
        outcome
    }

    fn step(&mut self, op: &Op) {
        match *op {
            Op::Ack { who, part } => {
                let (device, head) = (self.by(who).device, self.world.core.view().head().unwrap());
                let pos = Pos(head.0 * part / 100);
                self.apply(Command::Ack { device, pos });
                let acked = self.acked.entry(device).or_default();
                *acked = pos.max(*acked);
            }
            Op::Devices { person, both } => self.set_devices(person, both),
            Op::Retain { limit } => drop(self.apply(Command::Retain { limit })),
            Op::Wait { ms } => self.world.now = Millis(self.world.now.0 + ms),
            Op::Send { who, with, .. }
            | Op::Found { who, with, .. }
            | Op::Commit { who, with, .. }
            | Op::Route { who, with, .. }
            | Op::Receipt { who, with }
            | Op::Rejoin { who, with }
            | Op::Leave { who, with } => self.in_chat(op, who, with),
        }
    }

    /// A person removes its second device, or takes it back.
    fn set_devices(&mut self, index: usize, both: bool) {
        let person = &self.people[index];
        let (version, standing) = self.lists[index].clone();
        let listed = if both { 2 } else { 1 };
        let list = person.list_of(version + 1, &standing, &person.devices[..listed]);
        let (by, second) = (person.by(0), person.device(1));
        let put = PutDeviceList { list: list.clone() };
        let outcome = self.apply(Command::PutDeviceList(by, put));
        assert_eq!(Verdict::of(&outcome.answer), Verdict::Done);
        self.lists[index] = (version + 1, list);
        if both {
            self.all.revoked.remove(&second);
        } else if self.all.revoked.insert(second) {
            self.ever_revoked.insert(second);
            self.chats.values_mut().for_each(|chat| chat.revoke(&second));
        }
    }

    fn in_chat(&mut self, op: &Op, who: usize, with: usize) {
        let (by, id) = (self.by(who), self.chat(who, with));
        let before = self.chats.remove(&id).unwrap_or_default();
        let mut chat = before.clone();
        let shift = |number: u64, by: i64| number.saturating_add_signed(by);
        let base = |chat: &Chat, stale: bool| if stale { chat.base + 1 } else { chat.base };
        let (predicted, outcome) = match op {
            Op::Send { n, stale, text, .. } => {
                let (n, base) = (shift(chat.next_n(&by.device), *n), base(&chat, *stale));
                let body = body(&format!("text {text}"));
                let hash = Hash::of(&body);
                let send = Send { chat: id, n: N(n), base: Seq(base), body };
                (Some(chat.send(&by.device, n, base, &hash)), self.apply(Command::Send(by, hash, send)))
            }
            Op::Found { ahead, text, most, .. } => {
                let incarnation = shift(chat.incarnation + 1, *ahead);
                let request = self.founding(who, with, incarnation, (&format!("founding {text}"), *most));
                let (hash, all) = (Hash::of(&request.body), request.devices.iter().copied().collect());
                let predicted = match with {
                    GROUP => chat.found_group(&by.device, (incarnation, &hash), &all, &self.all),
                    _ => chat.found(&by.device, incarnation, &hash, &all),
                };
                (Some(predicted), self.apply(Command::Found(by, hash, request)))
            }
            Op::Commit { n, stale, add, remove, .. } => {
                let (n, base) = (shift(chat.next_n(&by.device), *n), base(&chat, *stale));
                let all = self.devices(who / 2, with);
                let (add, remove) = (pick(&all, *add), pick(&all, *remove));
                let commit = commit(id, n, base, &add, &remove);
                let hash = Hash::of(&commit.body);
                let predicted = chat.commit(&by.device, (n, base, &hash), (&add, &remove), &self.all);
                (Some(predicted), self.apply(Command::Commit(by, hash, commit)))
            }
            Op::Route { stale, back, .. } => {
                let refused = base(&chat, *stale).saturating_sub(*back);
                let known = chat.last > 0;
                let mut predicted =
                    if known { chat.route(&by.device, refused, &self.all) } else { Verdict::Refused("NotMember") };
                if !before.routed.contains(&by.device) && !self.all.revoked.contains(&by.device) {
                    predicted = self.often(predicted, by.device, id, ROUTES_PER_HOUR);
                }
                if predicted != Verdict::Done {
                    chat = before.clone();
                }
                (Some(predicted), self.apply(Command::Route(by, Route { chat: id, refused: Seq(refused) })))
            }
            Op::Receipt { .. } => {
                let receipt = Receipt { chat: id, base: Seq(chat.base), body: body("receipt") };
                (None, self.apply(Command::Receipt(by, receipt)))
            }
            Op::Leave { .. } => (None, self.apply(Command::Leave(by, Leave { chat: id, body: body("leave") }))),
            _ => (None, self.apply(Command::Rejoin(by, Rejoin { chat: id, body: body("rejoin") }))),
        };
        let member = match op {
            Op::Rejoin { .. } if chat.has(&self.all.accounts[who / 2]) => Verdict::Done,
            Op::Leave { .. } if chat.routed.contains(&by.device) && with != GROUP => Verdict::Refused("Invalid"),
            _ if chat.routed.contains(&by.device) => Verdict::Done,
            _ => Verdict::Refused("NotMember"),
        };
        if self.all.revoked.contains(&by.device) {
            assert_eq!(Verdict::of(&outcome.answer), Verdict::Refused("Revoked"), "{op:?}");
            self.chats.insert(id, before);
            return;
        }
        let member = match op {
            Op::Rejoin { .. } => self.often(member, by.device, id, REJOINS_PER_HOUR),
            Op::Leave { .. } => self.often(member, by.device, id, LEAVES_PER_HOUR),
            _ => member,
        };
        assert_eq!(Verdict::of(&outcome.answer), predicted.unwrap_or(member), "{op:?}");
        self.chats.insert(id, chat);
    }

    /// What is done only so often in an hour.
    fn often(&mut self, verdict: Verdict, device: DeviceId, chat: ChatId, most: u64) -> Verdict {
        let now = self.world.now;
        let (since, count) = self.asked.entry((device, chat, most)).or_insert((now, 0));
        if verdict != Verdict::Done {
            return verdict;
        }
        if now.0 >= since.0 + 3_600_000 || *count == 0 {
            (*since, *count) = (now, 0);
        }
        if *count == most {
            return Verdict::Refused("RateLimited");
        }
        *count += 1;
        Verdict::Done
    }

    /// A founding by device `who`, which need not be its account's first.
    fn founding(&self, who: usize, with: usize, incarnation: u64, (text, most): (&str, u8)) -> Found {
        let founder = self.by(who).device;
        if with == GROUP {
            let some = &pick(&self.devices(who / 2, with), most | 0x80) - &self.all.revoked;
            let devices: Vec<DeviceId> =
                [founder].into_iter().chain(some.into_iter().filter(|device| *device != founder)).collect();
            return group_founding(self.origin(), &devices, incarnation, text);
        }
        let mut request = founding(&self.people[who / 2], &self.people[with], incarnation, text);
        request.devices.retain(|device| *device == founder || !self.all.revoked.contains(device));
        if let Some(welcome) = &mut request.welcome {
            welcome.to = request.devices.iter().filter(|device| **device != founder).copied().collect();
        }
        request.welcome = request.welcome.filter(|welcome| !welcome.to.is_empty());
        request
    }

    /// In pages of any size, from its last acknowledgement: exactly what was pushed, but for receipts replaced since.
    fn check_catch_up(&self, most: usize) {
        let nothing = BTreeMap::new();
        for person in &self.people {
            for (device, _) in person.devices.iter().filter(|(device, _)| !self.ever_revoked.contains(device)) {
                let from = self.acked.get(device).copied().unwrap_or_default();
                let got = self.world.catch_up(*device, from, most);
                assert!(got.windows(2).all(|pair| pair[0].pos < pair[1].pos), "in order, none twice");
                let pushed = self.pushed.get(device).unwrap_or(&nothing);
                for envelope in &got {
                    assert_eq!(pushed.get(&envelope.pos), Some(&envelope.kind));
                }
                let wanted: Vec<Pos> = pushed
                    .range(from.next()..)
                    .filter(|(_, kind)| **kind != EnvelopeKind::Receipt)
                    .map(|(pos, _)| *pos)
                    .collect();
                let got: Vec<Pos> =
                    got.iter().filter(|e| e.kind != EnvelopeKind::Receipt).map(|envelope| envelope.pos).collect();
                assert_eq!(got, wanted);
            }
        }
    }

    /// Each account's chats are those that it is in.
    fn check_chats(&self) {
        for (person, account) in self.people.iter().zip(&self.all.accounts) {
            let found = self.world.core.view().chats(&person.device(0), &Chats::default()).unwrap();
            let found: Vec<(ChatId, bool)> = found.chats.iter().map(|chat| (chat.chat, chat.routed)).collect();
            let wanted = self.chats.iter().filter(|(_, chat)| chat.has(account));
            let wanted: Vec<_> = wanted.map(|(id, chat)| (*id, chat.routed.contains(&person.device(0)))).collect();
            assert_eq!(found, wanted);
        }
    }

    /// What a routed device is meant to have of a chat has no hole up to the chat's end.
    fn check_no_holes(&self) {
        for (id, chat) in &self.chats {
            for device in &chat.routed {
                let got = self.world.catch_up(*device, Pos(0), 50);
                let seqs: Vec<u64> =
                    got.iter().filter(|e| e.chat == *id).filter_map(|e| e.seq).map(|seq| seq.0).collect();
                let since = seqs.iter().rev().zip((1..=chat.last).rev()).take_while(|(a, b)| **a == *b).count() as u64;
                assert!(since >= 1 || chat.base == chat.last, "the newest envelope, unless it added this device");
            }
        }
    }
}

fn pick(all: &BTreeSet<DeviceId>, mask: u8) -> BTreeSet<DeviceId> {
    // Half of the masks pick nobody: most commits change little.
    let mask = if mask & 0x80 == 0 { 0 } else { mask };
    all.iter().enumerate().filter(|(index, _)| mask >> index & 1 == 1).map(|(_, device)| *device).collect()
}

fn commit(chat: ChatId, n: u64, base: u64, add: &BTreeSet<DeviceId>, remove: &BTreeSet<DeviceId>) -> Commit {
    let text = format!("commit {n} {base} {add:?} {remove:?}");
    let (add, remove) = (add.iter().copied().collect(), remove.iter().copied().collect());
    Commit { chat, n: N(n), base: Seq(base), body: body(&text), add, remove, welcome: None, blob: None }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_the_models_and_what_was_pushed_is_caught_up_on(ops in ops(false), most in 1..9usize) {
        let mut run = Run::new();
        ops.iter().for_each(|op| run.step(op));
        run.check_catch_up(most);
        run.check_chats();
        let hash = run.world.core.state_hash().unwrap();
        for batch in [1, 7, 10_000] {
            prop_assert_eq!(replay(&run.world.applied, batch).unwrap(), hash);
        }
    }

    #[test]
    fn undone_commits_leave_the_models_answers_and_no_holes(ops in ops(true)) {
        let mut run = Run::new();
        ops.iter().filter(|op| !matches!(op, Op::Ack { .. } | Op::Retain { .. })).for_each(|op| run.step(op));
        run.check_no_holes();
        run.check_chats();
        let hash = run.world.core.state_hash().unwrap();
        prop_assert_eq!(replay(&run.world.applied, 13).unwrap(), hash);
    }

    #[test]
    fn answers_outlive_their_envelopes_whatever_was_undone(ops in ops(true)) {
        let mut run = Run::new();
        ops.iter().for_each(|op| run.step(op));
        let hash = run.world.core.state_hash().unwrap();
        prop_assert_eq!(replay(&run.world.applied, 5).unwrap(), hash);
    }

    #[test]
    fn a_relay_spread_over_partitions_answers_and_delivers_as_one_alone(ops in ops(true), at in 0..60usize) {
        let mut run = Run::new();
        for (index, op) in ops.iter().enumerate() {
            if index == at.min(ops.len() - 1) {
                run.shadow = Some(Shadow::of(&run.world, 4));
            }
            run.step(op);
        }
        let devices: Vec<DeviceId> = (0..6).map(|who| run.by(who).device).collect();
        run.shadow.take().unwrap().check(&run.world, &devices, &run.ever_revoked);
    }
}
