//! The objects that `--json` prints: one a line, each with `v` and `type`. Scripts depend on their fields.

use super::CliError;
use super::group::{kind_word, role_word};
use aside_protocol::MessageId;
use aside_protocol::group::ChatKind;
use aside_store::gaps::Gap;
use aside_store::messages::Message;
use aside_store::summaries::ChatSummary;
use aside_tui::text::one_line;
use serde_json::{Value, json};
use std::io::Write;

/// The version of these objects. Fields may be added without a new version.
const VERSION: u32 = 1;

/// Prints an object on one line and flushes it: what is flushed counts as printed.
pub(super) fn print(kind: &str, value: Value) -> Result<(), CliError> {
    line(&object(kind, value))
}

/// An object as its line.
pub(super) fn object(kind: &str, mut value: Value) -> String {
    if let Some(object) = value.as_object_mut() {
        object.insert("v".into(), VERSION.into());
        object.insert("type".into(), kind.into());
    }
    value.to_string()
}

/// Prints lines that belong together, in one piece.
pub(super) fn lines(lines: &[String]) -> Result<(), CliError> {
    if lines.is_empty() { Ok(()) } else { line(&lines.join("\n")) }
}

/// Prints a line and flushes it.
pub(super) fn line(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(CliError::Output)
}

pub(super) fn uuid(id: &MessageId) -> String {
    uuid::Uuid::from_bytes(id.0).to_string()
}

/// What a chat is called where chats are named: a person's name, or `#` and a title.
pub(super) fn chat_name(kind: ChatKind, name: &str) -> String {
    match kind {
        ChatKind::Direct => name.to_owned(),
        _ => format!("#{}", one_line(name)),
    }
}

/// Whose message it is.
pub(super) fn author<'a>(message: &'a Message, own_name: &'a str) -> Option<&'a str> {
    match message.own {
        true if own_name.is_empty() => message.author_name.as_deref(),
        true => Some(own_name),
        false if message.kind == ChatKind::Direct => Some(&message.peer_name),
        false => message.author_name.as_deref(),
    }
}

/// The title of a group or channel.
fn title(kind: ChatKind, name: &str) -> Option<&str> {
    (kind != ChatKind::Direct).then_some(name)
}

/// A message, a notice or a gap needs no more than its row.
pub(super) fn message(message: &Message, own_name: &str) -> Value {
    json!({
        "chat": chat_name(message.kind, &message.peer_name),
        "chat_id": message.chat_id.to_hex(),
        "kind": kind_word(message.kind),
        "title": title(message.kind, &message.peer_name),
        "from": author(message, own_name),
        "own": message.own,
        "key_changed": message.key_changed,
        "account": message.author.map(|author| author.to_hex()),
        "device": message.device.map(|device| uuid::Uuid::from_bytes(device.0).to_string()),
        "id": message.id.as_ref().map(uuid),
        "seq": message.seq.map(|seq| seq.0),
        "text": message.text,
        "sent_at": message.sent_at.0,
        "time": message.relay_time.unwrap_or(message.sent_at).0,
        "status": message.own.then(|| message.status.word()),
    })
}

pub(super) fn notice(message: &Message) -> Value {
    json!({
        "chat": chat_name(message.kind, &message.peer_name),
        "chat_id": message.chat_id.to_hex(),
        "text": message.text,
        "time": message.sent_at.0,
    })
}

pub(super) fn gap(chat: &str, gap: &Gap) -> Value {
    json!({ "chat": chat, "first": gap.first, "last": gap.last, "why": gap.why.word(), "text": gap.why.sentence() })
}

pub(super) fn chat(summary: &ChatSummary) -> Value {
    let direct = summary.kind == ChatKind::Direct;
    json!({
        "name": chat_name(summary.kind, &summary.name),
        "kind": kind_word(summary.kind),
        "title": title(summary.kind, &summary.name),
        "account": direct.then(|| summary.peer.to_hex()),
        "chat_id": (!direct).then(|| summary.peer.to_hex()),
        "role": summary.role.map(role_word),
        "unread": summary.unread,
        "last": summary.last,
        "last_own": summary.last_own,
        "last_by": summary.last_by,
        "time": summary.time.map(|time| time.0),
        "pending": summary.pending,
        "draft": summary.draft.is_some(),
        "draft_elsewhere": summary.draft_elsewhere,
        "key_changed": summary.key_changed,
        "muted_until": summary.muted_until.0,
    })
}
