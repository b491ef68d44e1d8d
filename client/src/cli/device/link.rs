//! `aside device link`: makes this machine a device of an account.

use super::{history, shown, uuid};
use crate::agent::{Linking, Met, link, own_machine};
use crate::cli::{CliError, Settings, json, profile, prompt};
use aside_protocol::linking::LinkCode;
use aside_store::profile::Profile;
use clap::Args;
use std::time::Duration;

/// How long the key packages may take to reach the relay; without them no chat can have this device.
const SETTLE: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(in crate::cli) struct LinkArgs {
    /// The code from `aside device add`. Left out, or -, it is read from the terminal or standard input, where no other
    /// program sees it.
    code: Option<String>,
    /// What to call this machine among your devices [default: its host name].
    #[arg(long, value_name = "TEXT")]
    machine: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) async fn run(args: LinkArgs, settings: &Settings) -> Result<(), CliError> {
    let text = prompt::given(args.code, "Paste the code from the other device and press Enter:")?;
    let code = LinkCode::from_link(&text).map_err(|e| CliError::Usage(e.to_string()))?;
    let linking = Linking {
        folder: settings.folder.clone(),
        code,
        machine: args.machine.unwrap_or_else(own_machine),
        choice: settings.transport,
    };
    let (done, linked) = link(&linking, |met| tell(&met, args.json)).await?;
    // Key packages are uploaded now, so that the other devices can let this one into the chats.
    let agent = profile::online(settings)?;
    let result = report(&done, &linking.machine, args.json);
    let handle = agent.handle();
    let result = match linked.and_then(|linked| linked.history) {
        Some(expected) if result.is_ok() => tokio::select! {
            received = history::receive(&handle, expected, args.json) => received,
            error = profile::gives_up(&handle) => Err(error),
        },
        _ => result,
    };
    agent.close(SETTLE).await;
    result
}

fn report(done: &Profile, machine: &str, as_json: bool) -> Result<(), CliError> {
    if as_json {
        return json::print(
            "linked",
            serde_json::json!({
                "name": done.name.as_str(),
                "account": done.account.to_hex(),
                "device": uuid(&done.device),
                "machine": machine,
                "list_version": done.list_version,
                "relay": done.relay.addresses,
            }),
        );
    }
    json::line(&format!("This machine is a device of {} now.", done.name))
}

/// What the user should know while it goes on. Nothing is lost if it cannot be written.
fn tell(met: &Met, as_json: bool) {
    match met {
        Met::Host(host, key) => {
            if as_json {
                let machine = &host.machine;
                let fingerprint = super::fingerprint(key);
                let value =
                    serde_json::json!({ "name": host.name.as_str(), "machine": machine, "fingerprint": fingerprint });
                let _ = json::print("host", value);
                return;
            }
            eprintln!(
                "{} has answered for {}. Agree there if it shows this fingerprint:\n",
                shown(&host.machine),
                host.name
            );
            eprintln!("  {}\n", super::fingerprint(key));
        }
        Met::Agreed if !as_json => eprintln!("The other device has agreed."),
        Met::Agreed => {}
    }
}
