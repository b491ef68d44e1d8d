//! Requests of others to be added again: checked, kept, served by the outbox.

use super::commit::is_party;
use crate::error::Result;
use crate::step::Step;
use aside_crypto::Leaf;
use aside_crypto::rejoin::verify_rejoin;
use aside_protocol::envelope::Envelope;
use aside_protocol::{Hash, rejoin};
use aside_store::chats::{Chat, ChatState};
use aside_store::rejoins::RejoinTask;

/// A request from the queue. What is not signed by a listed device of the chat is dropped (rule `REJ-2`).
pub(super) fn take(step: &mut Step, chat: &mut Chat, envelope: &Envelope) -> Result<()> {
    let Some(body) = &envelope.body else { return Ok(()) };
    let Ok((request, signed)) = rejoin::open(body) else { return Ok(()) };
    let Some(account) = step.tx.account(&envelope.account)? else {
        step.link.wanted.insert(envelope.account);
        return Ok(());
    };
    let Some(device) = account.list.list.device(&request.device) else { return Ok(()) };
    let leaf = Leaf { root: account.root, account: account.account, device: device.device, key: device.key };
    let package = Hash::of(&request.key_package);
    let genuine = request.chat == chat.chat
        && request.device == envelope.from
        && request.device != step.me.device
        && is_party(step, chat, &leaf)
        && verify_rejoin(&signed, &request, &device.key);
    if !genuine || step.tx.package_served(&package)? {
        return Ok(());
    }
    let task = RejoinTask { chat: chat.row, device: request.device, request: body.clone(), package, added: false };
    step.tx.save_rejoin(&task)?;
    if chat.state != ChatState::Live && chat.state != ChatState::Founding {
        // Neither side can add the other: the chat is founded anew (rule `REJ-3`).
        step.drop_proposed(chat)?;
        chat.enter(ChatState::Unfounded, step.now);
    }
    Ok(())
}
