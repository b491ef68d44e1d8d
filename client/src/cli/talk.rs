//! `aside talk`: a conversation line by line, until there is a screen for it.

use super::profile::{OnKeyChange, contact};
use super::recv::indented;
use super::{CliError, Settings, json, profile};
use crate::agent::Handle;
use aside_protocol::{AccountId, ChatId, MessageId};
use aside_store::messages::MessageRow;
use clap::Args;
use std::io::{IsTerminal, Write};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::Instant;

#[derive(Debug, Args)]
pub(super) struct TalkArgs {
    /// With whom.
    name: String,
}

pub(super) async fn run(args: &TalkArgs, settings: &Settings) -> Result<(), CliError> {
    let name = profile::name(&args.name)?;
    let agent = profile::online(settings)?;
    let handle = agent.handle();
    let result = async {
        let peer = contact(&handle, &name, OnKeyChange::Fail, Instant::now() + Duration::from_secs(30)).await?;
        Talk { handle: handle.clone(), peer: peer.account, prompt: std::io::stdin().is_terminal() }.run().await
    };
    let result = result.await;
    agent.close(Duration::from_secs(30)).await;
    result
}

struct Talk {
    handle: Handle,
    peer: AccountId,
    prompt: bool,
}

impl Talk {
    /// Until the input ends or the user interrupts.
    async fn run(self) -> Result<(), CliError> {
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
                    None => return Ok(()),
                },
                changed = changes.changed() => if changed.is_err() { return Ok(()) },
                error = profile::gives_up(&self.handle) => return Err(error),
                _ = tokio::signal::ctrl_c() => return Ok(()),
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
            let chat = ChatId::direct(&engine.account(), &peer);
            engine.read(move |tx| {
                let row = tx.chat(&chat)?.map(|chat| chat.row);
                let messages = tx.unprinted(from, 100)?;
                Ok(messages.into_iter().filter(|message| Some(message.chat) == row).collect::<Vec<_>>())
            })
        });
        let messages = messages.await?;
        for message in &messages {
            let clear = if self.prompt { "\r" } else { "" };
            json::line(&format!("{clear}{}: {}", message.peer_name, indented(&message.text)))?;
        }
        let rows: Vec<MessageRow> = messages.iter().map(|message| message.row).collect();
        let Some(last) = rows.last() else { return Ok(false) };
        *after = *last;
        self.handle.step(move |step| step.printed(&rows)).await?;
        Ok(true)
    }
}
