//! Messages: encrypted once the queue is read, at most 64 unanswered a chat, always in the order of their numbers
//! (rule `ORD-3`).

use crate::error::{EngineError, Result};
use crate::link::Pending;
use crate::step::Step;
use aside_protocol::content::{Aad, Again, Content, ContentBody, Text};
use aside_protocol::limits::UNANSWERED_SENDS;
use aside_protocol::request::{Request, Send};
use aside_protocol::{Body, Hash, N, Seq, decode};
use aside_store::chats::Chat;
use aside_store::outbox::Outgoing;

/// Which messages may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// All.
    All,
    /// Those that have a number; a commit waits for them.
    Numbered,
}

/// Sends the next messages of a live chat, as far as the window allows.
pub(super) fn advance(step: &mut Step, chat: &mut Chat, which: Which) -> Result<()> {
    let link = step.link.chat(chat.row);
    if link.retreating && !link.unanswered.is_empty() {
        return Ok(());
    }
    if std::mem::take(&mut link.retreating) {
        link.sent_to = 0;
    }
    let room = UNANSWERED_SENDS.saturating_sub(link.unanswered.len() as u64);
    let after = link.sent_to;
    for outgoing in step.tx.unsent_after(chat.row, after, room)? {
        if which == Which::Numbered && outgoing.n.is_none() {
            break;
        }
        let (n, base, body) = sealed(step, chat, &outgoing)?;
        let link = step.link.chat(chat.row);
        link.sent_to = outgoing.row;
        if link.unanswered.insert(n) {
            let about = Pending::Message(chat.row, n, link.numbering);
            step.ask(Request::Send(Send { chat: chat.chat, n, base, body }), about);
        }
    }
    Ok(())
}

/// The ciphertext to send: as stored, or made now and stored before it is sent.
fn sealed(step: &mut Step, chat: &mut Chat, outgoing: &Outgoing) -> Result<(N, Seq, Body)> {
    if let (Some(n), Some((base, body))) = (outgoing.n, &outgoing.sealed) {
        return Ok((n, *base, body.clone()));
    }
    let n = outgoing.n.unwrap_or(chat.next_n);
    let content = content(step, outgoing)?;
    let aad = Aad { chat: chat.chat, n, base: chat.base };
    let body = step.in_group(chat, |group, scope| group.encrypt(scope, &aad, &content))?;
    chat.next_n = chat.next_n.max(n.next());
    step.tx.seal_outgoing(outgoing.row, n, chat.base, &Hash::of(&body), &body)?;
    Ok((n, chat.base, body))
}

fn content(step: &Step, outgoing: &Outgoing) -> Result<Content> {
    let message = step.tx.message(outgoing.message)?;
    let lost = || EngineError::Bug("the outbox names a message that is not there".into());
    let message = message.ok_or_else(lost)?;
    let profile = step.profile()?;
    Ok(Content {
        id: message.id.ok_or_else(lost)?,
        time: message.sent_at,
        list_version: profile.list_version,
        list_hash: profile.list_hash,
        body: match step.tx.sync_of(message.row)? {
            Some(sync) => ContentBody::Sync(decode(&sync.0).map_err(|e| EngineError::Bug(e.to_string()))?),
            None => ContentBody::Text(Text { text: message.text }),
        },
        again: outgoing.again.map(|seq| Again { device: step.me.device, seq }),
    })
}
