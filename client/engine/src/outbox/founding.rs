//! Founding a direct chat: the other account's devices looked up, their key packages taken, one command to the relay.

use crate::error::{EngineError, Result};
use crate::link::Pending;
use crate::step::Step;
use aside_crypto::{CheckedKeyPackage, MlsError};
use aside_protocol::content::Aad;
use aside_protocol::group::{AccountState, ChatContext};
use aside_protocol::request::{FetchKeyPackages, Found, KeyPackageOf, Request, Suite, Welcome};
use aside_protocol::{Hash, N, Refusal, RequestId};
use aside_store::accounts::Account;
use aside_store::chats::{Chat, ChatState};
use aside_store::outbox::Proposed;

/// Shown when another account's device has no sound key package.
const NO_PACKAGE: &str = "A device of the other account has no usable key package; this is tried again.";

/// Takes the next step towards a group, if there is a reason to have one.
pub(super) fn advance(step: &mut Step, chat: &mut Chat) -> Result<()> {
    let wanted = step.tx.has_unsent(chat.row)? || !step.tx.rejoins(chat.row)?.is_empty();
    if !wanted || step.link.chat(chat.row).packages {
        return Ok(());
    }
    if !step.link.fresh.contains(&chat.peer) {
        step.link.wanted.insert(chat.peer);
        return Ok(());
    }
    let id = RequestId(step.fresh());
    step.link.chat(chat.row).packages = true;
    let request = Request::FetchKeyPackages(FetchKeyPackages { id, account: chat.peer, suite: Suite::XWing });
    step.ask(request, Pending::KeyPackages(chat.row));
    Ok(())
}

/// Key packages came: founds, unless something else happened to the chat meanwhile.
pub(crate) fn found(step: &mut Step, chat: &mut Chat, packages: &[KeyPackageOf]) -> Result<()> {
    if chat.state != ChatState::Unfounded {
        return Ok(());
    }
    let (Some(me), Some(peer)) = (step.tx.account(&step.account)?, step.tx.account(&chat.peer)?) else { return Ok(()) };
    let Some(members) = check(step, &peer, packages)? else { return no_package(step, chat) };
    let Some(proposed) = propose(step, chat, [&me, &peer], &members)? else { return no_package(step, chat) };
    step.tx.save_proposed(&proposed)?;
    chat.enter(ChatState::Founding, step.now);
    Ok(())
}

/// The founding to send; none when the packages, each sound, do not fit into one group: their maker's fault.
fn propose(
    step: &mut Step,
    chat: &Chat,
    accounts: [&Account; 2],
    members: &[CheckedKeyPackage],
) -> Result<Option<Proposed>> {
    let incarnation = chat.incarnation + 1;
    let context =
        ChatContext { chat: chat.chat, kind: chat.kind, incarnation, accounts: accounts.map(state_of).to_vec() };
    let aad = Aad { chat: chat.chat, n: N(1), base: chat.base };
    let (tx, group_id) = (step.tx, step.fresh());
    let (group, made) = match tx.attempt(|| Ok(step.scope().found(&context, members, &aad, group_id)?)) {
        Ok(founded) => founded,
        Err(EngineError::Bug(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let added: Vec<_> = members.iter().map(|member| member.leaf().device).collect();
    let own = accounts[0].list.list.devices.iter().map(|entry| entry.device);
    let hash = Hash::of(&made.commit);
    let request = Request::Found(Found {
        chat: chat.chat,
        accounts: accounts.map(|account| account.account).to_vec(),
        incarnation,
        devices: own.chain(added.iter().copied()).collect(),
        body: made.commit,
        welcome: made.welcome.map(|body| Welcome { to: added, body, blob: None }),
        origin: None,
    });
    let group = Some(group.id());
    Ok(Some(Proposed { chat: chat.row, founding: true, n: N(1), hash, request, group, sent: false }))
}

/// Says once that there is nobody to found with yet, and tries again later.
fn no_package(step: &mut Step, chat: &Chat) -> Result<()> {
    if step.link.chat(chat.row).patience == 0 {
        step.notice(chat, NO_PACKAGE)?;
    }
    step.pause(chat.row, &Refusal::NoKeyPackage(Default::default()));
    Ok(())
}

fn state_of(account: &Account) -> AccountState {
    AccountState { account: account.account, version: account.list.list.version, hash: account.list.hash }
}

/// One sound key package for each device of the account, or none at all.
fn check(step: &Step, account: &Account, packages: &[KeyPackageOf]) -> Result<Option<Vec<CheckedKeyPackage>>> {
    let scope = step.scope();
    let mut checked = Vec::new();
    for entry in &account.list.list.devices {
        let Some(package) = packages.iter().find(|package| package.device == entry.device) else { return Ok(None) };
        match scope.check_key_package(&package.body, &account.root, entry, Suite::XWing, step.now) {
            Ok(package) => checked.push(package),
            Err(MlsError::BadKeyPackage(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(checked))
}
