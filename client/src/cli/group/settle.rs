//! Waiting until a change of a group is in effect, with progress where it concerns many.

use super::Waiting;
use crate::agent::Handle;
use crate::cli::error::{reason, refused};
use crate::cli::{CliError, profile};
use crate::whom::called;
use aside_engine::{EngineError, Step};
use aside_protocol::{AccountId, ChatId};
use aside_store::Tx;
use aside_store::chats::ChatRow;
use aside_store::tasks::TaskKind;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// From so many changes on progress is shown.
const MANY: usize = 8;
/// The pause between two looks where there are many.
const PAUSE: Duration = Duration::from_millis(200);
/// How long one change may take, and how much longer each one more.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_millis(100));
/// Names in a sentence about those that are still due.
const NAMED: usize = 8;

/// Changes that a command asked for.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// In which chat.
    pub chat: ChatId,
    /// Its row.
    pub row: ChatRow,
    /// Which ones.
    pub tasks: Vec<(TaskKind, Vec<u8>)>,
}

impl Asked {
    /// One change.
    pub fn one(chat: ChatId, row: ChatRow, kind: TaskKind, subject: Vec<u8>) -> Self {
        Self { chat, row, tasks: vec![(kind, subject)] }
    }

    /// One for each account.
    pub fn each(chat: ChatId, row: ChatRow, kind: TaskKind, accounts: &[AccountId]) -> Self {
        Self { chat, row, tasks: accounts.iter().map(|account| (kind, account.as_ref().to_vec())).collect() }
    }

    /// Those that are still due.
    fn left(&self, tx: &Tx) -> Result<Vec<AccountId>, EngineError> {
        let mut left = Vec::new();
        for (kind, subject) in &self.tasks {
            if tx.task(self.row, *kind, subject)?.is_some() {
                left.push(AccountId::from_slice(subject).unwrap_or(AccountId(self.chat.0)));
            }
        }
        Ok(left)
    }
}

/// When a command that waits stops waiting.
pub(super) fn deadline(waiting: Waiting, many: usize) -> Instant {
    let more = PATIENCE.1.saturating_mul(u32::try_from(many).unwrap_or(u32::MAX));
    Instant::now() + waiting.timeout.unwrap_or(PATIENCE.0 + more)
}

/// Waits until nothing of what was asked is due any more; says so on standard error where there is much of it.
pub(super) async fn settle(handle: &Handle, asked: Asked, waiting: Waiting, deadline: Instant) -> Result<(), CliError> {
    if waiting.no_wait {
        return Ok(());
    }
    let (many, mut said) = (asked.tasks.len(), 0);
    loop {
        let look = asked.clone();
        let reached = handle.wait(deadline, move |engine| {
            let left = engine.read(|tx| look.left(tx))?.len();
            Ok((left == 0 || many - left > said).then_some(left))
        });
        let left = tokio::select! {
            left = reached => left?,
            error = profile::gives_up(handle) => return Err(error),
        };
        match left {
            Some(0) => return Ok(()),
            Some(left) => said = many - left,
            None => return Err(late(handle, &asked).await?),
        }
        if many >= MANY {
            eprintln!("{said} of {many} done");
            sleep(PAUSE).await;
        }
    }
}

/// The wait is over: what is still due, and why.
async fn late(handle: &Handle, asked: &Asked) -> Result<CliError, CliError> {
    let (asked, row) = (asked.clone(), asked.row);
    let trouble = handle.with(move |engine| Ok(engine.trouble_in(row).or(engine.trouble()).cloned())).await?;
    let people = asked.tasks.iter().all(|(kind, _)| matches!(kind, TaskKind::Add | TaskKind::Remove));
    let (count, names) = handle
        .read(move |tx| {
            let left = asked.left(tx)?;
            let names: Result<Vec<String>, EngineError> =
                left.iter().take(NAMED).map(|account| called(tx, account)).collect();
            Ok((left.len(), names?.join(", ")))
        })
        .await?;
    let why = trouble.map_or_else(|| reason(&handle.connectivity().borrow()), |refusal| refused(&refusal));
    let what = match people {
        true if count > NAMED => format!("{count} people are still due ({names} and others)"),
        true => format!("still due: {names}"),
        false => "the change is not in effect yet".to_owned(),
    };
    Ok(CliError::TimedOut(format!("{what} ({why}); it is kept, and made with the next command that can")))
}

/// What a change of a group needs: the step that asks for it.
pub(super) async fn ask<T: Send + 'static>(
    handle: &Handle,
    work: impl FnOnce(&mut Step) -> aside_engine::Result<aside_engine::Allowed<T>> + Send + 'static,
) -> Result<T, CliError> {
    Ok(handle.step(work).await??)
}
