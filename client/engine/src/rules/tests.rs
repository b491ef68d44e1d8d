#![allow(clippy::unwrap_used)]
//! Each sentence of rule `GRP-6`, kept and broken.

use super::*;
use aside_crypto::lists::{first_list, next_list};
use aside_crypto::rejoin::sign_rejoin;
use aside_crypto::{DeviceKey, RootKey};
use aside_protocol::device_list::{DeviceEntry, verify_chain};
use aside_protocol::group::{
    AccountLists, Evidence, JoinRequest, LeaveRequest, RoleChange, SignedJoin, SignedLeave, join_signs, leave_signs,
};
use aside_protocol::rejoin::RejoinRequest;
use aside_protocol::request::Origin;
use aside_protocol::{ChatId, DeviceId, GroupNonce, Millis, Signature, codec};

const CHAT: ChatId = ChatId([7; 32]);
const LINK: u8 = 99;

/// An account whose devices have the numbers `10 * n + 1`, `10 * n + 2` …
struct Person {
    root: RootKey,
    lists: Vec<Body>,
}

fn key(device: u8) -> DeviceKey {
    DeviceKey::from_seed(&[device; 32])
}

fn entry_of(device: u8) -> DeviceEntry {
    DeviceEntry { device: DeviceId([device; 16]), key: key(device).public(), added: Millis(1) }
}

impl Person {
    fn new(n: u8) -> Self {
        let root = RootKey::from_entropy(&[n; 32]);
        let first = 10 * n + 1;
        let lists = vec![first_list(&root, DeviceId([first; 16]), key(first).public(), Millis(1))];
        Self { root, lists }
    }

    fn list(&self) -> VerifiedList {
        verify_chain(&self.root.public(), None, &self.lists).unwrap().unwrap()
    }

    /// The next version has these devices, signed by `signer`.
    fn then(mut self, signer: u8, devices: &[u8]) -> Self {
        let devices = devices.iter().map(|device| entry_of(*device)).collect();
        self.lists.push(next_list(&self.list(), (DeviceId([signer; 16]), &key(signer)), devices));
        self
    }

    fn account(&self) -> AccountId {
        self.root.account()
    }

    fn leaf(&self, device: u8) -> Leaf {
        Leaf {
            root: self.root.public(),
            account: self.account(),
            device: DeviceId([device; 16]),
            key: key(device).public(),
        }
    }

    fn evidence(&self) -> Evidence {
        Evidence::Lists(AccountLists { root: self.root.public(), lists: self.lists.clone() })
    }

    fn entry(&self, role: Role) -> RosterEntry {
        let list = self.list();
        RosterEntry { account: self.account(), role, version: list.list.version, hash: list.hash, since: 3 }
    }
}

/// A group of an owner (1), an admin (2) and a member (3), a device each, and somebody outside (4).
struct World {
    owner: Person,
    admin: Person,
    member: Person,
    outside: Person,
    kind: ChatKind,
    roster: Roster,
    leaves: Vec<Leaf>,
}

fn world() -> World {
    let [owner, admin, member, outside] = [1, 2, 3, 4].map(Person::new);
    let mut roster = Roster::default();
    roster.put(owner.entry(Role::Owner));
    roster.put(admin.entry(Role::Admin));
    roster.put(member.entry(Role::Member));
    let leaves = vec![owner.leaf(11), admin.leaf(21), member.leaf(31)];
    World { owner, admin, member, outside, kind: ChatKind::Group, roster, leaves }
}

#[derive(Default, Clone)]
struct Doing {
    removed: Vec<Leaf>,
    added: Vec<(Leaf, Body)>,
    evidence: Vec<Evidence>,
    title: Option<&'static str>,
    join: Option<PublicKey>,
}

fn package(device: u8) -> Body {
    Body::from(vec![device; 5])
}

impl World {
    fn terms(&self) -> Terms {
        let origin = Origin { account: self.owner.account(), nonce: GroupNonce([1; 16]) };
        let join = (self.kind == ChatKind::Channel).then(|| key(LINK).public());
        let state = GroupState { title: "garden".into(), roster: self.roster.hash(), origin, join };
        let context = ChatContext { chat: CHAT, kind: self.kind, incarnation: 1, accounts: Vec::new() };
        Terms { context, state: Some(state) }
    }

    fn changes(&self, doing: &Doing) -> Changes {
        let evidence = doing.evidence.iter().map(|evidence| Body(codec::encode(evidence))).collect();
        Changes { removed: doing.removed.clone(), added: doing.added.clone(), evidence, terms: None }
    }

    /// What an honest sender would send, judged by the others.
    fn judge(&self, sender: &Leaf, doing: &Doing) -> Result<After, Why> {
        let terms = self.terms();
        let before = Before { epoch: 8, terms: &terms, roster: &self.roster, leaves: &self.leaves };
        let mut changes = self.changes(doing);
        let roster = follow(before, sender, &changes)?;
        let mut after = terms.clone();
        if let Some(state) = &mut after.state {
            state.roster = roster.hash();
            state.title = doing.title.map_or(std::mem::take(&mut state.title), str::to_owned);
            state.join = doing.join.or(state.join);
        }
        changes.terms = (after != terms).then_some(after);
        judge(before, sender, &changes)
    }

    fn add(&self, who: &Person, devices: &[u8]) -> Doing {
        let added = devices.iter().map(|device| (who.leaf(*device), package(*device))).collect();
        Doing { added, evidence: vec![who.evidence()], ..Doing::default() }
    }
}

#[test]
fn anyone_renews_its_own_keys() {
    let w = world();
    assert_eq!(w.judge(&w.member.leaf(31), &Doing::default()), Ok(After::default()));
}

#[test]
fn admins_and_owners_add_accounts_with_all_their_devices() {
    let mut w = world();
    w.outside = Person::new(4).then(41, &[41, 42]);
    let all = w.add(&w.outside, &[41, 42]);
    for sender in [w.owner.leaf(11), w.admin.leaf(21)] {
        let after = w.judge(&sender, &all).unwrap();
        let entry = RosterEntry { since: 9, ..w.outside.entry(Role::Member) };
        assert_eq!(after.entries, [(w.outside.account(), Some(entry))]);
        assert_eq!(after.proved.len(), 1);
    }
    assert!(w.judge(&w.member.leaf(31), &all).is_err(), "a member may not");
    assert!(w.judge(&w.admin.leaf(21), &w.add(&w.outside, &[41])).is_err(), "not without its other device");
    let unproved = Doing { evidence: Vec::new(), ..all.clone() };
    assert!(w.judge(&w.admin.leaf(21), &unproved).is_err());
    let as_owner = RoleChange { account: w.outside.account(), role: Role::Owner };
    let both = Doing { evidence: vec![w.outside.evidence(), Evidence::Role(as_owner)], ..all };
    assert!(w.judge(&w.admin.leaf(21), &both).is_err(), "an admin gives no roles");
    assert_eq!(w.judge(&w.owner.leaf(11), &both).unwrap().entries[0].1.unwrap().role, Role::Owner);
}

#[test]
fn a_ghost_is_not_added() {
    let w = world();
    let ghost = Doing {
        added: vec![(w.outside.leaf(55), package(55))],
        evidence: vec![w.outside.evidence()],
        ..Doing::default()
    };
    assert!(w.judge(&w.owner.leaf(11), &ghost).is_err(), "a device that the list does not name");
    let other_key = Leaf { key: key(77).public(), ..w.outside.leaf(41) };
    let doing =
        Doing { added: vec![(other_key, package(41))], evidence: vec![w.outside.evidence()], ..Doing::default() };
    assert!(w.judge(&w.owner.leaf(11), &doing).is_err(), "another key");
    let other_root = Leaf { root: w.admin.root.public(), ..w.outside.leaf(41) };
    let doing =
        Doing { added: vec![(other_root, package(41))], evidence: vec![w.outside.evidence()], ..Doing::default() };
    assert!(w.judge(&w.owner.leaf(11), &doing).is_err(), "another root");
    // A device of the account's own makes no difference: only its list does.
    let doing = Doing {
        added: vec![(w.member.leaf(32), package(32))],
        evidence: vec![w.member.evidence()],
        ..Doing::default()
    };
    assert!(w.judge(&w.member.leaf(31), &doing).is_err());
}

#[test]
fn roles_decide_who_removes_whom() {
    let w = world();
    let remove = |leaf: Leaf| Doing { removed: vec![leaf], ..Doing::default() };
    let after = w.judge(&w.admin.leaf(21), &remove(w.member.leaf(31))).unwrap();
    assert_eq!(after.entries, [(w.member.account(), None)]);
    assert!(w.judge(&w.owner.leaf(11), &remove(w.admin.leaf(21))).is_ok());
    assert!(w.judge(&w.admin.leaf(21), &remove(w.owner.leaf(11))).is_err());
    assert!(w.judge(&w.member.leaf(31), &remove(w.admin.leaf(21))).is_err());
    assert!(w.judge(&w.member.leaf(31), &remove(w.owner.leaf(11))).is_err());
}

#[test]
fn only_owners_give_roles_and_one_remains() {
    let w = world();
    let role = |who: &Person, role| Doing {
        evidence: vec![Evidence::Role(RoleChange { account: who.account(), role })],
        ..Doing::default()
    };
    assert!(w.judge(&w.owner.leaf(11), &role(&w.member, Role::Admin)).is_ok());
    assert!(w.judge(&w.admin.leaf(21), &role(&w.member, Role::Admin)).is_err());
    assert!(w.judge(&w.member.leaf(31), &role(&w.member, Role::Owner)).is_err());
    assert!(w.judge(&w.owner.leaf(11), &role(&w.owner, Role::Member)).is_err(), "the last owner stays one");
    let handed_over = Doing {
        evidence: [&role(&w.admin, Role::Owner), &role(&w.owner, Role::Member)].map(|d| d.evidence[0].clone()).to_vec(),
        ..Doing::default()
    };
    assert!(w.judge(&w.owner.leaf(11), &handed_over).is_ok());
    assert!(w.judge(&w.owner.leaf(11), &role(&w.outside, Role::Admin)).is_err(), "nobody outside has a role");
}

#[test]
fn titles_and_links_are_for_admins() {
    let mut w = world();
    let title = Doing { title: Some("orchard"), ..Doing::default() };
    assert!(w.judge(&w.admin.leaf(21), &title).is_ok());
    assert!(w.judge(&w.member.leaf(31), &title).is_err());
    for bad in ["", "  ", "a\u{7}b", "line\nbreak"] {
        assert!(w.judge(&w.owner.leaf(11), &Doing { title: Some(bad), ..Doing::default() }).is_err(), "{bad:?}");
    }
    let link = Doing { join: Some(key(98).public()), ..Doing::default() };
    assert!(w.judge(&w.owner.leaf(11), &link).is_err(), "groups have no link");
    w.kind = ChatKind::Channel;
    assert!(w.judge(&w.admin.leaf(21), &link).is_ok());
    assert!(w.judge(&w.member.leaf(31), &link).is_err());
}

#[test]
fn anyone_follows_a_newer_list() {
    let mut w = world();
    let newer = Person::new(3).then(31, &[31, 32]).then(31, &[32]);
    // Its old device goes, its new one comes; the admin's device does it, or any other.
    let doing = Doing {
        removed: vec![w.member.leaf(31)],
        added: vec![(newer.leaf(32), package(32))],
        evidence: vec![newer.evidence()],
        ..Doing::default()
    };
    let after = w.judge(&w.admin.leaf(21), &doing).unwrap();
    assert_eq!(after.entries, [(newer.account(), Some(newer.entry(Role::Member)))]);
    // If its new device cannot be added, the account goes: better than to go on writing to the old one.
    let gone = Doing { added: Vec::new(), ..doing.clone() };
    assert_eq!(w.judge(&w.admin.leaf(21), &gone).unwrap().entries, [(newer.account(), None)]);
    let half = Person::new(3).then(31, &[31, 32]);
    let kicked = Doing { removed: vec![w.member.leaf(31)], evidence: vec![half.evidence()], ..Doing::default() };
    assert!(w.judge(&w.owner.leaf(11), &kicked).is_ok(), "owners may");
    let other = World { member: Person::new(3), ..world() };
    assert!(
        other
            .judge(
                &other.member.leaf(31),
                &Doing {
                    removed: vec![other.admin.leaf(21)],
                    evidence: vec![other.admin.evidence()],
                    ..Doing::default()
                }
            )
            .is_err(),
        "a list that names the leaf"
    );

    // A rolled-back list, and one that forks off.
    w.roster.put(newer.entry(Role::Member));
    w.leaves[2] = newer.leaf(32);
    let back = Doing {
        removed: vec![newer.leaf(32)],
        added: vec![(w.member.leaf(31), package(31))],
        evidence: vec![w.member.evidence()],
        ..Doing::default()
    };
    assert!(w.judge(&w.owner.leaf(11), &back).is_err(), "an older list");
    let fork = Person::new(3).then(31, &[31, 33]).then(31, &[33]).then(33, &[33, 34]);
    let forked =
        Doing { added: vec![(fork.leaf(33), package(33))], evidence: vec![fork.evidence()], ..Doing::default() };
    assert!(w.judge(&w.owner.leaf(11), &forked).is_err(), "another history");
}

#[test]
fn a_device_is_added_again_on_its_own_request() {
    let w = world();
    let request = RejoinRequest {
        chat: CHAT,
        incarnation: 1,
        device: DeviceId([31; 16]),
        key_package: package(31),
        missing: Vec::new(),
    };
    let signed = |request: &RejoinRequest, by: u8| Evidence::Rejoin(sign_rejoin(request, &key(by)));
    let doing = |evidence: Evidence| Doing {
        removed: vec![w.member.leaf(31)],
        added: vec![(w.member.leaf(31), package(31))],
        evidence: vec![evidence, w.member.evidence()],
        ..Doing::default()
    };
    assert!(w.judge(&w.admin.leaf(21), &doing(signed(&request, 31))).is_ok());
    assert!(w.judge(&w.admin.leaf(21), &doing(signed(&request, 21))).is_err(), "signed by another device");
    let elsewhere = RejoinRequest { chat: ChatId([8; 32]), ..request.clone() };
    assert!(w.judge(&w.admin.leaf(21), &doing(signed(&elsewhere, 31))).is_err(), "for another chat");
    let other = RejoinRequest { key_package: package(9), ..request.clone() };
    assert!(w.judge(&w.admin.leaf(21), &doing(signed(&other, 31))).is_err(), "with another package");
    let unproved = Doing { evidence: vec![signed(&request, 31)], ..doing(signed(&request, 31)) };
    assert!(w.judge(&w.admin.leaf(21), &unproved).is_err(), "without its account's list");
    let kicked = Doing { evidence: vec![w.member.evidence()], ..doing(signed(&request, 31)) };
    assert!(w.judge(&w.admin.leaf(21), &kicked).is_err(), "without its request");
}

#[test]
fn who_asks_to_leave_is_removed_by_anyone_once() {
    let w = world();
    let ask = |who: &Person, by: u8, since: u64| {
        let request =
            LeaveRequest { chat: CHAT, incarnation: 1, account: who.account(), device: DeviceId([by; 16]), since };
        let request = Body(codec::encode(&request));
        let signature = key(by).sign(&leave_signs(&request));
        Evidence::Leave(Body(codec::encode(&SignedLeave { request, signature })))
    };
    let out = |leaf: Leaf, evidence| Doing { removed: vec![leaf], evidence: vec![evidence], ..Doing::default() };
    assert!(w.judge(&w.member.leaf(31), &out(w.admin.leaf(21), ask(&w.admin, 21, 3))).is_ok());
    assert!(w.judge(&w.member.leaf(31), &out(w.admin.leaf(21), ask(&w.admin, 21, 2))).is_err(), "from an earlier stay");
    assert!(w.judge(&w.member.leaf(31), &out(w.admin.leaf(21), ask(&w.admin, 31, 3))).is_err(), "not its device");
    assert!(w.judge(&w.member.leaf(31), &out(w.admin.leaf(21), ask(&w.member, 31, 3))).is_err(), "somebody else's");
    assert!(w.judge(&w.member.leaf(31), &out(w.owner.leaf(11), ask(&w.owner, 11, 3))).is_err(), "the last owner");
}

#[test]
fn a_link_lets_one_device_into_a_channel() {
    let mut w = world();
    w.kind = ChatKind::Channel;
    let ask = |link: u8, by: u8, package_of: u8| {
        let account = AccountLists { root: w.outside.root.public(), lists: w.outside.lists.clone() };
        let request = JoinRequest { chat: CHAT, account, device: DeviceId([41; 16]), key_package: package(package_of) };
        let request = Body(codec::encode(&request));
        let sign = |seed: u8| -> Signature { key(seed).sign(&join_signs(&request)) };
        Evidence::Join(Body(codec::encode(&SignedJoin {
            proof: sign(link),
            signature: sign(by),
            request: request.clone(),
        })))
    };
    let doing = |evidence| Doing {
        added: vec![(w.outside.leaf(41), package(41))],
        evidence: vec![evidence],
        ..Doing::default()
    };
    let after = w.judge(&w.member.leaf(31), &doing(ask(LINK, 41, 41))).unwrap();
    assert_eq!(after.entries[0].1.unwrap().role, Role::Member);
    assert!(w.judge(&w.member.leaf(31), &doing(ask(98, 41, 41))).is_err(), "another link");
    assert!(w.judge(&w.member.leaf(31), &doing(ask(LINK, 31, 41))).is_err(), "signed by another device");
    assert!(w.judge(&w.member.leaf(31), &doing(ask(LINK, 41, 9))).is_err(), "another package");
    w.kind = ChatKind::Group;
    assert!(w.judge(&w.member.leaf(31), &doing(ask(LINK, 41, 41))).is_err(), "a group");
}

#[test]
fn the_terms_say_what_the_change_leads_to_and_nothing_else() {
    let w = world();
    let terms = w.terms();
    let before = Before { epoch: 8, terms: &terms, roster: &w.roster, leaves: &w.leaves };
    let judged = |terms: Option<Terms>| {
        let changes = Changes { removed: vec![w.member.leaf(31)], terms, ..Changes::default() };
        judge(before, &w.owner.leaf(11), &changes)
    };
    let mut right = terms.clone();
    let mut roster = w.roster.clone();
    roster.remove(&w.member.account());
    right.state.as_mut().unwrap().roster = roster.hash();
    assert!(judged(Some(right.clone())).is_ok());
    assert!(judged(None).is_err(), "the old roster");
    let mut other = right.clone();
    other.context.incarnation = 2;
    assert!(judged(Some(other)).is_err(), "another incarnation");
    let mut other = right.clone();
    other.state.as_mut().unwrap().origin.account = w.member.account();
    assert!(judged(Some(other)).is_err(), "another origin");
    let mut other = right;
    other.state = None;
    assert!(judged(Some(other)).is_err(), "no state");
}

#[test]
fn in_direct_chats_nobody_comes_or_goes() {
    let mut w = world();
    w.kind = ChatKind::Direct;
    w.roster.remove(&w.admin.account());
    w.leaves.remove(1);
    let states = [&w.owner, &w.member].map(|who| {
        let list = who.list();
        AccountState { account: who.account(), version: list.list.version, hash: list.hash }
    });
    let context = ChatContext { chat: CHAT, kind: ChatKind::Direct, incarnation: 1, accounts: states.to_vec() };
    let terms = Terms { context, state: None };
    let roster = direct_roster(&terms.context);
    let before = Before { epoch: 8, terms: &terms, roster: &roster, leaves: &w.leaves };
    let judged = |doing: &Doing, terms: Option<Terms>| {
        let changes = Changes { terms, ..w.changes(doing) };
        judge(before, &w.owner.leaf(11), &changes)
    };
    assert!(judged(&w.add(&w.outside, &[41]), None).is_err());
    assert!(judged(&Doing { removed: vec![w.member.leaf(31)], ..Doing::default() }, None).is_err());
    // A second device of the other account, with the context saying so.
    let newer = Person::new(3).then(31, &[31, 32]);
    let mut after = terms.clone();
    after.context.accounts[1].version = 2;
    after.context.accounts[1].hash = newer.list().hash;
    let more =
        Doing { added: vec![(newer.leaf(32), package(32))], evidence: vec![newer.evidence()], ..Doing::default() };
    assert!(judged(&more, Some(after)).is_ok());
    assert!(judged(&more, None).is_err(), "the context must follow");
}

#[test]
fn hostile_evidence_is_an_error() {
    let w = world();
    let terms = w.terms();
    let before = Before { epoch: 8, terms: &terms, roster: &w.roster, leaves: &w.leaves };
    for bytes in [vec![], vec![0xff; 40], codec::encode(&(9u64, ())).to_vec(), codec::encode(&(1u64, ())).to_vec()] {
        let changes = Changes { evidence: vec![Body::from(bytes)], ..Changes::default() };
        assert!(judge(before, &w.owner.leaf(11), &changes).is_err());
    }
    let twice = Doing { evidence: vec![w.member.evidence(), w.member.evidence()], ..Doing::default() };
    assert!(w.judge(&w.owner.leaf(11), &twice).is_err());
}
