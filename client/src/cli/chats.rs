//! `aside chats`: every chat, the most recent first.

use super::times::utc;
use super::{CliError, Settings, json, profile};
use crate::agent::now;
use aside_store::summaries::{ChatSummary, Shown};
use aside_tui::text::{clip, one_line};
use clap::Args;

/// Characters of the last message that are shown.
const SHOWN: usize = 60;

#[derive(Debug, Args)]
pub(super) struct ChatsArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ChatsArgs, settings: &Settings) -> Result<(), CliError> {
    let summaries = profile::offline(settings)?.read(|tx| Ok(tx.summaries(Shown::WHOLE)?))?;
    let shown =
        |summary: &ChatSummary| if args.json { json::object("chat", json::chat(summary)) } else { text(summary) };
    json::lines(&summaries.iter().map(shown).collect::<Vec<_>>())
}

fn text(summary: &ChatSummary) -> String {
    let unread = if summary.unread > 0 { format!("({})", summary.unread) } else { String::new() };
    let line = one_line(summary.last.as_deref().unwrap_or(""));
    let (last, _) = clip(&line, SHOWN);
    let time = summary.time.map(utc).unwrap_or_default();
    let muted = if summary.muted_until > now() { "[muted] " } else { "" };
    let last = summary.last_by.as_ref().map_or_else(|| last.to_string(), |by| format!("{by}: {last}"));
    format!("{:<16} {unread:<6} {time:<17} {muted}{last}", json::chat_name(summary.kind, &summary.name))
        .trim_end()
        .to_owned()
}
