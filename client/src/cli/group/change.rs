//! Changes of a group: people added and removed, roles, its name, leaving it.

use super::settle::{Asked, ask, deadline, settle};
use super::{LeaveArgs, MembersArgs, RenameArgs, RoleArgs, Waiting, info, role_word};
use crate::agent::{Agent, Handle};
use crate::cli::profile::{OnKeyChange, people};
use crate::cli::{CliError, Settings, profile};
use aside_engine::Denied;
use aside_protocol::AccountId;
use aside_store::chats::{Chat, ChatState};
use aside_store::tasks::TaskKind;
use std::future::Future;
use std::time::Duration;
use tokio::time::Instant;

/// What a change of a group is made with.
struct Change {
    handle: Handle,
    chat: Chat,
    waiting: Waiting,
    deadline: Instant,
}

/// Makes a change, waits for it, shows the group as it is then.
async fn change<F>(
    settings: &Settings,
    (group, waiting, many): (&str, Waiting, usize),
    work: impl FnOnce(Change) -> F,
) -> Result<(), CliError>
where
    F: Future<Output = Result<(), CliError>>,
{
    let deadline = deadline(waiting, many);
    let agent: Agent = profile::online(settings)?;
    let handle = agent.handle();
    let result = async {
        let chat = profile::group(&handle, group).await?;
        let id = chat.chat;
        work(Change { handle: handle.clone(), chat, waiting, deadline }).await?;
        info::print(&handle, id, waiting.json).await
    };
    let result = result.await;
    agent.close(if result.is_ok() { Duration::from_secs(2) } else { Duration::ZERO }).await;
    result
}

pub(super) async fn add(args: MembersArgs, settings: &Settings) -> Result<(), CliError> {
    let MembersArgs { group, members, waiting } = args;
    change(settings, (&group, waiting, members.len()), async |change| {
        let accounts = change.people(&members).await?;
        let (row, added) = (change.chat.row, accounts.clone());
        ask(&change.handle, move |step| step.add_members(row, &added)).await?;
        let asked = Asked::each(change.chat.chat, row, TaskKind::Add, &accounts);
        change.settle(asked).await?;
        change.is_so("the members were not added", move |member| accounts.iter().all(|a| member(a).is_some())).await
    })
    .await
}

pub(super) async fn remove(args: MembersArgs, settings: &Settings) -> Result<(), CliError> {
    let MembersArgs { group, members, waiting } = args;
    change(settings, (&group, waiting, members.len()), async |change| {
        let accounts = change.people(&members).await?;
        let (row, removed) = (change.chat.row, accounts.clone());
        ask(&change.handle, move |step| {
            for account in &removed {
                if let Err(denied) = step.remove_member(row, account)? {
                    return Ok(Err(denied));
                }
            }
            Ok(Ok(()))
        })
        .await?;
        let asked = Asked::each(change.chat.chat, row, TaskKind::Remove, &accounts);
        change.settle(asked).await?;
        change.is_so("the members were not removed", move |member| accounts.iter().all(|a| member(a).is_none())).await
    })
    .await
}

pub(super) async fn leave(args: LeaveArgs, settings: &Settings) -> Result<(), CliError> {
    change(settings, (&args.group, args.waiting, 1), async |change| {
        let row = change.chat.row;
        if args.cancel {
            let was_leaving = change.handle.step(move |step| step.stay(row)).await?;
            let not = || CliError::Failed("you are not about to leave this".into());
            return was_leaving.then_some(()).ok_or_else(not);
        }
        ask(&change.handle, move |step| step.leave(row)).await?;
        change.settle(Asked::one(change.chat.chat, row, TaskKind::Quit, Vec::new())).await
    })
    .await
}

pub(super) async fn rename(args: RenameArgs, settings: &Settings) -> Result<(), CliError> {
    change(settings, (&args.group, args.waiting, 1), async |change| {
        let row = change.chat.row;
        let title = args.title.strip_prefix('#').unwrap_or(&args.title).to_owned();
        ask(&change.handle, move |step| step.rename_group(row, &title)).await?;
        change.settle(Asked::one(change.chat.chat, row, TaskKind::Title, Vec::new())).await
    })
    .await
}

pub(super) async fn role(args: RoleArgs, settings: &Settings) -> Result<(), CliError> {
    change(settings, (&args.group, args.waiting, 1), async |change| {
        let accounts = change.people(std::slice::from_ref(&args.member)).await?;
        let Some(account) = accounts.first().copied() else { return Ok(()) };
        let (row, role) = (change.chat.row, args.role.role());
        ask(&change.handle, move |step| step.set_role(row, &account, role)).await?;
        change.settle(Asked::one(change.chat.chat, row, TaskKind::Role, account.as_ref().to_vec())).await?;
        change.is_so("the role was not given", move |member| member(&account) == Some(role_word(role))).await
    })
    .await
}

impl Change {
    async fn people(&self, names: &[String]) -> Result<Vec<AccountId>, CliError> {
        let people = people(&self.handle, names, OnKeyChange::Fail, self.deadline).await?;
        Ok(people.into_iter().map(|person| person.account).collect())
    }

    async fn settle(&self, asked: Asked) -> Result<(), CliError> {
        settle(&self.handle, asked, self.waiting, self.deadline).await
    }

    /// A change that is not due any more and not in effect was refused by what happened meanwhile.
    async fn is_so(
        &self,
        otherwise: &'static str,
        look: impl FnOnce(&dyn Fn(&AccountId) -> Option<&'static str>) -> bool + Send + 'static,
    ) -> Result<(), CliError> {
        if self.waiting.no_wait {
            return Ok(());
        }
        let row = self.chat.row;
        let (so, left) = self
            .handle
            .read(move |tx| {
                let roster = tx.roster(row)?;
                let left = tx.chat_at(row)?.is_some_and(|chat| chat.state == ChatState::Left);
                Ok((look(&|account| roster.get(account).map(|entry| role_word(entry.role))), left))
            })
            .await?;
        match (so, left) {
            (true, _) => Ok(()),
            (false, true) => Err(CliError::Denied(Denied::NotIn)),
            (false, false) => Err(CliError::Failed(format!("{otherwise}: the group or your role in it has changed"))),
        }
    }
}
