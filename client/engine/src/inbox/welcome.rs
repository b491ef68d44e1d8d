//! Welcomes: joined only if group, chat, accounts and devices all fit together (rules `MLS-3`, `CHT-5`, `GRP-4`).

use super::sequence;
use crate::error::{EngineError, Result};
use crate::outbox::drafts;
use crate::rules;
use crate::step::Step;
use aside_crypto::{Group, MlsError, Staged, Terms};
use aside_protocol::envelope::Envelope;
use aside_protocol::group::{ChatKind, Roster};
use aside_protocol::request::Request;
use aside_protocol::{AccountId, Body, ChatId, DeviceId, Millis, N, Seq};
use aside_store::chats::{Chat, ChatState, UNKNOWN_KIND};
use aside_store::gaps::Why;

mod judge;

/// Shown when a welcome does not hold.
const REFUSED: &str = "An invitation into this chat was refused: it does not fit the chat or its accounts' devices.";

/// A group joined, and what it says of itself.
struct Entered {
    group: Group,
    /// Who founded it, if this is its first epoch.
    founder: Option<DeviceId>,
    /// Whose device made the welcome.
    from: AccountId,
    terms: Terms,
    roster: Roster,
    proved: Vec<crate::roster::Proved>,
    devices: u64,
}

/// Why a join is undone.
enum Undo {
    /// The welcome is at fault, or for a key this device no longer has.
    Peer(MlsError),
    /// Its accounts or devices do not fit.
    Misfit,
    /// An account's newer device list is needed first.
    Unknown(AccountId),
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

/// A welcome from the queue: joined now, or held until its bytes and its accounts are here.
pub(super) fn take(step: &mut Step, chat: &mut Chat, envelope: &Envelope) -> Result<()> {
    if step.tx.holds(chat.row)? || waits(step, chat, envelope)? {
        step.tx.hold(chat.row, envelope)?;
        return Ok(());
    }
    join(step, chat, envelope)
}

/// Whether a welcome needs bytes or an account that are not here yet; asks for them.
pub(super) fn waits(step: &mut Step, chat: &Chat, envelope: &Envelope) -> Result<bool> {
    if envelope.seq.is_some() {
        return Ok(false);
    }
    if step.lacks_body(envelope)? {
        return Ok(true);
    }
    let needed = chat.is_direct() && step.tx.account(&chat.peer)?.is_none();
    if needed {
        step.link.wanted.insert(chat.peer);
    }
    Ok(needed)
}

/// Joins, or says why not. A device that is in the group already refuses: nobody turns its state back.
pub(super) fn join(step: &mut Step, chat: &mut Chat, envelope: &Envelope) -> Result<()> {
    let (Some(base), Some(body)) = (envelope.base, step.body_of(envelope)?) else { return Ok(()) };
    let incarnation = envelope.incarnation.unwrap_or(chat.incarnation);
    if chat.state == ChatState::Live || incarnation < chat.incarnation {
        return Ok(());
    }
    // A welcome may replace a group this device is in: nothing of the old one is written after that.
    step.save_groups()?;
    let tx = step.tx;
    match tx.attempt(|| enter(step, chat, incarnation, &body)) {
        Ok(entered) => {
            step.forget_body(envelope)?;
            joined(step, chat, entered, incarnation, base)
        }
        Err(Undo::Own(error)) => Err(error),
        Err(Undo::Unknown(account)) => {
            step.link.wanted.insert(account);
            step.tx.hold(chat.row, envelope)?;
            Ok(())
        }
        Err(undo) => {
            step.forget_body(envelope)?;
            chat.seq = chat.seq.max(base);
            chat.base = base;
            chat.incarnation = incarnation;
            chat.enter(ChatState::AwaitingWelcome, step.now);
            if matches!(undo, Undo::Peer(MlsError::NoKeyPackage)) {
                // A welcome for lost keys will not come again by itself: patience has ended.
                chat.since = Millis(step.now.0.saturating_sub(step.config.welcome_patience_ms));
                return Ok(());
            }
            // One that does not fit may be followed by others like it: asked again after ever longer times.
            step.notice(chat, REFUSED)
        }
    }
}

fn enter(step: &mut Step, chat: &Chat, incarnation: u64, body: &Body) -> Result<Entered, Undo> {
    let scope = step.scope();
    let staged = scope.read_welcome(body)?;
    let (roster, proved) = judge(step, chat, incarnation, &staged)?;
    let founder = (staged.epoch() == 1).then(|| staged.from().device);
    let (from, terms, devices) = (staged.from().account, staged.terms().clone(), staged.roster().len() as u64);
    Ok(Entered { group: staged.join(&scope)?, founder, from, terms, roster, proved, devices })
}

fn judge(
    step: &Step,
    chat: &Chat,
    incarnation: u64,
    staged: &Staged,
) -> Result<(Roster, Vec<crate::roster::Proved>), Undo> {
    let context = &staged.terms().context;
    let fits = context.chat == chat.chat
        && context.incarnation == incarnation
        && (context.kind == chat.kind || chat.kind == UNKNOWN_KIND);
    if !fits {
        return Err(Undo::Misfit);
    }
    // An incarnation has one group: another one under its name would be somebody's own.
    let known = chat.known.as_ref().filter(|(known, _)| *known == incarnation);
    if known.is_some_and(|(_, group)| *group != staged.group_id()) {
        return Err(Undo::Misfit);
    }
    // A welcome into an epoch this device was in already would turn its ratchets back (rule `CHT-5`).
    if step.tx.epoch_of(&staged.group_id())?.is_some_and(|seen| staged.epoch() <= seen) {
        return Err(Undo::Peer(MlsError::AlreadySeen));
    }
    match context.kind {
        ChatKind::Direct => judge::direct(step, chat, staged).map(|roster| (roster, Vec::new())),
        _ => judge::group(step, chat, staged),
    }
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
    let Entered { group, founder, from, terms, roster, proved, devices } = entered;
    // An own founding of a later incarnation goes on: if the relay took it, its echo will take over from this group.
    if own_founding(step, chat)?.is_none_or(|own| own <= incarnation) {
        step.drop_proposed(chat)?;
    }
    if chat.group.as_deref().is_some_and(|old| old != group.id()) {
        step.drop_group(chat)?;
    }
    show_left_out(step, chat, founder.is_none(), (incarnation, base))?;
    chat.group = Some(group.id());
    chat.known = Some((incarnation, group.id()));
    step.groups.0.insert(chat.row, group);
    chat.seq = chat.seq.max(base);
    chat.incarnation = incarnation;
    chat.next_n = N(1);
    chat.own_count = 0;
    chat.renewed = step.now;
    chat.devices = devices;
    let news = describe(step, chat, &terms, &from)?;
    step.learn_proved(&proved)?;
    step.tx.set_roster(chat.row, &roster, chat.place(base))?;
    // Who joins at the founding has seen every number from the first on; who joins later cannot know the others'.
    step.begin_incarnation(chat)?;
    match founder {
        Some(founder) => step.tx.set_sender_n(chat.row, &founder, N(1))?,
        None => step.tx.forget_senders(chat.row)?,
    }
    step.begin_epoch(chat, base)?;
    if let Some(news) = news {
        step.notice(chat, &news)?;
    }
    step.drop_done_tasks(chat)?;
    step.watch_own_devices(chat)?;
    step.watch_lists(chat)?;
    step.watch_routing(chat);
    drafts::warm(step, chat)
}

/// Who was in a group and was left out when it was founded again lacks what was said until somebody added them.
fn show_left_out(step: &mut Step, chat: &Chat, added: bool, (incarnation, base): (u64, Seq)) -> Result<()> {
    let before = chat.known.as_ref().is_some_and(|(known, _)| *known != incarnation);
    let out = !chat.is_direct() && chat.state != ChatState::Left;
    match base.0.checked_sub(1).map(Seq) {
        Some(last) if added && before && out && last > chat.seq => {
            sequence::gap(step, chat, chat.seq.next(), last, Why::Unreadable)
        }
        _ => Ok(()),
    }
}

/// Takes over what the group says of itself; what is to be told of it, the first time.
fn describe(step: &Step, chat: &mut Chat, terms: &Terms, from: &AccountId) -> Result<Option<String>> {
    chat.kind = terms.context.kind;
    let Some(state) = &terms.state else {
        chat.peer = other(step, &terms.context.accounts.iter().map(|a| a.account).collect::<Vec<_>>());
        return Ok(None);
    };
    let first = chat.origin.is_none() || step.tx.member_count(chat.row)? == 0;
    chat.origin = Some(state.origin);
    chat.title.clone_from(&state.title);
    let what = if chat.kind == ChatKind::Channel { "channel" } else { "group" };
    let who = step.called(from)?;
    Ok((first && *from != step.account).then(|| format!("{who} added you to the {what} “{}”.", chat.title)))
}

/// The account of a direct chat that is not this device's, or its own in the chat with oneself.
fn other(step: &Step, accounts: &[AccountId]) -> AccountId {
    accounts.iter().copied().find(|account| *account != step.account).unwrap_or(step.account)
}

/// The roster of a direct chat, for checks of its id.
pub(super) fn is_between(chat: &ChatId, accounts: &[AccountId]) -> bool {
    matches!(accounts, [one, other] if ChatId::direct(one, other) == *chat)
}

/// The same as the rules have it.
pub(super) fn direct_roster(terms: &Terms) -> Roster {
    rules::direct_roster(&terms.context)
}
