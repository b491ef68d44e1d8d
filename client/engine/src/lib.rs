//! The client's state machine: (transaction, input, now) to effects. No sockets, no clock, no terminal.
//!
//! Every input is processed in one transaction of [`aside_store`]; what must be sent is derived from its tables, so a
//! crash between commit and effects loses nothing. The arrows: `session` and `commands` come in, `inbox` takes
//! envelopes, `outbox` decides what to send, `answers` takes what the relay says to that.

mod accounts;
mod adopt;
mod answers;
mod blobs;
mod commands;
pub mod config;
mod cursors;
mod devices;
mod effect;
mod error;
mod groups;
mod history;
mod inbox;
mod keys;
mod link;
mod meeting;
mod missed;
mod outbox;
mod packages;
mod roster;
mod routing;
mod rules;
mod session;
mod step;
mod sync;
mod transfers;
mod writing;

#[cfg(test)]
mod tests;

pub use accounts::{Contact, KeyChange};
pub use adopt::{ADOPTING, LINKED, RECOVERED};
pub use commands::{Accepted, Refused};
pub use config::Config;
pub use devices::{ListState, NotAdded, NotRevoked, OwnDevice, own_devices};
pub use effect::{Effect, Random, fresh};
pub use error::{EngineError, Result};
pub use groups::{Allowed, Denied};
pub use history::chats_lacking;
pub use link::NameState;
pub use meeting::MeetingState;
pub use step::Step;
pub use sync::ALWAYS;
pub use transfers::{Job, Leave};
pub use writing::NotWithdrawn;

use aside_crypto::{DeviceKey, Me, Mls, Scope};
use aside_protocol::frame::{LoginOk, RelayFrame};
use aside_protocol::{AccountId, Body, ChatId, Hash, Millis, Name, Refusal};
use aside_store::chats::ChatRow;
use aside_store::{Store, Tx};
use link::Link;
use std::collections::BTreeMap;
use step::Groups;

/// The engine of one profile.
#[derive(Debug)]
pub struct Engine {
    store: Store,
    mls: Mls,
    me: Me,
    account: AccountId,
    name: Name,
    config: Config,
    groups: Groups,
    link: Link,
}

impl Engine {
    /// An engine for a registered profile.
    pub fn new(mut store: Store, config: Config) -> Result<Self> {
        let profile = store.read(|tx| tx.profile())?.ok_or(EngineError::NotRegistered)?;
        if profile.registering.is_some() {
            return Err(EngineError::NotRegistered);
        }
        let me = Me { root: profile.root, device: profile.device, key: DeviceKey::from_seed(&profile.seed) };
        Ok(Self {
            store,
            mls: Mls::new()?,
            me,
            account: profile.account,
            name: profile.name,
            config,
            groups: Groups::default(),
            link: Link::default(),
        })
    }

    /// Who this device is.
    pub fn me(&self) -> &Me {
        &self.me
    }

    /// This device's account.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The account's name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What came of looking a name up, if it was wanted.
    pub fn name_state(&self, name: &Name) -> Option<&NameState> {
        self.link.names.get(name)
    }

    /// Where the meeting stands that was asked for, if one was.
    pub fn meeting(&self) -> Option<&MeetingState> {
        self.link.meeting.as_ref().map(|meeting| &meeting.state)
    }

    /// What the guest of the meeting said next, once.
    pub fn heard(&mut self) -> Option<Body> {
        self.link.meeting.as_mut()?.heard.pop_front()
    }

    /// Whether the connection is up and has caught up with the queue, in every partition.
    pub fn caught_up(&self) -> bool {
        self.link.caught_up
    }

    /// Whether everything asked was answered and nothing is left to do on this connection.
    pub fn is_idle(&self) -> bool {
        self.link.caught_up && self.link.is_idle()
    }

    /// Why the relay does not take what is to be sent, if it said so.
    pub fn trouble(&self) -> Option<&Refusal> {
        self.link.trouble.as_ref()
    }

    /// Why the relay does not take what is to be sent in one chat, if it said so.
    pub fn trouble_in(&self, chat: ChatRow) -> Option<&Refusal> {
        self.link.trouble_in(chat)
    }

    /// The present connection's state, for logs; it names no contents and no keys.
    pub fn describe_link(&self) -> String {
        format!("{:?}", self.link)
    }

    /// The epoch of a chat's group and its authenticator, which agree with those of every other member; for checks.
    pub fn epoch(&mut self, chat: &ChatId) -> Result<Option<(u64, Hash)>> {
        let Self { store, mls, me, .. } = self;
        store.read(|tx| {
            let Some(id) = tx.chat(chat)?.and_then(|chat| chat.group) else { return Ok(None) };
            let group = Scope::new(mls, &tx.mls(), me).load(&id)?;
            Ok(group.map(|group| (group.epoch(), group.authenticator())))
        })
    }

    /// The folder for files of transfers; none in a simulation.
    pub fn blobs(&self) -> Option<&std::path::Path> {
        self.store.blobs()
    }

    /// The database, to copy it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What is left when the process is gone: the database.
    pub fn into_store(self) -> Store {
        self.store
    }

    /// Looks at the store without changing it.
    pub fn read<T>(&mut self, work: impl FnOnce(&Tx) -> Result<T>) -> Result<T> {
        self.store.read(work)
    }

    /// Processes something in one transaction, and whatever becomes possible to send through it.
    ///
    /// After an error nothing has changed; the caller closes the connection and tells the engine so.
    pub fn step<T>(
        &mut self,
        now: Millis,
        random: &mut dyn Random,
        work: impl FnOnce(&mut Step) -> Result<T>,
    ) -> Result<(T, Vec<Effect>)> {
        let result = self.attempt(now, random, work);
        self.settled(result)
    }

    /// After an error the database knows better than the caches.
    fn settled<T>(&mut self, result: Result<T>) -> Result<T> {
        if result.is_err() {
            self.groups.0.clear();
            self.link.reset();
        }
        result
    }

    /// A step whose result must go through [`Self::settled`].
    fn attempt<T>(
        &mut self,
        now: Millis,
        random: &mut dyn Random,
        work: impl FnOnce(&mut Step) -> Result<T>,
    ) -> Result<(T, Vec<Effect>)> {
        let Self { store, mls, me, account, config, groups, link, .. } = self;
        store.transact(|tx| {
            let storage = tx.mls();
            let mut step = Step {
                tx,
                now,
                me,
                account: *account,
                config,
                mls,
                storage: &storage,
                groups,
                link,
                random,
                effects: Vec::new(),
                together: false,
                passed: BTreeMap::new(),
            };
            let value = work(&mut step)?;
            step.pump()?;
            Ok((value, step.effects))
        })
    }

    /// The connection is up and the device logged in.
    pub fn logged_in(&mut self, ok: &LoginOk, now: Millis, random: &mut dyn Random) -> Result<Vec<Effect>> {
        self.link.reset();
        self.step(now, random, |step| step.attach(ok)).map(|(_, effects)| effects)
    }

    /// Frames from the relay, in order; all in one transaction. Should one hit a bug, all are taken again in another way,
    /// in which it alone is put aside.
    pub fn frames(&mut self, frames: Vec<RelayFrame>, now: Millis, random: &mut dyn Random) -> Result<Vec<Effect>> {
        let before = self.link.clone();
        let mut taken = self.attempt(now, random, |step| step.frames(frames.clone(), true));
        if taken.as_ref().is_err_and(EngineError::is_poison) {
            self.groups.0.clear();
            self.link = before;
            taken = self.attempt(now, random, |step| step.frames(frames, false));
        }
        self.settled(taken).map(|((), effects)| effects)
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.link.reset();
    }

    /// Time has passed: about once a second while connected.
    pub fn tick(&mut self, now: Millis, random: &mut dyn Random) -> Result<Vec<Effect>> {
        self.step(now, random, |step| step.tick()).map(|(_, effects)| effects)
    }

    /// Acknowledgements that have not been sent yet, for closing in order.
    pub fn last_acks(&mut self) -> Vec<Effect> {
        self.link.acks(true).into_iter().map(Effect::Send).collect()
    }
}
