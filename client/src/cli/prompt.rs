//! Asking a person at the terminal: a yes, a line, words that must not be seen.

use super::CliError;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{IsTerminal, Read, Write, stdin};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

/// Longest answer that is read from standard input.
const LONGEST: u64 = 64 << 10;

/// Asks for a yes; anything else is a no.
pub(super) async fn yes(question: String) -> Result<bool, CliError> {
    let line = answer(question).await?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Asks something, and waits beside everything else that goes on. The end of the input is an empty answer.
pub(super) async fn answer(question: String) -> Result<String, CliError> {
    let answer = spawn_blocking(move || {
        let mut out = std::io::stderr().lock();
        let _ = write!(out, "{question}").and_then(|()| out.flush());
        drop(out);
        let mut line = String::new();
        stdin().read_line(&mut line).map(|_| line)
    });
    answer.await.map_err(std::io::Error::other).and_then(|line| line).map_err(CliError::Input)
}

/// What was given as an argument, or, where nothing or - was, a line from the terminal or all of standard input.
pub(super) fn given(argument: Option<String>, ask: &str) -> Result<String, CliError> {
    if let Some(text) = argument.filter(|text| text != "-") {
        return Ok(text);
    }
    let mut text = String::new();
    if stdin().is_terminal() {
        eprintln!("{ask}");
        stdin().read_line(&mut text).map_err(CliError::Input)?;
    } else {
        stdin().take(LONGEST).read_to_string(&mut text).map_err(CliError::Input)?;
    }
    Ok(text)
}

/// The same for what nobody may see: at the terminal it does not appear while it is typed.
pub(super) fn hidden(ask: &str) -> Result<Zeroizing<String>, CliError> {
    let mut text = Zeroizing::new(String::with_capacity(1024));
    if !stdin().is_terminal() {
        stdin().take(LONGEST).read_to_string(&mut text).map_err(CliError::Input)?;
        return Ok(text);
    }
    eprintln!("{ask}");
    let _quiet = Quiet::begin().map_err(CliError::Input)?;
    // Words may be typed over several lines: reading goes on until an empty line, or until there are enough.
    while text.split_whitespace().count() < aside_crypto::recovery::WORDS {
        let before = text.len();
        let read = stdin().read_line(&mut text).map_err(CliError::Input)?;
        if read == 0 || text.get(before..).is_some_and(|line| line.trim().is_empty()) {
            break;
        }
    }
    eprintln!();
    Ok(text)
}

/// While this lives, the terminal does not show what is typed.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> std::io::Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        quiet.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), OptionalActions::Drain, &self.0);
    }
}
