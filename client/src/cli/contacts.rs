//! `aside contacts`: everybody this device knows.

use super::{CliError, Settings, json, profile, times};
use aside_protocol::Millis;
use aside_store::accounts::{Account, Trust};
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct ContactsArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ContactsArgs, settings: &Settings) -> Result<(), CliError> {
    let mut engine = profile::offline(settings)?;
    let own = engine.account();
    let known = engine.read(|tx| {
        let others = tx.accounts()?.into_iter().filter(|account| account.account != own);
        let known: Result<Vec<_>, aside_store::StoreError> =
            others.map(|account| Ok((tx.verified(&account.account)?, account))).collect();
        Ok(known?)
    })?;
    let shown = |(verified, account): &(Option<Millis>, Account)| {
        if args.json { object(account, *verified) } else { text(account, *verified) }
    };
    json::lines(&known.iter().map(shown).collect::<Vec<_>>())
}

fn word(trust: Trust) -> &'static str {
    match trust {
        Trust::InUse => "in_use",
        Trust::Pending => "new_key",
        Trust::Replaced => "replaced",
        Trust::Unnamed => "member",
    }
}

fn object(account: &Account, verified: Option<Millis>) -> String {
    let value = serde_json::json!({
        "name": account.name.as_str(),
        "account": account.account.to_hex(),
        "root_key": account.root.to_hex(),
        "trust": word(account.trust),
        "verified": verified.map(|at| at.0),
        "devices": account.list.list.devices.len(),
    });
    json::object("contact", value)
}

fn text(account: &Account, verified: Option<Millis>) -> String {
    let verified = verified.map_or_else(|| "not verified".to_owned(), |at| format!("verified {}", times::utc(at)));
    let trust = match account.trust {
        Trust::InUse => "",
        Trust::Pending => "  a new key, not accepted yet",
        Trust::Replaced => "  an older key",
        Trust::Unnamed => "  known from a group alone",
    };
    format!("{:<32} {verified}{trust}", account.name.as_str())
}
