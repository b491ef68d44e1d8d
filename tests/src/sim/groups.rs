//! What people do in a group, what may be seen there, and what must hold of it at rest.

use super::client::NAMES;
use super::oracle::{TO_GROUP, Written, text};
use super::plan::{DAY, Deed};
use super::world::World;
use aside_engine::{Allowed, EngineError, Step};
use aside_protocol::group::{ChatKind, Role, Roster};
use aside_protocol::{Hash, MessageId};
use aside_store::chats::{Chat, ChatState};
use aside_store::history::{Entry, PageCursor};
use aside_store::messages::{Message, Status};
use std::collections::{BTreeMap, BTreeSet};

/// The group as one of its members has it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    epoch: (u64, Hash),
    base: u64,
    title: String,
    devices: u64,
    roster: Roster,
}

impl World {
    /// Somebody does something in the group, if their program runs and knows it.
    pub(super) fn group_deed(&mut self, who: usize, deed: Deed) {
        match deed {
            Deed::Make(mask) => self.make_group(who, mask),
            Deed::Write => self.write_to_group(who),
            Deed::Add(whom) => {
                let account = self.clients[whom].account;
                self.oracle.added.insert(whom);
                self.in_group(who, |step, chat| step.add_members(chat.row, &[account]));
            }
            Deed::Remove(whom) => {
                let account = self.clients[whom].account;
                if self.in_group(who, |step, chat| step.remove_member(chat.row, &account)) {
                    self.oracle.were_out.insert(whom);
                }
            }
            Deed::Role(whom, role) => {
                let account = self.clients[whom].account;
                self.in_group(who, |step, chat| step.set_role(chat.row, &account, Role::from_code(role)));
            }
            Deed::Title(number) => {
                self.in_group(who, |step, chat| step.rename_group(chat.row, &format!("title {number}")));
            }
            Deed::Quit => {
                if self.in_group(who, |step, chat| step.leave(chat.row)) {
                    self.oracle.were_out.insert(who);
                }
            }
        }
    }

    fn make_group(&mut self, who: usize, mask: u8) {
        let members: Vec<_> = (0..self.clients.len())
            .filter(|&other| other != who && mask & (1 << other) != 0)
            .map(|other| self.clients[other].account)
            .collect();
        let made = self.in_engine(who, |engine, now, dice| {
            engine.step(now, dice, |step| step.create_group(ChatKind::Group, "garden", &members))
        });
        let made = made.map(|made| made.expect("a group can be made"));
        self.oracle.group = made;
        if let Some(group) = made {
            self.words.name_group(group);
        }
    }

    /// Says whether it was allowed.
    fn in_group(&mut self, who: usize, work: impl FnOnce(&mut Step, &Chat) -> Result<Allowed, EngineError>) -> bool {
        let Some(group) = self.oracle.group else { return false };
        let done = self.in_engine(who, |engine, now, dice| {
            engine.step(now, dice, |step| match step.tx.chat(&group)? {
                Some(chat) => Ok(work(step, &chat)?.is_ok()),
                None => Ok(false),
            })
        });
        let done = done.unwrap_or(false);
        self.coverage.saw_if(done, "group deeds");
        done
    }

    fn write_to_group(&mut self, who: usize) {
        let Some(group) = self.oracle.group.filter(|_| self.clients[who].engine.is_some()) else { return };
        let to = aside_store::chats::group_peer(&group);
        let number = self.next_number + 1;
        let text = text(number, who, TO_GROUP);
        self.oracle.written.insert(number, Written { from: who, to: TO_GROUP, at: self.now });
        let mut row = None;
        self.in_engine(who, |engine, now, dice| {
            let id = MessageId(dice.bytes());
            engine.step(now, dice, |step| {
                if step.tx.chat(&group)?.is_some_and(|chat| !chat.is_direct()) {
                    row = step.send_text(&to, id, &text)?.ok().map(|accepted| accepted.row);
                }
                Ok(())
            })
        });
        match row {
            Some(row) => {
                self.next_number = number;
                self.clients[who].view.own.insert(number, (row, Status::Pending));
            }
            None => drop(self.oracle.written.remove(&number)),
        }
    }

    /// A message of the group arrived at one: from another, once, and after all earlier ones of its writer.
    pub(super) fn see_in_group(&mut self, who: usize, message: &Message, number: u64, written: Written) {
        assert!(written.from != who, "{} got its own {:?}", NAMES[who], message.text);
        assert!(message.text == text(number, written.from, TO_GROUP), "{:?} is another text", message.text);
        self.trace.say(self.now, || format!("{} stores {:?}", NAMES[who], message.text));
        let view = &mut self.clients[who].view;
        view.last_row = view.last_row.max(message.row);
        let same =
            |other: &&u64| self.oracle.written.get(other).is_some_and(|w| w.from == written.from && w.to == TO_GROUP);
        let latest = view.arrived.iter().rev().find(same).copied();
        assert!(view.arrived.insert(number), "{} got {:?} twice", NAMES[who], message.text);
        let rough = self.oracle.is_rough(written.from, who);
        assert!(rough || latest < Some(number), "{} got {:?} after {latest:?}", NAMES[who], message.text);
        self.coverage.saw("group messages");
    }

    /// At rest all members agree on everything, and whoever was in the group all the time has all of it.
    pub(super) fn check_group_of_all(&mut self) {
        let Some(group) = self.oracle.group else { return };
        let mut members: BTreeMap<usize, Seen> = BTreeMap::new();
        for who in 0..self.clients.len() {
            let engine = self.clients[who].engine.as_mut().expect("it runs");
            let seen = engine.read(|tx| {
                let Some(chat) = tx.chat(&group)?.filter(|chat| chat.state == ChatState::Live) else { return Ok(None) };
                Ok(Some((tx.roster(chat.row)?, chat)))
            });
            let Some((roster, chat)) = seen.expect("read") else { continue };
            let epoch = engine.epoch(&group).expect("a group").expect("a live group");
            let (title, devices) = (chat.title, chat.devices);
            members.insert(who, Seen { epoch, base: chat.base.0, title, devices, roster });
        }
        let Some((one, first)) = members.first_key_value() else { return };
        for (other, seen) in &members {
            assert_eq!(seen, first, "{} and {} see different groups", NAMES[*other], NAMES[*one]);
        }
        let live: Vec<usize> = members.keys().copied().collect();
        // An older copy that left a group it did not know to be founded is out of it for itself alone.
        let older = &self.oracle.older;
        let beside = |who: usize| live.iter().any(|&other| self.clients[other].account == self.clients[who].account);
        // So is one that left while nobody else was there, as far as it knew, and its other device added somebody.
        let left = |who: &usize| {
            let gone = self.oracle.were_out.contains(who) && !live.contains(who);
            gone && (older.contains_key(who) || beside(*who))
        };
        let in_roster: Vec<usize> = (0..self.clients.len())
            .filter(|who| first.roster.get(&self.clients[*who].account).is_some() && !left(who))
            .collect();
        assert_eq!(in_roster, live, "the roster and those who are in the group differ");
        self.coverage.saw_if(live.len() > 2, "groups of three at rest");
        self.check_transcripts(&live);
    }

    fn check_transcripts(&mut self, live: &[usize]) {
        let mut all: BTreeMap<u64, u64> = BTreeMap::new();
        let histories: Vec<_> = live.iter().map(|&who| (who, self.group_history(who))).collect();
        for (who, (texts, _)) in &histories {
            for (place, number) in texts {
                let before = all.insert(*place, *number);
                // Where the log began anew, each device has places of its own.
                let comparable = self.oracle.older_relay.is_none();
                assert!(
                    !comparable || before.is_none_or(|before| before == *number),
                    "{} sees another text at {place}",
                    NAMES[*who]
                );
            }
        }
        for (who, (texts, gaps)) in &histories {
            if !self.oracle.were_out.contains(who) {
                self.check_whole(*who, texts, gaps, &all);
            }
        }
    }

    /// Whoever was in the group all the time lacks nothing that another one has, from their own first message on.
    fn check_whole(&self, who: usize, texts: &BTreeMap<u64, u64>, gaps: &[(u64, u64)], all: &BTreeMap<u64, u64>) {
        let oracle = &self.oracle;
        let came_late = oracle.older_relay.is_some() && oracle.added.contains(&who);
        if oracle.older.contains_key(&who) || oracle.slept > 29 * DAY || came_late {
            return;
        }
        let calm = oracle.older.is_empty() && oracle.older_relay.is_none();
        assert!(!calm || gaps.is_empty(), "{} has gaps in the group: {gaps:?}", NAMES[who]);
        let here: BTreeSet<u64> = texts.values().copied().collect();
        let Some(first) = texts.keys().next() else { return };
        // Where the log began anew places are each device's own. What was written before may be lost with it.
        let from = oracle.older_relay.map_or(*first, |_| 0);
        for number in all.range(from..).map(|(_, number)| number) {
            let Some(written) = oracle.written.get(number) else { continue };
            // An older copy may have used numbers again: what it wrote then is refused by others, and shown as a gap.
            let sound = !oracle.older.contains_key(&written.from);
            let after = oracle.older_relay.is_none_or(|at| written.at > at);
            // Left out of a founding for want of a key package, one sees that something was said meanwhile.
            let shown = oracle.older_relay.is_some() && !gaps.is_empty();
            assert!(
                !sound || !after || shown || here.contains(number),
                "{} lacks message {number} of the group",
                NAMES[who]
            );
        }
    }

    /// Numbers of texts by place, and gaps.
    fn group_history(&mut self, who: usize) -> (BTreeMap<u64, u64>, Vec<(u64, u64)>) {
        let group = self.oracle.group.expect("a group");
        let engine = self.clients[who].engine.as_mut().expect("it runs");
        let entries = engine.read(|tx| match tx.chat(&group)? {
            Some(chat) => Ok(tx.page(chat.row, PageCursor::NEWEST, 100_000)?.entries),
            None => Ok(Vec::new()),
        });
        let (mut texts, mut gaps) = (BTreeMap::new(), Vec::new());
        for entry in entries.expect("a page") {
            match entry {
                Entry::Message(message) if !message.notice && message.seq.is_some() => {
                    let before = texts.insert(message.place, super::oracle::number(&message.text));
                    assert!(before.is_none(), "{} shows two texts at {}", NAMES[who], message.place);
                }
                Entry::Message(_) => {}
                Entry::Gap(gap) => gaps.push((gap.first, gap.last)),
            }
        }
        (texts, gaps)
    }
}
