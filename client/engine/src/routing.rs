//! Compares the relay's routing with the group's leaves, and mends it (rule `GRP-8`).

use crate::error::Result;
use crate::link::Pending;
use crate::outbox::drafts::Mend;
use crate::step::Step;
use aside_protocol::refusal::Refusal;
use aside_protocol::request::{Answer, Request, Route, Routed, Routing};
use aside_protocol::{Body, DeviceId, codec};
use aside_store::chats::{Chat, ChatState};
use aside_store::tasks::TaskKind;
use std::collections::BTreeSet;

/// About so many members of a large group look after a change.
const WATCHERS: u64 = 4;

impl Step<'_> {
    /// Leaves changed: this device asks where the chat goes, or leaves that to others.
    pub(crate) fn watch_routing(&mut self, chat: &Chat) {
        let chance = u64::from(u16::from_be_bytes(self.fresh()));
        if chat.is_direct() || chance % chat.devices.max(1) < WATCHERS {
            self.link.chat(chat.row).watch = true;
            self.link.dirty.insert(chat.row);
        }
    }

    /// The relay did not take a commit: perhaps its routing is not what members think.
    pub(crate) fn watch_routing_now(&mut self, chat: &Chat) {
        self.link.chat(chat.row).watch = true;
        self.link.dirty.insert(chat.row);
    }

    /// Asks, once the chat is quiet.
    pub(crate) fn pump_watch(&mut self, chat: &Chat) {
        let link = self.link.chat(chat.row);
        if std::mem::take(&mut link.watch) {
            self.ask(Request::Routing(Routing { chat: chat.chat }), Pending::Watch(chat.row));
        }
    }

    pub(crate) fn watch_answered(&mut self, chat: &Chat, answer: Answer) -> Result<()> {
        match answer {
            Answer::Routing(routed) => self.routing_watched(chat, &routed),
            Answer::Refused(Refusal::NotMember(_) | Refusal::NotFound(_)) => self.put_out(chat),
            _ => Ok(()),
        }
    }

    /// The relay does not route this device any more, though the group has not removed it: whoever asked for that with the
    /// last commit is contradicted (rule `CHT-6`).
    fn put_out(&mut self, chat: &Chat) -> Result<()> {
        if chat.state == ChatState::Live && !chat.is_direct() {
            let refused = chat.base;
            self.ask(Request::Route(Route { chat: chat.chat, refused }), Pending::Route);
        }
        Ok(())
    }

    /// The relay's routing: if the group is where it was then, and differs, a commit mends it.
    fn routing_watched(&mut self, chat: &Chat, routed: &Routed) -> Result<()> {
        if chat.state != ChatState::Live || routed.base != chat.base || self.tx.proposed(chat.row)?.is_some() {
            return Ok(());
        }
        let leaves = self.in_group(chat, |group, _| group.roster())?;
        let there: BTreeSet<DeviceId> = routed.devices.iter().copied().collect();
        let mut add = Vec::new();
        for leaf in leaves.iter().filter(|leaf| !there.contains(&leaf.device)) {
            // To a device that its account has removed the relay rightly sends nothing; its leaf goes with the newer list.
            let known = self.tx.account(&leaf.account)?;
            if known.is_none_or(|known| known.list.list.device(&leaf.device).is_some()) {
                add.push(leaf.device);
            }
        }
        let here: BTreeSet<DeviceId> = leaves.iter().map(|leaf| leaf.device).collect();
        let mend = Mend { add, remove: there.difference(&here).copied().collect() };
        // In a direct chat the relay itself lets nobody else in; devices that ask to be added are routed before they are.
        let mend = if chat.is_direct() { Mend { remove: Vec::new(), ..mend } } else { mend };
        if mend == Mend::default() {
            return Ok(self.tx.drop_task(chat.row, TaskKind::Routing, &[])?);
        }
        self.add_task(chat, TaskKind::Routing, Vec::new(), Body(codec::encode(&mend)), self.now, false)
    }
}
