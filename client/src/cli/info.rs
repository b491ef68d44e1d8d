//! `aside info`: who has received and read a message.

use super::group::kind_word;
use super::{CliError, Settings, duration, json, profile};
use crate::agent::Handle;
use crate::whom::called;
use aside_engine::EngineError;
use aside_protocol::group::ChatKind;
use aside_protocol::limits::RECEIPT_PUSH_DEVICES;
use aside_protocol::{AccountId, MessageId};
use aside_store::Tx;
use aside_store::messages::{Message, Status};
use clap::Args;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Debug, Args)]
pub(super) struct MessageArgs {
    /// The message's id (UUID), as send, recv and history print it.
    #[arg(value_name = "MESSAGE-ID")]
    id: uuid::Uuid,
    /// How long to wait for receipts, which a large group's relay is asked for.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    timeout: Duration,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How far somebody has come with a message.
#[derive(Debug)]
struct Reader {
    account: AccountId,
    name: String,
    status: Status,
}

pub(super) async fn run(args: &MessageArgs, settings: &Settings) -> Result<(), CliError> {
    let id = MessageId(*args.id.as_bytes());
    let mut engine = profile::offline(settings)?;
    let Some(message) = engine.read(|tx| Ok(tx.messages_with_id(&id)?.pop()))? else {
        return Err(CliError::Failed(format!("there is no message {} here; history --json prints ids", args.id)));
    };
    let devices = engine.read(|tx| Ok(tx.chat_at(message.chat)?.map_or(0, |chat| chat.devices)))?;
    if message.kind == ChatKind::Group && devices > RECEIPT_PUSH_DEVICES as u64 {
        drop(engine);
        return large(args, settings, &message).await;
    }
    let readers = engine.read(|tx| readers(tx, &message))?;
    say(&message, &readers, args.json)
}

/// A large group's receipts are at the relay, and come when somebody looks.
async fn large(args: &MessageArgs, settings: &Settings, message: &Message) -> Result<(), CliError> {
    let agent = profile::online(settings)?;
    let handle = agent.handle();
    let looked = look(&handle, message, Instant::now() + args.timeout).await;
    let about = message.clone();
    let readers = handle.read(move |tx| readers(tx, &about)).await;
    agent.close(Duration::ZERO).await;
    if !looked? {
        eprintln!("aside: the relay was not reached; this is what was known before");
    }
    say(message, &readers?, args.json)
}

async fn look(handle: &Handle, message: &Message, deadline: Instant) -> Result<bool, CliError> {
    let row = message.chat;
    let ready = handle.wait(deadline, |engine| Ok(engine.caught_up().then_some(())));
    if ready.await?.is_none() {
        return Ok(false);
    }
    handle.step(move |step| step.look_at_receipts(row)).await?;
    Ok(handle.wait(deadline, |engine| Ok(engine.is_idle().then_some(()))).await?.is_some())
}

fn readers(tx: &Tx, message: &Message) -> Result<Vec<Reader>, EngineError> {
    let others = tx.members(message.chat)?.into_iter().filter(|member| Some(member.entry.account) != message.author);
    let reader = |member: aside_store::members::Member| {
        let status = match message.seq {
            None => Status::Pending,
            Some(_) if member.read >= message.place => Status::Read,
            Some(_) if member.delivered >= message.place => Status::Delivered,
            Some(_) => Status::Sent,
        };
        Ok(Reader { account: member.entry.account, name: called(tx, &member.entry.account)?, status })
    };
    others.map(reader).collect()
}

fn say(message: &Message, readers: &[Reader], as_json: bool) -> Result<(), CliError> {
    if as_json {
        return json::print("message_info", object(message, readers));
    }
    let mut lines = vec![format!("{} {}", message.id.as_ref().map(json::uuid).unwrap_or_default(), standing(message))];
    if message.kind != ChatKind::Channel {
        lines.extend(readers.iter().map(|reader| format!("  {:<20} {}", reader.name, word(reader.status))));
    }
    json::lines(&lines)
}

fn standing(message: &Message) -> &'static str {
    match (message.kind, message.own) {
        (ChatKind::Channel, _) => "in a channel, where nobody says what they have read",
        (_, true) => message.status.word(),
        (_, false) => "received",
    }
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Pending | Status::Sent => "not received yet",
        Status::Delivered => "received",
        Status::Read => "read",
    }
}

fn object(message: &Message, readers: &[Reader]) -> Value {
    let reader = |reader: &Reader| {
        json!({
            "name": reader.name,
            "account": reader.account.to_hex(),
            "delivered": reader.status >= Status::Delivered,
            "read": reader.status >= Status::Read,
        })
    };
    let shown = if message.kind == ChatKind::Channel { &[] } else { readers };
    json!({
        "id": message.id.as_ref().map(json::uuid),
        "chat_id": message.chat_id.to_hex(),
        "kind": kind_word(message.kind),
        "own": message.own,
        "status": message.own.then(|| message.status.word()),
        "readers": shown.iter().map(reader).collect::<Vec<_>>(),
    })
}
