//! What several subcommands do with a profile: open it, find a contact, look at its store without connecting.

use super::error::{reason, stopped};
use super::{CliError, Settings};
use crate::agent::{Agent, Handle};
use aside_crypto::safety::safety_number;
use aside_engine::{Contact, Engine, NameState};
use aside_protocol::Name;
use aside_protocol::Refusal;
use aside_store::Store;
use aside_store::accounts::Account;
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
    /// Go on with the new key.
    Accept,
}

/// The account behind a name: known here, or looked up at the relay before the deadline.
pub(super) async fn contact(
    handle: &Handle,
    wanted: &Name,
    policy: OnKeyChange,
    deadline: Instant,
) -> Result<Account, CliError> {
    if let Some(account) = known(handle, wanted, policy).await? {
        return Ok(account);
    }
    let asked = wanted.clone();
    handle
        .step(move |step| {
            step.look_up(&asked);
            Ok(())
        })
        .await?;
    let asked = wanted.clone();
    let answer = handle.wait(deadline, move |engine| {
        let state = engine.name_state(&asked);
        Ok(state.filter(|state| !matches!(state, NameState::Wanted | NameState::Asked)).cloned())
    });
    let state = tokio::select! {
        state = answer => state?,
        error = gives_up(handle) => return Err(error),
    };
    let why = match state {
        Some(NameState::Known) => match known(handle, wanted, policy).await? {
            Some(account) => return Ok(account),
            None => "the relay's answer did not hold".to_owned(),
        },
        Some(NameState::Refused(Refusal::NotFound(_))) => return Err(CliError::UnknownName(wanted.to_string())),
        Some(NameState::Refused(refusal)) => format!("the relay refused ({})", refusal.rule()),
        _ => reason(&handle.connectivity().borrow()),
    };
    Err(CliError::LookUp { name: wanted.to_string(), why })
}

async fn known(handle: &Handle, wanted: &Name, policy: OnKeyChange) -> Result<Option<Account>, CliError> {
    let wanted = wanted.clone();
    let contact = handle.step(move |step| {
        let contact = step.contact(&wanted)?;
        if let (Contact::KeyChanged(change), OnKeyChange::Accept) = (&contact, policy) {
            step.accept_key(change)?;
            return Ok(Contact::Account(Box::new(change.now.clone())));
        }
        Ok(contact)
    });
    match contact.await? {
        Contact::Account(account) => Ok(Some(*account)),
        Contact::Unknown => Ok(None),
        Contact::KeyChanged(change) => Err(key_changed(handle, &change.now).await?),
    }
}

/// The error that asks a person to decide about a new key.
pub(super) async fn key_changed(handle: &Handle, now: &Account) -> Result<CliError, CliError> {
    let own = handle.with(|engine| Ok(engine.me().root)).await?;
    Ok(CliError::KeyChanged { name: now.name.to_string(), number: safety_number(&own, &now.root) })
}

/// Ends when the connection needs a person before it can come back.
pub(super) async fn gives_up(handle: &Handle) -> CliError {
    let mut connectivity = handle.connectivity();
    let ended = connectivity.wait_for(|state| stopped(state).is_some()).await.map(|state| stopped(&state));
    match ended {
        Ok(Some(error)) => error,
        _ => std::future::pending().await,
    }
}
