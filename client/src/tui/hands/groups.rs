//! Groups and channels: made, changed, shown; who has read a message.

use super::{Tell, devices};
use crate::agent::Handle;
use crate::whom::called;
use aside_engine::{Allowed, Denied, EngineError, Step};
use aside_protocol::channel::ChannelLink;
use aside_protocol::group::{ChatKind, Role as Given};
use aside_protocol::{AccountId, ChatId};
use aside_store::Tx;
use aside_store::accounts::Trust;
use aside_store::chats::{Chat, ChatState};
use aside_store::tasks::{Task, TaskKind};
use aside_tui::Msg;
use aside_tui::data::{Group, GroupChange, Kind, Member, Progress, Reader, Role};
use std::future::Future;

/// Digits of a group's id that are shown.
const ID_DIGITS: usize = 12;

/// Reads who is in a group.
pub(super) fn members(
    handle: &Handle,
    peer: AccountId,
) -> impl Future<Output = Result<Msg, EngineError>> + Send + use<> {
    handle.with(move |engine| {
        let own = engine.account();
        engine.read(|tx| match tx.chat(&ChatId(peer.0))? {
            Some(chat) => Ok(Msg::Group(peer, group(tx, &chat, &own)?)),
            None => Ok(Msg::Denied("This group is not here any more.".into())),
        })
    })
}

fn group(tx: &Tx, chat: &Chat, own: &AccountId) -> Result<Group, EngineError> {
    let people = tx.members(chat.row)?;
    let role = people.iter().find(|person| person.entry.account == *own).map(|person| shown_role(person.entry.role));
    let members = people.into_iter().map(|person| member(tx, &person, own)).collect::<Result<_, _>>()?;
    // Upkeep is nobody's concern.
    let due = tx
        .tasks(chat.row)?
        .iter()
        .filter(|task| task.kind != TaskKind::Warm)
        .map(|task| due(tx, task))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Group {
        title: chat.title.clone(),
        kind: shown_kind(chat.kind),
        role: role.filter(|_| chat.state != ChatState::Left),
        id: chat.chat.to_hex()[..ID_DIGITS].to_owned(),
        members,
        due,
    })
}

fn member(tx: &Tx, person: &aside_store::members::Member, own: &AccountId) -> Result<Member, EngineError> {
    let known = person.account.as_ref();
    Ok(Member {
        account: person.entry.account,
        name: called(tx, &person.entry.account)?,
        role: shown_role(person.entry.role),
        own: person.entry.account == *own,
        devices: known.map_or(0, |known| known.list.list.devices.len()),
        verified: tx.verified(&person.entry.account)?.is_some(),
        key_changed: known.is_some_and(|known| known.trust == Trust::Pending),
    })
}

fn due(tx: &Tx, task: &Task) -> Result<String, EngineError> {
    let name = task.account().map(|account| called(tx, &account)).transpose()?.unwrap_or_default();
    Ok(match task.kind {
        TaskKind::Add | TaskKind::Join => format!("{name} comes in"),
        TaskKind::Remove | TaskKind::Leave => format!("{name} goes"),
        TaskKind::Role => format!("a role for {name}"),
        TaskKind::Sync => format!("the devices of {name}"),
        TaskKind::Title => "a new name".into(),
        TaskKind::Link => "another link".into(),
        TaskKind::Routing => "what the relay knows of it".into(),
        TaskKind::Found => "it is being made".into(),
        TaskKind::Quit => "you leave".into(),
        TaskKind::Enter => "somebody must let you in".into(),
        TaskKind::Warm => "your keys".into(),
    })
}

/// The kind of a chat as the screen has it.
pub(super) fn shown_kind(kind: ChatKind) -> Kind {
    match kind {
        ChatKind::Direct => Kind::Direct,
        ChatKind::Channel => Kind::Channel,
        _ => Kind::Group,
    }
}

/// A role as the screen has it.
pub(super) fn shown_role(role: Given) -> Role {
    match role {
        Given::Owner => Role::Owner,
        Given::Admin => Role::Admin,
        _ => Role::Member,
    }
}

/// Reads who has received and read a message.
pub(super) fn readers(handle: &Handle, row: i64) -> impl Future<Output = Result<Msg, EngineError>> + Send + use<> {
    handle.read(move |tx| {
        let Some(message) = tx.message(row)? else { return Ok(Msg::Readers(row, Vec::new())) };
        let others = tx.members(message.chat)?.into_iter().filter(|one| Some(one.entry.account) != message.author);
        let reader = |one: aside_store::members::Member| {
            let progress = match message.seq {
                None => Progress::Pending,
                Some(_) if one.read >= message.place => Progress::Read,
                Some(_) if one.delivered >= message.place => Progress::Delivered,
                Some(_) => Progress::Sent,
            };
            Ok::<_, EngineError>(Reader { name: called(tx, &one.entry.account)?, progress })
        };
        Ok(Msg::Readers(row, others.map(reader).collect::<Result<_, _>>()?))
    })
}

/// Asks for the receipts of a large group.
pub(super) fn look<M: Tell>(handle: &Handle, msgs: M, peer: AccountId) -> impl Future<Output = ()> + Send + use<M> {
    let looked = handle.step(move |step| match step.tx.chat(&ChatId(peer.0))? {
        Some(chat) => step.look_at_receipts(chat.row),
        None => Ok(()),
    });
    async move { super::writing::tell_failure(looked.await, &msgs) }
}

/// Makes a group or channel.
pub(super) fn make<M: Tell>(
    handle: &Handle,
    msgs: M,
    (kind, title, members): (Kind, String, Vec<AccountId>),
) -> impl Future<Output = ()> + Send + use<M> {
    let kind = if kind == Kind::Channel { ChatKind::Channel } else { ChatKind::Group };
    let made = handle.step(move |step| step.create_group(kind, &title, &members));
    async move {
        let made = match made.await {
            Ok(Ok(chat)) => Ok(AccountId(chat.0)),
            Ok(Err(denied)) => Err(sentence(&denied)),
            Err(error) => Err(error.to_string()),
        };
        msgs(Msg::Made(made));
    }
}

/// Changes one; it is in effect once the relay and the others have it.
pub(super) fn change<M: Tell>(
    handle: &Handle,
    msgs: M,
    peer: AccountId,
    change: GroupChange,
) -> impl Future<Output = ()> + Send + use<M> {
    let changed = handle.step(move |step| {
        let Some(chat) = step.tx.chat(&ChatId(peer.0))? else { return Ok(Ok(())) };
        apply(step, &chat, change)
    });
    async move { tell_denied(changed.await, &msgs) }
}

/// Makes or finds the link of a channel.
pub(super) fn link<M: Tell>(handle: &Handle, msgs: M, peer: AccountId) -> impl Future<Output = ()> + Send + use<M> {
    let made = handle.step(move |step| match step.tx.chat(&ChatId(peer.0))? {
        Some(chat) => step.channel_link(chat.row),
        None => Ok(Err(Denied::NotIn)),
    });
    async move {
        let link = match made.await {
            Ok(Ok(link)) => Ok(devices::code(link.to_link())),
            Ok(Err(denied)) => Err(sentence(&denied)),
            Err(error) => Err(error.to_string()),
        };
        msgs(Msg::ChannelLink(peer, link));
    }
}

/// Ends the link of a channel.
pub(super) fn drop_link<M: Tell>(
    handle: &Handle,
    msgs: M,
    peer: AccountId,
) -> impl Future<Output = ()> + Send + use<M> {
    let dropped = handle.step(move |step| match step.tx.chat(&ChatId(peer.0))? {
        Some(chat) => step.drop_channel_link(chat.row),
        None => Ok(Err(Denied::NotIn)),
    });
    async move { tell_denied(dropped.await, &msgs) }
}

/// Asks to be let into a channel; its chat is there at once, and says that somebody must let the user in.
pub(super) fn join<M: Tell>(handle: &Handle, msgs: M, link: ChannelLink) -> impl Future<Output = ()> + Send + use<M> {
    let peer = AccountId(link.chat.0);
    let asked = handle.step(move |step| step.join_channel(&link));
    async move {
        let made = match asked.await {
            Ok(Ok(_)) => Ok(peer),
            Ok(Err(denied)) => Err(sentence(&denied)),
            Err(error) => Err(error.to_string()),
        };
        msgs(Msg::Made(made));
    }
}

fn tell_denied(result: Result<Allowed, EngineError>, msgs: &impl Tell) {
    msgs(match result {
        Ok(Ok(())) => Msg::Changed,
        Ok(Err(denied)) => Msg::Denied(sentence(&denied)),
        Err(error) => Msg::Failed(error.to_string()),
    });
}

fn apply(step: &mut Step, chat: &Chat, change: GroupChange) -> aside_engine::Result<Allowed> {
    match change {
        GroupChange::Add(accounts) => step.add_members(chat.row, &accounts),
        GroupChange::Remove(account) => step.remove_member(chat.row, &account),
        GroupChange::Role(account, role) => step.set_role(chat.row, &account, given(role)),
        GroupChange::Rename(title) => step.rename_group(chat.row, &title),
        GroupChange::Leave => step.leave(chat.row),
    }
}

fn given(role: Role) -> Given {
    match role {
        Role::Owner => Given::Owner,
        Role::Admin => Given::Admin,
        Role::Member => Given::Member,
    }
}

/// As a sentence of its own.
fn sentence(denied: &Denied) -> String {
    let text = denied.to_string();
    let mut letters = text.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}
