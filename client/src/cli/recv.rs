//! `aside recv`: prints messages of others, each once over the life of the profile.

use super::error::reason;
use super::{CliError, Settings, duration, json, profile};
use crate::agent::{Connectivity, Handle};
use aside_protocol::group::ChatKind;
use aside_store::messages::{Message, MessageRow};
use aside_tui::text::harmless;
use clap::Args;
use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Messages fetched from the store at a time.
const PAGE: u32 = 100;
/// How long the relay may take to say what an author is called.
const NAMES: Duration = Duration::from_secs(3);
/// How long receipts may take to reach the relay before the command ends.
const SETTLE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct RecvArgs {
    /// Go on until interrupted, or until --timeout passes without a message.
    #[arg(long)]
    follow: bool,
    /// How long to wait for a message when there is none; 5s, or without end with --follow.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    /// Stop after this many messages.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Print, but leave them new.
    #[arg(long)]
    peek: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &RecvArgs, settings: &Settings) -> Result<(), CliError> {
    let agent = profile::online(settings)?;
    let mut printer = Printer { handle: agent.handle(), args, after: 0, count: 0 };
    let result = tokio::select! {
        result = printer.run() => result,
        _ = interrupted() => Ok(()),
        never = complain(agent.handle()), if args.follow => match never {},
    };
    agent.close(SETTLE).await;
    result
}

/// Says why nothing can be stored, once for each reason, while it is tried again.
async fn complain(handle: Handle) -> Infallible {
    let mut state = handle.connectivity();
    let mut said = HashSet::new();
    loop {
        let failure = match &*state.borrow_and_update() {
            Connectivity::Failed(why) => Some(why.clone()),
            _ => None,
        };
        if let Some(why) = failure.filter(|why| said.insert(why.clone())) {
            eprintln!("aside: {why}; trying again");
        }
        if state.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

struct Printer<'a> {
    handle: Handle,
    args: &'a RecvArgs,
    after: MessageRow,
    count: u32,
}

impl Printer<'_> {
    fn left(&self) -> u32 {
        self.args.limit.map_or(PAGE, |limit| limit.saturating_sub(self.count).min(PAGE))
    }

    /// Prints what there is and what comes, until there is enough or nothing more comes.
    async fn run(&mut self) -> Result<(), CliError> {
        let patience = self.args.timeout.or((!self.args.follow).then_some(Duration::from_secs(5)));
        let mut quiet_until = patience.map(|patience| Instant::now() + patience);
        let mut caught_up = false;
        loop {
            let printed = self.print_page().await?;
            if self.left() == 0 || (!self.args.follow && caught_up && printed == 0 && self.count > 0) {
                return Ok(());
            }
            if printed > 0 {
                quiet_until = patience.map(|patience| Instant::now() + patience);
                continue;
            }
            if !self.something_new(&mut caught_up, quiet_until).await? {
                return self.reached();
            }
        }
    }

    /// Waits for a message or for the end of catching up; no when the time is over.
    async fn something_new(&self, caught_up: &mut bool, until: Option<Instant>) -> Result<bool, CliError> {
        let (after, was) = (self.after, *caught_up);
        let forever = Instant::now() + Duration::from_secs(365 * 24 * 3600);
        let news = self.handle.wait(until.unwrap_or(forever), move |engine| {
            let new = !engine.read(|tx| Ok(tx.unprinted(after, 1)?))?.is_empty();
            let now = engine.caught_up();
            Ok((new || now && !was).then_some(now))
        });
        let news = tokio::select! {
            news = news => news?,
            error = profile::gives_up(&self.handle) => return Err(error),
            () = sleep_until(until.unwrap_or(forever)) => None,
        };
        *caught_up = news.unwrap_or(*caught_up);
        Ok(news.is_some())
    }

    /// Whoever came into a group a moment ago may have written before their name is known here.
    async fn names(&self, messages: &[Message]) -> Result<(), CliError> {
        let rows: Vec<MessageRow> = messages.iter().filter(|message| is_nameless(message)).map(|m| m.row).collect();
        let named = self.handle.wait(Instant::now() + NAMES, move |engine| {
            engine.read(|tx| {
                for row in &rows {
                    if tx.message(*row)?.is_some_and(|message| is_nameless(&message)) {
                        return Ok(None);
                    }
                }
                Ok(Some(()))
            })
        });
        Ok(named.await.map(drop)?)
    }

    /// Nothing came: fine if the relay was reached or something was printed, and if what came could be stored.
    fn reached(&self) -> Result<(), CliError> {
        match &*self.handle.connectivity().borrow() {
            Connectivity::Offline(error) if self.count == 0 => Err(error.clone().into()),
            state @ Connectivity::Connecting if self.count == 0 => Err(CliError::Unreached(reason(state))),
            Connectivity::Failed(why) => Err(CliError::Failed(why.clone())),
            _ => Ok(()),
        }
    }

    /// Prints one page; it counts as printed once it is flushed.
    async fn print_page(&mut self) -> Result<usize, CliError> {
        let (after, limit) = (self.after, self.left());
        let mut messages = self.handle.read(move |tx| Ok(tx.unprinted(after, limit)?)).await?;
        if messages.iter().any(is_nameless) {
            self.names(&messages).await?;
            messages = self.handle.read(move |tx| Ok(tx.unprinted(after, limit)?)).await?;
        }
        let (rows, failed) = print_all(&messages, |message| print(message, self.args.json));
        self.after = rows.last().copied().unwrap_or(self.after);
        self.count += u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let printed = rows.len();
        if !self.args.peek && printed > 0 {
            self.handle.step(move |step| step.printed(&rows)).await?;
        }
        failed.map_or(Ok(printed), Err)
    }
}

/// Whether a placeholder stands for the author's name; no name begins like one.
fn is_nameless(message: &Message) -> bool {
    message.kind != ChatKind::Direct && message.author_name.as_ref().is_some_and(|name| name.starts_with('?'))
}

/// Prints until it fails; says which rows were flushed, so that they count as printed either way.
pub(super) fn print_all(
    messages: &[Message],
    mut print: impl FnMut(&Message) -> Result<(), CliError>,
) -> (Vec<MessageRow>, Option<CliError>) {
    let mut rows = Vec::new();
    for message in messages {
        if let Err(error) = print(message) {
            return (rows, Some(error));
        }
        rows.push(message.row);
    }
    (rows, None)
}

/// The name on a message of somebody else.
pub(super) fn signed(message: &Message) -> String {
    let changed = if message.key_changed { " (another key than before)" } else { "" };
    format!("{}{changed}", json::author(message, "").unwrap_or(&message.peer_name))
}

/// The same with the group or channel it was written in.
fn placed(message: &Message) -> String {
    match message.kind {
        ChatKind::Direct => signed(message),
        kind => format!("{} in {}", signed(message), json::chat_name(kind, &message.peer_name)),
    }
}

fn print(message: &Message, as_json: bool) -> Result<(), CliError> {
    if as_json {
        return json::print("message", json::message(message, ""));
    }
    json::line(&format!("{}: {}", placed(message), indented(&message.text)))
}

/// The text made harmless, its further lines set in so that none looks like another message.
pub(super) fn indented(text: &str) -> String {
    harmless(text).replace('\n', "\n    ")
}
