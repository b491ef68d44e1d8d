//! `aside verify`: the safety number with somebody, compared and remembered (rule `ACC-3`).

use super::{CliError, Settings, duration, json, profile, prompt, times};
use crate::agent::{Agent, Handle};
use crate::contact::{self, NotFound};
use crate::qr;
use aside_engine::KeyChange;
use aside_protocol::{Millis, Name};
use aside_store::accounts::Account;
use aside_tui::text::one_line;
use clap::Args;
use std::io::IsTerminal;
use std::time::Duration;
use tokio::time::Instant;

/// Digits of a safety number.
const DIGITS: usize = 60;

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Whom.
    name: String,
    /// The 60 digits that the other one sees, with or without spaces; - reads them from standard input. If they are the
    /// same here, that is remembered.
    #[arg(long, value_name = "DIGITS")]
    code: Option<String>,
    /// How long to look the name up.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    timeout: Duration,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Whose number is shown, and what is to be decided with it.
struct Compared {
    account: Account,
    number: String,
    verified: Option<Millis>,
    /// The key is new, and nobody has decided about it yet.
    change: Option<KeyChange>,
}

pub(super) async fn run(args: &VerifyArgs, settings: &Settings) -> Result<(), CliError> {
    let name = profile::name(&args.name)?;
    let code = args.code.clone().map(|code| prompt::given(Some(code), "Type the 60 digits:")).transpose()?;
    let code = code.map(|code| digits(&code)).transpose()?;
    let agent = profile::online(settings)?;
    let result = verify(&agent, &name, args, code).await;
    agent.close(Duration::ZERO).await;
    result
}

async fn verify(agent: &Agent, name: &Name, args: &VerifyArgs, code: Option<String>) -> Result<(), CliError> {
    let handle = agent.handle();
    let mut compared = look(&handle, name, Instant::now() + args.timeout).await?;
    let same = match code {
        Some(code) => Some(code == digits(&compared.number)?),
        None if args.json || !std::io::stdin().is_terminal() => None,
        None => {
            show(&compared)?;
            let question = "Does the other one see the same digits? [y/N] ";
            prompt::yes(question.into()).await?.then_some(true)
        }
    };
    match same {
        Some(true) => compared.verified = Some(agree(&handle, &compared).await?),
        Some(false) => {
            doubt(&handle, &compared).await?;
            return Err(CliError::Differs(name.to_string()));
        }
        None => {}
    }
    report(&compared, args.json, same)
}

/// Who has the name, and the number with them: with the new key, if there is one.
async fn look(handle: &Handle, name: &Name, deadline: Instant) -> Result<Compared, CliError> {
    let (account, number, change) = match contact::find(handle, name, false, deadline).await {
        Ok(account) => {
            let number = contact::number_with(handle, &account).await?;
            (account, number, None)
        }
        Err(NotFound::KeyChanged(key)) => {
            (key.now.clone(), key.number, Some(KeyChange { before: key.before, now: key.now }))
        }
        Err(error) => return Err(error.into()),
    };
    let id = account.account;
    if handle.with(|engine| Ok(engine.account())).await? == id {
        return Err(CliError::Usage("this is your own name; there is nobody to compare with".into()));
    }
    let verified = handle.read(move |tx| Ok(tx.verified(&id)?)).await?;
    Ok(Compared { account, number, verified, change })
}

/// The same digits on both sides: the key is theirs, and a new one is accepted.
async fn agree(handle: &Handle, compared: &Compared) -> Result<Millis, CliError> {
    let (id, change) = (compared.account.account, compared.change.clone());
    let agree = handle.step(move |step| {
        if let Some(change) = &change {
            step.accept_key_for_waiting(change)?;
        }
        step.set_verified(&id, true)?;
        step.tell_now()?;
        Ok(step.now)
    });
    Ok(agree.await?)
}

async fn doubt(handle: &Handle, compared: &Compared) -> Result<(), CliError> {
    let id = compared.account.account;
    let doubt = handle.step(move |step| {
        step.set_verified(&id, false)?;
        step.tell_now()
    });
    Ok(doubt.await?)
}

fn show(compared: &Compared) -> Result<(), CliError> {
    let name = one_line(compared.account.name.as_str());
    if compared.change.is_some() {
        eprintln!("{name} has a new key: perhaps a new account after a loss, perhaps somebody else.");
    }
    eprintln!("Compare this with what {name} sees, in person or on the phone:\n");
    for row in compared.number.split(' ').collect::<Vec<_>>().chunks(4) {
        eprintln!("  {}", row.join(" "));
    }
    eprintln!("\n{}", qr::draw(&compared.number.replace(' ', "")).unwrap_or_default());
    Ok(())
}

fn report(compared: &Compared, as_json: bool, same: Option<bool>) -> Result<(), CliError> {
    let name = compared.account.name.as_str();
    if as_json {
        let value = serde_json::json!({
            "name": name,
            "account": compared.account.account.to_hex(),
            "number": compared.number,
            "verified": compared.verified.map(|at| at.0),
            "key_changed": compared.change.is_some() && same.is_none(),
        });
        return json::print("safety_number", value);
    }
    if same.is_none() {
        json::line(&compared.number)?;
    }
    match compared.verified {
        Some(at) if same == Some(true) => json::line(&format!("{name} is verified. ({})", times::utc(at))),
        Some(at) => {
            eprintln!("Compared before, on {} UTC.", times::utc(at));
            Ok(())
        }
        None => {
            eprintln!("Not compared yet.");
            Ok(())
        }
    }
}

/// The digits of a safety number as somebody wrote it.
fn digits(text: &str) -> Result<String, CliError> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    if digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit()) {
        Ok(digits)
    } else {
        Err(CliError::Usage(format!("a safety number has {DIGITS} digits; copy all of it")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn digits_are_read_however_they_are_grouped() {
        let number = "12345 ".repeat(12);
        assert_eq!(digits(&number).unwrap(), "12345".repeat(12));
        assert_eq!(digits(&number.replace(' ', "-")).unwrap(), "12345".repeat(12));
        for wrong in ["", "12345", &"1".repeat(61), &"x".repeat(60), &"１".repeat(20)] {
            assert!(digits(wrong).is_err(), "{wrong}");
        }
    }
}
