//! `aside device list`: the devices of the account, as this one knows them.

use super::{fingerprint, shown, uuid};
use crate::cli::{CliError, Settings, json, profile, times};
use aside_engine::{OwnDevice, own_devices};
use clap::Args;

#[derive(Debug, Args)]
pub(in crate::cli) struct ListArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) fn run(args: &ListArgs, settings: &Settings) -> Result<(), CliError> {
    let own = profile::offline(settings)?.read(own_devices)?;
    json::lines(&own.iter().map(|own| if args.json { object(own) } else { text(own) }).collect::<Vec<_>>())
}

fn object(own: &OwnDevice) -> String {
    let value = serde_json::json!({
        "device": uuid(&own.entry.device),
        "machine": own.machine,
        "fingerprint": fingerprint(&own.entry.key),
        "added": own.entry.added.0,
        "this": own.this,
        "leaving": own.leaving,
    });
    json::object("device", value)
}

fn text(own: &OwnDevice) -> String {
    let machine = own.machine.as_deref().map_or_else(|| "(not named here)".to_owned(), shown);
    let note = match (own.this, own.leaving) {
        (true, _) => "  this device",
        (_, true) => "  being removed",
        _ => "",
    };
    let added = times::utc(own.entry.added);
    format!("{}  {added}  {}  {machine}{note}", uuid(&own.entry.device), fingerprint(&own.entry.key))
}
