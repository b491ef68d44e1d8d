//! Contacts: found by their names, shown with their safety numbers, accepted with a new key.

use super::Tell;
use crate::agent::{Connectivity, Handle};
use crate::contact::{self, NotFound};
use aside_crypto::safety::safety_number;
use aside_engine::{Contact, Engine, EngineError};
use aside_protocol::{AccountId, ChatId, Name, PublicKey};
use aside_store::accounts::Account;
use aside_store::chats::ChatState;
use aside_tui::Msg;
use aside_tui::data::Info;
use std::future::Future;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

/// How long somebody waits for a name.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long, if there was no connection when they asked: long enough to make one, if there can be one.
const OFFLINE_PATIENCE: Duration = Duration::from_secs(5);

/// Finds out whom a name stands for.
pub(super) async fn look_up(handle: Handle, msgs: impl Tell, typed: String) {
    let found = find(&handle, &typed).await;
    msgs(Msg::Found(typed, found));
}

async fn find(handle: &Handle, typed: &str) -> Result<AccountId, String> {
    let name = Name::new(typed.trim().trim_start_matches('@').to_lowercase()).map_err(|error| error.to_string())?;
    match contact::find(handle, &name, false, Instant::now() + patience(handle)).await {
        Ok(account) => Ok(account.account),
        // Its conversation is where the change is shown and decided about.
        Err(NotFound::KeyChanged(key)) => Ok(key.before.account),
        Err(NotFound::NoAnswer { name, why }) => {
            Err(format!("cannot look {name} up: {why}. Try again when you are connected"))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Without a connection one is tried for at once.
fn patience(handle: &Handle) -> Duration {
    match *handle.connectivity().borrow() {
        Connectivity::Connecting | Connectivity::Online(_) => return PATIENCE,
        Connectivity::Offline(_) | Connectivity::Stopped(_) | Connectivity::Failed(_) => {}
    }
    handle.retry_now();
    OFFLINE_PATIENCE
}

/// Accepts the new key behind the name of an account, if it is still the one whose safety number was shown.
pub(super) fn accept<M: Tell>(
    handle: &Handle,
    msgs: M,
    peer: AccountId,
    rival: AccountId,
) -> impl Future<Output = ()> + Send + use<M> {
    let accepted = handle.step(move |step| {
        let Some(account) = step.tx.account(&peer)? else { return Ok(false) };
        match step.contact(&account.name)? {
            Contact::KeyChanged(change) if change.now.account == rival => {
                step.accept_key_for_waiting(&change).map(|()| true)
            }
            Contact::KeyChanged(_) => Ok(false),
            Contact::Account(account) => Ok(account.account == rival),
            Contact::Unknown => Ok(false),
        }
    });
    async move {
        match accepted.await {
            Ok(true) => {}
            Ok(false) => msgs(Msg::Failed("The key has changed again. Look at the safety number once more.".into())),
            Err(error) => msgs(Msg::Failed(error.to_string())),
        }
    }
}

/// The user has compared the safety number with an account, or takes that back.
pub(super) fn verify<M: Tell>(
    handle: &Handle,
    msgs: M,
    peer: AccountId,
    same: bool,
) -> impl Future<Output = ()> + Send + use<M> {
    let verified = handle.step(move |step| {
        // The number shown is that of the account in use.
        let in_use = step.tx.conversation(&peer)?.peer;
        step.set_verified(&in_use, same)
    });
    async move { super::writing::tell_failure(verified.await, &msgs) }
}

/// What is known of an account.
struct Known {
    own: PublicKey,
    account: Account,
    rival: Option<Account>,
    verified: bool,
    state: Option<ChatState>,
}

/// Reads what is known of a contact. Safety numbers take some ten thousand hashes, which the engine need not wait for.
pub(super) fn info(handle: &Handle, peer: AccountId) -> impl Future<Output = Result<Msg, EngineError>> + Send + use<> {
    let known = handle.with(move |engine| known(engine, peer));
    async move {
        let Some(known) = known.await? else {
            return Ok(Msg::Failed("nothing is known of this contact yet; look again once you are connected".into()));
        };
        let info = spawn_blocking(move || shown(&known)).await;
        info.map(|info| Msg::Info(peer, info)).map_err(|error| EngineError::Bug(error.to_string()))
    }
}

fn known(engine: &mut Engine, peer: AccountId) -> Result<Option<Known>, EngineError> {
    let (own, me) = (engine.me().root, engine.account());
    engine.read(|tx| {
        let in_use = tx.conversation(&peer)?.peer;
        let Some(account) = tx.account(&in_use)? else { return Ok(None) };
        let named = tx.accounts_named(&account.name)?.into_iter();
        let rival = named.into_iter().find(|rival| rival.trust == aside_store::accounts::Trust::Pending);
        let rival = rival.filter(|rival| rival.account != in_use);
        let state = tx.chat(&ChatId::direct(&me, &in_use))?.map(|chat| chat.state);
        let verified = tx.verified(&in_use)?.is_some();
        Ok(Some(Known { own, account, rival, verified, state }))
    })
}

fn shown(known: &Known) -> Info {
    let Known { own, account, rival, verified, state } = known;
    Info {
        name: account.name.to_string(),
        account: account.account.to_hex(),
        verified: *verified,
        devices: account.list.list.devices.len(),
        safety_number: safety_number(own, &account.root),
        rival: rival.as_ref().map(|rival| (rival.account, safety_number(own, &rival.root))),
        state: sentence(*state),
    }
}

/// How the encryption of a chat stands, for people.
fn sentence(state: Option<ChatState>) -> &'static str {
    match state {
        Some(ChatState::Live) => "The encrypted chat is set up.",
        None | Some(ChatState::Unfounded) => "The encrypted chat is set up with the next message.",
        Some(ChatState::Founding) => "The encrypted chat is being set up.",
        Some(ChatState::Left) => "You are not in this chat any more.",
        Some(ChatState::AwaitingWelcome) => "This device waits to be let into the encrypted chat.",
        Some(ChatState::Broken) => "This device cannot send here now; it has asked to be added again with new keys.",
    }
}
