//! `aside send`: stores a message, then waits as long as it is asked to.

use super::error::{reason, refused};
use super::profile::OnKeyChange;
use super::{CliError, Settings, duration, json, profile};
use crate::agent::{Connectivity, Handle};
use crate::contact::{self, NewKey, NotFound};
use crate::whom::Meant;
use aside_protocol::MessageId;
use aside_protocol::group::ChatKind;
use aside_protocol::limits::MAX_TEXT;
use aside_store::accounts::Trust;
use aside_store::chats::Chat;
use aside_store::messages::{Message, MessageRow, Status};
use clap::{Args, ValueEnum};
use std::io::{IsTerminal, Read};
use std::time::Duration;
use tokio::time::Instant;

/// How often receipts of a large group are asked for while somebody waits for them.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct SendArgs {
    /// Whom to write to: a name, #group, or a chat's id.
    name: String,
    /// The text; - reads it from standard input, as does leaving it out when standard input is not a terminal.
    text: Option<String>,
    /// What to wait for.
    #[arg(long, value_enum, default_value = "sent")]
    wait: Wait,
    /// How long to wait.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    timeout: Duration,
    /// The message's id (UUID). The same id again sends nothing new and reports the first one's state.
    #[arg(long, value_name = "UUID")]
    id: Option<uuid::Uuid>,
    /// What to do when the name leads to a new key [default: fail, or what `aside trust policy` says].
    #[arg(long, value_enum)]
    on_key_change: Option<OnKeyChange>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wait {
    /// Durable at the relay.
    Sent,
    /// Stored by a device of the other account; in a group, of every other one.
    Delivered,
    /// Read there.
    Read,
}

impl Wait {
    fn status(self) -> Status {
        match self {
            Self::Sent => Status::Sent,
            Self::Delivered => Status::Delivered,
            Self::Read => Status::Read,
        }
    }
}

pub(super) async fn run(args: SendArgs, settings: &Settings) -> Result<(), CliError> {
    let text = text(args.text.as_deref())?;
    let deadline = Instant::now() + args.timeout;
    let agent = profile::online(settings)?;
    let handle = agent.handle();
    let id = MessageId(*args.id.unwrap_or_else(uuid::Uuid::now_v7).as_bytes());
    let result = async {
        let to = profile::meant(&handle, &args.name).await?;
        may_wait(&to, args.wait)?;
        let policy = OnKeyChange::or_chosen(args.on_key_change, &handle).await?;
        let (row, repeated) = accept(&handle, &to, id, text, policy, deadline).await?;
        let message = wait(&handle, &to, row, args.wait.status(), deadline).await.map_err(kept)?;
        report(&message, repeated, args.json)?;
        if message.status >= args.wait.status() { Ok(()) } else { Err(timed_out(&handle, &message, args.wait).await) }
    };
    let result = result.await;
    agent.close(if result.is_ok() { Duration::from_secs(2) } else { Duration::ZERO }).await;
    result
}

/// In channels nobody says what they have received.
fn may_wait(to: &Meant, wait: Wait) -> Result<(), CliError> {
    match to {
        Meant::Group(chat) if chat.kind == ChatKind::Channel && wait.status() > Status::Sent => {
            Err(CliError::Usage("in a channel nobody says what they have received; wait for sent".into()))
        }
        _ => Ok(()),
    }
}

/// A message that is in the outbox stays there, whatever keeps it from being sent.
fn kept(error: CliError) -> CliError {
    match error {
        CliError::Transport(error) => CliError::Kept(error),
        other => other,
    }
}

/// Stores the message, unless one with its id is there already.
async fn accept(
    handle: &Handle,
    to: &Meant,
    id: MessageId,
    text: String,
    policy: OnKeyChange,
    deadline: Instant,
) -> Result<(MessageRow, bool), CliError> {
    if let Some(message) = handle.step(move |step| step.own_message(&id)).await? {
        let same = match to {
            Meant::Person(name) => message.kind == ChatKind::Direct && message.peer_name == name.as_str(),
            Meant::Group(chat) => message.chat == chat.row,
        };
        if !same {
            let other = json::chat_name(message.kind, &message.peer_name);
            return Err(CliError::Usage(format!("that --id was used for a message to {other}; take a new one")));
        }
        return Ok((message.row, true));
    }
    let peer = match to {
        Meant::Person(name) => match contact::find(handle, name, policy == OnKeyChange::Accept, deadline).await {
            Err(NotFound::KeyChanged(key)) if policy == OnKeyChange::Hold => {
                return Err(hold(handle, *key, id, text).await?);
            }
            found => found?.account,
        },
        Meant::Group(chat) => chat.peer,
    };
    let accepted = handle.step(move |step| step.send_text(&peer, id, &text)).await??;
    Ok((accepted.row, accepted.repeated))
}

/// Stores the message for the new key: nothing is encrypted for it before somebody accepts it.
async fn hold(handle: &Handle, key: NewKey, id: MessageId, text: String) -> Result<CliError, CliError> {
    let to = key.now.account;
    handle.step(move |step| step.send_text(&to, id, &text)).await??;
    Ok(CliError::Held { name: key.now.name.to_string(), number: key.number })
}

/// Waits for a status. What waits for an account whose name turns out to have a new key waits in vain.
async fn wait(
    handle: &Handle,
    to: &Meant,
    row: MessageRow,
    wanted: Status,
    deadline: Instant,
) -> Result<Message, CliError> {
    let name = match to {
        Meant::Person(name) => name,
        Meant::Group(chat) => return wait_in_group(handle, chat, row, wanted, deadline).await,
    };
    let asked = name.clone();
    let reached = handle.wait(deadline, move |engine| {
        engine.read(|tx| {
            let message = tx.message(row)?;
            let pending = message.as_ref().is_some_and(|message| message.status == Status::Pending);
            let rival =
                tx.accounts_named(&asked)?.into_iter().find(|account| pending && account.trust == Trust::Pending);
            Ok(message.filter(|message| rival.is_some() || message.status >= wanted).map(|message| (message, rival)))
        })
    });
    let reached = tokio::select! {
        reached = reached => reached?,
        error = profile::gives_up(handle) => return Err(error),
    };
    let present = match reached {
        Some((_, Some(rival))) => return Err(profile::key_changed(handle, &rival).await?),
        Some((message, None)) => Some(message),
        None => handle.read(move |tx| Ok(tx.message(row)?)).await?,
    };
    present.ok_or_else(|| aside_engine::EngineError::Bug("the message is gone".into()).into())
}

/// The same in a group, where a large one's receipts must be asked for.
async fn wait_in_group(
    handle: &Handle,
    chat: &Chat,
    row: MessageRow,
    wanted: Status,
    deadline: Instant,
) -> Result<Message, CliError> {
    let group = chat.row;
    loop {
        let until = deadline.min(Instant::now() + LOOK_AGAIN);
        let reached = handle.wait(until, move |engine| {
            engine.read(|tx| Ok(tx.message(row)?.filter(|message| message.status >= wanted)))
        });
        let reached = tokio::select! {
            reached = reached => reached?,
            error = profile::gives_up(handle) => return Err(error),
        };
        let present = match reached {
            Some(message) => return Ok(message),
            None if Instant::now() < deadline => None,
            None => handle.read(move |tx| Ok(tx.message(row)?)).await?,
        };
        match present {
            Some(message) => return Ok(message),
            None if Instant::now() < deadline => handle.step(move |step| step.look_at_receipts(group)).await?,
            None => return Err(aside_engine::EngineError::Bug("the message is gone".into()).into()),
        }
    }
}

fn report(message: &Message, repeated: bool, as_json: bool) -> Result<(), CliError> {
    let id = message.id.as_ref().map(json::uuid).unwrap_or_default();
    if as_json {
        let value = serde_json::json!({
            "id": id,
            "to": json::chat_name(message.kind, &message.peer_name),
            "chat_id": message.chat_id.to_hex(),
            "status": message.status.word(),
            "seq": message.seq.map(|seq| seq.0),
            "time": message.relay_time.map(|time| time.0),
            "repeated": repeated,
        });
        return json::print("sent", value);
    }
    let before = if repeated { " (accepted before)" } else { "" };
    json::line(&format!("{} {id}{before}", message.status.word()))
}

async fn timed_out(handle: &Handle, message: &Message, wanted: Wait) -> CliError {
    let status = message.status.word();
    if message.status != Status::Pending {
        return CliError::TimedOut(format!("the message is {status}, but not {} yet", wanted.status().word()));
    }
    let trouble = handle.with(|engine| Ok(engine.trouble().cloned())).await.ok().flatten();
    let why = trouble.map_or_else(|| reason(&handle.connectivity().borrow()), |refusal| refused(&refusal));
    if let Connectivity::Failed(why) = &*handle.connectivity().borrow() {
        return CliError::Failed(why.clone());
    }
    let stays = "it stays in the outbox and goes out with the next command";
    CliError::TimedOut(format!("the message is not sent yet ({why}); {stays}"))
}

/// The text as given, or all of standard input without its last line break.
fn text(given: Option<&str>) -> Result<String, CliError> {
    match given {
        Some(text) if text != "-" => return Ok(text.to_owned()),
        None if std::io::stdin().is_terminal() => {
            return Err(CliError::Usage("give a text, or - to read it from standard input".into()));
        }
        _ => {}
    }
    let mut text = read(std::io::stdin()).map_err(CliError::Input)?;
    let end = text.strip_suffix('\n').map_or(text.len(), |rest| rest.strip_suffix('\r').unwrap_or(rest).len());
    text.truncate(end);
    Ok(text)
}

/// All of an input, or more of it than may be sent, cut between two characters.
fn read(input: impl Read) -> std::io::Result<String> {
    let most = MAX_TEXT + 8;
    let mut bytes = Vec::new();
    input.take(most as u64).read_to_end(&mut bytes)?;
    let whole = match std::str::from_utf8(&bytes) {
        Err(cut) if bytes.len() == most && cut.error_len().is_none() => cut.valid_up_to(),
        _ => bytes.len(),
    };
    bytes.truncate(whole);
    String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not text"))
}
