//! Changes that cannot be made, or that the relay does not take: who or what is at fault waits alone, and what else is due
//! goes on.

use super::drafts::Draft;
use crate::error::{EngineError, Result};
use crate::packages::suite_of;
use crate::step::Step;
use aside_crypto::Wanted;
use aside_protocol::{AccountId, Body, Millis};
use aside_store::StoreError;
use aside_store::chats::Chat;
use aside_store::tasks::{Task, TaskKind};

/// The shortest and the longest time until a change is tried again, in milliseconds.
const PAUSES_MS: (u64, u64) = (5_000, 24 * 3600 * 1000);

/// A change is tried again after a while: as long as it has been due already.
pub(crate) fn postpone(step: &Step, chat: &Chat, kind: TaskKind, subject: &[u8]) -> Result<()> {
    let Some(task) = step.tx.task(chat.row, kind, subject)? else { return Ok(()) };
    let waited = step.now.0.saturating_sub(task.made.0).clamp(PAUSES_MS.0, PAUSES_MS.1);
    Ok(step.tx.save_task(&Task { due: Millis(step.now.0.saturating_add(waited)), ..task })?)
}

/// An account whose key packages, each sound, do not go with the others is added later; that is said once.
pub(super) fn postpone_add(step: &mut Step, chat: &Chat, account: &AccountId) -> Result<()> {
    step.unfit(account, suite_of(chat.kind));
    let subject = account.as_ref();
    let known = step.tx.task(chat.row, TaskKind::Add, subject)?;
    if known.as_ref().is_none_or(|task| task.due <= task.made) {
        let who = step.called(account)?;
        step.notice(
            chat,
            &format!("{who} cannot be added: a key package of theirs does not fit. This is tried again."),
        )?;
    }
    if known.is_none() {
        step.add_task(chat, TaskKind::Add, subject.to_vec(), Body::default(), step.now, false)?;
    }
    postpone(step, chat, TaskKind::Add, subject)
}

/// An account is not added, and not tried again.
pub(super) fn drop_add(step: &mut Step, chat: &Chat, account: &AccountId, why: &str) -> Result<()> {
    step.tx.drop_task(chat.row, TaskKind::Add, account.as_ref())?;
    let who = step.called(account)?;
    step.notice(chat, &format!("{who} is not added: {why}."))
}

/// Of `count` things that fail together, the place of one without which those before it do not fail; none if it is not
/// theirs. What is tried are beginnings, and few of them.
pub(crate) fn culprit(count: usize, mut fails: impl FnMut(usize) -> Result<bool>) -> Result<Option<usize>> {
    if count == 0 || fails(0)? {
        return Ok(None);
    }
    let (mut sound, mut failing) = (0, count);
    while failing - sound > 1 {
        let middle = sound + (failing - sound) / 2;
        if fails(middle)? { failing = middle } else { sound = middle }
    }
    Ok(Some(failing - 1))
}

/// What became of trying something that is undone in any case.
pub(super) enum Tried {
    /// Whether it could be done.
    Fits(bool),
    /// Not its fault.
    Failed(EngineError),
}

impl From<StoreError> for Tried {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Tried {
    /// Judges a try that may have hit a package that fits no group.
    pub fn of<T>(tried: Result<T>) -> Self {
        match tried {
            Ok(_) => Self::Fits(true),
            Err(EngineError::Bug(_)) => Self::Fits(false),
            Err(error) => Self::Failed(error),
        }
    }

    /// The verdict.
    pub fn fits(tried: Result<(), Self>) -> Result<bool> {
        match tried {
            Ok(()) => Ok(true),
            Err(Self::Fits(fits)) => Ok(fits),
            Err(Self::Failed(error)) => Err(error),
        }
    }
}

/// Whether a commit that adds what a draft adds can be made. Nothing is left of it.
pub(super) fn fits(step: &mut Step, chat: &Chat, draft: &Draft) -> Result<bool> {
    let wanted = Wanted {
        remove: Vec::new(),
        add: draft.add.iter().map(|(package, _)| package.clone()).collect(),
        evidence: Vec::new(),
        terms: None,
        pack: None,
    };
    let (tx, aad) = (step.tx, super::commits::aad(chat));
    let tried = tx.attempt(|| Err(Tried::of(step.in_group(chat, |group, scope| group.propose(scope, &aad, &wanted)))));
    // The group in memory knows of the commit, the one in the database does not.
    step.groups.0.remove(&chat.row);
    Tried::fits(tried)
}
