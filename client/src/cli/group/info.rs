//! `aside group info`: members, roles, devices, what is still due.

use super::{InfoArgs, kind_word, role_word};
use crate::agent::Handle;
use crate::cli::times::utc;
use crate::cli::{CliError, Settings, json, profile};
use crate::whom::{self, called};
use aside_engine::EngineError;
use aside_protocol::group::Role;
use aside_protocol::{AccountId, ChatId, Millis};
use aside_store::Tx;
use aside_store::accounts::Trust;
use aside_store::chats::{Chat, ChatState};
use aside_store::tasks::{Task, TaskKind};
use aside_tui::text::one_line;
use serde_json::{Value, json};

/// A group with all that is shown of it.
#[derive(Debug)]
struct Shown {
    chat: Chat,
    own: AccountId,
    members: Vec<Person>,
    due: Vec<Due>,
}

/// A member.
#[derive(Debug)]
struct Person {
    account: AccountId,
    name: String,
    named: bool,
    role: Role,
    devices: usize,
    verified: bool,
    key_changed: bool,
}

/// Something that is not in effect yet.
#[derive(Debug)]
struct Due {
    what: &'static str,
    about: Option<(AccountId, String)>,
    since: Millis,
    asked: bool,
}

pub(super) fn run(args: &InfoArgs, settings: &Settings) -> Result<(), CliError> {
    let mut engine = profile::offline(settings)?;
    let own = engine.account();
    let shown = engine.read(|tx| {
        let chat = whom::read_group(tx, &args.group)?;
        Ok(match chat {
            Ok(chat) => Ok(read(tx, chat, own)?),
            Err(unclear) => Err(unclear),
        })
    })?;
    say(&shown?, args.json)
}

/// Prints a group as it is now.
pub(super) async fn print(handle: &Handle, chat: ChatId, as_json: bool) -> Result<(), CliError> {
    let own = handle.with(|engine| Ok(engine.account())).await?;
    let shown = handle.read(move |tx| tx.chat(&chat)?.map(|chat| read(tx, chat, own)).transpose()).await?;
    shown.map_or(Ok(()), |shown| say(&shown, as_json))
}

fn read(tx: &Tx, chat: Chat, own: AccountId) -> Result<Shown, EngineError> {
    let person = |member: aside_store::members::Member| {
        let known = member.account.as_ref();
        Ok::<_, EngineError>(Person {
            account: member.entry.account,
            name: called(tx, &member.entry.account)?,
            named: known.is_some_and(|known| known.trust != Trust::Unnamed),
            role: member.entry.role,
            devices: known.map_or(0, |known| known.list.list.devices.len()),
            verified: tx.verified(&member.entry.account)?.is_some(),
            key_changed: known.is_some_and(|known| known.trust == Trust::Pending),
        })
    };
    let members = tx.members(chat.row)?.into_iter().map(person).collect::<Result<_, _>>()?;
    // Upkeep is nobody's concern.
    let due = tx
        .tasks(chat.row)?
        .into_iter()
        .filter(|task| task.kind != TaskKind::Warm)
        .map(|task| due(tx, &task))
        .collect::<Result<_, _>>()?;
    Ok(Shown { chat, own, members, due })
}

fn due(tx: &Tx, task: &Task) -> Result<Due, EngineError> {
    let what = match task.kind {
        TaskKind::Sync => "bring devices up to date",
        TaskKind::Leave | TaskKind::Remove => "remove",
        TaskKind::Role => "give a role",
        TaskKind::Title => "rename",
        TaskKind::Add => "add",
        TaskKind::Join => "let in",
        TaskKind::Link => "change the link",
        TaskKind::Routing => "mend the relay's routing",
        TaskKind::Found => "found",
        TaskKind::Quit => "leave",
        TaskKind::Enter => "be let in",
        TaskKind::Warm => "renew keys",
    };
    let about = task.account().map(|account| Ok::<_, EngineError>((account, called(tx, &account)?))).transpose()?;
    Ok(Due { what, about, since: task.made, asked: task.asked })
}

fn say(shown: &Shown, as_json: bool) -> Result<(), CliError> {
    if as_json {
        return json::print("group", object(shown));
    }
    json::lines(&text(shown))
}

/// Where this device stands, in a word.
pub(super) fn state_word(state: ChatState) -> &'static str {
    match state {
        ChatState::Unfounded | ChatState::Founding => "being made",
        ChatState::AwaitingWelcome => "waiting",
        ChatState::Live => "in",
        ChatState::Broken => "rejoining",
        ChatState::Left => "left",
    }
}

fn object(shown: &Shown) -> Value {
    let Shown { chat, own, members, due } = shown;
    let role = members.iter().find(|person| person.account == *own).map(|person| role_word(person.role));
    let person = |person: &Person| {
        json!({
            "name": person.name,
            "named": person.named,
            "account": person.account.to_hex(),
            "role": role_word(person.role),
            "devices": person.devices,
            "verified": person.verified,
            "key_changed": person.key_changed,
            "own": person.account == *own,
        })
    };
    let task = |due: &Due| {
        json!({
            "what": due.what,
            "name": due.about.as_ref().map(|(_, name)| name),
            "account": due.about.as_ref().map(|(account, _)| account.to_hex()),
            "since": due.since.0,
            "asked": due.asked,
        })
    };
    json!({
        "chat": chat.chat.to_hex(),
        "kind": kind_word(chat.kind),
        "title": chat.title,
        "state": state_word(chat.state),
        "role": role.filter(|_| chat.state != ChatState::Left),
        "devices": chat.devices,
        "members": members.iter().map(person).collect::<Vec<_>>(),
        "due": due.iter().map(task).collect::<Vec<_>>(),
    })
}

fn text(shown: &Shown) -> Vec<String> {
    let Shown { chat, own, members, due } = shown;
    let mut lines = vec![
        format!("#{}", one_line(&chat.title)),
        format!("kind     {}", kind_word(chat.kind)),
        format!("id       {}", chat.chat.to_hex()),
        format!("state    {}", state_word(chat.state)),
        format!("members  {}, with {} devices", members.len(), chat.devices),
    ];
    lines.extend(members.iter().map(|person| line(person, person.account == *own)));
    lines.extend(due.iter().map(|due| {
        let about = due.about.as_ref().map(|(_, name)| format!(" {name}")).unwrap_or_default();
        format!("due      {}{about}, since {}", due.what, utc(due.since))
    }));
    lines
}

fn line(person: &Person, own: bool) -> String {
    let devices = if person.devices == 1 { "1 device".to_owned() } else { format!("{} devices", person.devices) };
    let mark = match person {
        _ if own => "  you",
        person if person.key_changed => "  another key than before",
        person if person.verified => "  verified",
        person if !person.named => "  name not known yet",
        _ => "",
    };
    format!("  {:<20} {:<7} {devices}{mark}", person.name, role_word(person.role))
}
