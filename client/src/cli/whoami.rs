//! `aside whoami`: who this device is.

use super::{CliError, Settings, json, profile};
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct WhoamiArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &WhoamiArgs, settings: &Settings) -> Result<(), CliError> {
    let (own, nodes) = profile::offline(settings)?.read(|tx| Ok((tx.profile()?, tx.nodes()?)))?;
    let own = own.ok_or(aside_engine::EngineError::NotRegistered)?;
    let device = uuid::Uuid::from_bytes(own.device.0).to_string();
    if args.json {
        return json::print(
            "whoami",
            serde_json::json!({
                "name": own.name.as_str(),
                "account": own.account.to_hex(),
                "device": device,
                "root_key": own.root.to_hex(),
                "relay": own.relay.addresses,
                "nodes": nodes,
                "relay_pin": own.relay.pin.to_hex(),
                "profile": settings.profile,
                "created": own.created.0,
            }),
        );
    }
    json::line(&format!("name     {}", own.name))?;
    json::line(&format!("account  {}", own.account.to_hex()))?;
    json::line(&format!("device   {device}"))?;
    json::line(&format!("relay    {}", own.relay.addresses.join(", ")))?;
    if !nodes.is_empty() {
        json::line(&format!("nodes    {}", nodes.join(", ")))?;
    }
    json::line(&format!("profile  {} ({})", settings.profile, settings.folder.path().display()))
}
