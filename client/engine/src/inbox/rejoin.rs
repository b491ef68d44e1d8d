//! Requests of others to be added again: checked, kept, served by the outbox.

use crate::error::Result;
use crate::step::Step;
use aside_crypto::rejoin::verify_rejoin;
use aside_protocol::envelope::Envelope;
use aside_protocol::{AccountId, Hash, rejoin};
use aside_store::chats::{Chat, ChatState};
use aside_store::rejoins::RejoinTask;

/// A request from the queue. What is not signed by a listed device of the chat is dropped (rule `REJ-2`).
pub(super) fn take(step: &mut Step, chat: &mut Chat, envelope: &Envelope) -> Result<()> {
    let Some(body) = &envelope.body else { return Ok(()) };
    let Ok((request, signed)) = rejoin::open(body) else { return Ok(()) };
    let package = Hash::of(&request.key_package);
    let device = request.device;
    let fits = request.chat == chat.chat && device == envelope.from && device != step.me.device;
    if !fits || !is_in(step, chat, &envelope.account)? || step.tx.package_served(&package)? {
        return Ok(());
    }
    // A device that was just linked or recovered stands in a list that is not known here yet: it is looked up, and judged
    // when it is served.
    match step.tx.account(&envelope.account)? {
        Some(known) => match known.list.list.device(&device) {
            Some(entry) if !verify_rejoin(&signed, &request, &entry.key) => return Ok(()),
            Some(_) => {}
            None => drop(step.link.wanted.insert(envelope.account)),
        },
        None => drop(step.link.wanted.insert(envelope.account)),
    }
    let (account, due) = (envelope.account, step.patience(chat, &envelope.account)?);
    let request = body.clone();
    step.tx.save_rejoin(&RejoinTask { chat: chat.row, device, account, request, package, added: false, due })?;
    if !chat.is_direct() {
        return Ok(());
    }
    if chat.state != ChatState::Live && chat.state != ChatState::Founding {
        // Neither side can add the other: the chat is founded anew (rule `REJ-3`).
        step.drop_proposed(chat)?;
        chat.enter(ChatState::Unfounded, step.now);
    }
    Ok(())
}

/// Whether an account is in a chat, as far as this device knows.
fn is_in(step: &Step, chat: &Chat, account: &AccountId) -> Result<bool> {
    let party = chat.is_direct() && (*account == step.account || *account == chat.peer);
    Ok(party || step.tx.member(chat.row, account)?.is_some())
}
