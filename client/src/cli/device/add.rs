//! `aside device add`: a code for the new machine, a question once it is there.

use super::history::{self, Wish};
use super::{fingerprint, shown, uuid};
use crate::agent::{Handle, HostError, Hosting, Wanted, own_machine};
use crate::cli::{CliError, Settings, duration, json, profile, prompt};
use crate::qr;
use aside_protocol::linking::{Linked, NotLinked};
use clap::Args;
use std::io::IsTerminal;
use std::time::Duration;
use tokio::time::Instant;

/// How long the new list, and what follows from it in each chat, may take.
const SETTLE: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(in crate::cli) struct AddArgs {
    /// Let the first device in that knows the code, without asking. For scripts; its fingerprint is printed.
    #[arg(long)]
    yes: bool,
    /// Which messages the new device gets: all, none, or since=YYYY-MM-DD (UTC). Asked for at the terminal if left out;
    /// in scripts all.
    #[arg(long, value_name = "WHICH", value_parser = history::wish)]
    history: Option<Wish>,
    /// How long to wait for the other machine.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    timeout: Duration,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) async fn run(args: AddArgs, settings: &Settings) -> Result<(), CliError> {
    if !args.yes && !std::io::stdin().is_terminal() {
        let why = "somebody must agree to the new device: run this in a terminal, or pass --yes in a script";
        return Err(CliError::Usage(why.into()));
    }
    let agent = profile::online(settings)?;
    let handle = agent.handle();
    let result = tokio::select! {
        result = add(&handle, &args) => result,
        error = profile::gives_up(&handle) => Err(error),
    };
    // The other devices of each chat must hear of the new one.
    agent.close(if result.is_ok() { SETTLE } else { Duration::from_secs(2) }).await;
    result
}

async fn add(handle: &Handle, args: &AddArgs) -> Result<(), CliError> {
    let deadline = Instant::now() + args.timeout;
    let mut hosting = Hosting::open(handle.clone(), own_machine()).await?;
    hosting.opened(deadline).await?;
    show_code(&hosting.code().to_link(), args)?;
    let linked = admit(&mut hosting, args, deadline).await;
    if let Ok((wanted, linked)) = &linked {
        report(wanted, linked, args.json)?;
        report_chats(hosting.settled(Instant::now() + 2 * SETTLE).await?, args.json)?;
        if linked.history.is_some() {
            history::hand_over(handle, wanted.device.device, args.json).await?;
        }
    }
    hosting.end().await?;
    linked.map(drop)
}

/// Waits for devices until one is let in, or the user says no.
async fn admit(hosting: &mut Hosting, args: &AddArgs, deadline: Instant) -> Result<(Wanted, Linked), CliError> {
    let wanted = hosting.guest(deadline).await?;
    introduce(&wanted, args.json)?;
    if !wanted.known && !args.yes && !agrees(&wanted).await? {
        hosting.refuse(NotLinked::Refused).await?;
        return Err(CliError::Refusal("the device was not let in; its code is over".into()));
    }
    let wish = match args.history {
        Some(wish) => wish,
        None if args.yes => Wish::All,
        None => history::ask().await?,
    };
    let patience = deadline.max(Instant::now() + SETTLE);
    let linked = hosting.accept(&wanted, wish.since(), patience).await?;
    Ok((wanted, linked))
}

fn show_code(code: &str, args: &AddArgs) -> Result<(), CliError> {
    if args.json {
        return json::print("code", serde_json::json!({ "code": code }));
    }
    if std::io::stderr().is_terminal() {
        eprintln!("On the new machine, run:  aside device link\nand paste this code there, or scan it:\n");
        eprintln!("{}", qr::draw(code).unwrap_or_default());
        eprintln!(
            "Keep it to yourself: whoever has it can ask to become a device of yours. It is good for ten minutes.\n"
        );
    }
    json::line(code)
}

fn introduce(wanted: &Wanted, as_json: bool) -> Result<(), CliError> {
    let device = &wanted.device;
    if as_json {
        let value = serde_json::json!({
            "machine": device.machine,
            "device": uuid(&device.device),
            "fingerprint": fingerprint(&device.key),
            "known": wanted.known,
        });
        return json::print("device_asks", value);
    }
    eprintln!("A device that knows the code has come:\n");
    eprintln!("  machine      {}", shown(&device.machine));
    eprintln!("  fingerprint  {}\n", fingerprint(&device.key));
    Ok(())
}

async fn agrees(wanted: &Wanted) -> Result<bool, CliError> {
    let machine = shown(&wanted.device.machine);
    prompt::yes(format!(
        "Is this your machine, and may {machine} read and write as you? Its screen shows the same fingerprint. [y/N] "
    ))
    .await
}

fn report(wanted: &Wanted, linked: &Linked, as_json: bool) -> Result<(), CliError> {
    let device = &wanted.device;
    if as_json {
        let value = serde_json::json!({
            "machine": device.machine,
            "device": uuid(&device.device),
            "list_version": linked.list_version,
        });
        return json::print("device_added", value);
    }
    json::line(&format!("{} is a device of {} now.", shown(&device.machine), linked.name))
}

/// How many chats the new device is not in yet, after having waited for that.
fn report_chats(lacking: usize, as_json: bool) -> Result<(), CliError> {
    if as_json {
        return json::print("device_in_chats", serde_json::json!({ "chats_lacking": lacking }));
    }
    match lacking {
        0 => eprintln!("It is in all of your chats."),
        some => eprintln!("It is not in {some} of your chats yet; that follows while one of your devices is online."),
    }
    Ok(())
}

impl From<HostError> for CliError {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Engine(error) => error.into(),
            other => Self::Host(other),
        }
    }
}
