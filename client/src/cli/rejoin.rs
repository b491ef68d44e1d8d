//! `aside rejoin`: has this device added to a chat again with new keys. It asks for that by itself where it notices that its
//! state is broken; this is for whoever thinks it should.

use super::{CliError, Settings, duration, json, profile};
use crate::agent::{Agent, Handle};
use crate::whom::Meant;
use aside_protocol::ChatId;
use aside_store::chats::{Chat, ChatState};
use clap::Args;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// Arguments of `aside rejoin`.
#[derive(Debug, Args)]
pub(super) struct RejoinArgs {
    /// Which chat: a name, #name, or a chat's id.
    name: String,
    /// How long to wait until another device has added this one.
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
    timeout: Duration,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: RejoinArgs, settings: &Settings) -> Result<(), CliError> {
    let deadline = Instant::now() + args.timeout;
    let agent: Agent = profile::online(settings)?;
    let handle = agent.handle();
    let result = rejoin(&handle, &args, deadline).await;
    agent.close(if result.is_ok() { Duration::from_secs(2) } else { Duration::ZERO }).await;
    result
}

async fn rejoin(handle: &Handle, args: &RejoinArgs, deadline: Instant) -> Result<(), CliError> {
    let chat = chat(handle, &args.name).await?;
    let row = chat.row;
    handle.step(move |step| step.join_again(row)).await??;
    let back = handle.wait(deadline, move |engine| {
        let state = engine.read(|tx| Ok(tx.chat_at(row)?.map(|chat| chat.state)))?;
        Ok((state == Some(ChatState::Live)).then_some(()))
    });
    let back = tokio::select! {
        back = back => back?,
        error = profile::gives_up(handle) => return Err(error),
    };
    if back.is_none() {
        let text = "no other device of this chat has added this one yet; it goes on asking whenever aside runs";
        return Err(CliError::TimedOut(text.into()));
    }
    match args.json {
        true => json::print("rejoined", json!({ "chat": args.name, "id": chat.chat.to_hex() })),
        false => json::line("This device is in the chat again, with new keys."),
    }
}

/// The chat a text names, if there is one.
async fn chat(handle: &Handle, text: &str) -> Result<Chat, CliError> {
    let name = match profile::meant(handle, text).await? {
        Meant::Group(chat) => return Ok(*chat),
        Meant::Person(name) => name,
    };
    let wanted = name.clone();
    let found = handle.read(move |tx| {
        let me = tx.profile()?.map(|profile| profile.account);
        let (Some(me), Some(peer)) = (me, tx.accounts_named(&wanted)?.into_iter().next()) else { return Ok(None) };
        Ok(tx.chat(&ChatId::direct(&me, &peer.account))?)
    });
    found.await?.ok_or_else(|| CliError::Usage(format!("there is no chat with {name} yet")))
}
