//! `aside talk`: a conversation line by line, until there is a screen for it.

use super::error::reason;
use super::profile::{OnKeyChange, contact};
use super::recv::{indented, print_all, signed};
use super::{CliError, Settings, json, profile};
use crate::agent::Handle;
use crate::whom::Meant;
use aside_protocol::{AccountId, ChatId, MessageId};
use aside_store::messages::MessageRow;
use clap::Args;
use std::io::{IsTerminal, Write};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::Instant;

/// How long the last messages may take to reach the relay once the input has ended.
const FLUSH: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(super) struct TalkArgs {
    /// With whom: a name, #group, or a chat's id.
    name: String,
}

pub(super) async fn run(args: &TalkArgs, settings: &Settings) -> Result<(), CliError> {
    let agent = profile::online(settings)?;
    let handle = agent.handle();
    let result = async {
        let peer = peer(&handle, &args.name).await?;
        let prompt = std::io::stdin().is_terminal();
        let talk = Talk { handle: handle.clone(), peer, prompt };
        let ended = talk.run().await;
        if prompt {
            eprintln!();
        }
        if !ended? {
            return Ok(());
        }
        tokio::select! {
            flushed = talk.flush() => flushed,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    };
    let result = result.await;
    agent.close(Duration::from_secs(5)).await;
    result
}

async fn peer(handle: &Handle, text: &str) -> Result<AccountId, CliError> {
    match profile::meant(handle, text).await? {
        Meant::Group(chat) => Ok(chat.peer),
        Meant::Person(name) => {
            let deadline = Instant::now() + Duration::from_secs(30);
            Ok(contact(handle, &name, OnKeyChange::Fail, deadline).await?.account)
        }
    }
}

struct Talk {
    handle: Handle,
    peer: AccountId,
    prompt: bool,
}

impl Talk {
    /// Until the input ends or the user interrupts; says whether the input ended, so that what is left should still be sent.
    async fn run(&self) -> Result<bool, CliError> {
        if self.prompt {
            eprintln!("Type a line and press Enter to send it; Ctrl-D ends.");
        }
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        let mut changes = self.handle.changes();
        let mut after = 0;
        self.show_prompt();
        loop {
            if self.print_new(&mut after).await? {
                self.show_prompt();
            }
            tokio::select! {
                line = lines.next_line() => match line.map_err(CliError::Input)? {
                    Some(line) => {
                        if !line.trim().is_empty() {
                            self.send(line).await?;
                        }
                        self.show_prompt();
                    }
                    None => return Ok(true),
                },
                changed = changes.changed() => if changed.is_err() { return Ok(false) },
                error = profile::gives_up(&self.handle) => return Err(error),
                _ = tokio::signal::ctrl_c() => return Ok(false),
            }
        }
    }

    fn show_prompt(&self) {
        if self.prompt {
            eprint!("\r> ");
            let _ = std::io::stderr().flush();
        }
    }

    async fn send(&self, line: String) -> Result<(), CliError> {
        let (to, id) = (self.peer, MessageId(*uuid::Uuid::now_v7().as_bytes()));
        self.handle.step(move |step| step.send_text(&to, id, &line)).await??;
        Ok(())
    }

    /// Prints what the other one wrote and says whether there was any; what others wrote stays new for `recv`.
    async fn print_new(&self, after: &mut MessageRow) -> Result<bool, CliError> {
        let (peer, from) = (self.peer, *after);
        let messages = self.handle.with(move |engine| {
            let direct = ChatId::direct(&engine.account(), &peer);
            engine.read(move |tx| match tx.chat(&direct)?.or(tx.chat(&ChatId(peer.0))?) {
                Some(chat) => Ok(tx.unprinted_in(chat.row, from, 100)?),
                None => Ok(Vec::new()),
            })
        });
        let messages = messages.await?;
        let clear = if self.prompt { "\r" } else { "" };
        let (rows, failed) = print_all(&messages, |message| {
            json::line(&format!("{clear}{}: {}", signed(message), indented(&message.text)))
        });
        if let Some(last) = rows.last() {
            *after = *last;
            self.handle.step(move |step| step.printed(&rows)).await?;
        }
        failed.map_or(Ok(!messages.is_empty()), Err)
    }

    /// The input has ended: waits until everything is at the relay, or says how much is not.
    async fn flush(&self) -> Result<(), CliError> {
        if self.prompt && self.handle.read(|tx| Ok(tx.unsent_count()?)).await? > 0 {
            eprintln!(
                "Sending what is left, for {} seconds at most; Ctrl-C keeps it for the next command.",
                FLUSH.as_secs()
            );
        }
        let deadline = Instant::now() + FLUSH;
        let sent =
            self.handle.wait(deadline, |engine| engine.read(|tx| Ok((tx.unsent_count()? == 0).then_some(())))).await?;
        match sent {
            Some(()) => Ok(()),
            None => {
                let left = self.handle.read(|tx| Ok(tx.unsent_count()?)).await?;
                let why = reason(&self.handle.connectivity().borrow());
                Err(CliError::TimedOut(format!(
                    "{left} message(s) are not sent yet ({why}); they stay in the outbox and go out with the next command"
                )))
            }
        }
    }
}
