//! A bot that answers everybody: a model for programs that chat. Knows the [`Handle`], no command line, no sockets.
//!
//! ```text
//! aside -P bot register <invite> --name bot       once
//! cargo run --example bot -- -P bot               answers until Ctrl-C
//! ```
//!
//! An answer is stored in the same transaction that marks its question as read, so each question is answered once,
//! whenever the bot is killed; what it could not send yet goes out at its next start.

use aside::agent::{Agent, Connectivity, Handle};
use aside::cli::{CliError, Global, Settings};
use aside_engine::{EngineError, Step};
use aside_protocol::{MessageId, Millis};
use aside_store::messages::{Message, MessageRow};
use clap::Parser;
use std::process::ExitCode;
use std::time::Duration;

const HELP: &str = "\
I answer everything with itself, except:
  /help   this
  time    what my clock says, UTC
  long    a long text
  burst   ten messages at once";

/// Messages answered in one transaction.
const BATCH: u32 = 20;
/// How long the last answers may take to reach the relay when the bot is stopped.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers every message that comes for a profile.
#[derive(Debug, Parser)]
#[command(name = "bot")]
struct Arguments {
    #[command(flatten)]
    global: Global,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bot: {error}");
            ExitCode::from(error.exit_code() as u8)
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), CliError> {
    let settings = Settings::load(&arguments.global)?;
    let agent = Agent::open(&settings.folder, settings.engine, settings.transport)?;
    let handle = agent.handle();
    let done = tokio::select! {
        done = answer_all(&handle) => done.map_err(CliError::from),
        error = say_when_online(&handle) => Err(error),
        () = told_to_stop() => Ok(()),
    };
    agent.close(PATIENCE).await;
    done
}

/// Answers what is there and what comes.
async fn answer_all(handle: &Handle) -> Result<(), EngineError> {
    let mut changes = handle.changes();
    loop {
        changes.mark_unchanged();
        while handle.step(answer_some).await? > 0 {}
        if changes.changed().await.is_err() {
            return Ok(());
        }
    }
}

/// One transaction: the answers go into the outbox, the questions count as read.
fn answer_some(step: &mut Step) -> Result<usize, EngineError> {
    let questions = step.tx.unprinted(0, BATCH)?;
    for question in &questions {
        answer(step, question)?;
    }
    let rows: Vec<MessageRow> = questions.iter().map(|question| question.row).collect();
    step.printed(&rows)?;
    Ok(rows.len())
}

fn answer(step: &mut Step, question: &Message) -> Result<(), EngineError> {
    for text in answers(&question.text, step.now) {
        let id = MessageId(*uuid::Uuid::now_v7().as_bytes());
        if let Err(refused) = step.send_text(&question.peer, id, &text)? {
            eprintln!("bot: no answer for {}: {refused}", question.peer_name);
        }
    }
    Ok(())
}

/// What to say to a text.
fn answers(text: &str, now: Millis) -> Vec<String> {
    match text.trim() {
        "/help" => vec![HELP.to_owned()],
        "time" => vec![time(now)],
        "long" => vec![long()],
        "burst" => (1..=10).map(|number| format!("{number} of 10")).collect(),
        _ => vec![text.to_owned()],
    }
}

fn time(now: Millis) -> String {
    let seconds = now.0 / 1000 % 86_400;
    format!("It is {:02}:{:02}:{:02} UTC.", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Some two thousand characters in forty lines.
fn long() -> String {
    let lines: Vec<String> =
        (1..=40).map(|number| format!("Line {number} of 40, and none of them has anything to say.")).collect();
    lines.join("\n")
}

/// Prints one line with the first connection; ends when the connection needs a person to come back.
async fn say_when_online(handle: &Handle) -> CliError {
    let mut connectivity = handle.connectivity();
    let mut said = false;
    loop {
        let now = connectivity.borrow_and_update().clone();
        match now {
            Connectivity::Online(_) if !said => {
                println!("online");
                said = true;
            }
            Connectivity::Stopped(error) => return error.into(),
            _ => {}
        }
        if connectivity.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}
