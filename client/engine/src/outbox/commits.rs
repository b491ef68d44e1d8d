//! This device's own commits: made when due, stored, sent byte for byte until answered, effective at their echo.

use super::drafts::Draft;
use super::postponing;
use crate::error::{EngineError, Result};
use crate::link::Pending;
use crate::packages::suite_of;
use crate::roster::change_of;
use crate::rules::{self, After, Before, Changes};
use crate::step::Step;
use aside_crypto::{Leaf, MlsError, Terms, Wanted};
use aside_protocol::content::Aad;
use aside_protocol::group::{Evidence, Pack, Role, Roster};
use aside_protocol::limits::MAX_BIG_HANDSHAKE;
use aside_protocol::refusal::{Refusal, RetryAfter};
use aside_protocol::request::{BlobRef, Commit, Request, Welcome};
use aside_protocol::{Body, DeviceId, Hash, N, codec};
use aside_store::chats::Chat;
use aside_store::outbox::Proposed;
use aside_store::tasks::TaskKind;
use aside_store::transfers::{Direction, TransferState};

/// Shown when something the user wanted turned out not to be allowed.
const NOT_ALLOWED: &str = "A change of this chat that you asked for is not allowed any more; nothing was changed.";

/// Sends the own commit if it is stored, unconfirmed and not on its way; what is too long for a frame goes ahead.
pub(super) fn resend(step: &mut Step, chat: &Chat) -> Result<()> {
    let Some(proposed) = step.tx.proposed(chat.row)?.filter(|proposed| !proposed.sent) else { return Ok(()) };
    for blob in blobs(&proposed.request) {
        match step.upload_state(&blob)? {
            Some(TransferState::Complete) => {}
            Some(TransferState::Wanted) => return Ok(()),
            // It cannot be stored there: the change is made anew later, perhaps a smaller one.
            Some(TransferState::Failed) | None => return give_up(step, chat),
        }
    }
    let link = step.link.chat(chat.row);
    if !std::mem::replace(&mut link.proposed, true) {
        step.ask(proposed.request, Pending::Proposed(chat.row, proposed.hash));
    }
    Ok(())
}

/// An own commit that cannot be sent is taken back; what it was for is still due.
fn give_up(step: &mut Step, chat: &Chat) -> Result<()> {
    step.drop_proposed(chat)?;
    step.pause(chat.row, &Refusal::Unavailable(RetryAfter { retry_after_ms: 0 }));
    Ok(())
}

/// What a request points to.
pub(crate) fn blobs(request: &Request) -> Vec<BlobRef> {
    let (own, welcome) = match request {
        Request::Commit(commit) => (commit.blob, &commit.welcome),
        Request::Found(found) => (None, &found.welcome),
        _ => return Vec::new(),
    };
    own.into_iter().chain(welcome.as_ref().and_then(|welcome| welcome.blob)).collect()
}

pub(crate) fn aad(chat: &Chat) -> Aad {
    Aad { chat: chat.chat, n: chat.next_n, base: chat.base }
}

/// Makes the commit that a draft describes; says no if it turned out that it cannot be.
pub(super) fn propose(step: &mut Step, chat: &Chat, draft: Draft) -> Result<bool> {
    let (terms, epoch, leaves) =
        step.in_group(chat, |group, _| Ok((group.terms()?, group.epoch(), group.roster()?)))?;
    let roster = step.roster(chat)?;
    let before = Before { epoch, terms: &terms, roster: &roster, leaves: &leaves };
    let Ok((changes, after, following)) = settle(step, before, &draft) else {
        return against_rules(step, chat, before, &draft);
    };
    let pack = match (draft.add.is_empty() || chat.is_direct(), &following) {
        (true, _) => None,
        (false, roster) => match pack(step, roster, &draft)? {
            Some(pack) => Some(pack),
            None => return Ok(false),
        },
    };
    let wanted = Wanted {
        remove: draft.remove.clone(),
        add: draft.add.iter().map(|(package, _)| package.clone()).collect(),
        evidence: changes.evidence,
        terms: changes.terms,
        pack,
    };
    let (tx, aad) = (step.tx, aad(chat));
    let made = match tx.attempt(|| step.with_group(chat, |group, scope| group.propose(scope, &aad, &wanted))) {
        Ok(Some(Ok(made))) => made,
        Ok(Some(Err(MlsError::NotMember(_))) | None) => return not_allowed(step, chat, &draft),
        // A package fits no group with this one's leaves in it: its maker's fault.
        Err(EngineError::Bug(_)) if !draft.add.is_empty() => return misfit(step, chat, &draft),
        Ok(Some(Err(error))) => return Err(error.into()),
        Err(error) => return Err(error),
    };
    if is_too_big(&made) {
        step.in_group(chat, |group, scope| group.discard_own(scope))?;
        return too_big(step, chat, &draft);
    }
    for (leaf, _) in &changes.added {
        step.spent(&leaf.account, suite_of(chat.kind));
    }
    save(step, chat, &draft, aad, made, &after).map(|()| true)
}

/// Whether what was made is longer than anything that travels (rule `BLB-5`).
pub(super) fn is_too_big(made: &aside_crypto::Proposed) -> bool {
    made.commit.len().max(made.welcome.as_ref().map_or(0, |welcome| welcome.len())) > MAX_BIG_HANDSHAKE
}

/// The next one adds half as many.
fn too_big(step: &mut Step, chat: &Chat, draft: &Draft) -> Result<bool> {
    if !draft.only_adds() || draft.tasks.len() < 2 {
        return not_allowed(step, chat, draft);
    }
    step.link.chat(chat.row).batch = draft.tasks.len() / 2;
    Ok(false)
}

/// The rules refuse a draft. Of several accounts to be added one may be at fault, and then goes alone.
fn against_rules(step: &mut Step, chat: &Chat, before: Before<'_>, draft: &Draft) -> Result<bool> {
    let may = matches!(step.role_of(chat, &step.account)?, Some(Role::Admin | Role::Owner));
    if may && draft.only_adds() {
        let fails = |count| Ok(settle(step, before, &draft.first_adds(count)).is_err());
        let at = postponing::culprit(draft.tasks.len(), fails)?;
        if let Some(account) = at.and_then(|at| draft.account(at)) {
            step.unfit(&account, suite_of(chat.kind));
            return postponing::drop_add(step, chat, &account, "their devices do not fit what the group allows")
                .map(|()| false);
        }
    }
    not_allowed(step, chat, draft)
}

/// Sound key packages fit no group together: their makers' fault, who wait alone. What is to be removed goes without them.
fn misfit(step: &mut Step, chat: &Chat, draft: &Draft) -> Result<bool> {
    if draft.only_adds() {
        let fails = |count| Ok(!postponing::fits(step, chat, &draft.first_adds(count))?);
        let at = postponing::culprit(draft.tasks.len(), fails)?;
        if let Some(account) = at.and_then(|at| draft.account(at)) {
            return postponing::postpone_add(step, chat, &account).map(|()| false);
        }
    } else if draft.tasks.iter().any(|(kind, _)| *kind == TaskKind::Sync) {
        for (package, _) in &draft.add {
            step.unfit(&package.leaf().account, suite_of(chat.kind));
        }
        return Ok(false);
    }
    not_allowed(step, chat, draft)
}

/// What the draft leads to, if the rules allow it.
fn settle(step: &Step, before: Before<'_>, draft: &Draft) -> Result<(Changes, After, Roster), rules::Why> {
    let own = own_leaf(step);
    let mut changes = Changes {
        removed: before.leaves.iter().filter(|leaf| draft.remove.contains(&leaf.device)).copied().collect(),
        added: draft.add.iter().map(|(package, body)| (*package.leaf(), body.clone())).collect(),
        evidence: draft.evidence.iter().map(|evidence| Body(codec::encode(evidence))).collect(),
        terms: None,
    };
    let following = rules::follow(before, &own, &changes)?;
    let terms = terms_after(before.terms, &following, draft);
    changes.terms = (terms != *before.terms).then_some(terms);
    let after = rules::judge(before, &own, &changes)?;
    Ok((changes, after, following))
}

/// This device as a leaf.
pub(crate) fn own_leaf(step: &Step) -> Leaf {
    Leaf { root: step.me.root, account: step.account, device: step.me.device, key: step.me.key.public() }
}

fn terms_after(before: &Terms, roster: &Roster, draft: &Draft) -> Terms {
    let mut terms = before.clone();
    terms.context.accounts = rules::accounts(&before.context, roster);
    if let Some(state) = &mut terms.state {
        state.roster = roster.hash();
        state.title = draft.title.clone().unwrap_or_else(|| std::mem::take(&mut state.title));
        state.join = draft.link.unwrap_or(state.join);
    }
    terms
}

/// What joiners need to judge the group by (rule `GRP-3`); none while chains are missing here.
pub(super) fn pack(step: &mut Step, roster: &Roster, draft: &Draft) -> Result<Option<Pack>> {
    let mut accounts = Vec::with_capacity(roster.entries.len());
    for entry in &roster.entries {
        let proved = draft.evidence.iter().find_map(|evidence| match evidence {
            Evidence::Lists(lists) if aside_protocol::AccountId::of(&lists.root) == entry.account => {
                Some(lists.clone())
            }
            Evidence::Join(bytes) => rules::open_join(bytes)
                .map(|(request, _)| request.account)
                .filter(|lists| aside_protocol::AccountId::of(&lists.root) == entry.account),
            _ => None,
        });
        let chain = match proved {
            Some(lists) => Some(lists),
            None => step.chain(&entry.account, Some(entry.version))?,
        };
        // A chain that is not the group's proves nothing to a joiner.
        accounts.extend(chain.filter(|lists| rules::hashes(lists.root, &lists.lists).last() == Some(&entry.hash)));
    }
    let whole = accounts.len() == roster.entries.len();
    Ok(whole.then(|| Pack { roster: roster.clone(), accounts }))
}

/// What the draft was to do is not done, and not tried again.
fn not_allowed(step: &mut Step, chat: &Chat, draft: &Draft) -> Result<bool> {
    let mut asked = false;
    for (kind, subject) in &draft.tasks {
        asked |= step.tx.task(chat.row, *kind, subject)?.is_some_and(|task| task.asked);
        step.tx.drop_task(chat.row, *kind, subject)?;
    }
    if let Some(task) = &draft.rejoin {
        step.tx.finish_rejoin(task, step.now)?;
    }
    if asked {
        step.notice(chat, NOT_ALLOWED)?;
    }
    Ok(false)
}

fn save(
    step: &mut Step,
    chat: &Chat,
    draft: &Draft,
    aad: Aad,
    made: aside_crypto::Proposed,
    after: &After,
) -> Result<()> {
    let added: Vec<DeviceId> = draft.add.iter().map(|(package, _)| package.leaf().device).collect();
    let hash = Hash::of(&made.commit);
    let (body, blob) = step.inline(made.commit)?;
    let welcome = welcome(step, &added, made.welcome)?;
    let commit = Commit {
        chat: chat.chat,
        n: aad.n,
        base: aad.base,
        body,
        add: added.into_iter().chain(draft.mend.add.iter().copied()).collect(),
        remove: draft.remove.iter().chain(&draft.mend.remove).copied().collect(),
        welcome,
        blob,
    };
    let proposed = Proposed {
        chat: chat.row,
        founding: false,
        n: commit.n,
        hash,
        request: Request::Commit(commit),
        group: None,
        sent: false,
        change: Some(Body(codec::encode(&change_of(after)))),
    };
    step.link.chat(chat.row).doing.clone_from(&draft.tasks);
    Ok(step.tx.save_proposed(&proposed)?)
}

/// A welcome for some devices, in the request or beside it.
pub(super) fn welcome(step: &mut Step, to: &[DeviceId], welcome: Option<Body>) -> Result<Option<Welcome>> {
    let Some(welcome) = welcome.filter(|_| !to.is_empty()) else { return Ok(None) };
    let (body, blob) = step.inline(welcome)?;
    Ok(Some(Welcome { to: to.to_vec(), body, blob }))
}

/// The own commit is merged: devices it added begin anew.
pub(crate) fn took_effect(step: &mut Step, chat: &Chat, request: &Request) -> Result<()> {
    for blob in blobs(request) {
        step.forget_blob(&blob.id, Direction::Up)?;
    }
    let Request::Commit(commit) = request else { return Ok(()) };
    for device in &commit.add {
        step.tx.set_sender_n(chat.row, device, N(0))?;
        step.tx.rejoin_added(chat.row, device)?;
    }
    Ok(())
}
