//! The objects that `--json` prints: one a line, each with `v` and `type`. Scripts depend on their fields.

use super::CliError;
use aside_protocol::MessageId;
use aside_store::gaps::Gap;
use aside_store::messages::Message;
use aside_store::summaries::ChatSummary;
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

/// A message, a notice or a gap needs no more than its row.
pub(super) fn message(message: &Message, own_name: &str) -> Value {
    json!({
        "chat": message.peer_name,
        "from": if message.own { own_name } else { &message.peer_name },
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
    json!({ "chat": message.peer_name, "text": message.text, "time": message.sent_at.0 })
}

pub(super) fn gap(chat: &str, gap: &Gap) -> Value {
    json!({ "chat": chat, "first": gap.first, "last": gap.last, "why": gap.why.word(), "text": gap.why.sentence() })
}

pub(super) fn chat(summary: &ChatSummary) -> Value {
    json!({
        "name": summary.name,
        "account": summary.peer.to_hex(),
        "unread": summary.unread,
        "last": summary.last,
        "last_own": summary.last_own,
        "time": summary.time.map(|time| time.0),
        "pending": summary.pending,
        "draft": summary.draft.is_some(),
        "key_changed": summary.key_changed,
    })
}
