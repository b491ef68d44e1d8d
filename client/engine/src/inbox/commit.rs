//! Commits and foundings of others. A commit is judged by the group's state before it and by evidence inside it.

use super::message::open;
use crate::error::Result;
use crate::step::Step;
use aside_crypto::rejoin::verify_rejoin;
use aside_crypto::{Leaf, StagedCommitFacts, What};
use aside_protocol::envelope::Envelope;
use aside_protocol::request::{Request, Route};
use aside_protocol::{Body, N, Seq, rejoin};
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
    match opened {
        Some((from, What::Commit(facts))) if allowed(step, chat, &from, &facts)? => merge(step, chat, seq, *facts),
        Some((_, What::Commit(_))) => refuse(step, chat, seq),
        _ if chat.state == ChatState::Live => step.break_chat(chat, UNREADABLE),
        _ => Ok(()),
    }
}

/// An own commit on the same base lost; it is made again if it is still wanted.
fn lose_own(step: &mut Step, chat: &mut Chat) -> Result<()> {
    if step.tx.proposed(chat.row)?.is_some_and(|own| !own.founding) {
        step.drop_proposed(chat)?;
    }
    Ok(())
}

fn merge(step: &mut Step, chat: &mut Chat, seq: Seq, facts: StagedCommitFacts) -> Result<()> {
    let (added, out) = (facts.added.clone(), facts.self_removed);
    step.in_group(chat, |group, scope| group.merge(scope, Box::new(facts)))?;
    for leaf in &added {
        step.tx.set_sender_n(chat.row, &leaf.device, N(0))?;
        step.tx.rejoin_added(chat.row, &leaf.device)?;
    }
    if out {
        // Added again in the same commit or not, the way back in is a welcome.
        chat.enter(ChatState::AwaitingWelcome, step.now);
        return Ok(());
    }
    if chat.state != ChatState::Live {
        // Reading goes on, sending does not: this device's own ratchets are old ones, or another group is on its way.
        return Ok(());
    }
    step.begin_epoch(chat, seq)
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

/// In a direct chat members renew their own keys, and re-add a device of either account that asks for it (`MLS-8`).
fn allowed(step: &Step, chat: &Chat, from: &Leaf, facts: &StagedCommitFacts) -> Result<bool> {
    if facts.context_after.is_some() || !is_party(step, chat, from) {
        return Ok(false);
    }
    match (facts.added.as_slice(), facts.removed.as_slice()) {
        ([], []) => Ok(true),
        ([added], [removed]) => {
            let same = added.device == removed.device && added.root == removed.root && added.device != from.device;
            Ok(same && is_listed(step, added)? && asked_for(chat, added, facts))
        }
        _ => Ok(false),
    }
}

/// Whether the device's own signed request, with this very key package, is among the evidence.
fn asked_for(chat: &Chat, added: &Leaf, facts: &StagedCommitFacts) -> bool {
    facts.evidence.iter().any(|evidence: &Body| {
        rejoin::open(evidence).is_ok_and(|(request, signed)| {
            request.chat == chat.chat
                && request.device == added.device
                && facts.added_packages.contains(&request.key_package)
                && verify_rejoin(&signed, &request, &added.key)
        })
    })
}

pub(super) fn is_party(step: &Step, chat: &Chat, leaf: &Leaf) -> bool {
    leaf.account == step.account || leaf.account == chat.peer
}

/// Whether the account's verified device list names this device with this key.
pub(super) fn is_listed(step: &Step, leaf: &Leaf) -> Result<bool> {
    let account = step.tx.account(&leaf.account)?;
    Ok(account
        .is_some_and(|a| a.root == leaf.root && a.list.list.device(&leaf.device).is_some_and(|d| d.key == leaf.key)))
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
