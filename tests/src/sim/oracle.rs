//! What was written and what was seen of it: the truth that every database is compared with, after every step.

use super::client::NAMES;
use super::plan::DAY;
use super::world::World;
use aside_protocol::ChatId;
use aside_store::chats::ChatState;
use aside_store::messages::{Message, MessageRow, Status};
use std::collections::{BTreeMap, BTreeSet};

/// A message somebody wrote. Its number is its text's first word, and rises as they are written.
#[derive(Debug, Clone, Copy)]
pub struct Written {
    /// By whom.
    pub from: usize,
    /// To whom.
    pub to: usize,
    /// When.
    pub at: u64,
}

/// The truth about all messages.
#[derive(Debug, Default)]
pub struct Oracle {
    /// All that were ever accepted, by number.
    pub written: BTreeMap<u64, Written>,
    /// Those that the relay ever confirmed.
    pub sent: BTreeSet<u64>,
    /// Those that their reader's database ever held.
    pub stored: BTreeSet<u64>,
    /// Those that their reader ever read.
    pub read: BTreeSet<u64>,
    /// Clients whose databases were put back, and when last.
    pub older: BTreeMap<usize, u64>,
    /// When such a client first noticed, chat by chat, that it has an older copy: itself and the other.
    pub noticed: BTreeMap<(usize, usize), u64>,
    /// When the relay's database was put back last, if it was.
    pub older_relay: Option<u64>,
    /// Somebody's clock was wrong at some time.
    pub skewed: bool,
    /// How long all slept.
    pub slept: u64,
    /// The group, once it was made.
    pub group: Option<ChatId>,
    /// Clients that somebody wanted in the group after it was made.
    pub added: BTreeSet<usize>,
    /// Clients that were ever out of the group after they had been in it.
    pub were_out: BTreeSet<usize>,
}

/// What one client's present database should hold.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Own messages: row and status when last seen.
    pub own: BTreeMap<u64, (MessageRow, Status)>,
    /// Messages of others.
    pub arrived: BTreeSet<u64>,
    pub(super) last_row: MessageRow,
    looks: u32,
}

impl Oracle {
    /// Whether between these two anything may be missing or out of order.
    pub fn is_rough(&self, one: usize, other: usize) -> bool {
        self.older_relay.is_some() || self.put_back(one, other).is_some() || self.slept > 29 * DAY
    }

    /// When one of these two was put back last.
    pub fn put_back(&self, one: usize, other: usize) -> Option<u64> {
        self.older.get(&one).max(self.older.get(&other)).copied()
    }

    /// From when on one's messages reach another in order. An older copy that has not noticed uses numbers again: of two
    /// messages on their way the relay refuses the one it has another under, and takes the other.
    pub fn in_order_since(&self, from: usize, to: usize) -> Option<u64> {
        self.put_back(from, to).max(self.noticed.get(&(from, to)).copied())
    }

    /// Whether a message may be lost: the database of its reader, or of the relay and its writer, was put back after it
    /// was written. Whatever is written later arrives.
    pub fn may_be_lost(&self, written: &Written, kept: bool) -> bool {
        let relay = self.older_relay.is_some_and(|at| written.at <= at);
        self.older.get(&written.to).is_some_and(|&at| written.at <= at)
            || (relay && (!kept || self.older.contains_key(&written.from)))
    }
}

/// Stands for the group where the number of a reader stands otherwise.
pub const TO_GROUP: usize = usize::MAX;

/// The text of a message.
pub fn text(number: u64, from: usize, to: usize) -> String {
    format!("{number} {}>{}", NAMES[from], NAMES.get(to).unwrap_or(&"all"))
}

/// The number of a text.
pub fn number(text: &str) -> u64 {
    text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("nobody wrote {text:?}"))
}

impl World {
    /// Looks at what a client's last transaction changed: nothing arrives that was not sent, nothing twice, nothing out
    /// of order; statuses move forward only, and are true.
    pub(super) fn observe(&mut self, who: usize) {
        let client = &mut self.clients[who];
        let Some(engine) = client.engine.as_mut() else { return };
        let view = &mut client.view;
        view.looks += 1;
        // What was read already cannot be less; looked at all the same, now and then.
        let all = view.looks.is_multiple_of(32);
        let open = view.own.values().filter(|(_, status)| all || *status < Status::Read).map(|(row, _)| *row);
        let open: Vec<MessageRow> = open.collect();
        let last = view.last_row;
        let (new, own) = engine
            .read(|tx| {
                let own = open.iter().map(|row| tx.message(*row)).collect::<Result<Vec<_>, _>>()?;
                Ok((tx.unprinted(last, 10_000)?, own))
            })
            .expect("read");
        self.see_what_is_noticed(who);
        new.iter().for_each(|message| self.see_arrival(who, message));
        for message in own {
            let message = message.unwrap_or_else(|| panic!("{} lost a message of its own", NAMES[who]));
            self.see_status(who, &message);
        }
    }

    fn see_what_is_noticed(&mut self, who: usize) {
        if !self.oracle.older.contains_key(&who) {
            return;
        }
        let Some(engine) = self.clients[who].engine.as_mut() else { return };
        let chats = engine.read(|tx| Ok(tx.chats()?)).expect("read");
        for chat in chats.iter().filter(|chat| chat.state == ChatState::Broken) {
            let Some(other) = self.clients.iter().position(|client| client.account == chat.peer) else { continue };
            self.oracle.noticed.entry((who, other)).or_insert(self.now);
        }
    }

    fn see_arrival(&mut self, who: usize, message: &Message) {
        let number = number(&message.text);
        let Some(written) = self.oracle.written.get(&number).copied() else {
            panic!("{} got {:?}, which was never sent", NAMES[who], message.text);
        };
        if written.to == TO_GROUP {
            return self.see_in_group(who, message, number, written);
        }
        let meant = self.clients[written.to].account == self.clients[who].account;
        assert!(meant, "{} got {:?}, which was for another", NAMES[who], message.text);
        assert!(message.text == text(number, written.from, written.to), "{:?} is another text", message.text);
        self.trace.say(self.now, || format!("{} stores {:?}", NAMES[who], message.text));
        let rough = self.oracle.is_rough(written.from, who);
        let view = &mut self.clients[who].view;
        view.last_row = view.last_row.max(message.row);
        let from =
            |other: &&u64| self.oracle.written.get(other).is_some_and(|w| w.from == written.from && w.to != TO_GROUP);
        let latest = view.arrived.iter().rev().find(from).copied();
        assert!(view.arrived.insert(number), "{} got {:?} twice", NAMES[who], message.text);
        assert!(rough || latest < Some(number), "{} got {:?} after {latest:?}", NAMES[who], message.text);
        self.oracle.stored.insert(number);
    }

    fn see_status(&mut self, who: usize, message: &Message) {
        let (number, status) = (number(&message.text), message.status);
        let written = self.oracle.written[&number];
        if written.to == TO_GROUP {
            return;
        }
        let (stored, read) = (self.oracle.stored.contains(&number), self.oracle.read.contains(&number));
        let rough = self.oracle.is_rough(who, written.to);
        assert!(rough || status < Status::Delivered || stored, "{:?} is not {}", message.text, status.word());
        assert!(rough || status < Status::Read || read, "{:?} is not {}", message.text, status.word());
        if status >= Status::Sent {
            self.oracle.sent.insert(number);
        }
        self.coverage.saw_if(status == Status::Read, "read receipts");
        let seen = &mut self.clients[who].view.own.get_mut(&number).expect("an own message").1;
        if *seen != status {
            self.trace.say(self.now, || format!("{}: {:?} is {}", NAMES[who], message.text, status.word()));
        }
        assert!(*seen <= status, "{:?} went back from {} to {}", message.text, seen.word(), status.word());
        *seen = status;
    }
}
