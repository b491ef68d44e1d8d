//! The end of a run: faults end, the world comes to rest, and then everything must be as promised.

use super::agenda::Event;
use super::client::NAMES;
use super::connection::Connection;
use super::oracle::number;
use super::plan::{DAY, HOUR};
use super::world::World;
use aside_protocol::ChatId;
use aside_relay_core::command_log::replay;
use aside_store::chats::ChatState;
use aside_store::history::{Entry, PageCursor};
use aside_store::messages::Status;
use std::collections::BTreeMap;

/// A world that has not come to rest so long after its faults ended never will.
const PATIENCE: u64 = HOUR;

/// What a client's history shows of one chat.
#[derive(Debug, Default)]
struct History {
    /// Numbers of texts, in order.
    texts: Vec<u64>,
    /// Place and status of each.
    known: BTreeMap<u64, (u64, Status)>,
    /// Places that cannot be shown.
    gaps: Vec<(u64, u64)>,
    /// The last place dealt with.
    upto: u64,
}

impl World {
    /// Carries out the plan, ends all faults, lets the world come to rest, and checks it.
    pub fn run(&mut self) {
        if !self.plan.actions.is_empty() {
            self.agenda.at(500, Event::Act);
        }
        while self.done < self.plan.actions.len() {
            self.step();
        }
        self.heal();
        self.settle();
        self.check();
        if (0..self.clients.len()).any(|who| self.oracle.is_rough(who, who)) {
            self.everybody_writes();
            self.settle();
            self.check();
        }
        self.check_group_of_all();
        self.check_relay();
    }

    fn heal(&mut self) {
        self.trace.say(self.now, || "== faults end".into());
        self.relay.doom = None;
        self.relay.stalled_until = 0;
        for who in 0..self.clients.len() {
            let client = &mut self.clients[who];
            (client.blocked_until, client.stalled_until, client.skew, client.doom) = (0, 0, 0, None);
            self.come_back(who);
        }
        for desk in self.connections.values_mut().filter_map(|connection| connection.desk.as_mut()) {
            desk.stalled_until = 0;
        }
    }

    fn everybody_writes(&mut self) {
        for from in 0..self.clients.len() {
            for to in (0..self.clients.len()).filter(|&to| to != from) {
                self.write_message(from, to);
            }
        }
    }

    /// Time passes until nothing more happens.
    fn settle(&mut self) {
        let deadline = self.now + PATIENCE;
        while !(self.agenda.is_quiet() && self.is_settled()) {
            if self.now > deadline {
                let states: Vec<String> = (0..self.clients.len()).map(|who| self.describe(who)).collect();
                panic!("an hour passes and the world is not at rest:\n{}", states.join("\n"));
            }
            self.step();
        }
        self.trace.say(self.now, || "== at rest".into());
    }

    /// Whether everybody has nothing left to do.
    fn is_settled(&mut self) -> bool {
        let connections = &self.connections;
        self.clients.iter_mut().all(|client| {
            let connection = client.conn().and_then(|conn| connections.get(&conn));
            let whole = connection.is_some_and(Connection::is_whole);
            let online = whole && client.is_online() && client.ticked && client.inbox.is_empty();
            let Some(engine) = client.engine.as_mut().filter(|engine| online && engine.is_idle()) else { return false };
            let settled = engine.read(|tx| {
                let resting = |state| matches!(state, ChatState::Live | ChatState::Unfounded | ChatState::Left);
                // What was written before one was put out of a group waits there for ever.
                let out = |row: &i64| tx.chat_at(*row).is_ok_and(|c| c.is_some_and(|c| c.state == ChatState::Left));
                Ok(tx.chats()?.iter().all(|chat| resting(chat.state))
                    && tx.chats_with_unsent()?.iter().all(out)
                    && tx.chats_with_confirmed()?.is_empty()
                    && tx.chats_with_proposed()?.is_empty()
                    && tx.chats_unsettled()?.is_empty()
                    && tx.chats_with_tasks()?.is_empty()
                    && tx.chats_holding()?.is_empty())
            });
            settled.expect("read")
        })
    }

    /// Where a client's chats stand, for failing runs.
    fn describe(&mut self, who: usize) -> String {
        let client = &mut self.clients[who];
        let Some(engine) = client.engine.as_mut() else { return format!("{}: not running", client.name) };
        let link = engine.describe_link();
        let chats = engine.read(|tx| Ok(tx.chats()?)).expect("read");
        let left = engine.read(|tx| {
            let (unsent, confirmed, proposed) =
                (tx.unsent_count()?, tx.chats_with_confirmed()?, tx.chats_with_proposed()?);
            let tasks: Vec<_> =
                tx.chats_with_tasks()?.into_iter().flat_map(|row| tx.tasks(row).unwrap_or_default()).collect();
            Ok(format!(
                "tasks {tasks:?} unsent {unsent} confirmed {confirmed:?} proposed {proposed:?} unsettled {:?}",
                tx.chats_unsettled()?
            ))
        });
        let link = format!("{}\n  {link}", left.expect("read"));
        let chats = chats.iter().map(|c| {
            let (state, inc, base, seq, n) = (c.state, c.incarnation, c.base.0, c.seq.0, c.next_n.0);
            format!("\n  {} {state:?} incarnation {inc} base {base} seq {seq} next n {n} shift {}", c.row, c.shift)
        });
        format!("{}: {}\n  {link}", client.name, chats.collect::<String>())
    }

    fn history(&mut self, who: usize, with: usize) -> History {
        let chat = ChatId::direct(&self.clients[who].account, &self.clients[with].account);
        let engine = self.clients[who].engine.as_mut().expect("it runs");
        let mut history = History::default();
        let entries = engine.read(|tx| {
            let Some(chat) = tx.chat(&chat)? else { return Ok(Vec::new()) };
            history.upto = chat.place(chat.seq);
            Ok(tx.page(chat.row, PageCursor::NEWEST, 100_000)?.entries)
        });
        for entry in entries.expect("a page") {
            match entry {
                Entry::Message(message) if !message.notice => {
                    let number = number(&message.text);
                    history.texts.push(number);
                    let before = history.known.insert(number, (message.place, message.status));
                    assert!(before.is_none(), "{} shows {:?} twice", NAMES[who], message.text);
                }
                Entry::Message(_) => {}
                Entry::Gap(gap) => {
                    self.coverage.saw_if(gap.why.word() == "expired", "expired");
                    history.gaps.push((gap.first, gap.last));
                }
            }
        }
        history
    }

    /// Everything that is promised of databases at rest.
    fn check(&mut self) {
        let count = self.clients.len();
        let pairs = (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other)));
        for (one, other) in pairs {
            if self.clients[one].account == self.clients[other].account {
                continue;
            }
            let (mine, theirs) = (self.history(one, other), self.history(other, one));
            self.check_arrived(one, other, &mine, &theirs);
            self.check_arrived(other, one, &theirs, &mine);
            self.check_order(one, other, &theirs);
            self.check_order(other, one, &mine);
            if !self.oracle.is_rough(one, other) {
                assert_eq!(mine.texts, theirs.texts, "{} and {} see different chats", NAMES[one], NAMES[other]);
                // A device that is let into a chat after its founding sees that something was before it.
                let late = self.plan.two_devices;
                assert!(late || mine.gaps.is_empty() && theirs.gaps.is_empty(), "gaps without a reason");
            }
            self.check_group(one, other, mine.upto == 0 || theirs.upto == 0);
        }
    }

    /// What one wrote and the relay confirmed, the other has, or sees that it lacks it.
    fn check_arrived(&self, from: usize, to: usize, mine: &History, theirs: &History) {
        let written = self.oracle.written.iter().filter(|(_, w)| w.from == from && w.to == to);
        for (number, written) in written {
            let here = mine.known.get(number);
            let there = theirs.known.contains_key(number);
            let who = format!("message {number} of {} to {}", NAMES[from], NAMES[to]);
            if let Some((_, status)) = here {
                assert!(*status >= Status::Sent, "{who} is still pending at rest");
                let exact = !self.oracle.is_rough(from, to) && !self.oracle.skewed;
                assert!(!exact || *status >= Status::Delivered, "{who} is not known to have arrived");
                let read = self.oracle.read.contains(number);
                assert!(!exact || !read || *status == Status::Read, "{who} is not known to have been read");
            }
            // One that its own writer's older copy forgot before the relay had it is nobody's.
            if there || (here.is_none() && !self.oracle.sent.contains(number)) {
                continue;
            }
            let expired = self.oracle.slept > 0 && self.now - written.at >= 29 * DAY;
            let lost = self.oracle.may_be_lost(written, here.is_some());
            assert!(expired || lost, "{who} was confirmed and never arrived");
            // Places are comparable only if nobody's log began anew. Of a chat that began and expired unseen there is no
            // trace to ask about.
            if let Some((place, _)) = here.filter(|_| self.oracle.older_relay.is_none() && theirs.upto > 0) {
                let shown = theirs.gaps.iter().any(|(first, last)| first <= place && place <= last);
                assert!(shown, "{who} is missing at {place} and does not show as a gap: {:?}", theirs.gaps);
            }
        }
    }

    /// What one wrote the other shows in that order, except what was written before one of their databases was put back:
    /// an older copy may have lost what it then gets again, or what it wrote itself.
    fn check_order(&self, from: usize, to: usize, theirs: &History) {
        let since = self.oracle.in_order_since(from, to);
        let after = |number: &&u64| {
            self.oracle.written.get(number).is_some_and(|w| w.from == from && since.is_none_or(|at| w.at > at))
        };
        let shown: Vec<u64> = theirs.texts.iter().filter(after).copied().collect();
        assert!(shown.is_sorted(), "{} shows {}'s messages out of order: {shown:?}", NAMES[to], NAMES[from]);
    }

    /// Who is in a chat agrees on its group.
    fn check_group(&mut self, one: usize, other: usize, unseen: bool) {
        let chat = ChatId::direct(&self.clients[one].account, &self.clients[other].account);
        let [mine, theirs] = [one, other].map(|who| {
            let engine = self.clients[who].engine.as_mut().expect("it runs");
            let state = engine.read(|tx| Ok(tx.chat(&chat)?)).expect("read").map(|c| (c.state, c.incarnation, c.base));
            let live = state.filter(|(state, ..)| *state == ChatState::Live);
            live.map(|(_, incarnation, base)| (incarnation, base, engine.epoch(&chat).expect("a group")))
        });
        // At rest a chat is live or unfounded: either both are in its group, or neither is, unless one has never seen it.
        if unseen && self.oracle.is_rough(one, other) {
            return;
        }
        assert_eq!(mine, theirs, "{} and {} are in different groups", NAMES[one], NAMES[other]);
    }

    /// The relay holds nothing that nobody can still fetch, and its state depends on its commands alone.
    fn check_relay(&mut self) {
        self.retain_all();
        let held = self.relay.core().view().held().expect("read");
        assert_eq!(held, (0, 0), "the relay holds envelopes that nobody will fetch");
        if self.plan.seed.is_multiple_of(16) {
            let log = self.relay.log.lock().expect("one thread").clone();
            let [one, other] = [1, 97].map(|batch| replay(&log, batch).expect("a replay"));
            assert_eq!(one, other, "the relay's state depends on how commands are batched");
            assert_eq!(one, self.relay.core().state_hash().expect("read"), "the replay is not what happened");
        }
    }
}
