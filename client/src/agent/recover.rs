//! Recovery: the 24 words put a new device into the account, and remove all it had before (rules `RCV-1`, `RCV-2`).

use super::enter::{self, EnterError, Entered, LoggedIn};
use super::now;
use aside_crypto::lists::recovery_list;
use aside_crypto::{DeviceKey, RecoveryPhrase, RootKey};
use aside_engine::{ADOPTING, EngineError, RECOVERED};
use aside_protocol::device_list::{DeviceEntry, VerifiedList, verify_next};
use aside_protocol::frame::{Claim, Recover};
use aside_protocol::request::Account as Record;
use aside_protocol::{Body, Refusal};
use aside_store::devices::Entering;
use aside_store::profile::{Profile, RelayPlace};
use aside_store::{ProfileFolder, Store};
use aside_transport::{Choice, Greeted, TransportError};

/// What a recovery needs, besides the words.
#[derive(Debug)]
pub struct Recovery {
    /// Where the profile goes.
    pub folder: ProfileFolder,
    /// Where the account's relay is.
    pub relay: RelayPlace,
    /// What this machine is called.
    pub machine: String,
    /// Which transports may be used.
    pub choice: Choice,
}

/// Recovers an account. Every device it had is removed from it; its chats are joined again once this one is online.
///
/// The device's keys are durable before the relay hears of them, so the same command goes on after any interruption.
pub async fn recover(recovery: &Recovery, phrase: &RecoveryPhrase) -> Result<Profile, EnterError> {
    let root = phrase.root_key();
    let (mut store, mut entering, again) = enter::prepare(&recovery.folder, root.account(), recovery.relay.clone())?;
    if again {
        match enter::log_in(&entering, recovery.choice).await? {
            LoggedIn::Yes(entered) => return finish(&mut store, &entering, *entered, recovery).await,
            LoggedIn::NotYet => {}
            LoggedIn::Revoked => enter::renew(&mut store, &mut entering)?,
        }
    }
    let mut greeted = enter::reach(&entering.relay, recovery.choice).await?;
    let way = greeted.way();
    let (record, before) = claim(&mut greeted, &root).await?;
    let (list, verified) = next(&root, &entering, &before)?;
    let key = DeviceKey::from_seed(&entering.seed);
    let signature = key.sign(&greeted.transcript().recovery_signs(&list));
    let sent = Recover { account: entering.account, device: entering.device, list: list.clone(), signature };
    let (link, ok) = greeted.recover(sent).await?;
    let entered = Entered { link, ok, way };
    settle(&mut store, &entering, (&record, list, verified), entered, recovery).await
}

/// What stands of the account, its whole chain verified: one answer holds half a mebibyte of lists at most.
async fn claim(greeted: &mut Greeted, root: &RootKey) -> Result<(Record, VerifiedList), EnterError> {
    let (account, mut known) = (root.account(), None);
    loop {
        let from_version = known.as_ref().map_or(0, |(_, list): &(Body, VerifiedList)| list.list.version + 1);
        let signature = root.sign(&greeted.transcript().claim_signs(&account));
        let record = match greeted.claim(Claim { root: root.public(), from_version, signature }).await {
            Err(TransportError::Refused(Refusal::NotFound(_))) => return Err(EnterError::NoSuchAccount),
            record => record?,
        };
        known = enter::newest(&record, account, known)?;
        match (&known, record.lists.is_empty()) {
            (Some((_, list)), true) => return Ok((record, list.clone())),
            (None, true) => return Err(EnterError::BadAccount),
            _ => {}
        }
    }
}

/// The list that has this device alone, signed by the root.
fn next(root: &RootKey, entering: &Entering, before: &VerifiedList) -> Result<(Body, VerifiedList), EnterError> {
    let key = DeviceKey::from_seed(&entering.seed).public();
    let list = recovery_list(before, root, vec![DeviceEntry { device: entering.device, key, added: now() }]);
    let verified = verify_next(&root.public(), Some(before), &list).map_err(|_| EnterError::BadAccount)?;
    Ok((list, verified))
}

/// An earlier attempt got in, and did not hear of it.
async fn finish(
    store: &mut Store,
    entering: &Entering,
    mut entered: Entered,
    recovery: &Recovery,
) -> Result<Profile, EnterError> {
    let (record, list, verified) = enter::own_account(&mut entered.link, entering.account).await?;
    settle(store, entering, (&record, list, verified), entered, recovery).await
}

/// Stores the profile, and that the account's chats are to be asked for.
async fn settle(
    store: &mut Store,
    entering: &Entering,
    account: (&Record, Body, VerifiedList),
    entered: Entered,
    recovery: &Recovery,
) -> Result<Profile, EnterError> {
    // Before the profile, so that a kill between the two forgets nothing: without a profile it means nothing.
    store.transact::<_, EngineError>(|tx| Ok(tx.set_setting(ADOPTING, RECOVERED)?))?;
    let profile = enter::settle(store, entering, account, &entered, (&recovery.machine, recovery.choice))?;
    entered.link.close().await;
    Ok(profile)
}
