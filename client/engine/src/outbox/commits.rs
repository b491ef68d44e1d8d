//! This device's own commits: made when due, stored, sent byte for byte until answered, effective at their echo.

use crate::error::{EngineError, Result};
use crate::link::Pending;
use crate::step::Step;
use aside_crypto::MlsError;
use aside_protocol::content::Aad;
use aside_protocol::request::{Commit, Request, Suite, Welcome};
use aside_protocol::{Hash, N, rejoin};
use aside_store::chats::Chat;
use aside_store::outbox::Proposed;
use aside_store::rejoins::RejoinTask;

/// Sends the own commit if it is stored, unconfirmed and not on its way.
pub(super) fn resend(step: &mut Step, chat: &Chat) -> Result<()> {
    let Some(proposed) = step.tx.proposed(chat.row)?.filter(|proposed| !proposed.sent) else { return Ok(()) };
    let link = step.link.chat(chat.row);
    if !std::mem::replace(&mut link.proposed, true) {
        step.ask(proposed.request, Pending::Proposed(chat.row, proposed.hash));
    }
    Ok(())
}

/// Whether a commit is due: a device to be added again, or this device's leaf to be renewed.
pub(super) fn is_due(step: &Step, chat: &Chat) -> Result<bool> {
    let asked = step.tx.rejoins(chat.row)?.iter().any(|task| !task.added);
    Ok(asked || chat.own_count >= step.config.update_after_messages)
}

/// Makes the commit that is due; says no if it turned out that none is.
pub(super) fn propose(step: &mut Step, chat: &Chat) -> Result<bool> {
    if let Some(task) = step.tx.rejoins(chat.row)?.into_iter().find(|task| !task.added) {
        return readd(step, chat, &task);
    }
    let aad = aad(chat);
    let made = step.in_group(chat, |group, scope| group.update_keys(scope, &aad))?;
    let commit = Commit {
        chat: chat.chat,
        n: aad.n,
        base: aad.base,
        body: made.commit,
        add: Vec::new(),
        remove: Vec::new(),
        welcome: None,
        blob: None,
    };
    save(step, chat, commit).map(|()| true)
}

fn aad(chat: &Chat) -> Aad {
    Aad { chat: chat.chat, n: chat.next_n, base: chat.base }
}

/// Removes and adds the device in one commit, with its request as evidence (rule `REJ-3`); a request that does not hold
/// is dropped.
fn readd(step: &mut Step, chat: &Chat, task: &RejoinTask) -> Result<bool> {
    let Ok((request, _)) = rejoin::open(&task.request) else { return drop_task(step, task) };
    let account = step.tx.accounts()?.into_iter().find(|a| a.list.list.device(&task.device).is_some());
    let Some(account) = account else { return drop_task(step, task) };
    let Some(entry) = account.list.list.device(&task.device) else { return drop_task(step, task) };
    let checked = step.scope().check_key_package(&request.key_package, &account.root, entry, Suite::XWing, step.now);
    let Ok(checked) = checked else { return drop_task(step, task) };
    let aad = aad(chat);
    let evidence = std::slice::from_ref(&task.request);
    let tx = step.tx;
    let made = tx.attempt(|| {
        step.with_group(chat, |group, scope| group.readd_with(scope, &aad, &task.device, &checked, evidence))
    });
    let made = match made {
        Ok(Some(Ok(made))) => made,
        Ok(Some(Err(MlsError::NotMember(_))) | None) => return drop_task(step, task),
        // The package fits no group with this one's leaves in it: its maker's fault.
        Err(EngineError::Bug(_)) => return drop_task(step, task),
        Ok(Some(Err(error))) => return Err(error.into()),
        Err(error) => return Err(error),
    };
    let commit = Commit {
        chat: chat.chat,
        n: aad.n,
        base: aad.base,
        body: made.commit,
        add: vec![task.device],
        remove: vec![task.device],
        welcome: made.welcome.map(|body| Welcome { to: vec![task.device], body, blob: None }),
        blob: None,
    };
    save(step, chat, commit).map(|()| true)
}

fn drop_task(step: &Step, task: &RejoinTask) -> Result<bool> {
    step.tx.finish_rejoin(task, step.now)?;
    Ok(false)
}

fn save(step: &Step, chat: &Chat, commit: Commit) -> Result<()> {
    let proposed = Proposed {
        chat: chat.row,
        founding: false,
        n: commit.n,
        hash: Hash::of(&commit.body),
        request: Request::Commit(commit),
        group: None,
        sent: false,
    };
    Ok(step.tx.save_proposed(&proposed)?)
}

/// The own commit is merged: devices it added again begin anew.
pub(crate) fn took_effect(step: &Step, chat: &Chat, request: &Request) -> Result<()> {
    let Request::Commit(commit) = request else { return Ok(()) };
    for device in &commit.add {
        step.tx.set_sender_n(chat.row, device, N(0))?;
        step.tx.rejoin_added(chat.row, device)?;
    }
    Ok(())
}
