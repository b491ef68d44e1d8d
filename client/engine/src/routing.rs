//! Compares the relay's routing with the group's leaves, and mends it (rule `GRP-8`).

use crate::error::Result;
use crate::link::Pending;
use crate::outbox::drafts::Mend;
use crate::step::Step;
use aside_protocol::request::{Request, Routed, Routing};
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

    /// The relay's routing: if the group is where it was then, and differs, a commit mends it.
    pub(crate) fn routing_watched(&mut self, chat: &Chat, routed: &Routed) -> Result<()> {
        if chat.state != ChatState::Live || routed.base != chat.base || self.tx.proposed(chat.row)?.is_some() {
            return Ok(());
        }
        let leaves = self.in_group(chat, |group, _| group.roster())?;
        let leaves: BTreeSet<DeviceId> = leaves.into_iter().map(|leaf| leaf.device).collect();
        let there: BTreeSet<DeviceId> = routed.devices.iter().copied().collect();
        let mend = Mend {
            add: leaves.difference(&there).copied().collect(),
            remove: there.difference(&leaves).copied().collect(),
        };
        // In a direct chat the relay itself lets nobody else in; devices that ask to be added are routed before they are.
        let mend = if chat.is_direct() { Mend { remove: Vec::new(), ..mend } } else { mend };
        if mend == Mend::default() {
            return Ok(self.tx.drop_task(chat.row, TaskKind::Routing, &[])?);
        }
        self.add_task(chat, TaskKind::Routing, Vec::new(), Body(codec::encode(&mend)), self.now, false)
    }
}
