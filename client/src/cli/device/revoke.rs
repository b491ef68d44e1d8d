//! `aside device revoke`: removes a device from the account for good.

use super::{shown, uuid};
use crate::agent::Handle;
use crate::cli::{CliError, Settings, duration, json, profile};
use aside_engine::{ListState, OwnDevice};
use clap::Args;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long what follows in each chat may take.
const SETTLE: Duration = Duration::from_secs(30);

/// Digits of an id that say enough.
const SHORTEST: usize = 4;

#[derive(Debug, Args)]
pub(in crate::cli) struct RevokeArgs {
    /// The device's id from `aside device list`, or its beginning.
    id: String,
    /// How long to wait for the relay.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    timeout: Duration,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) async fn run(args: &RevokeArgs, settings: &Settings) -> Result<(), CliError> {
    let agent = profile::online(settings)?;
    let handle = agent.handle();
    let result = tokio::select! {
        result = revoke(&handle, args) => result,
        error = profile::gives_up(&handle) => Err(error),
    };
    // The other devices of each chat must hear of it.
    agent.close(if result.is_ok() { SETTLE } else { Duration::from_secs(2) }).await;
    let gone = result?;
    if args.json {
        let value = serde_json::json!({ "device": uuid(&gone.entry.device), "machine": gone.machine });
        return json::print("device_revoked", value);
    }
    let machine = gone.machine.as_deref().map_or_else(|| uuid(&gone.entry.device), shown);
    json::line(&format!("{machine} is no device of yours any more. What it holds already, it keeps."))
}

async fn revoke(handle: &Handle, args: &RevokeArgs) -> Result<OwnDevice, CliError> {
    let own = handle.step(|step| step.own_devices()).await?;
    let wanted = args.id.trim().to_lowercase();
    let mut found =
        own.into_iter().filter(|own| wanted.len() >= SHORTEST && uuid(&own.entry.device).starts_with(&wanted));
    let device = match (found.next(), found.next()) {
        (Some(device), None) => device,
        (Some(_), Some(_)) => {
            return Err(CliError::Usage("more than one device begins like that; give more of its id".into()));
        }
        (None, _) => {
            return Err(CliError::Usage("none of your devices has this id; aside device list shows them".into()));
        }
    };
    let id = device.entry.device;
    handle.step(move |step| step.revoke_own_device(id)).await?.map_err(|why| CliError::Usage(why.to_string()))?;
    let deadline = Instant::now() + args.timeout;
    let mut changes = handle.changes();
    loop {
        changes.mark_unchanged();
        match handle.step(move |step| step.list_state(&id)).await? {
            ListState::Done => return Ok(device),
            ListState::Refused(refusal) => {
                return Err(CliError::Refusal(format!("the relay refused ({})", refusal.rule())));
            }
            ListState::Waiting => {}
        }
        if !matches!(timeout_at(deadline, changes.changed()).await, Ok(Ok(()))) {
            let why = "the relay has not answered; the device is removed as soon as this one is connected again";
            return Err(CliError::TimedOut(why.into()));
        }
    }
}
