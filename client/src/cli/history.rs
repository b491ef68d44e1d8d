//! `aside history`: pages of a chat, the newest first.

use super::recv::{indented, signed};
use super::{CliError, Settings, json, profile};
use aside_protocol::limits::{MAX_PAGE, PAGE};
use aside_protocol::{ChatId, Name};
use aside_store::history::{Entry, Page, PageCursor};
use aside_tui::text::one_line;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// Whose chat.
    name: String,
    /// The page before this cursor.
    #[arg(long, value_name = "CURSOR")]
    before: Option<PageCursor>,
    /// Entries on a page, at most 100.
    #[arg(long, value_name = "N", default_value_t = PAGE, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PAGE)))]
    limit: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &HistoryArgs, settings: &Settings) -> Result<(), CliError> {
    let name = profile::name(&args.name)?;
    let mut engine = profile::offline(settings)?;
    let me = engine.account();
    let wanted = name.clone();
    let before = args.before.unwrap_or(PageCursor::NEWEST);
    let limit = args.limit;
    let page = engine.read(move |tx| {
        // A contact whose key changed has several chats; the one in use is shown.
        for account in tx.accounts_named(&wanted)? {
            if let Some(chat) = tx.chat(&ChatId::direct(&me, &account.account))? {
                return Ok(Some(tx.page(chat.row, before, limit)?));
            }
        }
        Ok(None)
    })?;
    let page = page.ok_or_else(|| CliError::NoChat(name.to_string()))?;
    if args.json { print_json(&name, &page, engine.name()) } else { print_text(&page, engine.name()) }
}

fn print_json(name: &Name, page: &Page, own: &Name) -> Result<(), CliError> {
    let entry = |entry: &Entry| match entry {
        Entry::Message(message) if message.notice => json::object("notice", json::notice(message)),
        Entry::Message(message) => json::object("message", json::message(message, own.as_str())),
        Entry::Gap(gap) => json::object("gap", json::gap(name.as_str(), gap)),
    };
    let next = json::object("page", serde_json::json!({ "next": page.next.map(|next| next.to_string()) }));
    json::lines(&page.entries.iter().map(entry).chain([next]).collect::<Vec<_>>())
}

fn print_text(page: &Page, own: &Name) -> Result<(), CliError> {
    let entry = |entry: &Entry| match entry {
        Entry::Message(message) if message.notice => format!("-- {}", one_line(&message.text)),
        Entry::Message(message) if message.own => {
            format!("{own} ({}): {}", message.status.word(), indented(&message.text))
        }
        Entry::Message(message) => format!("{}: {}", signed(message), indented(&message.text)),
        Entry::Gap(gap) => format!("-- {} message(s) {}", gap.last - gap.first + 1, gap.why.sentence()),
    };
    let older = page.next.map(|next| format!("-- older: --before {next}"));
    json::lines(&page.entries.iter().map(entry).chain(older).collect::<Vec<_>>())
}
