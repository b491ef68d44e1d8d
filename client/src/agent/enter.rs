//! What linking and recovering have in common: a device on its way into an account that exists already (rules `LNK-4`,
//! `LNK-5`). Its keys are stored before anybody hears of them, so that it can go on after a kill at any point.

use super::{SystemRandom, now, paths};
use aside_crypto::DeviceKey;
use aside_crypto::linking::LinkError;
use aside_engine::{EngineError, fresh};
use aside_protocol::device_list::{VerifiedList, verify_next};
use aside_protocol::frame::{Asked, ClientFrame, LoginOk, RelayFrame};
use aside_protocol::linking::NotLinked;
use aside_protocol::request::{Account as Record, Answer, Lookup, Request, Who};
use aside_protocol::{AccountId, Body, DeviceId, Millis, Name, Refusal};
use aside_store::accounts::{Account, Trust};
use aside_store::devices::Entering;
use aside_store::profile::{Profile, RelayPlace};
use aside_store::{ProfileFolder, Store};
use aside_transport::{Choice, Greeted, Known, Link, LinkEvent, Target, TransportError, Way, dial_with};
use zeroize::Zeroizing;

/// Why a device did not get into an account.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// The profile is in use.
    #[error("this profile belongs to {0} already; pick another one with -P")]
    AlreadyRegistered(Name),
    /// A registration was begun in it.
    #[error(
        "a registration as {0} was begun in this profile; finish it with aside register, or pick another one with -P"
    )]
    Unfinished(Name),
    /// Nobody waits under the code.
    #[error(
        "no device waits under this code: it is over, or was for another time; run aside device add on the other device, \
         and use its new code"
    )]
    NobodyWaits,
    /// The time is over.
    #[error("the other device has not answered; run aside device add there, and use its new code")]
    TimedOut,
    /// The other device said no.
    #[error("{}", not_linked(*.0))]
    NotLinked(NotLinked),
    /// The other side of the meeting does not fit.
    #[error(transparent)]
    Meeting(#[from] LinkError),
    /// What the relay says of the account does not hold.
    #[error("what the relay says of the account does not hold; do not use it, and tell its host")]
    BadAccount,
    /// The words are those of another account, or of another relay's.
    #[error("this relay has no account with these words; check them, and that the link is one of your own relay's")]
    NoSuchAccount,
    /// The environment.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The network or the relay.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

impl From<aside_store::StoreError> for EnterError {
    fn from(error: aside_store::StoreError) -> Self {
        Self::Engine(error.into())
    }
}

fn not_linked(why: NotLinked) -> &'static str {
    match why {
        NotLinked::Refused => "the other device said no",
        NotLinked::TooMany => "the account has as many devices as it may have; remove one with aside device revoke",
        NotLinked::Used => "the account knows this device by other keys; use a new profile with -P",
        _ => "the other device did not take what this one said of itself; update aside on both",
    }
}

/// Opens the folder's profile, which must not belong to anybody, and the device's keys: those of an earlier attempt for
/// this account, or new ones.
pub(super) fn prepare(
    folder: &ProfileFolder,
    account: AccountId,
    relay: RelayPlace,
) -> Result<(Store, Entering, bool), EnterError> {
    let mut store = Store::create(folder, fresh(&mut SystemRandom))?;
    match store.read::<_, EngineError>(|tx| Ok(tx.profile()?))? {
        Some(profile) if profile.registering.is_some() => return Err(EnterError::Unfinished(profile.name)),
        Some(profile) => return Err(EnterError::AlreadyRegistered(profile.name)),
        None => {}
    }
    let before = store.read::<_, EngineError>(|tx| Ok(tx.entering()?))?.filter(|before| before.account == account);
    let again = before.is_some();
    let entering = match before {
        Some(before) => Entering { relay, ..before },
        None => fresh_entering(account, relay),
    };
    store.transact::<_, EngineError>(|tx| Ok(tx.begin_entering(&entering)?))?;
    Ok((store, entering, again))
}

fn fresh_entering(account: AccountId, relay: RelayPlace) -> Entering {
    let device = DeviceId(*uuid::Builder::from_random_bytes(fresh(&mut SystemRandom)).into_uuid().as_bytes());
    Entering { account, device, seed: Zeroizing::new(fresh(&mut SystemRandom)), relay, created: now() }
}

/// The keys are spent: the device was removed before it ever was one.
pub(super) fn renew(store: &mut Store, entering: &mut Entering) -> Result<(), EnterError> {
    *entering = fresh_entering(entering.account, entering.relay.clone());
    Ok(store.transact::<_, EngineError>(|tx| Ok(tx.begin_entering(entering)?))?)
}

/// Reaches the relay.
pub(super) async fn reach(relay: &RelayPlace, choice: Choice) -> Result<Greeted, TransportError> {
    let target = Target { addresses: relay.addresses.clone(), pin: relay.pin, mode: relay.mode };
    dial_with(&target, &paths::plan(choice, Known::default(), None)).await
}

/// A device that was let in.
pub(super) struct Entered {
    pub link: Link,
    pub ok: LoginOk,
    pub way: Way,
}

/// What came of a login that may be too early.
pub(super) enum LoggedIn {
    Yes(Box<Entered>),
    /// The relay does not know the device.
    NotYet,
    /// The device was removed.
    Revoked,
}

/// Logs in, if the account's list names the device.
pub(super) async fn log_in(entering: &Entering, choice: Choice) -> Result<LoggedIn, TransportError> {
    let greeted = reach(&entering.relay, choice).await?;
    let way = greeted.way();
    let signature = DeviceKey::from_seed(&entering.seed).sign(&greeted.transcript().device_signs(&entering.device));
    match greeted.login(entering.device, signature).await {
        Ok((link, ok)) => Ok(LoggedIn::Yes(Box::new(Entered { link, ok, way }))),
        Err(TransportError::Fault(fault)) if fault.rule == "LOG-3" => Ok(LoggedIn::NotYet),
        Err(TransportError::Refused(Refusal::Revoked(_))) => Ok(LoggedIn::Revoked),
        Err(error) => Err(error),
    }
}

/// Looks the own account up and verifies its whole chain.
pub(super) async fn own_account(
    link: &mut Link,
    account: AccountId,
) -> Result<(Record, Body, VerifiedList), EnterError> {
    let mut known: Option<(Body, VerifiedList)> = None;
    loop {
        let from_version = known.as_ref().map_or(1, |(_, list)| list.list.version + 1);
        let record = look_up(link, account, from_version).await?;
        let before = known.as_ref().map(|(_, list)| list.list.version);
        known = newest(&record, account, known)?;
        match known {
            // An answer holds half a mebibyte of lists at most; what came last may have more behind it.
            Some((body, list)) if record.lists.is_empty() || before == Some(list.list.version) => {
                return Ok((record, body, list));
            }
            None => return Err(EnterError::BadAccount),
            _ => {}
        }
    }
}

async fn look_up(link: &mut Link, account: AccountId, from_version: u64) -> Result<Record, EnterError> {
    let request = Request::Lookup(Lookup { who: Who::Account(account), from_version });
    let asked = ClientFrame::Request(Asked { id: from_version, request });
    link.frames.send(asked).await.map_err(|_| TransportError::Closed)?;
    loop {
        match link.events.recv().await {
            Some(LinkEvent::Frame(RelayFrame::Answer(answered))) if answered.id == from_version => {
                return match answered.answer {
                    Answer::Account(record) => Ok(record),
                    Answer::Refused(refusal) => Err(TransportError::Refused(refusal).into()),
                    _ => Err(EnterError::BadAccount),
                };
            }
            Some(LinkEvent::Frame(_)) => {}
            Some(LinkEvent::Closed(error)) => return Err(error.into()),
            None => return Err(TransportError::Closed.into()),
        }
    }
}

/// Follows a chain of lists to its end.
pub(super) fn newest(
    record: &Record,
    account: AccountId,
    known: Option<(Body, VerifiedList)>,
) -> Result<Option<(Body, VerifiedList)>, EnterError> {
    if AccountId::of(&record.root) != account {
        return Err(EnterError::BadAccount);
    }
    record.lists.iter().try_fold(known, |before, bytes| {
        let next = verify_next(&record.root, before.as_ref().map(|(_, list)| list), bytes);
        Ok(Some((bytes.clone(), next.map_err(|_| EnterError::BadAccount)?)))
    })
}

/// The device is in: from here on this is an ordinary profile.
pub(super) fn settle(
    store: &mut Store,
    entering: &Entering,
    account: (&Record, Body, VerifiedList),
    entered: &Entered,
    (machine, choice): (&str, Choice),
) -> Result<Profile, EnterError> {
    let (record, list, verified) = account;
    let named = verified.list.device(&entering.device).map(|entry| entry.key);
    if named != Some(DeviceKey::from_seed(&entering.seed).public()) {
        return Err(EnterError::BadAccount);
    }
    let profile = Profile {
        account: entering.account,
        name: record.name.clone(),
        root: record.root,
        device: entering.device,
        seed: entering.seed.clone(),
        list,
        list_version: verified.list.version,
        list_hash: verified.hash,
        relay: entering.relay.clone(),
        registering: None,
        log: None,
        last_resort: Millis(0),
        created: now(),
    };
    let own = Account {
        account: profile.account,
        name: profile.name.clone(),
        root: profile.root,
        list: verified,
        trust: Trust::InUse,
    };
    store.transact::<_, EngineError>(|tx| {
        tx.save_account(&own, now())?;
        tx.name_machine(&entering.device, machine)?;
        if let Some(news) = paths::news(choice, &paths::known(tx)?, entered.way) {
            paths::learn(tx, news)?;
        }
        // A new device begins where the relay stands, as after a registration.
        let positions = entered.ok.positions.iter();
        positions.clone().try_for_each(|position| tx.set_cursor(position.partition, position.acked))?;
        tx.learn_nodes(&entered.ok.addresses)?;
        Ok(tx.enter_profile(&profile)?)
    })?;
    Ok(profile)
}
