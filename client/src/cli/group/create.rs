//! `aside group create`, `aside channel create`.

use super::settle::{Asked, ask, deadline, settle};
use super::{CreateArgs, Waiting, info};
use crate::agent::Handle;
use crate::cli::profile::{OnKeyChange, people};
use crate::cli::{CliError, Settings, profile};
use aside_protocol::group::ChatKind;
use aside_protocol::{AccountId, ChatId};
use aside_store::tasks::TaskKind;
use std::time::Duration;
use tokio::time::Instant;

pub(super) async fn run(args: CreateArgs, kind: ChatKind, settings: &Settings) -> Result<(), CliError> {
    let title = args.title.strip_prefix('#').unwrap_or(&args.title).to_owned();
    let deadline = deadline(args.waiting, args.members.len());
    let agent = profile::online(settings)?;
    let handle = agent.handle();
    let result = async {
        let members = people(&handle, &args.members, OnKeyChange::Fail, deadline).await?;
        let accounts: Vec<_> = members.iter().map(|member| member.account).collect();
        let invited = accounts.clone();
        let chat = ask(&handle, move |step| step.create_group(kind, &title, &invited)).await?;
        let settled = founded(&handle, chat, &accounts, (args.waiting, deadline)).await;
        info::print(&handle, chat, args.waiting.json).await?;
        settled
    };
    let result = result.await;
    agent.close(if result.is_ok() { Duration::from_secs(2) } else { Duration::ZERO }).await;
    result
}

/// Waits until it is there, and then until everybody is in it.
async fn founded(
    handle: &Handle,
    chat: ChatId,
    members: &[AccountId],
    (waiting, deadline): (Waiting, Instant),
) -> Result<(), CliError> {
    let Some(row) = handle.read(move |tx| Ok(tx.chat(&chat)?.map(|chat| chat.row))).await? else { return Ok(()) };
    let own = handle.with(|engine| Ok(engine.account())).await?;
    let members: Vec<_> = members.iter().copied().filter(|account| *account != own).collect();
    settle(handle, Asked::one(chat, row, TaskKind::Found, Vec::new()), waiting, deadline).await?;
    settle(handle, Asked::each(chat, row, TaskKind::Add, &members), waiting, deadline).await
}
