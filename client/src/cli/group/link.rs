//! `aside channel invite`, `aside channel join`.

use super::settle::{Asked, ask, deadline, settle};
use super::{InviteArgs, JoinArgs, info};
use crate::cli::{CliError, Settings, json, profile};
use aside_protocol::channel::ChannelLink;
use aside_store::chats::ChatState;
use aside_store::tasks::TaskKind;
use std::io::Read;
use std::time::Duration;

/// Longer than any link.
const LONGEST: u64 = 64 * 1024;

/// Prints the link once it is in effect, so that whoever gets it can use it.
pub(super) async fn invite(args: InviteArgs, settings: &Settings) -> Result<(), CliError> {
    let deadline = deadline(args.waiting, 1);
    let agent = profile::online(settings)?;
    let handle = agent.handle();
    let result = async {
        let chat = profile::group(&handle, &args.group).await?;
        let (row, off) = (chat.row, args.off);
        let link = ask(&handle, move |step| {
            Ok(match off {
                true => step.drop_channel_link(row)?.map(|()| None),
                false => step.channel_link(row)?.map(Some),
            })
        });
        let link = link.await?;
        let settled =
            settle(&handle, Asked::one(chat.chat, row, TaskKind::Link, Vec::new()), args.waiting, deadline).await;
        say(link, &chat.chat.to_hex(), args.waiting.json)?;
        settled
    };
    let result = result.await;
    agent.close(if result.is_ok() { Duration::from_secs(2) } else { Duration::ZERO }).await;
    result
}

fn say(link: Option<ChannelLink>, chat: &str, as_json: bool) -> Result<(), CliError> {
    let link = link.map(|link| link.to_link());
    match (as_json, link) {
        (true, link) => json::print("channel_link", serde_json::json!({ "chat": chat, "link": link })),
        (false, Some(link)) => json::line(&link),
        (false, None) => {
            eprintln!("Nobody joins by a link any more.");
            Ok(())
        }
    }
}

/// Asks to be let in, and waits until somebody who is in the channel has done so.
pub(super) async fn join(args: JoinArgs, settings: &Settings) -> Result<(), CliError> {
    let link = ChannelLink::from_link(&text(&args.link)?).map_err(|error| CliError::Usage(error.to_string()))?;
    let deadline = deadline(args.waiting, 1);
    let agent = profile::online(settings)?;
    let handle = agent.handle();
    let result = async {
        let chat = link.chat;
        if !ask(&handle, move |step| step.join_channel(&link)).await? {
            eprintln!("You are in this channel already.");
            return info::print(&handle, chat, args.waiting.json).await;
        }
        let row = handle.read(move |tx| Ok(tx.chat(&chat)?.map(|chat| chat.row))).await?.unwrap_or_default();
        let asked = Asked::one(chat, row, TaskKind::Enter, Vec::new());
        match settle(&handle, asked, args.waiting, deadline).await {
            Err(CliError::TimedOut(_)) => return Err(CliError::TimedOut(NOBODY_YET.into())),
            other => other?,
        }
        let state = handle.read(move |tx| Ok(tx.chat(&chat)?.map(|chat| chat.state))).await?;
        if state != Some(ChatState::Live) && !args.waiting.no_wait {
            return Err(CliError::Failed(NO_CHANNEL.into()));
        }
        info::print(&handle, chat, args.waiting.json).await
    };
    let result = result.await;
    agent.close(if result.is_ok() { Duration::from_secs(2) } else { Duration::ZERO }).await;
    result
}

/// Nobody answered in time.
const NOBODY_YET: &str = "nobody has let you in yet: somebody who is in the channel must be online, and the link must \
     still be valid. The request stands, and is repeated while aside runs";

/// The relay does not know it.
const NO_CHANNEL: &str = "the relay knows no such channel: the link is old, or for another relay";

/// The link as given, or from standard input: a link is a secret, and arguments are seen by others on the machine.
fn text(given: &str) -> Result<String, CliError> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().take(LONGEST).read_to_string(&mut text).map_err(CliError::Input)?;
    Ok(text)
}
