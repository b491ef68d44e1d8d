//! One step of the engine: a transaction, the time, randomness, the caches, and the effects gathered so far.

use crate::config::Config;
use crate::effect::{Effect, Random, fresh};
use crate::error::{EngineError, Result};
use crate::link::{Link, Pending};
use crate::outbox::commits;
use aside_crypto::{Group, Me, Mls, MlsError, Opened, Scope};
use aside_protocol::request::Request;
use aside_protocol::{AccountId, Body, Millis, PartitionId, Pos};
use aside_store::chats::{Chat, ChatRow};
use aside_store::profile::Profile;
use aside_store::transfers::Direction;
use aside_store::{MlsStorage, Tx};
use std::collections::{BTreeMap, HashMap};

/// Groups kept in memory; dropped whenever a transaction fails, since the database then knows better.
#[derive(Debug, Default)]
pub(crate) struct Groups(pub HashMap<ChatRow, Group>);

/// Everything one input is processed with.
pub struct Step<'a> {
    /// The transaction, for queries.
    pub tx: &'a Tx<'a>,
    /// Now, UTC.
    pub now: Millis,
    pub(crate) me: &'a Me,
    pub(crate) account: AccountId,
    pub(crate) config: &'a Config,
    pub(crate) mls: &'a Mls,
    pub(crate) storage: &'a MlsStorage<'a>,
    pub(crate) groups: &'a mut Groups,
    pub(crate) link: &'a mut Link,
    pub(crate) random: &'a mut dyn Random,
    pub(crate) effects: Vec<Effect>,
    /// Envelopes are taken together: without a savepoint each, and with ratchets that are saved once, at the end. Any
    /// bug then undoes the whole batch, which is taken again one by one.
    pub(crate) together: bool,
    /// Where the cursors of the partitions go before this transaction ends.
    pub(crate) passed: BTreeMap<PartitionId, Pos>,
}

impl<'a> Step<'a> {
    /// The profile; there is one, or the engine would not have been made.
    pub fn profile(&self) -> Result<Profile> {
        self.tx.profile()?.ok_or(EngineError::NotRegistered)
    }

    pub(crate) fn scope(&self) -> Scope<'a, MlsStorage<'a>> {
        Scope::new(self.mls, self.storage, self.me)
    }

    /// Something front ends show may have changed.
    pub(crate) fn changed(&mut self) {
        if !matches!(self.effects.last(), Some(Effect::Changed)) {
            self.effects.push(Effect::Changed);
        }
    }

    pub(crate) fn ask(&mut self, request: Request, about: Pending) {
        let frame = self.link.ask(request, about);
        self.effects.push(Effect::Send(frame));
    }

    pub(crate) fn fresh<const LEN: usize>(&mut self) -> [u8; LEN] {
        fresh(self.random)
    }

    /// Adds a notice to the end of what is processed of a chat.
    pub(crate) fn notice(&mut self, chat: &Chat, text: &str) -> Result<()> {
        self.tx.insert_notice(chat.row, chat.place(chat.seq), text, self.now)?;
        self.changed();
        Ok(())
    }

    /// Opens a message with a chat's group. `Ok(None)`: there is none. The inner error is the peer's, not ours; it leaves
    /// the group as it was.
    pub(crate) fn open(&mut self, chat: &Chat, body: &Body) -> Result<Option<Result<Opened, MlsError>>> {
        let Some(mut group) = self.take_group(chat)? else { return Ok(None) };
        let scope = self.scope();
        match if self.together { group.open_ahead(&scope, body) } else { group.open(&scope, body) } {
            Err(error @ (MlsError::Storage(_) | MlsError::Bug(_))) => Err(error.into()),
            opened => {
                self.groups.0.insert(chat.row, group);
                Ok(Some(opened))
            }
        }
    }

    /// Works with a chat's group. `Ok(None)`: there is none. The inner error is a peer's or the caller's, not ours.
    pub(crate) fn with_group<T>(
        &mut self,
        chat: &Chat,
        work: impl FnOnce(&mut Group, &Scope<'_, MlsStorage<'_>>) -> Result<T, MlsError>,
    ) -> Result<Option<Result<T, MlsError>>> {
        let Some(mut group) = self.take_group(chat)? else { return Ok(None) };
        let scope = self.scope();
        group.save(&scope)?;
        match work(&mut group, &scope) {
            Err(error @ (MlsError::Storage(_) | MlsError::Bug(_))) => Err(error.into()),
            result => {
                if result.is_ok() {
                    self.groups.0.insert(chat.row, group);
                }
                Ok(Some(result))
            }
        }
    }

    /// The group of a chat, from memory if it is there; whoever takes it puts it back unless it is spoilt.
    fn take_group(&mut self, chat: &Chat) -> Result<Option<Group>> {
        let Some(id) = &chat.group else { return Ok(None) };
        match self.groups.0.remove(&chat.row).filter(|group| group.id() == *id) {
            Some(group) => Ok(Some(group)),
            None => Ok(self.scope().load(id)?),
        }
    }

    /// Writes the ratchets that envelopes taken together left unwritten; must come before anything that may be undone
    /// alone, and before the end.
    pub(crate) fn save_groups(&mut self) -> Result<()> {
        let scope = self.scope();
        Ok(self.groups.0.values_mut().try_for_each(|group| group.save(&scope))?)
    }

    /// Works with the group of a chat that has one; anything else is a bug here.
    pub(crate) fn in_group<T>(
        &mut self,
        chat: &Chat,
        work: impl FnOnce(&mut Group, &Scope<'_, MlsStorage<'_>>) -> Result<T, MlsError>,
    ) -> Result<T> {
        match self.with_group(chat, work)? {
            Some(result) => Ok(result?),
            None => Err(EngineError::Bug("a live chat has no group".into())),
        }
    }

    /// Numbers begin again: what has none is numbered anew, and answers about the old ones mean nothing any more.
    pub(crate) fn renumber(&mut self, chat: &Chat) -> Result<()> {
        let link = self.link.chat(chat.row);
        link.numbering += 1;
        link.unanswered.clear();
        self.link.restart_chat(chat.row);
        Ok(self.tx.renumber_outbox(chat.row)?)
    }

    /// Forgets this device's own commit or founding, and what it left in the MLS state.
    pub(crate) fn drop_proposed(&mut self, chat: &Chat) -> Result<()> {
        let Some(proposed) = self.tx.proposed(chat.row)? else { return Ok(()) };
        self.tx.drop_proposed(chat.row)?;
        for blob in commits::blobs(&proposed.request) {
            self.forget_blob(&blob.id, Direction::Up)?;
        }
        self.link.chat(chat.row).proposed = false;
        let scope = self.scope();
        match proposed.group.map(|id| scope.load(&id)).transpose()?.flatten() {
            Some(founded) => scope.delete(founded)?,
            None => drop(self.with_group(chat, |group, scope| group.discard_own(scope))?),
        }
        Ok(())
    }

    /// Forgets the group of a chat.
    pub(crate) fn drop_group(&mut self, chat: &mut Chat) -> Result<()> {
        let cached = self.groups.0.remove(&chat.row);
        let Some(id) = chat.group.take() else { return Ok(()) };
        let scope = self.scope();
        let group = cached.filter(|group| group.id() == id).map_or_else(|| scope.load(&id), |group| Ok(Some(group)))?;
        group.map_or(Ok(()), |group| Ok(scope.delete(group)?))
    }
}
