//! Commits and foundings of others. A commit is judged by the group's state before it and by evidence inside it
//! (rule `MLS-8`).

use super::message::open;
use crate::error::Result;
use crate::rules::{self, After, Before, Change, Changes};
use crate::step::Step;
use aside_crypto::{Leaf, StagedCommitFacts, What};
use aside_protocol::envelope::Envelope;
use aside_protocol::request::{Request, Route};
use aside_protocol::{N, Seq};
use aside_store::chats::{Chat, ChatState};

/// Shown when a commit is refused.
const REFUSED: &str = "Somebody tried to change this chat in a way that is not allowed; nothing was changed.";
/// Shown when a commit cannot be read here.
const UNREADABLE: &str = "This device could not follow a change of this chat. It asks to be added again.";
/// Shown when another device founded the chat anew.
const FOUNDED: &str = "This chat was set up anew by the other side.";

/// A commit whose turn it is. It moves the base whatever becomes of it.
pub(super) fn take(step: &mut Step, chat: &mut Chat, envelope: &Envelope, seq: Seq) -> Result<()> {
    let opened = open(step, chat, envelope)?;
    if let Some(n) = envelope.n {
        step.tx.set_sender_n(chat.row, &envelope.from, n)?;
    }
    chat.base = seq;
    lose_own(step, chat)?;
    let (from, facts) = match opened {
        Some((from, What::Commit(facts))) => (from, *facts),
        _ if chat.state == ChatState::Live => return step.break_chat(chat, UNREADABLE),
        _ => return Ok(()),
    };
    match judged(step, chat, &from, &facts)? {
        Some(after) => merge(step, chat, seq, &from, facts, after),
        None => refuse(step, chat, seq),
    }
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
    step.learn_proved(&after.proved)?;
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
    step.begin_epoch(chat, seq)?;
    if !added.is_empty() || removed > 0 {
        step.watch_routing(chat);
    }
    Ok(())
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

/// A refused commit changes nothing here; the routing it brought is undone at the relay.
fn refuse(step: &mut Step, chat: &mut Chat, seq: Seq) -> Result<()> {
    step.notice(chat, REFUSED)?;
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
    if chat.group.is_some() && chat.incarnation > 0 {
        step.notice(chat, FOUNDED)?;
        // Whoever founds anew had lost the old group, and with it what was sent there last; known ones are dropped there.
        step.tx.enqueue_undelivered(chat.row, &step.me.device)?;
    }
    step.drop_proposed(chat)?;
    step.drop_group(chat)?;
    chat.incarnation = incarnation;
    chat.base = seq;
    chat.enter(ChatState::AwaitingWelcome, step.now);
    step.begin_incarnation(chat)?;
    step.link.restart_chat(chat.row);
    Ok(())
}
