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
    founding: Option<(DeviceId, Hash, u64)>,
    /// Devices that were routed when they were removed from their account.
    pub lapsed: BTreeSet<DeviceId>,
    undo: Option<Undo>,
    undone: bool,
}

/// What the last commit changed.
#[derive(Debug, Clone)]
struct Undo {
    removed: BTreeSet<DeviceId>,
    /// Whom it added: their counters before, and whether they had lapsed.
    added: BTreeMap<DeviceId, (Sender, bool)>,
}

/// Who there is: each account's devices, and which of all are removed from theirs.
#[derive(Debug, Clone, Default)]
pub struct Devices {
    pub accounts: Vec<BTreeSet<DeviceId>>,
    pub revoked: BTreeSet<DeviceId>,
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
        let forget = |chat: &mut Self, device: &DeviceId| {
            (chat.senders.remove(device).unwrap_or_default(), chat.lapsed.remove(device))
        };
        let added = add.iter().map(|added| (*added, forget(self, added))).collect();
        self.routed = &(&self.routed - &removed) | add;
        for account in all.accounts.iter().filter(|account| !account.is_disjoint(&removed)) {
            if account.is_disjoint(&self.routed) {
                self.lapsed = &self.lapsed - account;
            }
        }
        self.undo = Some(Undo { removed, added });
        self.undone = false;
        verdict
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
        let open = self.undo.as_ref().filter(|_| !self.undone);
        let before = match open {
            Some(undo) => {
                undo.removed.contains(device) || (self.routed.contains(device) && !undo.added.contains_key(device))
            }
            _ => self.routed.contains(device),
        };
        if !before {
            return Verdict::Refused("NotMember");
        }
        if refused != self.base {
            return Verdict::Refused("Stale");
        }
        match (self.undo.clone(), self.undone) {
            (None, _) => return Verdict::Refused("Invalid"),
            (Some(_), true) => return Verdict::Done,
            (Some(undo), false) => self.restore(undo, all),
        }
        self.undone = true;
        Verdict::Done
    }

    fn restore(&mut self, undo: Undo, all: &Devices) {
        for (device, (sender, lapsed)) in undo.added {
            self.routed.remove(&device);
            self.lapsed.remove(&device);
            self.senders.insert(device, sender);
            if lapsed {
                self.lapsed.insert(device);
            }
        }
        for device in undo.removed {
            let back = if all.revoked.contains(&device) { &mut self.lapsed } else { &mut self.routed };
            back.insert(device);
        }
    }

    /// In a group only who is routed founds again; it is asked before the incarnation is compared.
    pub fn found_group(
        &mut self,
        device: &DeviceId,
        incarnation: u64,
        hash: &Hash,
        all: &BTreeSet<DeviceId>,
    ) -> Verdict {
        let repeated = self
            .founding
            .as_ref()
            .is_some_and(|(founder, known, _)| incarnation == self.incarnation && founder == device && known == hash);
        if self.last > 0 && !self.routed.contains(device) && !repeated {
            return Verdict::Refused("NotMember");
        }
        self.found(device, incarnation, hash, all)
    }

    pub fn found(&mut self, device: &DeviceId, incarnation: u64, hash: &Hash, all: &BTreeSet<DeviceId>) -> Verdict {
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
        (self.base, self.incarnation, self.undo, self.undone) = (self.last, incarnation, None, false);
        (self.routed, self.founding) = (all.clone(), Some((*device, *hash, self.last)));
        self.lapsed.clear();
        verdict
    }
}
