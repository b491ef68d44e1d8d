//! A plain model of one chat's rules, against which the core's answers are checked.

use crate::world::refused;
use aside_protocol::request::{Answer, Sent};
use aside_protocol::{DeviceId, Hash, N, Refusal, Seq};
use std::collections::{BTreeMap, BTreeSet};

/// What is to be predicted of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Sent { n: u64, seq: u64 },
    Done,
    Refused(&'static str),
}

impl Verdict {
    pub fn of(answer: &Answer) -> Self {
        match answer {
            Answer::Sent(Sent { n: N(n), seq: Seq(seq), .. }) => Self::Sent { n: *n, seq: *seq },
            Answer::Done(_) => Self::Done,
            other => Self::Refused(refused(other).name()),
        }
    }
}

type Sender = BTreeMap<u64, (Hash, u64)>;

/// One chat.
#[derive(Debug, Clone, Default)]
pub struct Chat {
    pub incarnation: u64,
    pub base: u64,
    pub last: u64,
    pub routed: BTreeSet<DeviceId>,
    pub senders: BTreeMap<DeviceId, Sender>,
    founding: Founding,
    /// Devices that were routed when they were removed from their account.
    pub lapsed: BTreeSet<DeviceId>,
    /// Devices that the standing founding left out.
    left_out: BTreeSet<DeviceId>,
    /// From where on all commits and foundings are this account's, and what they did.
    run: (u64, Option<usize>),
    steps: Vec<Step>,
}

type Founding = Option<(DeviceId, Hash, u64)>;

/// What a commit or founding changed.
#[derive(Debug, Clone)]
struct Step {
    seq: u64,
    removed: BTreeSet<DeviceId>,
    /// Who began anew: their counters before, and whether they had lapsed or were left out.
    added: BTreeMap<DeviceId, (Sender, bool, bool)>,
    /// Of a founding: what stood before it.
    before: Option<(u64, Founding)>,
}

/// Who there is: each account's devices, and which of all are removed from theirs.
#[derive(Debug, Clone, Default)]
pub struct Devices {
    pub accounts: Vec<BTreeSet<DeviceId>>,
    pub revoked: BTreeSet<DeviceId>,
}

impl Devices {
    fn account(&self, device: &DeviceId) -> usize {
        self.accounts.iter().position(|account| account.contains(device)).unwrap()
    }
}

impl Chat {
    pub fn next_n(&self, device: &DeviceId) -> u64 {
        self.senders.get(device).map_or(0, |sender| sender.len() as u64) + 1
    }

    fn admit(&self, device: &DeviceId, n: u64, base: u64, hash: &Hash) -> Result<(), Verdict> {
        if self.last == 0 {
            return Err(Verdict::Refused("NotMember"));
        }
        let next = self.next_n(device);
        if !self.routed.contains(device) {
            let lost = self.senders.get(device).and_then(|sender| sender.get(&n));
            let lost = lost.filter(|(known, _)| n + 64 >= next && known == hash);
            return Err(lost.map_or(Verdict::Refused("NotMember"), |(_, seq)| Verdict::Sent { n, seq: *seq }));
        }
        if n == 0 {
            return Err(Verdict::Refused("Invalid"));
        }
        if n > next {
            return Err(Verdict::Refused("OutOfOrder"));
        }
        if n < next {
            let (known, seq) = self.senders[device][&n];
            return Err(match (n + 64 < next, known == *hash) {
                (true, _) => Verdict::Refused("TooOld"),
                (false, true) => Verdict::Sent { n, seq },
                (false, false) => Verdict::Refused("Conflict"),
            });
        }
        if base != self.base {
            return Err(Verdict::Refused("Stale"));
        }
        Ok(())
    }

    fn append(&mut self, device: &DeviceId, n: u64, hash: &Hash) -> Verdict {
        self.last += 1;
        self.senders.entry(*device).or_default().insert(n, (*hash, self.last));
        Verdict::Sent { n, seq: self.last }
    }

    pub fn send(&mut self, device: &DeviceId, n: u64, base: u64, hash: &Hash) -> Verdict {
        match self.admit(device, n, base, hash) {
            Ok(()) => self.append(device, n, hash),
            Err(verdict) => verdict,
        }
    }

    pub fn commit(
        &mut self,
        device: &DeviceId,
        (n, base, hash): (u64, u64, &Hash),
        (add, remove): (&BTreeSet<DeviceId>, &BTreeSet<DeviceId>),
        all: &Devices,
    ) -> Verdict {
        if let Err(verdict) = self.admit(device, n, base, hash) {
            return verdict;
        }
        let removed: BTreeSet<DeviceId> = self.routed.intersection(&(remove | add)).copied().collect();
        for added in add {
            if all.revoked.contains(added) {
                return Verdict::Refused("DevicesChanged");
            }
            if added == device {
                return Verdict::Refused("Invalid");
            }
        }
        let verdict = self.append(device, n, hash);
        self.base = self.last;
        self.extend(all.account(device));
        let added = add.iter().map(|added| (*added, self.begin_anew(added))).collect();
        self.routed = &(&self.routed - &removed) | add;
        for account in all.accounts.iter().filter(|account| !account.is_disjoint(&removed)) {
            if account.is_disjoint(&self.routed) {
                self.lapsed = &self.lapsed - account;
            }
        }
        self.steps.push(Step { seq: self.last, removed, added, before: None });
        verdict
    }

    /// A commit or founding by an account stands at the base.
    fn extend(&mut self, account: usize) {
        if self.run.1 != Some(account) {
            self.run = (self.base, Some(account));
            self.steps.clear();
        }
    }

    fn begin_anew(&mut self, device: &DeviceId) -> (Sender, bool, bool) {
        let sender = self.senders.remove(device).unwrap_or_default();
        (sender, self.lapsed.remove(device), self.left_out.remove(device))
    }

    /// A device is removed from its account.
    pub fn revoke(&mut self, device: &DeviceId) {
        if self.routed.remove(device) {
            self.lapsed.insert(*device);
        }
    }

    /// Whether an account is in the chat, or was when its device was removed.
    pub fn has(&self, account: &BTreeSet<DeviceId>) -> bool {
        !account.is_disjoint(&self.routed) || !account.is_disjoint(&self.lapsed)
    }

    pub fn route(&mut self, device: &DeviceId, refused: u64, all: &Devices) -> Verdict {
        let first = refused.max(self.run.0);
        let touched =
            |step: &&Step| step.seq >= first && (step.removed.contains(device) || step.added.contains_key(device));
        let before = self.steps.iter().find(touched).map(|step| step.removed.contains(device));
        if !before.unwrap_or(self.routed.contains(device)) {
            return Verdict::Refused("NotMember");
        }
        if refused > self.base || refused < self.run.0.min(self.base) {
            return Verdict::Refused("Stale");
        }
        if refused < self.run.0 {
            return Verdict::Refused("Invalid");
        }
        while let Some(step) = self.steps.pop_if(|step| step.seq >= refused) {
            self.restore(step, all);
        }
        Verdict::Done
    }

    fn restore(&mut self, step: Step, all: &Devices) {
        for (device, (sender, lapsed, left_out)) in step.added {
            self.routed.remove(&device);
            self.lapsed.remove(&device);
            self.left_out.remove(&device);
            self.senders.insert(device, sender);
            self.lapsed.extend(lapsed.then_some(device));
            self.left_out.extend(left_out.then_some(device));
        }
        for device in step.removed {
            let back = if all.revoked.contains(&device) { &mut self.lapsed } else { &mut self.routed };
            back.insert(device);
        }
        if let Some(before) = step.before {
            (self.incarnation, self.founding) = before;
        }
    }

    /// In a group only who is routed, or was left out, founds again; it is asked before the incarnation is compared.
    pub fn found_group(
        &mut self,
        device: &DeviceId,
        (incarnation, hash): (u64, &Hash),
        named: &BTreeSet<DeviceId>,
        all: &Devices,
    ) -> Verdict {
        let repeated = self
            .founding
            .as_ref()
            .is_some_and(|(founder, known, _)| incarnation == self.incarnation && founder == device && known == hash);
        let may = self.routed.contains(device) || self.left_out.contains(device);
        if self.last > 0 && !may && !repeated {
            return Verdict::Refused("NotMember");
        }
        let before = self.clone();
        let verdict = self.found(device, incarnation, hash, named);
        if self.last == before.last {
            return verdict;
        }
        self.left_out = &before.routed - named;
        if before.incarnation > 0 {
            (self.run, self.steps) = (before.run, before.steps.clone());
            self.extend(all.account(device));
            self.steps.push(before.founded_over(self.last, named));
        }
        verdict
    }

    /// What a founding by `seq` with these devices does to this state.
    fn founded_over(mut self, seq: u64, named: &BTreeSet<DeviceId>) -> Step {
        let before = Some((self.incarnation, self.founding));
        let held = &(&self.lapsed | &self.left_out) | &self.senders.keys().copied().collect();
        let touched = &(&self.routed | named) | &held;
        let added = touched.iter().map(|device| (*device, self.begin_anew(device))).collect();
        Step { seq, removed: self.routed, added, before }
    }

    pub fn found(&mut self, device: &DeviceId, incarnation: u64, hash: &Hash, named: &BTreeSet<DeviceId>) -> Verdict {
        if incarnation != self.incarnation + 1 {
            return match &self.founding {
                Some((founder, known, seq))
                    if incarnation == self.incarnation && founder == device && known == hash =>
                {
                    Verdict::Sent { n: 1, seq: *seq }
                }
                _ => Verdict::Refused(
                    Refusal::Exists(aside_protocol::refusal::Exists { incarnation: 0, base: Seq(0) }).name(),
                ),
            };
        }
        self.senders.clear();
        let verdict = self.append(device, 1, hash);
        (self.base, self.incarnation, self.run) = (self.last, incarnation, (self.last + 1, None));
        (self.routed, self.founding) = (named.clone(), Some((*device, *hash, self.last)));
        self.steps.clear();
        self.lapsed.clear();
        verdict
    }
}
