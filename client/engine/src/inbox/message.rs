//! Messages of others: decrypted, checked against what the relay says of them, stored.

use super::sequence::gap;
use crate::error::Result;
use crate::step::Step;
use aside_crypto::{Leaf, MlsError, What};
use aside_protocol::Seq;
use aside_protocol::content::{Aad, Content, ContentBody, Text};
use aside_protocol::envelope::Envelope;
use aside_protocol::group::{ChatKind, Role};
use aside_protocol::limits::MAX_TEXT;
use aside_store::accounts::{Account, Trust};
use aside_store::chats::{Chat, ChatState};
use aside_store::gaps::Why;
use aside_store::messages::Arrival;

/// Shown when a message proves that a commit was missed.
pub(super) const BEHIND: &str = "This device missed a change of this chat. It asks to be added again.";

/// A message whose turn it is.
pub(super) fn take(step: &mut Step, chat: &mut Chat, envelope: &Envelope, seq: Seq) -> Result<()> {
    let Some((from, What::Content(content))) = open(step, chat, envelope)? else {
        skip_number(step, chat, envelope)?;
        return gap(step, chat, seq, seq, Why::Unreadable);
    };
    watch_numbers(step, chat, envelope)?;
    if !may_write(step, chat, &from)? {
        return gap(step, chat, seq, seq, Why::NotAllowed);
    }
    let author = step.tx.account(&from.account)?;
    if let Some(author) = &author {
        watch_list(step, chat, author, &content)?;
    }
    let text = match content.body {
        ContentBody::Text(Text { ref text }) if text.len() <= MAX_TEXT => text,
        // Elsewhere, or of anybody else, it means nothing (rule `SYN-1`).
        ContentBody::Sync(ref sync) => {
            let own = from.account == step.account && chat.is_direct() && chat.peer == step.account;
            return if own { step.take_sync(sync) } else { Ok(()) };
        }
        ContentBody::Text(_) => return gap(step, chat, seq, seq, Why::Unreadable),
        _ => return gap(step, chat, seq, seq, Why::TooNew),
    };
    if let Some(author) = author.filter(|author| author.account == chat.peer && author.trust == Trust::Pending) {
        warn_of_new_key(step, chat, &author)?;
    }
    store(step, chat, envelope, seq, &from, &content, text)
}

/// The others are in a newer epoch. What this device has sent since the last change it knows of they could not read: it is
/// sent again once this device is back, under its first ids.
pub(super) fn fall_behind(step: &mut Step, chat: &mut Chat) -> Result<()> {
    if !chat.is_direct() {
        for message in step.tx.own_messages_between(chat, &step.me.device, chat.base.next(), Seq::MAX)? {
            if !step.tx.is_queued(message.row)? {
                step.tx.enqueue(chat.row, message.row, Some(message.resent.unwrap_or(chat.seq_of(message.place))))?;
            }
        }
    }
    step.break_chat(chat, BEHIND)
}

/// In channels only admins and owners write (rule `GRP-9`).
fn may_write(step: &Step, chat: &Chat, from: &Leaf) -> Result<bool> {
    let role = || step.role_of(chat, &from.account);
    Ok(chat.kind != ChatKind::Channel || matches!(role()?, Some(Role::Admin | Role::Owner)))
}

/// Decrypts and checks that the authenticated sender and numbers are those on the envelope (rules `CNT-1`, `CNT-2`).
pub(super) fn open(step: &mut Step, chat: &mut Chat, envelope: &Envelope) -> Result<Option<(Leaf, What)>> {
    let Some(body) = step.body_of(envelope)? else { return Ok(None) };
    match step.open(chat, &body)? {
        Some(Ok(opened)) => {
            let said = envelope.n.zip(envelope.base).map(|(n, base)| Aad { chat: chat.chat, n, base });
            let honest = Some(opened.aad) == said && opened.from.device == envelope.from;
            Ok(honest.then_some((opened.from, opened.what)))
        }
        Some(Err(MlsError::NotForThisEpoch { ours, theirs })) if theirs > ours && chat.state == ChatState::Live => {
            fall_behind(step, chat)?;
            Ok(None)
        }
        Some(Err(_)) | None => Ok(None),
    }
}

/// `n` is dense for each sender, so a message the relay left out shows (rule `GAP-3`).
fn watch_numbers(step: &mut Step, chat: &Chat, envelope: &Envelope) -> Result<()> {
    let Some(n) = envelope.n else { return Ok(()) };
    if let Some(last) = step.tx.sender_n(chat.row, &envelope.from)?
        && n > last.next()
    {
        let missing = n.0 - last.0 - 1;
        step.notice(chat, &format!("The relay left out {missing} message(s) of this sender before the next one."))?;
    }
    Ok(step.tx.set_sender_n(chat.row, &envelope.from, n)?)
}

/// An unreadable message that comes in its turn is no message left out.
fn skip_number(step: &Step, chat: &Chat, envelope: &Envelope) -> Result<()> {
    let last = step.tx.sender_n(chat.row, &envelope.from)?;
    match envelope.n {
        Some(n) if last.is_some_and(|last| n == last.next()) => {
            Ok(step.tx.set_sender_n(chat.row, &envelope.from, n)?)
        }
        _ => Ok(()),
    }
}

/// Every message says which device list its sender knew, so a list that is not the one known here shows (`LST-4`). Whoever
/// names a version that does not exist is looked up once, and again only when the last look brought a newer list.
fn watch_list(step: &mut Step, chat: &Chat, known: &Account, content: &Content) -> Result<()> {
    let version = known.list.list.version;
    if content.list_version > version {
        if step.link.looked.insert(known.account, version) != Some(version) {
            step.link.wanted.insert(known.account);
        }
    } else if content.list_version == version && content.list_hash != known.list.hash {
        let name = &known.name;
        step.notice(chat, &format!("{name} knows another list of their own devices than the relay showed here."))?;
    }
    Ok(())
}

fn store(
    step: &mut Step,
    chat: &mut Chat,
    envelope: &Envelope,
    seq: Seq,
    from: &Leaf,
    content: &Content,
    text: &str,
) -> Result<()> {
    let place = place_of(step, chat, from, content, seq)?;
    if from.account != step.account {
        // A copy of something stored before arrived as well.
        chat.arrived = chat.arrived.max(seq);
    }
    step.tx.insert_arrival(
        chat.row,
        &Arrival {
            author: from.account,
            device: from.device,
            id: content.id,
            own: from.account == step.account,
            seq: chat.seq_of(place),
            place,
            text,
            sent_at: content.time,
            relay_time: envelope.time,
        },
    )?;
    Ok(())
}

/// Only its first sender sends a message again, and only a hole takes it; it goes where it stood (rule `REJ-4`).
fn place_of(step: &Step, chat: &Chat, from: &Leaf, content: &Content, seq: Seq) -> Result<u64> {
    let again = content.again.filter(|again| again.device == from.device && again.seq < seq);
    let hole = again.map(|again| chat.place(again.seq));
    match hole {
        Some(hole) if step.tx.fill_gap(chat.row, hole)? => Ok(hole),
        _ => Ok(chat.place(seq)),
    }
}

/// The first message under a name that belonged to another key says so.
fn warn_of_new_key(step: &mut Step, chat: &Chat, author: &Account) -> Result<()> {
    if step.tx.has_arrivals(chat.row)? {
        return Ok(());
    }
    let name = &author.name;
    step.notice(
        chat,
        &format!("{name} has another key than the {name} known here. Ask them in another way who this is."),
    )
}
