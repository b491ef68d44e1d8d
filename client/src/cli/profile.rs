//! What several subcommands do with a profile: open it, find a contact, look at its store without connecting.

use super::{CliError, Settings};
use crate::agent::{Agent, Handle};
use crate::contact;
use crate::whom::{self, Meant};
use aside_engine::Engine;
use aside_protocol::Name;
use aside_store::Store;
use aside_store::accounts::Account;
use aside_store::chats::Chat;
use std::time::Duration;
use tokio::time::Instant;

/// Opens the profile for looking only; no connection is made.
pub(super) fn offline(settings: &Settings) -> Result<Engine, CliError> {
    Ok(Engine::new(Store::open(&settings.folder)?, settings.engine.clone())?)
}

/// Opens the profile and connects.
pub(super) fn online(settings: &Settings) -> Result<Agent, CliError> {
    Ok(Agent::open(&settings.folder, settings.engine.clone(), settings.transport)?)
}

/// A name as the user typed it.
pub(super) fn name(text: &str) -> Result<Name, CliError> {
    Name::new(text).map_err(|e| CliError::Usage(e.to_string()))
}

/// What to do when a name leads to a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum OnKeyChange {
    /// Send nothing, exit with 4.
    Fail,
    /// Keep the message until somebody has decided, exit with 4.
    Hold,
    /// Go on with the new key.
    Accept,
}

/// Names the setting with the policy.
pub(super) const ON_KEY_CHANGE: &str = "on_key_change";

impl OnKeyChange {
    /// As it is written on the command line and in the settings.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Hold => "hold",
            Self::Accept => "accept",
        }
    }

    /// What a setting says; the careful one if nothing.
    pub(super) fn from_word(word: Option<&str>) -> Self {
        match word {
            Some("accept") => Self::Accept,
            Some("hold") => Self::Hold,
            _ => Self::Fail,
        }
    }

    /// What was given, or else what was chosen for this profile.
    pub(super) async fn or_chosen(given: Option<Self>, handle: &Handle) -> Result<Self, CliError> {
        match given {
            Some(given) => Ok(given),
            None => Ok(Self::from_word(handle.read(|tx| Ok(tx.setting(ON_KEY_CHANGE)?)).await?.as_deref())),
        }
    }
}

/// The account behind a name: known here, or looked up at the relay before the deadline.
pub(super) async fn contact(
    handle: &Handle,
    wanted: &Name,
    policy: OnKeyChange,
    deadline: Instant,
) -> Result<Account, CliError> {
    Ok(contact::find(handle, wanted, policy == OnKeyChange::Accept, deadline).await?)
}

/// The error that asks a person to decide about a new key.
pub(super) async fn key_changed(handle: &Handle, now: &Account) -> Result<CliError, CliError> {
    let number = contact::number_with(handle, now).await?;
    Ok(CliError::KeyChanged { name: now.name.to_string(), number })
}

/// Ends when the connection needs a person before it can come back.
pub(super) async fn gives_up(handle: &Handle) -> CliError {
    contact::stops(handle).await.into()
}

/// How long a command that is about a group waits for what others changed there meanwhile, before it goes by what it knows.
const NEWS: Duration = Duration::from_secs(5);

/// Whom or what a text names. A group may have been made, or called so, since this device was last online.
pub(super) async fn meant(handle: &Handle, text: &str) -> Result<Meant, CliError> {
    let look = || {
        let text = text.to_owned();
        handle.read(move |tx| whom::read(tx, &text))
    };
    match look().await? {
        Ok(person @ Meant::Person(_)) => Ok(person),
        _ => {
            news(handle).await;
            Ok(look().await??)
        }
    }
}

/// The group or channel that a text names, with what others changed there meanwhile.
pub(super) async fn group(handle: &Handle, text: &str) -> Result<Chat, CliError> {
    news(handle).await;
    let text = text.to_owned();
    Ok(handle.read(move |tx| whom::read_group(tx, &text)).await??)
}

/// Waits until the queue is read, for a while.
async fn news(handle: &Handle) {
    let mut caught_up = handle.caught_up();
    let read = async { while !*caught_up.borrow_and_update() && caught_up.changed().await.is_ok() {} };
    tokio::select! {
        _ = tokio::time::timeout(NEWS, read) => {}
        // Without a connection there is no news.
        _ = contact::stops(handle) => {}
    }
}

/// The accounts behind names, each once: known here, or looked up at the relay, many at a time.
pub(super) async fn people(
    handle: &Handle,
    names: &[String],
    policy: OnKeyChange,
    deadline: Instant,
) -> Result<Vec<Account>, CliError> {
    let mut wanted = Vec::new();
    for text in names {
        let name = name(text)?;
        if !wanted.contains(&name) {
            wanted.push(name);
        }
    }
    contact::look_up_all(handle, &wanted, deadline).await?;
    let mut people = Vec::new();
    for name in &wanted {
        people.push(contact(handle, name, policy, deadline).await?);
    }
    Ok(people)
}
