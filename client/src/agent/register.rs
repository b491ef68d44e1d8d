//! Registration: makes keys, stores them, then tells the relay; can be repeated after any interruption.

use super::{SystemRandom, now, own_machine, paths};
use aside_crypto::lists::first_list;
use aside_crypto::{DeviceKey, RecoveryPhrase};
use aside_engine::{EngineError, fresh};
use aside_protocol::device_list::verify_next;
use aside_protocol::frame::{LoginOk, Register};
use aside_protocol::invite::Invite;
use aside_protocol::{DeviceId, Name};
use aside_store::accounts::{Account, Trust};
use aside_store::profile::{Profile, RelayPlace};
use aside_store::{ProfileFolder, Store, StoreError, files};
use aside_transport::{Choice, Known, Target, TransportError, Way, dial_with};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What a registration needs.
#[derive(Debug)]
pub struct Registration {
    /// Where the profile goes.
    pub folder: ProfileFolder,
    /// The relay's invite.
    pub invite: Invite,
    /// The name wanted.
    pub name: Name,
    /// Where the recovery words go until somebody has seen them.
    pub recovery_file: PathBuf,
    /// Which transports may be used.
    pub choice: Choice,
}

/// Why a registration failed.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The profile is in use.
    #[error("this profile is already registered, as {0}; pick another one with -P")]
    AlreadyRegistered(Name),
    /// Something is in the way of the words.
    #[error("{0} exists already; move it away or pass another --recovery-file")]
    FileExists(PathBuf),
    /// The environment.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The network or the relay.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

impl From<aside_store::StoreError> for RegisterError {
    fn from(error: aside_store::StoreError) -> Self {
        Self::Engine(error.into())
    }
}

/// Registers. Afterwards the 24 words are in the recovery file, for the caller to show or leave.
///
/// Words and keys are durable before the relay hears of the account: a lost answer, a kill or a power cut at any point
/// leaves a registration that the same command completes.
pub async fn register(registration: &Registration) -> Result<Profile, RegisterError> {
    let mut store = Store::create(&registration.folder, fresh(&mut SystemRandom))?;
    let profile = prepare(&mut store, registration)?;
    let (ok, way) = match tell(&profile, registration).await {
        Ok(told) => told,
        Err(error @ TransportError::Refused(_)) if error.is_fatal() => {
            store.transact::<_, EngineError>(|tx| Ok(tx.drop_unconfirmed_profile()?))?;
            let _ = std::fs::remove_file(&registration.recovery_file);
            return Err(error.into());
        }
        Err(error) => return Err(error.into()),
    };
    store.transact::<_, EngineError>(|tx| {
        let list = verify_next(&profile.root, None, &profile.list).map_err(|e| EngineError::Bug(e.to_string()))?;
        let own = Account {
            account: profile.account,
            name: profile.name.clone(),
            root: profile.root,
            list,
            trust: Trust::InUse,
        };
        tx.save_account(&own, now())?;
        tx.name_machine(&profile.device, &own_machine())?;
        if let Some(news) = paths::news(registration.choice, &paths::known(tx)?, way) {
            paths::learn(tx, news)?;
        }
        // A new device begins where the relay stands. Without this its cursor would lie behind the relay's, which is
        // how an older copy of a database shows (`attach`).
        ok.positions.iter().try_for_each(|position| tx.set_cursor(position.partition, position.acked))?;
        tx.learn_nodes(&ok.addresses)?;
        Ok(tx.confirm_profile()?)
    })?;
    Ok(profile)
}

/// The profile to register: the one of an interrupted attempt with the same invite and name, or a new one.
fn prepare(store: &mut Store, registration: &Registration) -> Result<Profile, RegisterError> {
    let file = &registration.recovery_file;
    match store.read::<_, EngineError>(|tx| Ok(tx.profile()?))? {
        Some(profile) if profile.registering.is_none() => return Err(RegisterError::AlreadyRegistered(profile.name)),
        Some(profile)
            if profile.registering == Some(registration.invite.secret)
                && profile.name == registration.name
                && file.exists() =>
        {
            return at_present_place(store, profile, registration);
        }
        // An attempt under another name or invite. The relay may know it all the same, so its words are kept.
        Some(profile) if file.exists() => {
            let kept = file.with_extension(format!("{}.txt", profile.name));
            std::fs::rename(file, &kept).map_err(|why| StoreError::File { path: kept, why })?;
        }
        Some(_) => {}
        None if file.exists() => return Err(RegisterError::FileExists(file.clone())),
        None => {}
    }
    let (profile, phrase) = fresh_profile(registration)?;
    write_words(file, &phrase)?;
    store.transact::<_, EngineError>(|tx| Ok(tx.begin_profile(&profile)?))?;
    Ok(profile)
}

/// The same attempt again, at the relay that the invite names now: the first one may have been damaged on its way.
fn at_present_place(
    store: &mut Store,
    profile: Profile,
    registration: &Registration,
) -> Result<Profile, RegisterError> {
    let profile = Profile { relay: place(&registration.invite), ..profile };
    store.transact::<_, EngineError>(|tx| Ok(tx.begin_profile(&profile)?))?;
    Ok(profile)
}

fn place(invite: &Invite) -> RelayPlace {
    RelayPlace { addresses: invite.addresses.clone(), pin: invite.pin, mode: invite.mode }
}

fn fresh_profile(registration: &Registration) -> Result<(Profile, RecoveryPhrase), RegisterError> {
    let entropy: Zeroizing<[u8; 32]> = Zeroizing::new(fresh(&mut SystemRandom));
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(fresh(&mut SystemRandom));
    let phrase = RecoveryPhrase::from_entropy(&entropy).map_err(|e| EngineError::Bug(e.to_string()))?;
    let root = phrase.root_key();
    let device = DeviceId(*uuid::Builder::from_random_bytes(fresh(&mut SystemRandom)).into_uuid().as_bytes());
    let list = first_list(&root, device, DeviceKey::from_seed(&seed).public(), now());
    let verified = verify_next(&root.public(), None, &list).map_err(|e| EngineError::Bug(e.to_string()))?;
    let invite = &registration.invite;
    let profile = Profile {
        account: root.account(),
        name: registration.name.clone(),
        root: root.public(),
        device,
        seed,
        list,
        list_version: verified.list.version,
        list_hash: verified.hash,
        relay: place(invite),
        registering: Some(invite.secret),
        log: None,
        last_resort: aside_protocol::Millis(0),
        created: now(),
    };
    Ok((profile, phrase))
}

fn write_words(path: &Path, phrase: &RecoveryPhrase) -> Result<(), RegisterError> {
    let mut text = Zeroizing::new(String::with_capacity(256));
    text.push_str(phrase.words());
    text.push('\n');
    Ok(files::write_secret(path, text.as_bytes())?)
}

async fn tell(profile: &Profile, registration: &Registration) -> Result<(LoginOk, Way), TransportError> {
    let relay = &profile.relay;
    let target = Target { addresses: relay.addresses.clone(), pin: relay.pin, mode: relay.mode };
    let plan = paths::plan(registration.choice, Known::default(), None);
    let greeted = dial_with(&target, &plan).await?;
    let way = greeted.way();
    let secret = registration.invite.secret;
    let signed =
        greeted.transcript().registration_signs(&secret.0, profile.name.as_str(), &profile.root, &profile.list);
    let register = Register {
        secret,
        name: profile.name.clone(),
        root: profile.root,
        list: profile.list.clone(),
        signature: DeviceKey::from_seed(&profile.seed).sign(&signed),
    };
    let (link, ok) = greeted.register(register).await?;
    link.close().await;
    Ok((ok, way))
}
