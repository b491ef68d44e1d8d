//! Commits and foundings of others. A commit is judged by the group's state before it and by evidence inside it
//! (rule `MLS-8`).

use crate::error::Result;
use crate::rules::{self, After, Before, Change, Changes};
use crate::step::Step;
use aside_crypto::{Leaf, MlsError, StagedCommitFacts, What};
use aside_protocol::content::Aad;
use aside_protocol::envelope::{Envelope, routing_of};
use aside_protocol::group::Role;
use aside_protocol::request::{Request, Route};
use aside_protocol::{N, Seq};
use aside_store::chats::{Chat, ChatState};
use aside_store::tasks::TaskKind;

/// Shown when a commit is refused.
const REFUSED: &str = "Somebody tried to change this chat in a way that is not allowed; nothing was changed.";
/// Shown when a commit cannot be read here.
const UNREADABLE: &str = "This device could not follow a change of this chat. It asks to be added again.";
/// Shown when a commit cannot be read in a group.
const SKIPPED: &str = "A change of this group could not be read here; this device goes on without it, or joins again if \
     the others follow it.";
/// Shown when somebody who may not founded a group anew.
const NOT_THEIRS: &str = "Somebody who may not do it tried to set this group up anew; nothing was changed.";
/// Shown when device lists contradict each other.
pub(super) const TWO_HISTORIES: &str = "Somebody's list of devices here is another one than this device knows: one of the \
     two is forged. Compare safety numbers in another way.";
/// Shown when another device founded the chat anew.
const FOUNDED: &str = "This chat was set up anew by the other side.";

/// What opening a commit led to.
enum Opened {
    /// It is what it says.
    Good(Box<(Leaf, StagedCommitFacts)>),
    /// No member can put it into effect.
    Invalid,
    /// This device cannot read it; others may.
    Unreadable,
}

/// A commit whose turn it is. It moves the base whatever becomes of it.
pub(super) fn take(step: &mut Step, chat: &mut Chat, envelope: &Envelope, seq: Seq) -> Result<()> {
    let opened = read(step, chat, envelope)?;
    if let Some(n) = envelope.n {
        step.tx.set_sender_n(chat.row, &envelope.from, n)?;
    }
    chat.base = seq;
    lose_own(step, chat)?;
    // What it did to the routing in the clear is its sender's word only.
    step.tx.drop_task(chat.row, TaskKind::Routing, &[])?;
    watch(step, chat, envelope, &opened);
    let (from, facts) = match opened {
        Opened::Good(opened) => *opened,
        Opened::Invalid if !chat.is_direct() => return refuse(step, chat, seq),
        _ if chat.state != ChatState::Live => return Ok(()),
        _ if chat.is_direct() => return step.break_chat(chat, UNREADABLE),
        _ => return stay(step, chat),
    };
    match judged(step, chat, &from, &facts)? {
        Some(after) => merge(step, chat, seq, &from, facts, after),
        None => refuse(step, chat, seq),
    }
}

fn read(step: &mut Step, chat: &mut Chat, envelope: &Envelope) -> Result<Opened> {
    let Some(body) = step.body_of(envelope)? else { return Ok(Opened::Unreadable) };
    let said = envelope.n.zip(envelope.base).map(|(n, base)| Aad { chat: chat.chat, n, base });
    match step.open(chat, &body)? {
        Some(Ok(opened)) if Some(opened.aad) != said || opened.from.device != envelope.from => Ok(Opened::Unreadable),
        Some(Ok(aside_crypto::Opened { from, what: What::Commit(facts), .. })) => {
            Ok(Opened::Good(Box::new((from, *facts))))
        }
        Some(Ok(_) | Err(MlsError::BadCommit(_))) => Ok(Opened::Invalid),
        Some(Err(MlsError::NotForThisEpoch { ours, theirs })) if theirs > ours => behind(step, chat),
        Some(Err(_)) | None => Ok(Opened::Unreadable),
    }
}

/// What the sender asked of the routing must be what the leaves say; where nothing can be read there is nothing to compare
/// with. Some look all the same.
fn watch(step: &mut Step, chat: &Chat, envelope: &Envelope, opened: &Opened) {
    let asked = match opened {
        Opened::Good(good) => {
            let ids = |leaves: &[Leaf]| leaves.iter().map(|leaf| leaf.device).collect::<Vec<_>>();
            routing_of(&ids(&good.1.added), &ids(&good.1.removed))
        }
        _ => None,
    };
    if asked != envelope.routing {
        step.link.chat(chat.row).watch = true;
        step.link.dirty.insert(chat.row);
    } else if asked.is_some() {
        step.watch_routing(chat);
    }
}

/// A change was missed; nothing can be made up for here.
fn behind(step: &mut Step, chat: &mut Chat) -> Result<Opened> {
    if chat.state == ChatState::Live {
        super::message::fall_behind(step, chat)?;
    }
    Ok(Opened::Unreadable)
}

/// One member's unreadable commit must not take the group from everybody: this device stays in its epoch. If the others
/// follow that commit, their next message shows it.
fn stay(step: &mut Step, chat: &Chat) -> Result<()> {
    step.notice(chat, SKIPPED)?;
    step.tx.unseal_outbox(chat.row)?;
    step.link.restart_chat(chat.row);
    Ok(())
}

/// An own commit on the same base lost; it is made again if it is still wanted.
fn lose_own(step: &mut Step, chat: &mut Chat) -> Result<()> {
    if step.tx.proposed(chat.row)?.is_some_and(|own| !own.founding) {
        step.drop_proposed(chat)?;
    }
    Ok(())
}

/// What follows from a commit; none if it is not allowed.
fn judged(step: &mut Step, chat: &Chat, from: &Leaf, facts: &StagedCommitFacts) -> Result<Option<After>> {
    let plain = facts.added.is_empty() && facts.removed.is_empty() && facts.evidence.is_empty();
    if plain && facts.terms_after.is_none() {
        return Ok(Some(After::default()));
    }
    let roster = step.roster(chat)?;
    let leaves = step.in_group(chat, |group, _| group.roster())?;
    let changes = Changes {
        removed: facts.removed.clone(),
        added: facts.added.iter().copied().zip(facts.added_packages.iter().cloned()).collect(),
        evidence: facts.evidence.clone(),
        terms: facts.terms_after.clone(),
    };
    let epoch = facts.epoch.saturating_sub(1);
    let before = Before { epoch, terms: &facts.terms_before, roster: &roster, leaves: &leaves };
    Ok(rules::judge(before, from, &changes).ok())
}

fn merge(
    step: &mut Step,
    chat: &mut Chat,
    seq: Seq,
    from: &Leaf,
    facts: StagedCommitFacts,
    after: After,
) -> Result<()> {
    let (added, removed, out) = (facts.added.clone(), facts.removed.len() as u64, facts.self_removed);
    let terms = facts.terms_after.clone();
    step.in_group(chat, |group, scope| group.merge(scope, Box::new(facts)))?;
    chat.devices = (chat.devices + added.len() as u64).saturating_sub(removed);
    for leaf in &added {
        step.tx.set_sender_n(chat.row, &leaf.device, N(0))?;
        step.tx.rejoin_added(chat.row, &leaf.device)?;
    }
    if step.learn_proved(&after.proved)? {
        step.notice(chat, TWO_HISTORIES)?;
    }
    let change = Change::from(&after);
    if out && !added.iter().any(|leaf| leaf.device == step.me.device) {
        return removed_here(step, chat, from, &change);
    }
    step.roster_changed(chat, Some(from), &change, terms.as_ref())?;
    if out {
        // Added again in the same commit: the way back in is a welcome.
        chat.enter(ChatState::AwaitingWelcome, step.now);
        return Ok(());
    }
    if chat.state != ChatState::Live {
        // Reading goes on, sending does not: this device's own ratchets are old ones, or another group is on its way.
        return Ok(());
    }
    step.begin_epoch(chat, seq)
}

/// This device is out: with its whole account, or because the account's list does not name it any more.
fn removed_here(step: &mut Step, chat: &mut Chat, from: &Leaf, change: &Change) -> Result<()> {
    let who = step.called(&from.account)?;
    let leaving = crate::outbox::quit::is_leaving(step, chat)?;
    let why = match change.gone.contains(&step.account) {
        true if leaving => "You left.".to_owned(),
        true => format!("{who} removed you."),
        false => "This device was removed from your account, and so from this chat.".to_owned(),
    };
    change.gone.iter().try_for_each(|account| step.tx.remove_member(chat.row, account))?;
    step.leave_group(chat, &why)
}

/// A group is founded anew only by who may change it.
fn may_found(step: &Step, chat: &Chat, envelope: &Envelope) -> Result<bool> {
    Ok(matches!(step.role_of(chat, &envelope.account)?, Some(Role::Admin | Role::Owner)))
}

/// A refused commit changes nothing here; the routing it brought is undone at the relay.
fn refuse(step: &mut Step, chat: &mut Chat, seq: Seq) -> Result<()> {
    step.notice(chat, REFUSED)?;
    undo(step, chat, seq)
}

fn undo(step: &mut Step, chat: &mut Chat, seq: Seq) -> Result<()> {
    let request = Request::Route(Route { chat: chat.chat, refused: seq });
    step.ask(request, crate::link::Pending::Route);
    step.tx.unseal_outbox(chat.row)?;
    step.link.restart_chat(chat.row);
    Ok(())
}

/// Another device founded the next incarnation: the group here is over, its welcome follows.
pub(super) fn founding(step: &mut Step, chat: &mut Chat, envelope: &Envelope, seq: Seq) -> Result<()> {
    let incarnation = envelope.incarnation.unwrap_or(0);
    if incarnation <= chat.incarnation && chat.state == ChatState::Live {
        return step.notice(chat, REFUSED);
    }
    if !chat.is_direct() && chat.group.is_some() && !may_found(step, chat, envelope)? {
        chat.base = seq;
        step.notice(chat, NOT_THEIRS)?;
        return undo(step, chat, seq);
    }
    if chat.group.is_some() && chat.incarnation > 0 {
        step.notice(chat, FOUNDED)?;
        // Whoever founds anew had lost the old group, and with it what was sent there last; known ones are dropped there.
        step.put_back_lost(chat)?;
    }
    step.drop_proposed(chat)?;
    step.drop_group(chat)?;
    chat.incarnation = incarnation;
    chat.base = seq;
    chat.enter(ChatState::AwaitingWelcome, step.now);
    // Who would have founded it need not any more.
    step.tx.drop_task(chat.row, TaskKind::Found, &[])?;
    step.begin_incarnation(chat)?;
    step.link.restart_chat(chat.row);
    Ok(())
}
