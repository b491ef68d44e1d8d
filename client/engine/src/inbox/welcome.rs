//! Welcomes: joined only if group, chat, accounts and devices all fit together (rules `MLS-3`, `CHT-5`).

use super::commit::{is_listed, is_party};
use crate::error::{EngineError, Result};
use crate::step::Step;
use aside_crypto::{Group, MlsError, Staged};
use aside_protocol::envelope::Envelope;
use aside_protocol::group::{ChatContext, ChatKind};
use aside_protocol::request::Request;
use aside_protocol::{Body, DeviceId, Millis, N, Seq};
use aside_store::chats::{Chat, ChatState};

/// Shown when a welcome does not hold.
const REFUSED: &str = "An invitation into this chat was refused: it did not come from the other account's devices.";

/// A group joined, and who founded it if this is its first epoch.
struct Entered {
    group: Group,
    founder: Option<DeviceId>,
}

/// Why a join is undone.
enum Undo {
    /// The welcome is at fault, or for a key this device no longer has.
    Peer(MlsError),
    /// Its accounts or devices do not fit.
    Misfit,
    /// An account's newer device list is needed first.
    Unknown(aside_protocol::AccountId),
    /// Not the welcome's fault.
    Own(EngineError),
}

impl From<aside_store::StoreError> for Undo {
    fn from(error: aside_store::StoreError) -> Self {
        Self::Own(error.into())
    }
}

impl From<MlsError> for Undo {
    fn from(error: MlsError) -> Self {
        if error.is_peer_fault() { Self::Peer(error) } else { Self::Own(error.into()) }
    }
}

impl From<EngineError> for Undo {
    fn from(error: EngineError) -> Self {
        Self::Own(error)
    }
}

/// A welcome from the queue: joined now, or held until its accounts are known.
pub(super) fn take(step: &mut Step, chat: &mut Chat, envelope: &Envelope) -> Result<()> {
    if step.tx.holds(chat.row)? || waits(step, chat, envelope)? {
        step.tx.hold(chat.row, envelope)?;
        return Ok(());
    }
    join(step, chat, envelope)
}

/// Whether a welcome needs an account that is not known yet; asks for it.
pub(super) fn waits(step: &mut Step, chat: &Chat, envelope: &Envelope) -> Result<bool> {
    let needed = envelope.seq.is_none() && step.tx.account(&chat.peer)?.is_none();
    if needed {
        step.link.wanted.insert(chat.peer);
    }
    Ok(needed)
}

/// Joins, or says why not. A device that is in the group already refuses: nobody turns its state back.
pub(super) fn join(step: &mut Step, chat: &mut Chat, envelope: &Envelope) -> Result<()> {
    let (Some(base), Some(body)) = (envelope.base, &envelope.body) else { return Ok(()) };
    let incarnation = envelope.incarnation.unwrap_or(chat.incarnation);
    if chat.state == ChatState::Live || incarnation < chat.incarnation {
        return Ok(());
    }
    // A welcome may replace a group this device is in: nothing of the old one is written after that.
    step.save_groups()?;
    let tx = step.tx;
    match tx.attempt(|| enter(step, chat, incarnation, body)) {
        Ok(entered) => joined(step, chat, entered, incarnation, base),
        Err(Undo::Own(error)) => Err(error),
        Err(Undo::Unknown(account)) => {
            step.link.wanted.insert(account);
            step.tx.hold(chat.row, envelope)?;
            Ok(())
        }
        Err(undo) => {
            chat.seq = chat.seq.max(base);
            chat.base = base;
            chat.incarnation = incarnation;
            chat.enter(ChatState::AwaitingWelcome, step.now);
            // A welcome for lost keys will not come again by itself: patience has ended.
            chat.since = Millis(step.now.0.saturating_sub(step.config.welcome_patience_ms));
            if matches!(undo, Undo::Peer(MlsError::NoKeyPackage)) { Ok(()) } else { step.notice(chat, REFUSED) }
        }
    }
}

fn enter(step: &mut Step, chat: &Chat, incarnation: u64, body: &Body) -> Result<Entered, Undo> {
    let scope = step.scope();
    let staged = scope.read_welcome(body)?;
    judge(step, chat, incarnation, &staged)?;
    let founder = (staged.epoch() == 1).then(|| staged.from().device);
    Ok(Entered { group: staged.join(&scope)?, founder })
}

fn judge(step: &Step, chat: &Chat, incarnation: u64, staged: &Staged) -> Result<(), Undo> {
    let context: &ChatContext = staged.context();
    let parties = context.accounts.iter().map(|state| state.account);
    let fits = context.chat == chat.chat
        && context.kind == ChatKind::Direct
        && context.incarnation == incarnation
        && context.accounts.len() == 2
        && parties.clone().any(|account| account == step.account)
        && parties.clone().any(|account| account == chat.peer);
    if !fits {
        return Err(Undo::Misfit);
    }
    // A welcome into an epoch this device was in already would turn its ratchets back (rule `CHT-5`).
    if step.tx.epoch_of(&staged.group_id())?.is_some_and(|seen| staged.epoch() <= seen) {
        return Err(Undo::Peer(MlsError::AlreadySeen));
    }
    for state in &context.accounts {
        let known = step.tx.account(&state.account)?.ok_or(Undo::Unknown(state.account))?.list;
        if state.version > known.list.version && !step.link.fresh.contains(&state.account) {
            return Err(Undo::Unknown(state.account));
        }
        if state.version > known.list.version || (state.version == known.list.version && state.hash != known.hash) {
            return Err(Undo::Misfit);
        }
    }
    for leaf in staged.roster() {
        if !is_party(step, chat, leaf) || !is_listed(step, leaf)? {
            return Err(Undo::Misfit);
        }
    }
    Ok(())
}

/// The incarnation this device is founding, if it is.
fn own_founding(step: &Step, chat: &Chat) -> Result<Option<u64>> {
    Ok(step.tx.proposed(chat.row)?.and_then(|proposed| match proposed.request {
        Request::Found(found) => Some(found.incarnation),
        _ => None,
    }))
}

/// In the group: numbers begin at 1, what the outbox has goes out anew.
fn joined(step: &mut Step, chat: &mut Chat, entered: Entered, incarnation: u64, base: Seq) -> Result<()> {
    let Entered { group, founder } = entered;
    // An own founding of a later incarnation goes on: if the relay took it, its echo will take over from this group.
    if own_founding(step, chat)?.is_none_or(|own| own <= incarnation) {
        step.drop_proposed(chat)?;
    }
    if chat.group.as_deref().is_some_and(|old| old != group.id()) {
        step.drop_group(chat)?;
    }
    chat.group = Some(group.id());
    step.groups.0.insert(chat.row, group);
    chat.seq = chat.seq.max(base);
    chat.incarnation = incarnation;
    chat.next_n = N(1);
    chat.own_count = 0;
    // Who joins at the founding has seen every number from the first on; who joins later cannot know the others'.
    match founder {
        Some(founder) => {
            step.begin_incarnation(chat)?;
            step.tx.set_sender_n(chat.row, &founder, N(1))?;
        }
        None => {
            step.begin_incarnation(chat)?;
            step.tx.forget_senders(chat.row)?;
        }
    }
    step.begin_epoch(chat, base)
}
