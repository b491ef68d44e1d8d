//! `aside history`: pages of a chat, the newest first.

use super::recv::{indented, signed};
use super::{CliError, Settings, json, profile};
use crate::whom::{self, Meant};
use aside_engine::EngineError;
use aside_protocol::limits::{MAX_PAGE, PAGE};
use aside_protocol::{AccountId, ChatId, Name};
use aside_store::Tx;
use aside_store::chats::Chat;
use aside_store::history::{Entry, Page, PageCursor};
use aside_tui::text::one_line;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// Whose chat: a name, #group, or a chat's id.
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
    let mut engine = profile::offline(settings)?;
    let me = engine.account();
    let before = args.before.unwrap_or(PageCursor::NEWEST);
    let found = engine.read(|tx| {
        let chat = match whom::read(tx, &args.name)? {
            Ok(Meant::Group(chat)) => Some(*chat),
            Ok(Meant::Person(name)) => with(tx, &me, &name)?,
            Err(unclear) => return Ok(Err(unclear)),
        };
        let Some(chat) = chat else { return Ok(Ok(None)) };
        Ok(Ok(Some((tx.page(chat.row, before, args.limit)?, chat))))
    })?;
    let (page, chat) = found?.ok_or_else(|| CliError::NoChat(args.name.clone()))?;
    let title = if chat.is_direct() { &args.name } else { &chat.title };
    let name = json::chat_name(chat.kind, title);
    if args.json { print_json(&name, &page, engine.name()) } else { print_text(&page, engine.name()) }
}

/// The chat with a person. A contact whose key changed has several; the one in use is shown.
fn with(tx: &Tx, me: &AccountId, name: &Name) -> Result<Option<Chat>, EngineError> {
    for account in tx.accounts_named(name)? {
        if let Some(chat) = tx.chat(&ChatId::direct(me, &account.account))? {
            return Ok(Some(chat));
        }
    }
    Ok(None)
}

fn print_json(name: &str, page: &Page, own: &Name) -> Result<(), CliError> {
    let entry = |entry: &Entry| match entry {
        Entry::Message(message) if message.notice => json::object("notice", json::notice(message)),
        Entry::Message(message) => json::object("message", json::message(message, own.as_str())),
        Entry::Gap(gap) => json::object("gap", json::gap(name, gap)),
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
