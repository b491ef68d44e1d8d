//! `aside mute`: a chat that asks for no attention, on all devices of the account.

use super::{CliError, Settings, duration, json, profile};
use crate::agent::{Agent, Handle, now};
use crate::whom::Meant;
use aside_engine::ALWAYS;
use aside_protocol::{AccountId, Millis, Name};
use clap::Args;
use serde_json::json;
use std::time::Duration;

/// How long the command stays to tell the other devices.
const TELL: Duration = Duration::from_secs(2);

/// Arguments of `aside mute`.
#[derive(Debug, Args)]
pub(super) struct MuteArgs {
    /// Which chat: a name, #name, or a chat's id.
    name: String,
    /// For how long; without it until you say otherwise.
    #[arg(long = "for", value_name = "TIME", value_parser = duration, conflicts_with = "off")]
    time: Option<Duration>,
    /// Let it be heard again.
    #[arg(long)]
    off: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl MuteArgs {
    fn until(&self, now: Millis) -> Millis {
        match self.time {
            _ if self.off => Millis(0),
            None => ALWAYS,
            Some(time) => {
                let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                Millis(now.0.saturating_add(ms).min(ALWAYS.0))
            }
        }
    }
}

pub(super) async fn run(args: &MuteArgs, settings: &Settings) -> Result<(), CliError> {
    let agent: Agent = profile::online(settings)?;
    let result = mute(&agent.handle(), args).await;
    agent.close(if result.is_ok() { TELL } else { Duration::ZERO }).await;
    result
}

async fn mute(handle: &Handle, args: &MuteArgs) -> Result<(), CliError> {
    let peer = match profile::meant(handle, &args.name).await? {
        Meant::Group(chat) => AccountId(chat.chat.0),
        Meant::Person(name) => known(handle, name).await?,
    };
    let until = args.until(now());
    let muted = handle.step(move |step| {
        step.mute_with(&peer, until)?;
        step.tell_now()
    });
    muted.await?;
    match (args.json, args.off) {
        (true, _) => json::print("muted", json!({ "chat": args.name, "until": until.0 })),
        (false, true) => json::line(&format!("{} is not muted any more.", args.name)),
        (false, false) => json::line(&format!("{} is muted.", args.name)),
    }
}

/// The account in use of somebody this device knows.
async fn known(handle: &Handle, name: Name) -> Result<AccountId, CliError> {
    let wanted = name.clone();
    let found = handle.read(move |tx| Ok(tx.accounts_named(&wanted)?.into_iter().next())).await?;
    let unknown = || CliError::Failed(format!("there is no chat with {name} yet; aside chats lists those there are"));
    found.map(|account| account.account).ok_or_else(unknown)
}
